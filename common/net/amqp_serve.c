#include "common/net/amqp_serve.h"

#include "common/clock.h"
#include "common/net/amqp_incoming.h"
#include "common/net/amqp_reason.h"
#include "common/net/amqp_setup.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

/* Bytes published in a turn; then it is looked whether there is room, and what has come. */
#define WRITE_MIN 8192
#define WRITE_MAX (128 * 1024)

struct serve {
    struct amqp_thread *thread;
    amqp_connection_state_t connection;
    struct amqp_incoming incoming;
    int socket;
    size_t write_size; /* what surely fits when the socket is writable */
    bool writable;
    uint64_t now_ms, heard_ms, sent_ms, heartbeat_ms;
    struct error *error;
};

/* ---- what goes out ---- */

/* A write failed; the broker may have said why before it hung up. */
static int fail_write(struct serve *serve, int status)
{
    int code = amqp_incoming_take(&serve->incoming, serve->error);
    return code != 0 ? code : amqp_reason_status(serve->error, "the connection broke", status);
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
    return !serve->incoming.blocked && amqp_window_next(&serve->thread->window) != NULL;
}

/* rabbitmq-c writes each message by itself; corked, many of them leave in one segment, which costs a sixth less. */
static void cork(const struct serve *serve, int on)
{
    (void)setsockopt(serve->socket, IPPROTO_TCP, TCP_CORK, &on, sizeof on); /* it works without, too */
}

static int send_publishes(struct serve *serve)
{
    size_t written = 0;
    int status = AMQP_STATUS_OK;

    if (!wants_to_publish(serve)) {
        return 0;
    }
    cork(serve, 1);
    while (written < serve->write_size && wants_to_publish(serve) && status == AMQP_STATUS_OK) {
        const struct amqp_job *job = amqp_window_next(&serve->thread->window);
        status = publish(serve, job);
        if (status == AMQP_STATUS_OK) {
            written += amqp_job_size(job);
            amqp_window_sent(&serve->thread->window);
        }
    }
    cork(serve, 0);
    serve->sent_ms = serve->now_ms;
    return status == AMQP_STATUS_OK ? 0 : fail_write(serve, status);
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
    return then_ms > serve->now_ms ? then_ms - serve->now_ms : 0;
}

/* Waits until there is something to do, and takes what has arrived. */
static int wait(struct serve *serve)
{
    bool wants_to_write =
        serve->thread->pending_acks.count > 0 || wants_to_publish(serve) || heartbeat_is_due(serve);
    bool at_once =
        amqp_incoming_is_buffered(&serve->incoming) || !amqp_mailbox_fall_asleep(&serve->thread->mailbox);
    short wanted = (short)(POLLIN | (wants_to_write ? POLLOUT : 0));
    short found = amqp_thread_wait(serve->thread, serve->socket, wanted, at_once ? 0 : time_left(serve));

    serve->now_ms = clock_monotonic_ms();
    serve->writable = (found & POLLOUT) != 0;
    if ((found & ~POLLOUT) != 0 || amqp_incoming_is_buffered(&serve->incoming)) {
        serve->heard_ms = serve->now_ms;
        return amqp_incoming_take(&serve->incoming, serve->error);
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
    amqp_thread_post(serve->thread, amqp_content_unfinished(&serve->incoming.content, &serve->thread->batch));
    serve->incoming.content.start = 0;
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
    struct serve serve = {.thread = thread,
                          .connection = connection,
                          .incoming = {.thread = thread, .connection = connection},
                          .error = error};
    int code = 0;

    init(&serve);
    while (code == 0) {
        post(&serve);
        amqp_thread_take(thread);
        code = send_all(&serve);
        if (code == 0 && amqp_thread_is_over(thread, serve.now_ms)) {
            break;
        }
        if (code == 0) {
            code = wait(&serve);
        }
    }
    post(&serve);
    *blamed = serve.incoming.blamed;
    thread->batch.length = 0; /* a delivery that came in pieces when the connection broke is nobody's */
    if (code == 0) {
        say_goodbye(&serve);
    }
    return code;
}
