#include "common/lab/client_log.h"

#include "common/net/grpc_status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

int client_log_open(struct client_log *log, const char *path, struct error *error)
{
    const struct log_options options = {.node = "lab", .level = LOG_DEBUG, .screen = -1, .file = log->path};

    snprintf(log->path, sizeof log->path, "%s", path);
    if (unlink(path) != 0 && errno != ENOENT) {
        error_set(error, ERROR_FILE, "%.200s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    return log_open(&log->log, &options, error);
}

static const char *type_of(const struct invocation *invocation)
{
    return invocation->command.is_set ? "SET" : "GET";
}

static bool begin(struct client_log *log, enum log_level level, const char *client, const char *event)
{
    log->log.options.node = client; /* one file, and so one log, for many clients */
    return log_begin(&log->log, level, event);
}

void client_log_invoke(struct client_log *log, const struct invocation *invocation)
{
    if (begin(log, LOG_INFO, invocation->client, "invoke")) {
        log_id(&log->log, "message_uuid", text_of(invocation->uuid.text));
        log_text(&log->log, "sender_id", text_of(invocation->node));
        log_text(&log->log, "command_type", text_of(type_of(invocation)));
        log_text(&log->log, "key", text_of(invocation->command.key));
        if (invocation->command.is_set) {
            log_text(&log->log, "value", text_of(invocation->command.value));
        }
        log_end(&log->log);
    }
}

/* ---- what a reply says ---- */

struct outcome {
    enum client_status status;
    char reason[200];   /* of what is not ok */
    int64_t seq, epoch; /* 0 where the reply has none */
    struct text value;  /* canonical JSON; without bytes where the reply has none */
};

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
static struct text read_value(struct client_log *log, struct text text)
{
    buffer_clear(&log->json);
    buffer_add_string(&log->json, "{\"value\":");
    buffer_add(&log->json, text.bytes, text.length);
    buffer_add_char(&log->json, '}');
    if (json_object_read(&log->value, buffer_text(&log->json), NULL) != 0 || log->value.count != 1) {
        return (struct text){0};
    }
    buffer_clear(&log->json);
    json_write_member(&log->json, &log->value.members[0]);
    return buffer_text(&log->json);
}

static void say(struct outcome *outcome, enum client_status status, const char *prefix, struct text text)
{
    outcome->status = status;
    snprintf(outcome->reason, sizeof outcome->reason, "%s%.*s", prefix,
             (int)(text.length < 150 ? text.length : 150), text.length > 0 ? text.bytes : "");
    text_make_printable(outcome->reason);
}

static void read_reply(struct client_log *log, const struct invocation *invocation, struct text reply,
                       struct outcome *outcome)
{
    struct error error;

    if (json_object_read(&log->reply, reply, &error) != 0) {
        say(outcome, CLIENT_UNKNOWN, "the reply is no JSON object: ", text_of(error.text));
        return;
    }
    struct text status = member_text(&log->reply, "status");
    outcome->seq = member_number(&log->reply, "seq");
    outcome->epoch = member_number(&log->reply, "epoch");
    if (text_equal(status, text_of("error"))) {
        say(outcome, CLIENT_ERROR, "", member_text(&log->reply, "message"));
        return;
    }
    if (!invocation->command.is_set) {
        outcome->value = read_value(log, member_text(&log->reply, "local_value"));
    }
    if (!text_equal(status, text_of("ok"))) {
        say(outcome, CLIENT_UNKNOWN, "the reply's status is neither ok nor error", (struct text){0});
    } else if (!invocation->command.is_set && outcome->value.bytes == NULL) {
        say(outcome, CLIENT_UNKNOWN, "the reply's local_value is no JSON", (struct text){0});
    }
}

/* Does the transport say that the request was not even looked at? */
static bool is_refusal(int grpc_status)
{
    return grpc_status == GRPC_INVALID_ARGUMENT || grpc_status == GRPC_RESOURCE_EXHAUSTED ||
           grpc_status == GRPC_UNIMPLEMENTED;
}

static void read_failure(int grpc_status, struct text sentence, bool sent, struct outcome *outcome)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "%s%s: ", sent ? "" : "not sent: ", grpc_status_name(grpc_status));
    say(outcome, !sent || is_refusal(grpc_status) ? CLIENT_ERROR : CLIENT_UNKNOWN, prefix, sentence);
}

enum client_status client_log_complete(struct client_log *log, const struct invocation *invocation,
                                       int grpc_status, struct text reply, bool sent)
{
    static const char *const names[] = {"ok", "error", "unknown"};
    struct outcome outcome = {.status = CLIENT_OK};
    uint64_t latency_us = (uv_hrtime() - invocation->started_ns) / 1000;

    if (grpc_status == GRPC_OK) {
        read_reply(log, invocation, reply, &outcome);
    } else {
        read_failure(grpc_status, reply, sent, &outcome);
    }
    if (begin(log, LOG_INFO, invocation->client, "complete")) {
        log_id(&log->log, "message_uuid", text_of(invocation->uuid.text));
        log_text(&log->log, "status", text_of(names[outcome.status]));
        if (outcome.seq > 0) {
            log_int(&log->log, "seq", outcome.seq);
        }
        if (outcome.epoch > 0) {
            log_int(&log->log, "epoch", outcome.epoch);
        }
        if (outcome.value.bytes != NULL) {
            log_json(&log->log, "value", outcome.value);
        }
        log_text(&log->log, "command_type", text_of(type_of(invocation)));
        log_text(&log->log, "key", text_of(invocation->command.key));
        log_int(&log->log, "latency_us", (int64_t)latency_us);
        if (outcome.status != CLIENT_OK) {
            log_text(&log->log, "reason", text_of(outcome.reason));
        }
        log_end(&log->log);
    }
    return outcome.status;
}

void client_log_give_up(struct client_log *log, const char *client, unsigned commands, const char *reason)
{
    if (begin(log, LOG_WARNING, client, "give_up")) {
        log_int(&log->log, "count", commands);
        log_text(&log->log, "reason", text_of(reason));
        log_end(&log->log);
    }
}

void client_log_close(struct client_log *log)
{
    log->log.options.node = "lab";
    log_close(&log->log);
    json_object_free(&log->reply);
    json_object_free(&log->value);
    buffer_free(&log->json);
}
