#include "common/net/zmq_exchange.h"

#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A message that waits to be sent. */
struct zmq_message {
    struct zmq_message *prev, *next;
    size_t count;
    struct text frames[ZMQ_FRAMES_MAX]; /* in the bytes behind it */
};

/* What the socket can do, ZMQ_POLLIN or ZMQ_POLLOUT or both. Asking also makes libzmq take notice of what its thread has
 * told the socket, which sending alone does not always: so nothing may be taken for impossible without it. */
static int look(const struct zmq_socket *socket)
{
    int events = 0;
    size_t size = sizeof events;

    while (zmq_getsockopt(socket->raw, ZMQ_EVENTS, &events, &size) != 0) {
        if (errno != EINTR) {
            return 0;
        }
    }
    return events;
}

/* ---- receiving ---- */

static bool receive_frame(const struct zmq_socket *socket, zmq_msg_t *frame)
{
    zmq_msg_init(frame);
    while (zmq_msg_recv(frame, socket->raw, ZMQ_DONTWAIT) < 0) {
        if (errno != EINTR) {
            zmq_msg_close(frame);
            return false;
        }
    }
    return true;
}

/* The rest of a message that has too many frames. */
static void skip_frames(const struct zmq_socket *socket)
{
    zmq_msg_t frame;
    bool more = true;

    while (more && receive_frame(socket, &frame)) {
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
}

/* One message; false if there is none, and errno says why. The frames of one message come together: after the first none
 * is missing. */
static bool receive(struct zmq_socket *socket)
{
    zmq_msg_t parts[ZMQ_FRAMES_MAX];
    struct text frames[ZMQ_FRAMES_MAX];
    size_t count = 0;
    bool more = true;

    while (more && count < ZMQ_FRAMES_MAX && receive_frame(socket, &parts[count])) {
        frames[count] = (struct text){zmq_msg_data(&parts[count]), zmq_msg_size(&parts[count])};
        more = zmq_msg_more(&parts[count]);
        count++;
    }
    if (count == 0) {
        return false;
    }
    if (more) {
        skip_frames(socket);
        socket->counters.malformed++;
        if (socket->on_malformed != NULL) {
            socket->on_malformed(socket, frames, count);
        }
    } else {
        socket->counters.received++;
        socket->on_message(socket, frames, count);
    }
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&parts[i]);
    }
    return true;
}

/* ---- sending ---- */

static int send_frame(const struct zmq_socket *socket, struct text frame, bool more)
{
    int flags = ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0);

    while (zmq_send(socket->raw, frame.bytes, frame.length, flags) < 0) {
        if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

/* Returns an errno. If the only peer vanishes while its message is handed over frame by frame, libzmq takes back the first
 * frames and swallows the others; so it must be given them all the same before the message is tried again. */
static int send_frames(const struct zmq_socket *socket, const struct text *frames, size_t count)
{
    int status = 0;

    for (size_t i = 0; i < count; i++) {
        int now = send_frame(socket, frames[i], i + 1 < count);
        if (now != 0 && i == 0) {
            return now;
        }
        status = status != 0 ? status : now;
    }
    return status;
}

/* A publication is never kept for a subscriber that does not read. libzmq would drop it without a word; asked to, it says
 * that a queue is full, but then gives it to nobody. So it is asked first, and told to go on. */
static int publish(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    static const int careful = 1;
    static const int lossy = 0;
    int status = send_frames(socket, frames, count);

    if (status == EAGAIN) {
        socket->counters.overflowed++;
        (void)zmq_setsockopt(socket->raw, ZMQ_XPUB_NODROP, &lossy, sizeof lossy);
        status = send_frames(socket, frames, count);
        (void)zmq_setsockopt(socket->raw, ZMQ_XPUB_NODROP, &careful, sizeof careful);
    }
    return status;
}

static int send_now(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    bool publishes = socket->options.type == ZMQ_PUB || socket->options.type == ZMQ_XPUB;
    int status = publishes ? publish(socket, frames, count) : send_frames(socket, frames, count);

    socket->counters.sent += status == 0;
    return status;
}

static struct zmq_message *copy_message(const struct text *frames, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        length += frames[i].length;
    }
    struct zmq_message *message = memory_new(sizeof *message + length);
    char *room = (char *)(message + 1);
    message->count = count;
    for (size_t i = 0; i < count; i++) {
        message->frames[i] = (struct text){room, frames[i].length};
        if (frames[i].length > 0) {
            memcpy(room, frames[i].bytes, frames[i].length);
            room += frames[i].length;
        }
    }
    return message;
}

static int keep(struct zmq_socket *socket, const struct text *frames, size_t count, struct error *error)
{
    if (socket->waiting_count == socket->options.waiting_max) {
        socket->counters.refused++;
        return error_set(error, ERROR_FULL, "%zu messages wait to be sent already", socket->waiting_count);
    }
    struct zmq_message *message = copy_message(frames, count);
    DL_APPEND(socket->waiting, message);
    socket->waiting_count++;
    return 0;
}

int zmq_exchange_send(struct zmq_socket *socket, const struct text *frames, size_t count, struct error *error)
{
    int status = socket->waiting == NULL ? send_now(socket, frames, count) : EAGAIN;

    if (status == 0) {
        return 0;
    }
    if (status == EAGAIN && socket->options.type != ZMQ_ROUTER) {
        return keep(socket, frames, count, error);
    }
    if (status == EAGAIN) {
        socket->counters.refused++;
        return error_set(error, ERROR_FULL, "the peer does not take what it is sent");
    }
    if (status == EHOSTUNREACH) {
        socket->counters.unreachable++;
        return error_set(error, ERROR_NETWORK, "the peer is gone");
    }
    error_set(error, ERROR_NETWORK, "a message cannot be sent");
    error_because(error, zmq_strerror(status));
    return ERROR_NETWORK;
}

static void forget_first(struct zmq_socket *socket)
{
    struct zmq_message *first = socket->waiting;

    DL_DELETE(socket->waiting, first);
    socket->waiting_count--;
    free(first);
}

/* True if the first of those that wait is gone. */
static bool send_waiting(struct zmq_socket *socket)
{
    const struct zmq_message *first = socket->waiting;
    int status = send_now(socket, first->frames, first->count);

    if (status == EAGAIN) {
        return false;
    }
    socket->counters.refused += status != 0;
    forget_first(socket);
    if (socket->waiting == NULL && socket->on_drained != NULL) {
        socket->on_drained(socket);
    }
    return true;
}

/* ---- a turn ---- */

static bool may_receive(const struct zmq_socket *socket)
{
    return !socket->closing && !socket->paused;
}

static bool may_send(const struct zmq_socket *socket)
{
    return !socket->closing && socket->waiting != NULL && (look(socket) & ZMQ_POLLOUT);
}

bool zmq_exchange_turn(struct zmq_socket *socket)
{
    unsigned received = 0;
    unsigned sent = 0;

    while (received < ZMQ_TURN_MAX && may_receive(socket) && receive(socket)) {
        received++;
    }
    /* Then libzmq has looked last of all, and will tell when there is more. (Where nothing can be received it has not.) */
    bool dry = received < ZMQ_TURN_MAX && may_receive(socket) && errno == EAGAIN && socket->waiting == NULL;
    while (sent < ZMQ_TURN_MAX && may_send(socket) && send_waiting(socket)) {
        sent++;
    }
    if (socket->closing || dry) {
        return false;
    }
    /* One look for both: what libzmq said between two of them would be noticed by the second, and told to nobody again. */
    int events = look(socket);
    return (socket->waiting != NULL && (events & ZMQ_POLLOUT)) || (!socket->paused && (events & ZMQ_POLLIN));
}

void zmq_exchange_free(struct zmq_socket *socket)
{
    while (socket->waiting != NULL) {
        forget_first(socket);
    }
}
