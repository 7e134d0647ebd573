#include "common/message.h"

#include "common/json.h"
#include "common/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const type_names[] = {
    [COMMAND_SET] = "SET", [COMMAND_GET] = "GET", [COMMAND_PRINT] = "PRINT"};

const char *command_type_name(enum command_type type)
{
    return type_names[type];
}

/* ---- making and sharing ---- */

static struct text copy_into(char **room, struct text text)
{
    struct text copy = {*room, text.length};
    if (text.bytes == NULL) {
        return (struct text){0};
    }
    memcpy(*room, text.bytes, text.length);
    *room += text.length;
    return copy;
}

struct message *message_new(const struct message *fields)
{
    size_t length = fields->key.length + fields->value.length + fields->sender_id.length +
                    fields->message_uuid.length + fields->timestamp.length;
    struct message *message =
        memory_new(sizeof *message + length); /* one allocation: the text stands behind */
    char *room = (char *)(message + 1);

    *message = *fields;
    message->references = 1;
    message->key = copy_into(&room, fields->key);
    message->value = copy_into(&room, fields->value);
    message->sender_id = copy_into(&room, fields->sender_id);
    message->message_uuid = copy_into(&room, fields->message_uuid);
    message->timestamp = fields->timestamp.length > 0 ? copy_into(&room, fields->timestamp) : text_of("0");
    return message;
}

struct message *message_number(const struct message *message, int64_t seq, int64_t epoch)
{
    struct message fields = *message;

    fields.seq = seq;
    fields.epoch = epoch;
    return message_new(&fields);
}

struct message *message_ref(struct message *message)
{
    message->references++;
    return message;
}

void message_unref(struct message *message)
{
    if (message != NULL && --message->references == 0) {
        free(message);
    }
}

/* ---- encoding ---- */

static void add_text(struct buffer *out, const char *name, struct text text)
{
    buffer_add_string(out, name);
    json_write_string(out, text);
}

void message_encode(const struct message *message, struct buffer *out)
{
    buffer_add_string(out, "{\"command_type\":\"");
    buffer_add_string(out, command_type_name(message->command_type));
    if (message->key.bytes != NULL) {
        add_text(out, "\",\"key\":", message->key);
    } else {
        buffer_add_string(out, "\",\"key\":null");
    }
    buffer_add_string(out, ",\"value\":");
    buffer_add(out, message->value.bytes, message->value.length);
    add_text(out, ",\"sender_id\":", message->sender_id);
    add_text(out, ",\"message_uuid\":", message->message_uuid);
    buffer_add_string(out, ",\"timestamp\":");
    buffer_add(out, message->timestamp.bytes, message->timestamp.length);
    if (message->seq != MESSAGE_NO_SEQ) {
        buffer_add_string(out, ",\"seq\":");
        buffer_add_int(out, message->seq);
    }
    if (message->epoch != MESSAGE_NO_EPOCH) {
        buffer_add_string(out, ",\"epoch\":");
        buffer_add_int(out, message->epoch);
    }
    buffer_add_char(out, '}');
}

/* ---- decoding ---- */

/* The member of that name; NULL where it is absent or null. */
static inline const struct json_member *find(const struct json_object *object, const char *name)
{
    const struct json_member *member = json_object_get(object, name);
    return member == NULL || member->kind == JSON_NULL ? NULL : member;
}

static int expect_kind(const struct json_member *member, const char *name, enum json_kind kind,
                       struct error *error)
{
    if (member->kind != kind) {
        return error_set(error, ERROR_FIELD_TYPE, "%s is of type %s, it must be a %s", name,
                         json_kind_name(member->kind), json_kind_name(kind));
    }
    return 0;
}

/* A string that must be there. */
static int read_string(const struct json_object *object, const char *name, struct text *text,
                       struct error *error)
{
    const struct json_member *member = find(object, name);
    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "%s is missing", name);
    }
    *text = member->text;
    return expect_kind(member, name, JSON_STRING, error);
}

static int read_command_type(const struct json_object *object, enum command_type *type, struct error *error)
{
    struct text name = {0};
    int code = read_string(object, "command_type", &name, error);
    if (code != 0) {
        return code;
    }
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++) {
        if (text_equal(name, text_of(type_names[i]))) {
            *type = (enum command_type)i;
            return 0;
        }
    }
    return error_set(error, ERROR_FIELD_VALUE, "command_type is \"%.*s\", it must be SET, GET or PRINT",
                     (int)(name.length < 40 ? name.length : 40), name.bytes);
}

static int check_name(const char *what, struct text name, size_t limit, struct error *error)
{
    if (name.length == 0 || name.length > limit) {
        return error_set(error, ERROR_FIELD_VALUE, "%s is %zu bytes long, 1 to %zu are allowed", what,
                         name.length, limit);
    }
    if (!text_is_utf8(name)) {
        return error_set(error, ERROR_NOT_UTF8, "%s is not valid UTF-8", what);
    }
    if (text_has_control(name)) {
        return error_set(error, ERROR_FIELD_VALUE, "%s holds a control character", what);
    }
    return 0;
}

int message_check_key(struct text key, struct error *error)
{
    return check_name("key", key, MESSAGE_KEY_MAX, error);
}

/* SET and GET need a key; what PRINT carries there must be well-formed and means nothing. */
static int read_key(const struct json_object *object, struct message *fields, struct error *error)
{
    const struct json_member *member = find(object, "key");
    if (member == NULL) {
        return fields->command_type == COMMAND_PRINT ? 0
                                                     : error_set(error, ERROR_FIELD_MISSING, "%s without key",
                                                                 command_type_name(fields->command_type));
    }
    int code = expect_kind(member, "key", JSON_STRING, error);
    if (code == 0) {
        code = message_check_key(member->text, error);
    }
    if (fields->command_type != COMMAND_PRINT) {
        fields->key = member->text;
    }
    return code;
}

/* Finite? Only a number with an exponent can be too large for a float. */
static bool is_finite_number(struct text number)
{
    char digits[MESSAGE_TIMESTAMP_MAX + 1];

    memcpy(digits, number.bytes, number.length);
    digits[number.length] = '\0';
    return strpbrk(digits, "eE") == NULL || isfinite(strtod(digits, NULL));
}

static int read_timestamp(const struct json_object *object, struct text *timestamp, struct error *error)
{
    const struct json_member *member = find(object, "timestamp");
    if (member == NULL) {
        return 0;
    }
    int code = expect_kind(member, "timestamp", JSON_NUMBER, error);
    if (code != 0) {
        return code;
    }
    if (member->text.length > MESSAGE_TIMESTAMP_MAX || !is_finite_number(member->text)) {
        return error_set(error, ERROR_FIELD_VALUE,
                         "timestamp is %.*s: a finite number of at most %d characters is allowed",
                         (int)(member->text.length < 40 ? member->text.length : 40), member->text.bytes,
                         MESSAGE_TIMESTAMP_MAX);
    }
    *timestamp = member->text;
    return 0;
}

/* A number that counts something; what it is to begin with holds where it is absent. */
static int read_count(const struct json_object *object, const char *name, int64_t *count, struct error *error)
{
    const struct json_member *member = find(object, name);
    if (member == NULL) {
        return 0;
    }
    int code = expect_kind(member, name, JSON_NUMBER, error);
    if (code != 0) {
        return code;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < member->text.length; i++) {
        char c = member->text.bytes[i];
        if (c < '0' || c > '9' || number > (uint64_t)(INT64_MAX - (c - '0')) / 10) {
            return error_set(error, ERROR_FIELD_VALUE,
                             "%s is %.*s, a whole number from 0 to %" PRId64 " is allowed", name,
                             (int)(member->text.length < 40 ? member->text.length : 40), member->text.bytes,
                             INT64_MAX);
        }
        number = number * 10 + (uint64_t)(c - '0');
    }
    *count = (int64_t)number;
    return 0;
}

static int read_fields(const struct json_object *object, struct message *fields, struct error *error)
{
    int code = read_command_type(object, &fields->command_type, error);
    if (code == 0) {
        code = read_string(object, "sender_id", &fields->sender_id, error);
    }
    if (code == 0) {
        code = check_name("sender_id", fields->sender_id, MESSAGE_SENDER_MAX, error);
    }
    if (code == 0) {
        code = read_string(object, "message_uuid", &fields->message_uuid, error);
    }
    if (code == 0 && !uuid_is_valid(fields->message_uuid)) {
        code = error_set(error, ERROR_FIELD_VALUE, "message_uuid is \"%.*s\", it must be a UUID",
                         (int)(fields->message_uuid.length < 40 ? fields->message_uuid.length : 40),
                         fields->message_uuid.bytes);
    }
    if (code == 0) {
        code = read_key(object, fields, error);
    }
    if (code == 0) {
        code = read_timestamp(object, &fields->timestamp, error);
    }
    if (code == 0) {
        code = read_count(object, "seq", &fields->seq, error);
    }
    if (code == 0) {
        code = read_count(object, "epoch", &fields->epoch, error);
    }
    return code;
}

struct message *message_decode(struct text bytes, size_t limit, struct error *error)
{
    /* Kept from message to message, so that in the long run decoding allocates only the message itself. */
    static struct json_object object;
    static struct buffer value;
    struct message fields = {.value = text_of("null"), .timestamp = text_of("0"), .seq = MESSAGE_NO_SEQ};

    if (bytes.length > limit) {
        error_set(error, ERROR_TOO_LONG, "%zu bytes long, at most %zu are allowed", bytes.length, limit);
        return NULL;
    }
    if (json_object_read(&object, bytes, error) != 0 || read_fields(&object, &fields, error) != 0) {
        return NULL;
    }
    const struct json_member *member = find(&object, "value");
    if (member != NULL && member->depth > MESSAGE_VALUE_DEPTH_MAX) {
        error_set(error, ERROR_FIELD_VALUE, "value is nested %zu levels deep, at most %d are allowed",
                  member->depth, MESSAGE_VALUE_DEPTH_MAX);
        return NULL;
    }
    if (member != NULL) {
        buffer_clear(&value);
        json_write_member(&value, member);
        fields.value = buffer_text(&value);
    }
    return message_new(&fields);
}
