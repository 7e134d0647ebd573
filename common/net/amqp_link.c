#include "common/net/amqp_link.h"

#include "common/container_of.h"
#include "common/net/amqp_content.h"
#include "common/net/amqp_outbox.h"
#include "common/net/amqp_thread.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* After amqp_link_close: a thread that still waits for the broker loses its connection; one that still waits then, for
 * a name server perhaps, is left to itself. */
#define CUT_MS     1500
#define ABANDON_MS 500

/* ---- what the thread tells ---- */

static void log_connection(struct amqp_link *link, enum log_level level, const char *event,
                           struct text broker, struct text message)
{
    if (log_begin(link->log, level, event)) {
        log_text(link->log, "link", text_of(link->name));
        if (broker.length > 0) {
            log_text(link->log, "broker", broker);
        }
        if (message.length > 0) {
            log_text(link->log, "message", message);
        }
        log_end(link->log);
    }
}

static void tell_state(struct amqp_link *link, bool queue_made, struct text broker_text,
                       struct text reason_text)
{
    char broker[320];
    char reason[320];
    struct amqp_connection_state state = {.connected = link->connected,
                                          .queue_made = queue_made,
                                          .broker = broker};

    snprintf(broker, sizeof broker, "%.*s", (int)broker_text.length, broker_text.bytes);
    snprintf(reason, sizeof reason, "%.*s", (int)reason_text.length, reason_text.bytes);
    state.reason = link->connected ? NULL : reason;
    if (link->on_state != NULL && !link->closing) {
        link->on_state(link, &state);
    }
}

static void handle_delivery(struct amqp_link *link, const struct amqp_event *event, struct text reply_to,
                            struct text body)
{
    struct amqp_delivery delivery = {.body = body,
                                     .reply_to = reply_to,
                                     .queue = text_of(link->thread->steps[event->step].name),
                                     .tag = event->tag,
                                     .connection = event->connection,
                                     .redelivered = event->redelivered,
                                     .looked_at = event->looked_at};

    if (link->closing) {
        return; /* not acknowledged: the broker gives it to somebody else */
    }
    if (event->too_large) {
        log_say(link->log, LOG_WARNING, "discard",
                "a message of %zu bytes in queue %.100s: at most %d are read", (size_t)event->body_size,
                delivery.queue.bytes, AMQP_BODY_MAX);
        amqp_link_ack(link, delivery.connection, delivery.tag);
    } else if (link->on_delivery != NULL) {
        link->on_delivery(link, &delivery);
    }
}

static void handle_event(struct amqp_link *link, const struct amqp_event *event, struct text first,
                         struct text second)
{
    switch (event->type) {
    case AMQP_EVENT_DELIVERY:
        handle_delivery(link, event, first, second);
        break;
    case AMQP_EVENT_CONNECTED:
        link->connected = true;
        link->thread->seen = event->connection;
        log_connection(link, LOG_INFO, "connect", first, second);
        tell_state(link, event->queue_made, first, second);
        break;
    case AMQP_EVENT_DISCONNECTED:
        link->connected = false;
        link->thread->seen = event->connection;
        if (link->forget && event->was_connected) {
            amqp_outbox_give_up(link);
        }
        log_connection(link, link->closing ? LOG_INFO : LOG_WARNING,
                       event->was_connected ? "disconnect" : "connect", first, second);
        tell_state(link, false, first, second);
        break;
    case AMQP_EVENT_NOTE:
        log_connection(link, event->level, "connect", first, second);
        break;
    }
}

/* ---- closing ---- */

static void on_handle_closed(struct amqp_link *link)
{
    if (--link->open_handles == 0 && link->on_closed != NULL) {
        link->on_closed(link);
    }
}

static void on_wake_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of((uv_async_t *)handle, struct amqp_link, wake));
}

static void on_flush_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of((uv_prepare_t *)handle, struct amqp_link, flush));
}

static void on_patience_closed(uv_handle_t *handle)
{
    on_handle_closed(container_of((uv_timer_t *)handle, struct amqp_link, patience));
}

/* The thread is gone, in one way or the other. */
static void end(struct amqp_link *link)
{
    link->thread = NULL;
    link->connected = false;
    amqp_outbox_give_up(link);
    uv_close((uv_handle_t *)&link->wake, on_wake_closed);
    uv_close((uv_handle_t *)&link->flush, on_flush_closed);
    uv_close((uv_handle_t *)&link->patience, on_patience_closed);
}

static void on_wake(uv_async_t *handle)
{
    struct amqp_link *link = container_of(handle, struct amqp_link, wake);
    struct amqp_thread *thread = link->thread;
    struct amqp_job_list done = {0};
    struct amqp_event event;
    struct text first;
    struct text second;

    if (thread == NULL) {
        return; /* abandoned, with this call under way */
    }
    bool ended = amqp_mailbox_collect(&thread->mailbox, &thread->collected, &done);
    amqp_outbox_finish(link,
                       &done); /* before it is heard that the connection is lost, and with it all others */
    struct text batch = buffer_text(&thread->collected);
    while (amqp_event_take(&batch, &event, &first, &second)) {
        handle_event(link, &event, first, second);
    }
    buffer_clear(&thread->collected);
    if (ended) {
        pthread_join(thread->id, NULL);
        amqp_thread_free(thread);
        end(link);
    }
}

static void on_abandon(uv_timer_t *timer)
{
    struct amqp_link *link = container_of(timer, struct amqp_link, patience);

    if (amqp_mailbox_abandon(&link->thread->mailbox)) {
        end(link); /* without another look at the thread, which may be free already */
    } else {       /* it has ended just now */
        on_wake(&link->wake);
    }
}

static void on_cut(uv_timer_t *timer)
{
    struct amqp_link *link = container_of(timer, struct amqp_link, patience);

    amqp_mailbox_cut(&link->thread->mailbox);
    uv_timer_start(timer, on_abandon, ABANDON_MS, 0);
}

void amqp_link_close(struct amqp_link *link)
{
    if (link->closing) {
        return;
    }
    link->closing = true;
    amqp_outbox_empty(link);
    amqp_mailbox_ask_to_close(&link->thread->mailbox);
    uv_timer_start(&link->patience, on_cut, CUT_MS, 0);
}

/* ---- opening ---- */

static void on_before_wait(uv_prepare_t *handle)
{
    struct amqp_link *link = container_of(handle, struct amqp_link, flush);

    if (!link->closing) {
        amqp_outbox_flush(link);
    }
}

static int check(const struct amqp_step *steps, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(steps[i].name) > AMQP_NAME_MAX ||
            (steps[i].exchange != NULL && strlen(steps[i].exchange) > AMQP_NAME_MAX)) {
            return error_set(error, ERROR_CONFIG, "the name \"%.60s...\" is longer than %d bytes",
                             steps[i].name, AMQP_NAME_MAX);
        }
    }
    return 0;
}

int amqp_link_open(struct amqp_link *link, uv_loop_t *loop, struct log *log, const char *name,
                   const struct amqp_options *options, const struct amqp_step *steps, size_t step_count,
                   struct error *error)
{
    char connection_name[160];
    int code = check(steps, step_count, error);

    link->log = log;
    link->name = name;
    link->publishes = NULL;
    link->pending = link->pending_bytes = 0;
    link->connected = link->closing = false;
    snprintf(connection_name, sizeof connection_name, "%s %s", log->options.node, name);
    if (code == 0) {
        code = amqp_thread_start(&link->thread, connection_name, options, steps, step_count, link->forget,
                                 error);
    }
    if (code != 0) {
        return code;
    }
    int status = uv_async_init(loop, &link->wake, on_wake);
    if (status != 0) {
        amqp_mailbox_ask_to_close(&link->thread->mailbox);
        if (!amqp_mailbox_abandon(&link->thread->mailbox)) {
            pthread_join(link->thread->id, NULL);
            amqp_thread_free(link->thread);
        }
        error_set(error, ERROR_PROCESS, "the event loop refuses a thread");
        error_because(error, uv_strerror(status));
        return ERROR_PROCESS;
    }
    uv_prepare_init(loop, &link->flush);
    uv_prepare_start(&link->flush, on_before_wait);
    uv_timer_init(loop, &link->patience);
    link->open_handles = 3;
    amqp_mailbox_set_wake(&link->thread->mailbox, &link->wake);
    return 0;
}
