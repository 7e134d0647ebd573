#include "paxos/fields.h"

#include "common/message.h"

/* ---- members ---- */

static const struct json_member *require(const struct json_object *object, const char *name,
                                         enum json_kind kind, struct error *error)
{
    const struct json_member *member = json_object_get(object, name);

    if (member == NULL) {
        error_set(error, ERROR_FIELD_MISSING, "%s is missing", name);
        return NULL;
    }
    if (member->kind != kind) {
        error_set(error, ERROR_FIELD_TYPE, "%s must be of type %s, not %s", name, json_kind_name(kind),
                  json_kind_name(member->kind));
        return NULL;
    }
    return member;
}

bool field_item_number(struct text item, uint64_t *number)
{
    uint64_t value = 0;

    if (item.length == 0 || (item.length > 1 && item.bytes[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < item.length; i++) {
        unsigned digit = (unsigned char)item.bytes[i] - (unsigned)'0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = 10 * value + digit;
    }
    *number = value;
    return true;
}

int field_number(const struct json_object *object, const char *name, uint64_t low, uint64_t high,
                 uint64_t *number, struct error *error)
{
    const struct json_member *member = require(object, name, JSON_NUMBER, error);

    if (member == NULL) {
        return error->code;
    }
    if (!field_item_number(member->text, number) || *number < low || *number > high) {
        int shown = member->text.length > 40 ? 40 : (int)member->text.length;
        return error_set(error, ERROR_FIELD_VALUE, "%s is %.*s: a whole number from %llu to %llu is allowed",
                         name, shown, member->text.bytes, (unsigned long long)low, (unsigned long long)high);
    }
    return 0;
}

int field_number_or(const struct json_object *object, const char *name, uint64_t low, uint64_t high,
                    uint64_t standard, uint64_t *number, struct error *error)
{
    *number = standard;
    return json_object_get(object, name) == NULL ? 0 : field_number(object, name, low, high, number, error);
}

int field_resource(const struct json_object *object, struct text *name, struct error *error)
{
    const struct json_member *member = require(object, "resource", JSON_STRING, error);

    if (member == NULL) {
        return error->code;
    }
    *name = member->text;
    return message_check_key(*name, error);
}

/* ---- arrays ---- */

int field_array(const struct json_object *object, const char *name, struct field_items *items,
                struct error *error)
{
    const struct json_member *member = require(object, name, JSON_ARRAY, error);

    if (member == NULL) {
        return error->code;
    }
    items->rest = (struct text){member->text.bytes + 1, member->text.length - 2};
    return 0;
}

/* Where the first string of canonical JSON ends. */
static size_t string_length(struct text text)
{
    size_t i = 1;

    while (text.bytes[i] != '"') {
        i += text.bytes[i] == '\\' ? 2 : 1;
    }
    return i + 1;
}

/* What json_object_read has let through is well formed, without white space: brackets and strings are enough to go by. */
bool field_next(struct field_items *items, struct text *item)
{
    struct text rest = items->rest;
    size_t depth = 0;
    size_t i = 0;

    if (rest.length == 0) {
        return false;
    }
    while (i < rest.length && (depth > 0 || rest.bytes[i] != ',')) {
        char c = rest.bytes[i];
        if (c == '"') {
            i += string_length((struct text){rest.bytes + i, rest.length - i});
            continue;
        }
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
        i++;
    }
    *item = (struct text){rest.bytes, i};
    i += i < rest.length;
    items->rest = (struct text){rest.bytes + i, rest.length - i};
    return true;
}
