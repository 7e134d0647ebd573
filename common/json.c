#include "common/json.h"

#include "common/json_reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static bool read_hex4(const char *digits, size_t left, unsigned *unit)
{
    *unit = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i >= left || !isxdigit((unsigned char)digits[i])) {
            return false;
        }
        char c = digits[i];
        *unit = *unit * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return true;
}

bool json_surrogates_are_paired(struct text text)
{
    const char *at = text.bytes;
    const char *end = text.bytes + text.length;
    unsigned unit;

    while (at < end && (at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
        if (end - at < 6 || at[1] != 'u' || !read_hex4(at + 2, (size_t)(end - at - 2), &unit)) {
            at += 2; /* another escape, or an error that the parser will name */
            continue;
        }
        at += 6;
        if (unit >= 0xDC00 && unit <= 0xDFFF) {
            return false;
        }
        if (unit >= 0xD800 && unit <= 0xDBFF) {
            bool low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' &&
                       read_hex4(at + 2, (size_t)(end - at - 2), &unit) && unit >= 0xDC00 && unit <= 0xDFFF;
            if (!low) {
                return false;
            }
            at += 6;
        }
    }
    return true;
}

int json_object_read(struct json_object *object, struct text text, struct error *error)
{
    object->count = 0;
    buffer_clear(&object->text);
    if (text.length == 0) {
        return error_set(error, ERROR_NOT_JSON, "not JSON: empty");
    }
    if (!text_is_utf8(text)) {
        return error_set(error, ERROR_NOT_UTF8, "not valid UTF-8");
    }
    if (!json_surrogates_are_paired(text)) {
        return error_set(error, ERROR_NOT_JSON, "not JSON: half of a surrogate pair in a \\u escape");
    }
    buffer_reserve(&object->text, 1); /* an empty string is a text, too: it points somewhere */
    if (object->reader == NULL) {
        object->reader = json_reader_new();
    }
    int code = json_reader_read(object->reader, object, text, error);
    if (code != 0) {
        object->count = 0;
        return code;
    }
    for (size_t i = 0; i < object->count; i++) { /* the text moves no more: offsets become pointers */
        struct json_member *member = &object->members[i];
        member->name.bytes = object->text.bytes + member->name_offset;
        member->text.bytes = object->text.bytes + member->text_offset;
    }
    return 0;
}

const struct json_member *json_object_find(const struct json_object *object, struct text name)
{
    for (size_t i = object->count; i > 0; i--) {
        if (text_equal(object->members[i - 1].name, name)) {
            return &object->members[i - 1];
        }
    }
    return NULL;
}

void json_object_free(struct json_object *object)
{
    json_reader_free(object->reader);
    free(object->members);
    buffer_free(&object->text);
    *object = (struct json_object){0};
}

const char *json_kind_name(enum json_kind kind)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    return names[kind];
}
