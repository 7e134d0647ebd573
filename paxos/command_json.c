#include "paxos/command_json.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SHOWN_MAX 40 /* bytes of a value in a sentence about it */

/* The names of the same things in the two forms. */
struct form {
    const char *operation, *resource, *data, *client;
};

static const struct form native_form = {"operation", "resource", "data", "clientId"};
static const struct form message_form = {"command_type", "key", "value", "sender_id"};

/* ---- reading ---- */

/* A value as a sentence quotes it: the beginning of its JSON text. */
struct shown {
    char text[SHOWN_MAX + 8];
};

static struct shown show(const struct json_member *member)
{
    struct shown shown;
    const char *quote = member->kind == JSON_STRING ? "\"" : "";
    bool is_cut = member->text.length > SHOWN_MAX;

    snprintf(shown.text, sizeof shown.text, "%s%.*s%s%s", quote,
             is_cut ? SHOWN_MAX : (int)member->text.length, member->text.bytes, is_cut ? "…" : "", quote);
    return shown;
}

/* The member of that name; NULL where it is absent or null. */
static const struct json_member *find(const struct json_object *object, const char *name)
{
    const struct json_member *member = json_object_get(object, name);
    return member == NULL || member->kind == JSON_NULL ? NULL : member;
}

/* Text without control characters. `member` may be NULL: then it is missing. */
static int read_name(const struct json_member *member, const char *name, size_t limit, struct text *text,
                     struct error *error)
{
    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "%s is missing, it must be a string of 1 to %zu bytes",
                         name, limit);
    }
    if (member->kind != JSON_STRING) {
        return error_set(error, ERROR_FIELD_TYPE, "%s is %s, it must be a string of 1 to %zu bytes", name,
                         show(member).text, limit);
    }
    if (member->text.length == 0 || member->text.length > limit) {
        return error_set(error, ERROR_FIELD_VALUE, "%s is %s, %zu bytes long: 1 to %zu are allowed", name,
                         show(member).text, member->text.length, limit);
    }
    if (text_has_control(member->text)) {
        return error_set(error, ERROR_FIELD_VALUE, "%s is %s: control characters are not allowed", name,
                         show(member).text);
    }
    *text = member->text;
    return 0;
}

static int read_type(const struct json_object *object, const char *name, enum command_type *type,
                     struct error *error)
{
    static const struct {
        const char *word;
        enum command_type type;
    } words[] = {{"SET", COMMAND_SET},
                 {"GET", COMMAND_GET},
                 {"PRINT", COMMAND_PRINT},
                 {"WRITE", COMMAND_SET},
                 {"READ", COMMAND_GET}};
    const struct json_member *member = find(object, name);

    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING,
                         "%s is missing, it must be SET (or WRITE), GET (or READ) or PRINT", name);
    }
    for (size_t i = 0; i < sizeof words / sizeof *words && member->kind == JSON_STRING; i++) {
        if (strlen(words[i].word) == member->text.length &&
            strncasecmp(words[i].word, member->text.bytes, member->text.length) == 0) {
            *type = words[i].type;
            return 0;
        }
    }
    return error_set(error, member->kind == JSON_STRING ? ERROR_FIELD_VALUE : ERROR_FIELD_TYPE,
                     "%s is %s, it must be SET (or WRITE), GET (or READ) or PRINT", name, show(member).text);
}

static int read_data(const struct json_object *object, const char *name, struct error *error)
{
    const struct json_member *member = json_object_get(object, name); /* null is a value, too */

    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING, "%s is missing, a SET needs one: any JSON", name);
    }
    if (member->depth > MESSAGE_VALUE_DEPTH_MAX) {
        return error_set(error, ERROR_FIELD_VALUE, "%s is nested %zu levels deep, at most %d are allowed",
                         name, member->depth, MESSAGE_VALUE_DEPTH_MAX);
    }
    return 0;
}

/* A number of a bounded length, digit for digit: nobody calculates with it. */
static int read_number(const struct json_member *member, const char *name, struct text *number,
                       struct error *error)
{
    if (member == NULL) {
        return error_set(error, ERROR_FIELD_MISSING,
                         "%s is missing, it must be a number of at most %d characters", name,
                         OPERATION_TIMESTAMP_MAX);
    }
    if (member->kind != JSON_NUMBER || member->text.length > OPERATION_TIMESTAMP_MAX) {
        return error_set(error, member->kind == JSON_NUMBER ? ERROR_FIELD_VALUE : ERROR_FIELD_TYPE,
                         "%s is %s, it must be a number of at most %d characters", name, show(member).text,
                         OPERATION_TIMESTAMP_MAX);
    }
    *number = member->text;
    return 0;
}

/* A clientId may be a number, too. */
static int read_client(const struct json_object *object, const struct form *form, struct operation *operation,
                       struct error *error)
{
    const struct json_member *member = find(object, form->client);

    if (form == &native_form && member != NULL && member->kind == JSON_NUMBER) {
        return read_number(member, form->client, &operation->client, error);
    }
    return read_name(member, form->client, OPERATION_CLIENT_MAX, &operation->client, error);
}

/* What names a command: (clientId, timestamp), or message_uuid. */
static int read_identity(const struct json_object *object, const struct form *form,
                         struct operation *operation, struct error *error)
{
    const struct json_member *timestamp = find(object, "timestamp");
    int code = read_client(object, form, operation, error);

    if (form == &message_form && code == 0) {
        const struct json_member *member = find(object, "message_uuid");
        code = read_name(member, "message_uuid", UUID_LENGTH, &operation->message_uuid, error);
        if (code == 0 && !uuid_is_valid(operation->message_uuid)) {
            code = error_set(error, ERROR_FIELD_VALUE, "message_uuid is %s, it must be a UUID",
                             show(member).text);
        }
    }
    if (code == 0 && (form == &native_form || timestamp != NULL)) {
        code = read_number(timestamp, "timestamp", &operation->timestamp, error);
    }
    return code;
}

static int read_operation(const struct json_object *object, const struct form *form,
                          struct operation *operation, struct error *error)
{
    int code = read_type(object, form->operation, &operation->type, error);

    if (code == 0) {
        code = read_identity(object, form, operation, error);
    }
    if (code == 0 && operation->type != COMMAND_PRINT) {
        code = read_name(find(object, form->resource), form->resource, MESSAGE_KEY_MAX, &operation->resource,
                         error);
    }
    if (code == 0 && operation->type == COMMAND_SET) {
        code = read_data(object, form->data, error);
    }
    if (code == 0 && find(object, "notify") != NULL) {
        code = read_name(find(object, "notify"), "notify", OPERATION_NOTIFY_MAX, &operation->notify, error);
    }
    return code;
}

/* ---- the canonical form ---- */

static void write_name(struct buffer *out, const char *name)
{
    buffer_add_string(out, out->length == 0 ? "{\"" : ",\"");
    buffer_add_string(out, name);
    buffer_add_string(out, "\":");
}

static void write_text(struct buffer *out, const char *name, struct text text)
{
    if (text.bytes != NULL) {
        write_name(out, name);
        json_write_string(out, text);
    }
}

/* Of a SET; returns where it stands. */
static size_t write_data(struct buffer *out, const char *name, const struct json_object *object,
                         const struct operation *operation)
{
    size_t start = 0;

    if (operation->type == COMMAND_SET) {
        write_name(out, name);
        start = out->length;
        json_write_member(out, json_object_get(object, name));
    }
    return start;
}

/* A number stays a number: 7 and "7" are two clients. */
static size_t write_native(struct buffer *out, const struct json_object *object,
                           const struct operation *operation, size_t *data_end)
{
    write_name(out, "clientId");
    json_write_member(out, find(object, "clientId"));
    size_t start = write_data(out, "data", object, operation);
    *data_end = out->length;
    write_text(out, "notify", operation->notify);
    write_text(out, "operation", text_of(command_type_name(operation->type)));
    write_text(out, "resource", operation->resource);
    write_name(out, "timestamp");
    buffer_add(out, operation->timestamp.bytes, operation->timestamp.length);
    return start;
}

static size_t write_message(struct buffer *out, const struct json_object *object,
                            const struct operation *operation, size_t *data_end)
{
    write_text(out, "command_type", text_of(command_type_name(operation->type)));
    write_text(out, "key", operation->resource);
    write_text(out, "message_uuid", operation->message_uuid);
    write_text(out, "notify", operation->notify);
    write_text(out, "sender_id", operation->client);
    if (operation->timestamp.bytes != NULL) {
        write_name(out, "timestamp");
        buffer_add(out, operation->timestamp.bytes, operation->timestamp.length);
    }
    size_t start = write_data(out, "value", object, operation);
    *data_end = out->length;
    return start;
}

int command_json_read(const struct json_object *object, struct buffer *bytes, struct operation *operation,
                      struct client_command *command, struct error *error)
{
    bool is_message = json_object_get(object, "command_type") != NULL;
    size_t data_end = 0;

    *operation = (struct operation){0};
    int code = read_operation(object, is_message ? &message_form : &native_form, operation, error);
    if (code != 0) {
        return code;
    }
    buffer_clear(bytes);
    size_t data = (is_message ? write_message : write_native)(bytes, object, operation, &data_end);
    buffer_add_char(bytes, '}');
    if (bytes->length > PAXOS_COMMAND_MAX) {
        return error_set(error, ERROR_TOO_LONG, "the command is %zu bytes long, at most %d are allowed",
                         bytes->length, PAXOS_COMMAND_MAX);
    }
    if (operation->type == COMMAND_SET) {
        operation->data = (struct text){bytes->bytes + data, data_end - data};
    }
    command_json_identify(buffer_text(bytes), command); /* what was just written has a name */
    return 0;
}
