#include "common/net/zmq_socket.h"

#include "common/container_of.h"
#include "common/net/listener.h"
#include "common/net/zmq_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECONNECT_MS     100  /* after that it tries to connect again, then after twice as much, and so on, */
#define RECONNECT_MAX_MS 2000 /* up to this; but with heartbeats always after that */
#define KEEPALIVE_S      60   /* then the kernel asks whether a silent peer is still there */
#define BACKLOG          1024 /* connections that the kernel may hold for us */

#ifndef ZMQ_ZERO_COPY_RECV /* zmq.h names it only with ZMQ_BUILD_DRAFT_API; the library knows it all the same */
#define ZMQ_ZERO_COPY_RECV 10
#endif

/* ---- the hub ---- */

int zmq_hub_open(struct zmq_hub *hub, uv_loop_t *loop, struct error *error)
{
    listener_raise_file_limit();
    *hub = (struct zmq_hub){.loop = loop, .context = zmq_ctx_new()};
    if (hub->context == NULL) {
        error_set(error, ERROR_PROCESS, "ZeroMQ does not start");
        error_because(error, zmq_strerror(errno));
        return ERROR_PROCESS;
    }
    return 0;
}

/* Messages that stay in the buffer they were read into are counted behind it, two pages further on: that page is in use
 * from a connection's first message to its end. A copy of each message needs no such count. A libzmq that does not know
 * this setting works as well, and takes that page. */
void zmq_hub_copy_received(struct zmq_hub *hub)
{
    (void)zmq_ctx_set(hub->context, ZMQ_ZERO_COPY_RECV, 0);
}

void zmq_hub_close(struct zmq_hub *hub)
{
    while (zmq_ctx_term(hub->context) != 0 && errno == EINTR) {
    }
    hub->context = NULL;
}

/* ---- opening and closing ---- */

static int set(const struct zmq_socket *socket, int option, int value)
{
    return zmq_setsockopt(socket->raw, option, &value, sizeof value);
}

/* What some types have and others do not know. */
static int set_by_type(const struct zmq_socket *socket)
{
    switch (socket->options.type) {
    case ZMQ_ROUTER: /* what cannot be delivered is not dropped in silence */
        return set(socket, ZMQ_ROUTER_MANDATORY, 1);
    case ZMQ_REQ: /* an answer that is lost does not end the conversation */
        return set(socket, ZMQ_REQ_RELAXED, 1) | set(socket, ZMQ_REQ_CORRELATE, 1);
    case ZMQ_PUB:
    case ZMQ_XPUB: /* see zmq_exchange.c */
        return set(socket, ZMQ_XPUB_NODROP, 1);
    default:
        return 0;
    }
}

static int set_all(const struct zmq_socket *socket)
{
    const struct zmq_options *options = &socket->options;
    int64_t frame_max = (int64_t)options->frame_max;
    int status = zmq_setsockopt(socket->raw, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max);

    status |= set(socket, ZMQ_SNDHWM, options->high_water) | set(socket, ZMQ_RCVHWM, options->high_water);
    status |= set(socket, ZMQ_LINGER, options->linger_ms) | set(socket, ZMQ_IPV6, 1);
    status |= set(socket, ZMQ_BACKLOG, BACKLOG) | set(socket, ZMQ_TCP_KEEPALIVE, 1);
    status |= set(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S);
    status |= set(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS);
    status |= set(socket, ZMQ_RECONNECT_IVL_MAX, options->heartbeat_ms > 0 ? RECONNECT_MS : RECONNECT_MAX_MS);
    if (options->heartbeat_ms > 0) {
        status |= set(socket, ZMQ_HEARTBEAT_IVL, options->heartbeat_ms);
        status |= set(socket, ZMQ_HEARTBEAT_TIMEOUT, 3 * options->heartbeat_ms);
    }
    return status | set_by_type(socket);
}

static void on_turn(uv_idle_t *handle)
{
    struct zmq_socket *socket = container_of(handle, struct zmq_socket, turn);

    if (!zmq_exchange_turn(socket) && !socket->closing) {
        uv_idle_stop(handle);
    }
}

/* The socket is looked at before the loop waits. */
static void touch(struct zmq_socket *socket)
{
    uv_idle_start(&socket->turn, on_turn);
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    (void)status;
    (void)events;
    touch(container_of(handle, struct zmq_socket, poll));
}

/* Watches libzmq's descriptor. False if that cannot be had. */
static bool watch(struct zmq_socket *socket)
{
    int descriptor = -1;
    size_t size = sizeof descriptor;

    if (zmq_getsockopt(socket->raw, ZMQ_FD, &descriptor, &size) != 0 ||
        uv_poll_init(socket->hub->loop, &socket->poll, descriptor) != 0) {
        return false;
    }
    (void)uv_poll_start(&socket->poll, UV_READABLE, on_readable); /* refused only while it closes */
    uv_idle_init(socket->hub->loop, &socket->turn);
    socket->open_handles = 2;
    touch(socket);
    return true;
}

int zmq_socket_open(struct zmq_socket *socket, struct zmq_hub *hub, const struct zmq_options *options,
                    struct error *error)
{
    socket->hub = hub;
    socket->options = *options;
    socket->options.frame_max = options->frame_max > 0 ? options->frame_max : ZMQ_FRAME_MAX;
    socket->options.high_water = options->high_water > 0 ? options->high_water : ZMQ_HIGH_WATER;
    socket->options.waiting_max = options->waiting_max > 0 ? options->waiting_max : ZMQ_WAITING_MAX;
    socket->counters = (struct zmq_counters){0};
    socket->paused = socket->closing = false;
    socket->waiting = NULL;
    socket->waiting_count = 0;
    socket->raw = zmq_socket(hub->context, options->type);
    if (socket->raw == NULL || set_all(socket) != 0) {
        error_set(error, ERROR_PROCESS, "no ZeroMQ socket to be had");
        error_because(error, zmq_strerror(errno));
    } else if (!watch(socket)) {
        error_set(error, ERROR_PROCESS, "no ZeroMQ socket to be had");
    } else {
        return 0;
    }
    if (socket->raw != NULL) {
        zmq_close(socket->raw);
    }
    return ERROR_PROCESS;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct zmq_socket *socket = handle->data;

    if (--socket->open_handles == 0) {
        socket->on_closed(socket);
    }
}

void zmq_socket_close(struct zmq_socket *socket)
{
    if (socket->closing) {
        return;
    }
    socket->closing = true;
    zmq_exchange_free(socket);
    socket->poll.data = socket->turn.data = socket;
    uv_close((uv_handle_t *)&socket->poll, on_handle_closed); /* from now on nobody watches the descriptor: */
    uv_close((uv_handle_t *)&socket->turn, on_handle_closed);
    zmq_close(socket->raw); /* it may go */
    socket->raw = NULL;
}

/* ---- peers ---- */

/* libzmq would take 99999 for 34463. */
static bool is_port(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return strcmp(text, "*") == 0 ||
           (digits > 0 && digits <= 5 && text[digits] == '\0' && strtoul(text, NULL, 10) <= UINT16_MAX);
}

static bool is_endpoint(const char *endpoint)
{
    static const char start[] = "tcp://";
    const char *colon = strrchr(endpoint, ':');

    return strncmp(endpoint, start, strlen(start)) == 0 && strlen(endpoint) < ZMQ_ENDPOINT_LENGTH &&
           is_port(colon + 1);
}

/* Tells what is wrong with an endpoint, by libzmq's errno. */
static int refuse_endpoint(const char *endpoint, int reason, struct error *error)
{
    if (reason == EINVAL) {
        return error_set(error, ERROR_CONFIG,
                         "\"%.200s\" is no endpoint: one like tcp://127.0.0.1:5555 is allowed", endpoint);
    }
    error_set(error, ERROR_NETWORK, "%.200s cannot be used", endpoint);
    error_because_errno(error, reason);
    return ERROR_NETWORK;
}

/* Has libzmq do something with an endpoint. */
static int use_endpoint(struct zmq_socket *socket, int (*use)(void *, const char *), const char *endpoint,
                        struct error *error)
{
    if (!is_endpoint(endpoint)) {
        return refuse_endpoint(endpoint, EINVAL, error);
    }
    touch(socket);
    return use(socket->raw, endpoint) == 0 ? 0 : refuse_endpoint(endpoint, errno, error);
}

int zmq_socket_bind(struct zmq_socket *socket, const char *endpoint, struct error *error)
{
    return use_endpoint(socket, zmq_bind, endpoint, error);
}

int zmq_socket_connect(struct zmq_socket *socket, const char *endpoint, struct error *error)
{
    return use_endpoint(socket, zmq_connect, endpoint, error);
}

int zmq_socket_disconnect(struct zmq_socket *socket, const char *endpoint, struct error *error)
{
    return use_endpoint(socket, zmq_disconnect, endpoint, error);
}

unsigned zmq_socket_port(const struct zmq_socket *socket)
{
    char endpoint[ZMQ_ENDPOINT_LENGTH];
    size_t size = sizeof endpoint;

    if (zmq_getsockopt(socket->raw, ZMQ_LAST_ENDPOINT, endpoint, &size) != 0) {
        return 0;
    }
    const char *colon = strrchr(endpoint, ':');
    return colon != NULL ? (unsigned)strtoul(colon + 1, NULL, 10) : 0;
}

static int set_topic(struct zmq_socket *socket, int option, struct text topic, struct error *error)
{
    touch(socket);
    if (zmq_setsockopt(socket->raw, option, topic.length > 0 ? topic.bytes : "", topic.length) == 0) {
        return 0;
    }
    error_set(error, ERROR_PROCESS, "this topic cannot be subscribed to");
    error_because(error, zmq_strerror(errno));
    return ERROR_PROCESS;
}

int zmq_socket_subscribe(struct zmq_socket *socket, struct text topic, struct error *error)
{
    return set_topic(socket, ZMQ_SUBSCRIBE, topic, error);
}

int zmq_socket_unsubscribe(struct zmq_socket *socket, struct text topic, struct error *error)
{
    return set_topic(socket, ZMQ_UNSUBSCRIBE, topic, error);
}

/* ---- messages ---- */

int zmq_socket_send(struct zmq_socket *socket, const struct text *frames, size_t count, struct error *error)
{
    if (socket->closing) {
        return error_set(error, ERROR_NETWORK, "the peer is gone");
    }
    touch(socket);
    return zmq_exchange_send(socket, frames, count, error);
}

void zmq_socket_pause(struct zmq_socket *socket, bool pause)
{
    socket->paused = pause;
    if (!socket->closing) {
        touch(socket);
    }
}
