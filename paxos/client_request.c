#include "paxos/client_request.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void client_identity_init(struct client_identity *identity, const char *name, const struct uuid *uuid)
{
    *identity = (struct client_identity){0};
    snprintf(identity->id, sizeof identity->id, "%.60s.%.8s", name, uuid->text);
}

/* ---- asking ---- */

/* The value of a member as JSON text; no bytes at all if it is not there. */
static void take_json(const struct json_object *object, const char *name, struct buffer *scratch,
                      size_t *start, size_t *end)
{
    const struct json_member *member = json_object_get(object, name);

    *start = scratch->length;
    if (member != NULL) {
        json_write_member(scratch, member);
    }
    *end = scratch->length;
}

static struct text piece(const struct buffer *scratch, size_t start, size_t end)
{
    return start < end ? (struct text){scratch->bytes + start, end - start} : (struct text){0};
}

int client_operation_read(struct client_operation *operation, const struct json_object *object,
                          struct buffer *scratch, struct error *error)
{
    const struct json_member *name = json_object_get(object, "operation");
    const struct json_member *stale = json_object_get(object, "stale");
    size_t resource[2];
    size_t data[2];

    if (name == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "the field operation is missing");
    }
    if (name->kind != JSON_STRING) {
        return error_set(error, ERROR_FIELD_TYPE, "operation is of type %s: a string is allowed",
                         json_kind_name(name->kind));
    }
    if (stale != NULL && stale->kind != JSON_BOOLEAN) {
        return error_set(error, ERROR_FIELD_TYPE, "stale is of type %s: true and false are allowed",
                         json_kind_name(stale->kind));
    }
    buffer_clear(scratch);
    take_json(object, "resource", scratch, &resource[0], &resource[1]);
    take_json(object, "data", scratch, &data[0], &data[1]);
    *operation =
        (struct client_operation){.operation = name->text,
                                  .resource = piece(scratch, resource[0], resource[1]),
                                  .data = piece(scratch, data[0], data[1]),
                                  .stale = stale != NULL && text_equal(stale->text, text_of("true"))};
    return 0;
}

const char *client_operation_path(const struct client_operation *operation)
{
    return operation->stale ? "/propose?wait=decided&stale=true" : "/propose?wait=decided";
}

void client_operation_write(struct buffer *out, struct client_identity *identity,
                            const struct client_operation *operation, int64_t now_us)
{
    uint64_t stamp = now_us > 0 ? (uint64_t)now_us : 0;

    identity->last_stamp = stamp > identity->last_stamp ? stamp : identity->last_stamp + 1;
    buffer_add_string(out, "{\"clientId\":");
    json_write_string(out, text_of(identity->id));
    buffer_add_format(out, ",\"timestamp\":%" PRIu64 ",\"operation\":", identity->last_stamp);
    json_write_string(out, operation->operation);
    if (operation->resource.bytes != NULL) {
        buffer_add_string(out, ",\"resource\":");
        buffer_add(out, operation->resource.bytes, operation->resource.length);
    }
    if (operation->data.bytes != NULL) {
        buffer_add_string(out, ",\"data\":");
        buffer_add(out, operation->data.bytes, operation->data.length);
    }
    if (identity->notify != NULL) {
        buffer_add_string(out, ",\"notify\":");
        json_write_string(out, text_of(identity->notify));
    }
    buffer_add_char(out, '}');
}

/* ---- what became of it ---- */

void client_write_brief(struct buffer *out, struct text json)
{
    if (json.length <= CLIENT_SHORT_MAX) {
        buffer_add(out, json.bytes, json.length);
        return;
    }
    char start[CLIENT_SHORT_MAX + sizeof "…"];
    size_t length = CLIENT_SHORT_MAX;
    while (length > 0 && ((unsigned char)json.bytes[length] & 0xC0) == 0x80) {
        length--; /* not inside a character */
    }
    memcpy(start, json.bytes, length);
    memcpy(start + length, "…", sizeof "…");
    json_write_string(out, text_of(start));
}

static void write_value(struct buffer *out, const struct json_member *member, bool brief)
{
    size_t start = out->length;

    json_write_member(out, member);
    if (brief && out->length - start > CLIENT_SHORT_MAX) {
        struct buffer whole = {0};
        buffer_add(&whole, out->bytes + start, out->length - start);
        out->length = start;
        client_write_brief(out, buffer_text(&whole));
        buffer_free(&whole);
    }
}

static void write_body(struct buffer *out, const struct json_object *object, bool brief)
{
    for (size_t i = 0; i < object->count; i++) {
        json_write_string(out, object->members[i].name);
        buffer_add_char(out, ':');
        write_value(out, &object->members[i], brief);
        buffer_add_char(out, ',');
    }
}

static void write_error(struct buffer *out, const char *sentence)
{
    buffer_add_string(out, "\"error\":");
    json_write_string(out, text_of(sentence));
    buffer_add_char(out, ',');
}

bool client_result_write(struct buffer *out, const struct client_result *result, bool brief,
                         struct json_object *object)
{
    bool understood = false;
    struct error error;

    buffer_add_char(out, '{');
    if (result->error != NULL) {
        write_error(out, result->error);
    } else if (json_object_read(object, result->body, &error) != 0) {
        write_error(out, "the proposer's answer is not understood");
    } else {
        understood = true;
        write_body(out, object, brief);
    }
    if (result->proposer != NULL) {
        buffer_add_string(out, "\"proposer\":");
        json_write_string(out, text_of(result->proposer));
        buffer_add_char(out, ',');
    }
    buffer_add_format(out, "\"tries\":%u,\"latencyUs\":%" PRIu64 "}", result->tries, result->latency_us);
    return understood && result->status >= 200 && result->status < 300;
}
