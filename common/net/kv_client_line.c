#include "common/net/kv_client_line.h"

const char *kv_client_method(enum command_verb verb)
{
    return verb == VERB_SET   ? "/kv.KvService/Set"
           : verb == VERB_GET ? "/kv.KvService/Get"
                              : "/kv.KvService/Print";
}

void kv_client_request(struct buffer *out, const struct command *command, const struct uuid *uuid, bool wait)
{
    buffer_add_char(out, '{');
    if (command->verb == VERB_SET || command->verb == VERB_GET) {
        buffer_add_string(out, "\"key\":");
        json_write_string(out, command->key);
        buffer_add_char(out, ',');
    }
    if (command->verb == VERB_SET) {
        buffer_add_string(out, "\"value\":");
        json_write_string(out, command->value);
        buffer_add_char(out, ',');
    }
    buffer_add_format(out, "\"message_uuid\":\"%s\"", uuid->text);
    buffer_add_string(out, wait ? ",\"wait\":true}" : "}");
}

static void write_object(struct buffer *out, const struct json_object *object)
{
    buffer_add_char(out, '{');
    for (size_t i = 0; i < object->count; i++) {
        if (i > 0) {
            buffer_add_char(out, ',');
        }
        json_write_string(out, object->members[i].name);
        buffer_add_char(out, ':');
        json_write_member(out, &object->members[i]);
    }
    buffer_add_char(out, '}');
}

bool kv_client_reply(struct buffer *out, struct text reply, struct json_object *object)
{
    struct error error;
    struct error shown;

    if (json_object_read(object, reply, &error) != 0) {
        error_set(&shown, error.code, "the server's reply is not understood");
        error_because_of(&shown, &error);
        kv_client_error(out, shown.words);
        return false;
    }
    if (text_has_control(reply)) {
        write_object(out, object);
    } else {
        buffer_add(out, reply.bytes, reply.length);
    }
    buffer_add_char(out, '\n');
    const struct json_member *status = json_object_get(object, "status");
    return status != NULL && status->kind == JSON_STRING && text_equal(status->text, text_of("ok"));
}

void kv_client_error(struct buffer *out, const char *message)
{
    buffer_add_string(out, "{\"status\":\"error\",\"message\":");
    json_write_string(out, text_of(message));
    buffer_add_string(out, ",\"node\":null}\n");
}
