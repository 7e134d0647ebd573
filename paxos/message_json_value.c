/* A value: an array of commands, or null. */
#include "common/json.h"
#include "paxos/command_json.h"
#include "paxos/limits.h"
#include "paxos/message_json_parts.h"

/* One that is not in its canonical form, as somebody with curl writes it, is put into it. `made` is to be freed. */
static int make_canonical(struct text text, struct client_command *command, struct buffer *made,
                          struct error *error)
{
    struct json_object object = {0};
    struct operation operation;
    int code = json_object_read(&object, text, error);

    if (code == 0) {
        code = command_json_read(&object, made, &operation, command, error);
    }
    json_object_free(&object);
    return code;
}

/* The commands of a value, while it is read. */
struct batch {
    struct client_command commands[PAXOS_BATCH];
    struct buffer made[PAXOS_BATCH]; /* bytes of those that did not come in their canonical form */
    size_t count;
};

/* Most come as every process of ours writes them, and need no second look. */
static bool take_plain(struct json_scan *scan, struct client_command *command)
{
    struct operation operation;
    size_t length =
        command_json_read_plain((struct text){scan->at, (size_t)(scan->end - scan->at)}, &operation, command);

    if (length > 0) {
        json_scan_pass(scan, length);
    }
    return length > 0;
}

static int read_command(struct json_scan *scan, const char *name, struct batch *batch, struct error *error)
{
    struct text text;

    if (batch->count == PAXOS_BATCH) {
        return error_set(error, ERROR_FIELD_VALUE, "%s holds more than %d commands", name, PAXOS_BATCH);
    }
    if (json_scan_peek(scan) != '{') {
        return error_set(error, ERROR_FIELD_TYPE, "%s holds something that is no object", name);
    }
    struct buffer *made = &batch->made[batch->count];
    struct client_command *command = &batch->commands[batch->count];
    *made = (struct buffer){0};
    if (take_plain(scan, command)) {
        batch->count++;
        return 0;
    }
    if (!json_scan_skip(scan, &text)) {
        return 0;
    }
    if (text.length > PAXOS_COMMAND_MAX) {
        return error_set(error, ERROR_FIELD_VALUE, "%s holds a command of %zu bytes: %d are allowed", name,
                         text.length, PAXOS_COMMAND_MAX);
    }
    batch->count++;
    return command_json_identify(text, command) ? 0 : make_canonical(text, command, made, error);
}

int message_json_scan_value(struct json_scan *scan, const char *name, struct value **value,
                            struct error *error)
{
    struct batch batch;
    int code = 0;

    *value = NULL;
    if (json_scan_peek(scan) == 'n') {
        json_scan_skip(scan, NULL);
        return 0;
    }
    if (json_scan_peek(scan) != '[') {
        return error_set(error, ERROR_FIELD_TYPE, "%s is neither null nor an array of commands", name);
    }
    batch.count = 0;
    json_scan_enter(scan, '[');
    while (code == 0 && json_scan_item(scan)) {
        code = read_command(scan, name, &batch, error);
    }
    if (code == 0 && batch.count == 0 && scan->wrong == NULL) {
        code = error_set(error, ERROR_FIELD_VALUE, "%s is empty: null stands for no command", name);
    }
    if (code == 0 && scan->wrong == NULL) {
        *value = value_create(batch.commands, batch.count);
    }
    for (size_t i = 0; i < batch.count; i++) {
        buffer_free(&batch.made[i]);
    }
    return code;
}

int message_json_read_value(struct text text, const char *name, struct value **value, struct error *error)
{
    struct json_scan scan = json_scan_of(text);
    int code = text_is_utf8(text) ? message_json_scan_value(&scan, name, value, error)
                                  : error_set(error, ERROR_NOT_UTF8, "not valid UTF-8");

    if (code == 0 && !json_scan_end(&scan)) {
        value_release(*value);
        code = json_scan_refuse(&scan, error);
    }
    return code;
}
