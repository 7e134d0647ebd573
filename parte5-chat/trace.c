#include "parte5-chat/trace.h"

#include "common/random.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- messages ---- */

/* What goes to and fro also while nothing happens. */
static bool is_idle_talk(enum chat_service service)
{
    return service == SERVICE_HEARTBEAT || service == SERVICE_LIST || service == SERVICE_RANK ||
           service == SERVICE_REPLICATE_PING || service == SERVICE_REPLICATE_ACK;
}

/* What a message is known by. Not by its bytes, if there is a password among them: whoever reads the log could try one
 * after the other until the digest fits. */
static struct text identity_of(const struct chat_message *message, struct text bytes)
{
    return message->password.length > 0 ? message->request_id : bytes;
}

static void trace_message(struct log *log, const char *event, const struct chat_message *message,
                          struct text bytes, int64_t clock)
{
    struct text identity = identity_of(message, bytes);
    char digest[17];

    if (is_idle_talk(message->service) || identity.length == 0 || !log_begin(log, LOG_DEBUG, event)) {
        return;
    }
    snprintf(digest, sizeof digest, "%016" PRIx64, random_hash(identity));
    log_text(log, "message_id", text_of(digest));
    log_text(log, "service", text_of(chat_service_name(message->service)));
    log_int(log, "clock", clock);
    if (message->password.length == 0) { /* which is as long as it is */
        log_int(log, "bytes", (int64_t)bytes.length);
    }
    log_end(log);
}

void trace_said(struct log *log, const struct chat_message *message, struct text bytes)
{
    trace_message(log, "send", message, bytes, message->clock);
}

void trace_heard(struct log *log, const struct chat_message *message, struct text bytes, int64_t clock)
{
    trace_message(log, "receive", message, bytes, clock);
}

/* ---- changes ---- */

/* Nobody asked for a CHANGE_REIGN. */
static bool begin_request(struct log *log, const char *event, const struct change *change)
{
    return change->request_id.length > 0 && log_begin(log, LOG_DEBUG, event);
}

static void add_request(struct log *log, const struct change *change)
{
    bool speaks = change->type == CHANGE_PUBLISH || change->type == CHANGE_MESSAGE;

    log_id(log, "message_uuid", change->request_id);
    log_text(log, "sender_id", change->user);
    log_text(log, "command_type", text_of(change_type_name(change->type)));
    if (change->target.length > 0) {
        log_text(log, "key", change->target);
    }
    if (speaks) { /* the body of anything else is nobody's business */
        log_text(log, "value", change->body);
    }
}

static void end_change(struct log *log, const struct change *change)
{
    log_int(log, "seq", change->seq);
    log_int(log, "epoch", change->epoch);
    log_end(log);
}

void trace_taken(struct log *log, const struct change *change)
{
    if (begin_request(log, "send", change)) {
        add_request(log, change);
        end_change(log, change);
    }
}

void trace_recorded(struct log *log, const struct change *change, uint64_t ordem_local)
{
    if (!log_begin(log, LOG_DEBUG, "deliver")) {
        return;
    }
    if (change->request_id.length > 0) {
        add_request(log, change);
        log_int(log, "ordem_local", (int64_t)ordem_local);
    }
    end_change(log, change);
}

void trace_answered(struct log *log, const struct change *change, int64_t epoch)
{
    if (begin_request(log, "reply", change)) {
        log_id(log, "message_uuid", change->request_id);
        log_text(log, "status", text_of("ok"));
        log_int(log, "seq", change->seq);
        log_int(log, "epoch", epoch);
        log_end(log);
    }
}
