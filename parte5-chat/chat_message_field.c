/* One value into one field, by the field's kind: the kinds that are no lists. */
#include "common/uuid.h"
#include "parte5-chat/chat.h"
#include "parte5-chat/chat_message_table.h"
#include "parte5-chat/names.h"

#include <inttypes.h>

int field_wrong_kind(const struct field *field, const struct pack_value *value, enum pack_kind allowed,
                     struct error *error)
{
    return error_set(error, ERROR_FIELD_TYPE, "%s is of type %s, it must be of type %s", field->name,
                     pack_kind_name(value->kind), pack_kind_name(allowed));
}

static int check_text(const struct field *field, struct text text, struct error *error)
{
    if (field->kind == FIELD_NAME) {
        return name_check(text, field->name, error);
    }
    if (field->kind == FIELD_UUID) {
        return uuid_is_valid(text)
                   ? 0
                   : error_set(error, ERROR_FIELD_VALUE, "%s: not the text of a UUID", field->name);
    }
    if (text.length > (uint64_t)field->most) {
        return error_set(error, ERROR_TOO_LONG, "%s: %zu bytes, at most %" PRId64 " are allowed", field->name,
                         text.length, field->most);
    }
    if (!text_is_utf8(text)) {
        return error_set(error, ERROR_NOT_UTF8, "%s: not valid UTF-8", field->name);
    }
    return 0;
}

static int read_text(const struct field *field, const struct pack_value *value, struct text *text,
                     struct error *error)
{
    if (value->kind != PACK_STRING) {
        return field_wrong_kind(field, value, PACK_STRING, error);
    }
    int code = check_text(field, value->text, error);
    if (code == 0) {
        *text = value->text;
    }
    return code;
}

/* The whole number that a value is, or, of a moment, the whole part of one; false where there is none. */
static bool whole_number(const struct pack_value *value, bool drop_fraction, int64_t *number)
{
    if (value->kind == PACK_INTEGER) {
        *number = value->integer;
        return true;
    }
    bool exact =
        value->number >= -9007199254740992.0 && value->number <= 9007199254740992.0; /* 2 to the 53 */
    if (!exact) { /* nor does a NaN compare */
        return false;
    }
    *number = (int64_t)value->number;
    return drop_fraction || (double)*number == value->number;
}

static int read_number(const struct field *field, const struct pack_value *value, int64_t *into,
                       struct error *error)
{
    int64_t number;

    if (value->kind != PACK_INTEGER && value->kind != PACK_FLOAT) {
        return field_wrong_kind(field, value, PACK_INTEGER, error);
    }
    if (!whole_number(value, field->kind == FIELD_MOMENT, &number) || number < field->least ||
        number > field->most) {
        return error_set(error, ERROR_FIELD_VALUE,
                         "%s: a whole number from %" PRId64 " to %" PRId64 " is allowed", field->name,
                         field->least, field->most);
    }
    *into = number;
    return 0;
}

static int read_flag(const struct field *field, const struct pack_value *value, bool *flag,
                     struct error *error)
{
    if (value->kind != PACK_BOOLEAN) {
        return field_wrong_kind(field, value, PACK_BOOLEAN, error);
    }
    *flag = value->boolean;
    return 0;
}

static int read_status(const struct field *field, const struct pack_value *value, enum chat_status *status,
                       struct error *error)
{
    if (value->kind != PACK_STRING) {
        return field_wrong_kind(field, value, PACK_STRING, error);
    }
    if (text_equal(value->text, text_of("erro"))) {
        *status = STATUS_ERROR;
        return 0;
    }
    if (text_equal(value->text, text_of("OK")) || text_equal(value->text, text_of("sucesso"))) {
        *status = STATUS_OK;
        return 0;
    }
    return error_set(error, ERROR_FIELD_VALUE, "%s: OK, sucesso or erro is allowed", field->name);
}

static int read_type(const struct field *field, const struct pack_value *value, int64_t *type,
                     struct error *error)
{
    if (value->kind != PACK_STRING) {
        return field_wrong_kind(field, value, PACK_STRING, error);
    }
    for (int i = 0; i < CHANGE_TYPE_COUNT; i++) {
        if (text_equal(value->text, text_of(change_type_name((enum change_type)i)))) {
            *type = i;
            return 0;
        }
    }
    return error_set(error, ERROR_FIELD_VALUE, "%s: not the type of a change", field->name);
}

int field_read(const struct field *field, const struct pack_value *value, struct chat_message *into,
               struct error *error)
{
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_MOMENT:
        return read_number(field, value, field_number(field, into), error);
    case FIELD_FLAG:
        return read_flag(field, value, field_flag(field, into), error);
    case FIELD_STATUS:
        return read_status(field, value, &into->status, error);
    case FIELD_TYPE:
        return read_type(field, value, &into->type, error);
    default:
        return read_text(field, value, field_text(field, into), error);
    }
}
