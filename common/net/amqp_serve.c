#include "common/net/amqp_serve.h"

#include "common/clock.h"
#include "common/net/amqp_content.h"
#include "common/net/amqp_reason.h"
#include "common/net/amqp_setup.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WRITE_MIN                                                                                            \
    8192 /* bytes published in a turn; then it is looked whether there is room, and what has come */
#define WRITE_MAX (128 * 1024)

struct serve {
    struct amqp_thread *thread;
    amqp_connection_state_t connection;
    int socket;
    size_t write_size; /* what surely fits when the socket is writable */
    bool writable;
    bool blocked; /* the broker asked not to publish for now */
    bool *blamed;
    uint64_t now_ms, heard_ms, sent_ms, heartbeat_ms;
    struct amqp_content content;
    struct error *error;
};

static int fail(struct serve *serve, const char *what, int status)
{
    return amqp_reason_status(serve->error, what, status);
}

/* ---- what comes in ---- */

static int take_delivery(struct serve *serve, const amqp_method_t *method)
{
    struct amqp_event event = {.type = AMQP_EVENT_DELIVERY, .connection = serve->thread->connection};

    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        for (size_t i = 0; i < deliver->consumer_tag.len; i++) { /* as amqp_setup named the consumers */
            event.step = event.step * 10 + (uint32_t)(((const char *)deliver->consumer_tag.bytes)[i] - '0');
        }
        if (event.step >= serve->thread->step_count) {
            return error_set(serve->error, ERROR_BROKER,
                             "the broker delivers for a consumer that there is not");
        }
    }
    return amqp_content_begin(&serve->content, method, &event, serve->error);
}

static int take_channel_close(struct serve *serve, const amqp_method_t *method)
{
    const amqp_channel_close_t *close = method->decoded;

    *serve->blamed = ((uint32_t)close->class_id << 16 | close->method_id) == AMQP_BASIC_PUBLISH_METHOD;
    return amqp_reason_method(serve->error, "the broker closed the channel", method);
}

static int take_connection_close(struct serve *serve, const amqp_method_t *method)
{
    amqp_connection_close_ok_t close_ok = {0};

    amqp_reason_method(serve->error, "the broker closed the connection", method);
    (void)amqp_send_method(serve->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD,
                           &close_ok); /* or it is gone */
    return ERROR_BROKER;
}

static int take_block(struct serve *serve, const amqp_method_t *method)
{
    serve->blocked = method->id == AMQP_CONNECTION_BLOCKED_METHOD;
    if (serve->blocked) {
        const amqp_connection_blocked_t *blocked = method->decoded;
        amqp_thread_note(serve->thread, LOG_WARNING, "the broker takes no publishes for now: %.*s",
                         (int)blocked->reason.len, (const char *)blocked->reason.bytes);
    } else {
        amqp_thread_note(serve->thread, LOG_INFO, "the broker takes publishes again");
    }
    return 0;
}

static int take_method(struct serve *serve, const amqp_method_t *method)
{
    const amqp_basic_ack_t *ack = method->decoded;
    const amqp_basic_nack_t *nack = method->decoded;

    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
        return take_delivery(serve, method);
    case AMQP_BASIC_ACK_METHOD:
        amqp_window_confirm(&serve->thread->window, ack->delivery_tag, ack->multiple != 0, 0);
        return 0;
    case AMQP_BASIC_NACK_METHOD:
        amqp_window_confirm(&serve->thread->window, nack->delivery_tag, nack->multiple != 0, ERROR_BROKER);
        return 0;
    case AMQP_BASIC_CANCEL_METHOD:
        return error_set(serve->error, ERROR_BROKER,
                         "the broker stopped the consumer: the queue was deleted, or moved");
    case AMQP_CHANNEL_CLOSE_METHOD:
        return take_channel_close(serve, method);
    case AMQP_CONNECTION_CLOSE_METHOD:
        return take_connection_close(serve, method);
    case AMQP_CONNECTION_BLOCKED_METHOD:
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        return take_block(serve, method);
    default:
        return 0;
    }
}

static int take_frame(struct serve *serve, const amqp_frame_t *frame)
{
    if (frame->channel > AMQP_MAIN_CHANNEL) {
        return 0; /* left over from the steps */
    }
    if (frame->frame_type == AMQP_FRAME_METHOD) {
        return take_method(serve, &frame->payload.method);
    }
    int code = amqp_content_add(&serve->content, frame, &serve->thread->batch, serve->error);
    return code < 0 ? code : 0;
}

static bool is_buffered(const struct serve *serve)
{
    return amqp_frames_enqueued(serve->connection) || amqp_data_in_buffer(serve->connection);
}

/* Takes what has arrived. */
static int receive(struct serve *serve)
{
    const struct timeval at_once = {0};
    int code = 0;

    serve->heard_ms = serve->now_ms;
    do {
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame_noblock(serve->connection, &frame, &at_once);
        if (status == AMQP_STATUS_TIMEOUT) {
            return 0;
        }
        if (status != AMQP_STATUS_OK) {
            return fail(serve, "the connection broke", status);
        }
        code = take_frame(serve, &frame);
        amqp_maybe_release_buffers_on_channel(serve->connection, frame.channel);
    } while (code == 0 && is_buffered(serve));
    return code;
}

/* ---- what goes out ---- */

/* A write failed; the broker may have said why before it hung up. */
static int fail_write(struct serve *serve, int status)
{
    int code = receive(serve);
    return code != 0 ? code : fail(serve, "the connection broke", status);
}

static int send_acks(struct serve *serve)
{
    struct amqp_ack_list *acks = &serve->thread->pending_acks;

    for (size_t i = 0; i < acks->count; i++) {
        int status =
            amqp_basic_ack(serve->connection, AMQP_MAIN_CHANNEL, acks->items[i].tag, acks->items[i].multiple);
        if (status != AMQP_STATUS_OK) {
            return fail_write(serve, status);
        }
        serve->sent_ms = serve->now_ms;
    }
    acks->count = 0;
    return 0;
}

static int publish(struct serve *serve, const struct amqp_job *job)
{
    const char *bytes = job->bytes;
    struct text exchange = {bytes, job->exchange_length};
    struct text routing_key = {exchange.bytes + exchange.length, job->routing_key_length};
    struct text reply_to = {routing_key.bytes + routing_key.length, job->reply_to_length};
    struct text body = {reply_to.bytes + reply_to.length, job->body_length};
    amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                  (reply_to.length > 0 ? AMQP_BASIC_REPLY_TO_FLAG : 0),
        .content_type = amqp_bytes_of(text_of("application/json")),
        .delivery_mode =
            serve->thread->options.durable ? AMQP_DELIVERY_PERSISTENT : AMQP_DELIVERY_NONPERSISTENT,
        .reply_to = amqp_bytes_of(reply_to),
    };

    return amqp_basic_publish(serve->connection, AMQP_MAIN_CHANNEL, amqp_bytes_of(exchange),
                              amqp_bytes_of(routing_key), 0, 0, &properties, amqp_bytes_of(body));
}

static bool wants_to_publish(const struct serve *serve)
{
    return !serve->blocked && amqp_window_next(&serve->thread->window) != NULL;
}

static int send_publishes(struct serve *serve)
{
    size_t written = 0;

    while (written < serve->write_size && wants_to_publish(serve)) {
        const struct amqp_job *job = amqp_window_next(&serve->thread->window);
        int status = publish(serve, job);
        if (status != AMQP_STATUS_OK) {
            return fail_write(serve, status);
        }
        written += amqp_job_size(job);
        amqp_window_sent(&serve->thread->window);
    }
    if (written > 0) {
        serve->sent_ms = serve->now_ms;
    }
    return 0;
}

static int send_heartbeat(struct serve *serve)
{
    const amqp_frame_t heartbeat = {.frame_type = AMQP_FRAME_HEARTBEAT};
    int status = amqp_send_frame(serve->connection, &heartbeat);

    serve->sent_ms = serve->now_ms;
    return status == AMQP_STATUS_OK ? 0 : fail_write(serve, status);
}

static bool heartbeat_is_due(const struct serve *serve)
{
    return serve->now_ms - serve->sent_ms >= serve->heartbeat_ms / 2;
}

/* Only when the socket is known to be writable, and not more than fits then: the thread must not wait in a write while
 * the broker waits to be read. */
static int send_all(struct serve *serve)
{
    int code = 0;

    if (serve->writable) {
        code = send_acks(serve);
    }
    if (serve->writable && code == 0) {
        code = send_publishes(serve);
    }
    if (serve->writable && code == 0 && heartbeat_is_due(serve)) {
        code = send_heartbeat(serve);
    }
    serve->writable = false;
    return code;
}

/* ---- waiting ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When something is to be done even if nothing happens, in milliseconds from now. */
static uint64_t time_left(const struct serve *serve)
{
    uint64_t then_ms = serve->heard_ms + 2 * serve->heartbeat_ms;

    if (!heartbeat_is_due(serve)) { /* else it only waits for the socket */
        then_ms = least(then_ms, serve->sent_ms + serve->heartbeat_ms / 2);
    }
    if (serve->thread->closing_ms != 0) {
        then_ms = least(then_ms, serve->thread->closing_ms + AMQP_CLOSE_MS);
    }
    return then_ms > serve->now_ms ? then_ms - serve->now_ms : 0;
}

/* Waits until there is something to do, and takes what has arrived. */
static int wait(struct serve *serve)
{
    bool wants_to_write =
        serve->thread->pending_acks.count > 0 || wants_to_publish(serve) || heartbeat_is_due(serve);
    bool at_once = is_buffered(serve) || !amqp_mailbox_fall_asleep(&serve->thread->mailbox);
    short wanted = (short)(POLLIN | (wants_to_write ? POLLOUT : 0));
    short found = amqp_thread_wait(serve->thread, serve->socket, wanted, at_once ? 0 : time_left(serve));

    serve->now_ms = clock_monotonic_ms();
    serve->writable = (found & POLLOUT) != 0;
    if ((found & ~POLLOUT) != 0 || is_buffered(serve)) {
        return receive(serve);
    }
    if (serve->now_ms >= serve->heard_ms + 2 * serve->heartbeat_ms) {
        return error_set(serve->error, ERROR_BROKER, "the broker has been silent for %u s (AMQP_HEARTBEAT)",
                         (unsigned)(2 * serve->heartbeat_ms / 1000));
    }
    return 0;
}

/* ---- all of it ---- */

static void post(struct serve *serve)
{
    amqp_thread_post(serve->thread, amqp_content_unfinished(&serve->content, &serve->thread->batch));
    serve->content.start = 0;
}

/* The channel's end is answered when what was acknowledged on it was taken. */
static void say_goodbye(struct serve *serve)
{
    const struct timeval patience = {.tv_usec = 500000};

    amqp_set_rpc_timeout(serve->connection, &patience);
    amqp_rpc_reply_t reply = amqp_channel_close(serve->connection, AMQP_MAIN_CHANNEL, AMQP_REPLY_SUCCESS);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
        (void)amqp_connection_close(serve->connection, AMQP_REPLY_SUCCESS); /* it is left in any case */
    }
}

static void init(struct serve *serve)
{
    int size = 0;
    socklen_t length = sizeof size;

    serve->socket = amqp_get_sockfd(serve->connection);
    /* A writable socket has a third of its buffer free, and the kernel's bookkeeping needs some of that. */
    (void)getsockopt(serve->socket, SOL_SOCKET, SO_SNDBUF, &size, &length);
    serve->write_size = size / 12 < WRITE_MIN   ? WRITE_MIN
                        : size / 12 > WRITE_MAX ? WRITE_MAX
                                                : (size_t)size / 12;
    serve->heartbeat_ms = 1000 * (uint64_t)amqp_get_heartbeat(serve->connection);
    serve->now_ms = serve->heard_ms = serve->sent_ms = clock_monotonic_ms();
    /* rabbitmq-c looks after heartbeats only inside its calls, and then may wait for ever: from here on we do. */
    (void)amqp_tune_connection(serve->connection, amqp_get_channel_max(serve->connection),
                               amqp_get_frame_max(serve->connection), 0);
}

int amqp_serve(struct amqp_thread *thread, amqp_connection_state_t connection, bool *blamed,
               struct error *error)
{
    struct serve serve = {.thread = thread, .connection = connection, .blamed = blamed, .error = error};
    int code = 0;

    *blamed = false;
    init(&serve);
    for (;;) {
        amqp_thread_take(thread);
        code = send_all(&serve);
        post(&serve);
        if (code != 0 || amqp_thread_is_over(thread, serve.now_ms)) {
            break;
        }
        code = wait(&serve);
        if (code != 0) {
            post(&serve);
            break;
        }
    }
    thread->batch.length = 0; /* a delivery that came in pieces when the connection broke is nobody's */
    if (code == 0) {
        say_goodbye(&serve);
    }
    return code;
}
