#include "common/event.h"

#include <stddef.h>

static void command_fields(struct log *log, const struct message *message)
{
    log_id(log, "message_uuid", message->message_uuid);
    log_text(log, "sender_id", message->sender_id);
    log_text(log, "command_type", text_of(command_type_name(message->command_type)));
    if (message->command_type != COMMAND_PRINT) {
        log_text(log, "key", message->key);
    }
    if (message->command_type == COMMAND_SET) {
        log_json(log, "value", message->value);
    }
    if (message->seq != MESSAGE_NO_SEQ) {
        log_int(log, "seq", message->seq);
    }
    if (message->epoch != MESSAGE_NO_EPOCH) {
        log_int(log, "epoch", message->epoch);
    }
}

void event_submit(struct log *log, const struct message *message)
{
    if (log_begin(log, LOG_INFO, "submit")) {
        command_fields(log, message);
        log_end(log);
    }
}

void event_send(struct log *log, const struct message *message)
{
    if (log_begin(log, LOG_INFO, "send")) {
        command_fields(log, message);
        log_end(log);
    }
}

void event_receive(struct log *log, const struct message *message)
{
    if (log_begin(log, LOG_DEBUG, "receive")) {
        command_fields(log, message);
        log_end(log);
    }
}

void event_hold(struct log *log, const struct message *message)
{
    if (log_begin(log, LOG_INFO, "hold")) {
        command_fields(log, message);
        log_end(log);
    }
}

void event_repeat(struct log *log, const struct message *message)
{
    if (log_begin(log, LOG_INFO, "discard")) {
        log_text(log, "reason", text_of("repeated"));
        command_fields(log, message);
        log_end(log);
    }
}

void event_deliver(struct log *log, const struct message *message, uint64_t ordem_local, struct text snapshot)
{
    if (log_begin(log, LOG_INFO, "deliver")) {
        command_fields(log, message);
        log_int(log, "ordem_local", (int64_t)ordem_local);
        if (snapshot.length > EVENT_SNAPSHOT_MAX) {
            log_int(log, "snapshot_bytes", (int64_t)snapshot.length);
        } else if (snapshot.bytes != NULL) {
            log_json(log, "snapshot", snapshot);
        }
        log_end(log);
    }
}

void event_fault(struct log *log, const struct message *message, const char *fault, int64_t delay_ms)
{
    if (log_begin(log, LOG_INFO, "fault")) {
        log_text(log, "fault", text_of(fault));
        command_fields(log, message);
        if (delay_ms >= 0) {
            log_int(log, "delay_ms", delay_ms);
        }
        log_end(log);
    }
}

void event_discard(struct log *log, struct discards *discards, const struct error *error, const char *from,
                   uint64_t now_ms)
{
    if (log_limit_admit(&discards->limits[-error->code], now_ms) && log_begin(log, LOG_WARNING, "discard")) {
        log_text(log, "reason", text_of(error_name(error->code)));
        log_text(log, "from", text_of(from));
        log_text(log, "message", text_of(error->text));
        log_end(log);
    }
}

void event_discard_summary(struct log *log, struct discards *discards, uint64_t now_ms, bool at_once)
{
    for (int i = 1; i < ERROR_COUNT; i++) {
        uint64_t count = log_limit_take_suppressed(&discards->limits[i], now_ms, at_once);
        if (count > 0 && log_begin(log, LOG_WARNING, "discard")) {
            log_text(log, "reason", text_of(error_name(-i)));
            log_int(log, "count", (int64_t)count);
            log_text(log, "message", text_of(error_text(-i)));
            log_end(log);
        }
    }
}
