#include "common/lab/client_log.h"

#include "common/random.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
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
    return invocation->type != NULL ? invocation->type : invocation->command.is_set ? "SET" : "GET";
}

static bool begin(struct client_log *log, enum log_level level, const char *client, const char *event)
{
    log->log.options.node = client; /* one file, and so one log, for many clients */
    return log_begin(&log->log, level, event);
}

static void add_key(struct client_log *log, const struct invocation *invocation)
{
    if (invocation->command.key[0] != '\0') {
        log_text(&log->log, "key", text_of(invocation->command.key));
    }
}

void client_log_invoke(struct client_log *log, const struct invocation *invocation)
{
    if (begin(log, LOG_INFO, invocation->client, "invoke")) {
        log_id(&log->log, "message_uuid", text_of(invocation->uuid.text));
        log_text(&log->log, "sender_id", text_of(invocation->sender));
        log_text(&log->log, "command_type", text_of(type_of(invocation)));
        add_key(log, invocation);
        if (invocation->command.is_set) {
            log_text(&log->log, "value", text_of(invocation->command.value));
        }
        log_end(&log->log);
    }
}

void client_log_complete(struct client_log *log, const struct invocation *invocation,
                         const struct client_outcome *outcome)
{
    static const char *const names[] = {"ok", "error", "unknown"};
    uint64_t latency_us = (uv_hrtime() - invocation->started_ns) / 1000;

    if (begin(log, LOG_INFO, invocation->client, "complete")) {
        log_id(&log->log, "message_uuid", text_of(invocation->uuid.text));
        log_text(&log->log, "status", text_of(names[outcome->status]));
        if (outcome->seq > 0) {
            log_int(&log->log, "seq", outcome->seq);
        }
        if (outcome->epoch > 0) {
            log_int(&log->log, "epoch", outcome->epoch);
        }
        if (outcome->value.bytes != NULL) {
            log_json(&log->log, "value", outcome->value);
        }
        log_text(&log->log, "command_type", text_of(type_of(invocation)));
        add_key(log, invocation);
        log_int(&log->log, "latency_us", (int64_t)latency_us);
        if (outcome->status != CLIENT_OK) {
            log_text(&log->log, "reason", text_of(outcome->reason));
        }
        log_end(&log->log);
    }
}

/* ---- of the chat ---- */

static void log_message(struct client_log *log, const char *event, const char *client, const char *service,
                        struct text bytes, int64_t clock)
{
    char digest[17];

    if (begin(log, LOG_DEBUG, client, event)) {
        snprintf(digest, sizeof digest, "%016" PRIx64, random_hash(bytes));
        log_text(&log->log, "message_id", text_of(digest));
        log_text(&log->log, "service", text_of(service));
        log_int(&log->log, "clock", clock);
        log_end(&log->log);
    }
}

void client_log_said(struct client_log *log, const char *client, const char *service, struct text bytes,
                     int64_t clock)
{
    log_message(log, "send", client, service, bytes, clock);
}

void client_log_heard(struct client_log *log, const char *client, const char *service, struct text bytes,
                      int64_t clock)
{
    log_message(log, "receive", client, service, bytes, clock);
}

void client_log_listen(struct client_log *log, const char *listener, const char *part)
{
    if (begin(log, LOG_INFO, listener, "start")) {
        log_text(&log->log, "part", text_of(part));
        log_text(&log->log, "role", text_of("listener"));
        log_end(&log->log);
    }
}

void client_log_hearing(struct client_log *log, const struct client_hearing *hearing)
{
    if (begin(log, LOG_INFO, hearing->listener, hearing->number > 0 ? "deliver" : "discard")) {
        if (hearing->number == 0) {
            log_text(&log->log, "reason", text_of("repeated"));
        }
        log_id(&log->log, "message_uuid", hearing->uuid);
        log_text(&log->log, "sender_id", hearing->sender);
        log_text(&log->log, "command_type", text_of(hearing->type));
        log_text(&log->log, "key", hearing->target);
        log_text(&log->log, "value", hearing->said);
        log_int(&log->log, "seq", hearing->seq);
        log_int(&log->log, "epoch", hearing->epoch);
        if (hearing->number > 0) {
            log_int(&log->log, "ordem_local", (int64_t)hearing->number);
        }
        log_end(&log->log);
    }
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
}
