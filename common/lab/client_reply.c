#include "common/lab/client_reply.h"

#include "common/net/grpc_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct text member_text(const struct json_object *object, const char *name)
{
    const struct json_member *member = json_object_get(object, name);
    return member != NULL && member->kind == JSON_STRING ? member->text : (struct text){0};
}

static int64_t member_number(const struct json_object *object, const char *name)
{
    const struct json_member *member = json_object_get(object, name);
    char digits[24];

    if (member == NULL || member->kind != JSON_NUMBER || member->text.length >= sizeof digits) {
        return 0;
    }
    memcpy(digits, member->text.bytes, member->text.length);
    digits[member->text.length] = '\0';
    return strtoll(digits, NULL, 10);
}

/* The JSON text that a reply carries inside a string, made canonical; without bytes if it is no JSON. */
static struct text read_value(struct client_replies *replies, struct text text)
{
    buffer_clear(&replies->json);
    buffer_add_string(&replies->json, "{\"value\":");
    buffer_add(&replies->json, text.bytes, text.length);
    buffer_add_char(&replies->json, '}');
    if (json_object_read(&replies->value, buffer_text(&replies->json), NULL) != 0 ||
        replies->value.count != 1) {
        return (struct text){0};
    }
    buffer_clear(&replies->json);
    json_write_member(&replies->json, &replies->value.members[0]);
    return buffer_text(&replies->json);
}

void client_reply_say(struct client_outcome *outcome, enum client_status status, const char *prefix,
                      struct text text)
{
    outcome->status = status;
    snprintf(outcome->reason, sizeof outcome->reason, "%s%.*s", prefix,
             (int)(text.length < 150 ? text.length : 150), text.length > 0 ? text.bytes : "");
    text_make_printable(outcome->reason);
}

static void read_reply(struct client_replies *replies, const struct workload_command *command,
                       struct text reply, struct client_outcome *outcome)
{
    struct error error;

    if (json_object_read(&replies->reply, reply, &error) != 0) {
        client_reply_say(outcome, CLIENT_UNKNOWN, "the reply is no JSON object: ", text_of(error.text));
        return;
    }
    struct text status = member_text(&replies->reply, "status");
    outcome->seq = member_number(&replies->reply, "seq");
    outcome->epoch = member_number(&replies->reply, "epoch");
    if (text_equal(status, text_of("error"))) {
        client_reply_say(outcome, CLIENT_ERROR, "", member_text(&replies->reply, "message"));
        return;
    }
    if (!command->is_set) {
        outcome->value = read_value(replies, member_text(&replies->reply, "local_value"));
    }
    if (!text_equal(status, text_of("ok"))) {
        client_reply_say(outcome, CLIENT_UNKNOWN, "the reply's status is neither ok nor error",
                         (struct text){0});
    } else if (!command->is_set && outcome->value.bytes == NULL) {
        client_reply_say(outcome, CLIENT_UNKNOWN, "the reply's local_value is no JSON", (struct text){0});
    }
}

/* Does the transport say that the request was not even looked at? */
static bool is_refusal(int grpc_status)
{
    return grpc_status == GRPC_INVALID_ARGUMENT || grpc_status == GRPC_RESOURCE_EXHAUSTED ||
           grpc_status == GRPC_UNIMPLEMENTED;
}

static void read_failure(int grpc_status, struct text sentence, bool sent, struct client_outcome *outcome)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "%s%s: ", sent ? "" : "not sent: ", grpc_status_name(grpc_status));
    client_reply_say(outcome, !sent || is_refusal(grpc_status) ? CLIENT_ERROR : CLIENT_UNKNOWN, prefix,
                     sentence);
}

void client_reply_grpc(struct client_replies *replies, const struct workload_command *command, int status,
                       struct text reply, bool sent, struct client_outcome *outcome)
{
    *outcome = (struct client_outcome){.status = CLIENT_OK};
    if (status == GRPC_OK) {
        read_reply(replies, command, reply, outcome);
    } else {
        read_failure(status, reply, sent, outcome);
    }
}

void client_reply_decided(struct client_replies *replies, const struct workload_command *command,
                          struct text body, struct client_outcome *outcome)
{
    const struct json_member *value;
    struct error error;

    *outcome = (struct client_outcome){.status = CLIENT_OK};
    if (json_object_read(&replies->reply, body, &error) != 0) {
        client_reply_say(outcome, CLIENT_UNKNOWN, "the answer is no JSON object: ", text_of(error.text));
        return;
    }
    if (!text_equal(member_text(&replies->reply, "status"), text_of("decided"))) {
        client_reply_say(outcome, CLIENT_UNKNOWN, "the answer's status is not decided", (struct text){0});
        return;
    }
    if (command->is_set) {
        return;
    }
    value = json_object_get(&replies->reply, "value");
    if (value == NULL) {
        client_reply_say(outcome, CLIENT_UNKNOWN, "the answer has no value", (struct text){0});
        return;
    }
    buffer_clear(&replies->json);
    json_write_member(&replies->json, value);
    outcome->value = buffer_text(&replies->json);
}

void client_replies_free(struct client_replies *replies)
{
    json_object_free(&replies->reply);
    json_object_free(&replies->value);
    buffer_free(&replies->json);
}
