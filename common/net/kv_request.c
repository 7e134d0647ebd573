#include "common/net/kv_request.h"

#include <ctype.h>
#include <string.h>

/* Bytes of an encoded message besides its value, at most: the other members, their escapes, and what JSON puts between
 * them. */
#define OVERHEAD_MAX 4096

/* ---- requests ---- */

/* The member of that name; NULL where it is absent or null. */
static const struct json_member *find(const struct json_object *object, const char *name)
{
    const struct json_member *member = json_object_get(object, name);
    return member == NULL || member->kind == JSON_NULL ? NULL : member;
}

static int refuse_kind(const struct json_member *member, const char *name, const char *wanted,
                       struct error *error)
{
    return error_set(error, ERROR_FIELD_TYPE, "%s is of type %s, it must be a %s", name,
                     json_kind_name(member->kind), wanted);
}

static int read_key(struct kv_request *request, const struct json_object *object, struct error *error)
{
    const struct json_member *member = find(object, "key");

    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "key is missing");
    }
    if (member->kind != JSON_STRING) {
        return refuse_kind(member, "key", "string", error);
    }
    request->key = member->text;
    return message_check_key(member->text, error);
}

/* Here null is a value like any other. */
static int read_value(struct kv_request *request, const struct json_object *object, struct error *error)
{
    const struct json_member *member = json_object_get(object, "value");

    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "value is missing");
    }
    if (member->depth > MESSAGE_VALUE_DEPTH_MAX) {
        return error_set(error, ERROR_FIELD_VALUE, "value is nested %zu levels deep, at most %d are allowed",
                         member->depth, MESSAGE_VALUE_DEPTH_MAX);
    }
    json_write_member(&request->value, member);
    if (request->value.length > MESSAGE_STREAM_MAX - OVERHEAD_MAX) {
        return error_set(error, ERROR_TOO_LONG, "value is %zu bytes long as JSON, at most %d are allowed",
                         request->value.length, MESSAGE_STREAM_MAX - OVERHEAD_MAX);
    }
    return 0;
}

static int read_wait(struct kv_request *request, const struct json_object *object, struct error *error)
{
    const struct json_member *member = find(object, "wait");

    if (member == NULL) {
        return 0;
    }
    if (member->kind != JSON_BOOLEAN) {
        return refuse_kind(member, "wait", "boolean", error);
    }
    request->wait = text_equal(member->text, text_of("true"));
    return 0;
}

static int read_uuid(struct kv_request *request, const struct json_object *object, struct error *error)
{
    const struct json_member *member = find(object, "message_uuid");

    if (member == NULL) {
        return 0;
    }
    if (member->kind != JSON_STRING) {
        return refuse_kind(member, "message_uuid", "string", error);
    }
    if (!uuid_is_valid(member->text)) {
        return error_set(error, ERROR_FIELD_VALUE, "message_uuid is \"%.*s\", it must be a UUID",
                         (int)(member->text.length < 40 ? member->text.length : 40), member->text.bytes);
    }
    for (size_t i = 0; i < UUID_LENGTH; i++) { /* two ways to write one name would be two names to a rule */
        request->uuid.text[i] = (char)tolower((unsigned char)member->text.bytes[i]);
    }
    request->uuid.text[UUID_LENGTH] = '\0';
    return 0;
}

int kv_request_read(struct kv_request *request, enum command_type type, struct json_object *object,
                    struct text text, struct error *error)
{
    request->key = (struct text){0};
    request->uuid.text[0] = '\0';
    request->wait = false;
    buffer_clear(&request->value);

    int code = json_object_read(object, text, error);
    if (code == 0 && type != COMMAND_PRINT) {
        code = read_key(request, object, error);
    }
    if (code == 0 && type == COMMAND_SET) {
        code = read_value(request, object, error);
    }
    if (code == 0) {
        code = read_wait(request, object, error);
    }
    if (code == 0) {
        code = read_uuid(request, object, error);
    }
    return code;
}

void kv_request_free(struct kv_request *request)
{
    buffer_free(&request->value);
}

/* ---- replies ---- */

static void add_text(struct buffer *out, const char *name, struct text text)
{
    buffer_add_string(out, name);
    json_write_string(out, text);
}

static void add_number(struct buffer *out, const char *name, int64_t number)
{
    buffer_add_string(out, name);
    buffer_add_int(out, number);
}

void kv_reply_write(struct buffer *out, struct text node, const struct kv_reply *reply)
{
    add_text(out, reply->ok ? "{\"status\":\"ok\",\"message\":" : "{\"status\":\"error\",\"message\":",
             text_of(reply->message));
    add_text(out, ",\"node\":", node);
    if (reply->seq != MESSAGE_NO_SEQ) {
        add_number(out, ",\"seq\":", reply->seq);
    }
    if (reply->epoch != MESSAGE_NO_EPOCH) {
        add_number(out, ",\"epoch\":", reply->epoch);
    }
    if (reply->leader != NULL) {
        add_text(out, ",\"leader\":", text_of(reply->leader));
    }
    if (reply->local_value.bytes != NULL) {
        add_text(out, ",\"local_value\":", reply->local_value);
    }
    if (reply->snapshot.bytes != NULL) {
        add_text(out, ",\"snapshot\":", reply->snapshot);
    }
    buffer_add_char(out, '}');
}
