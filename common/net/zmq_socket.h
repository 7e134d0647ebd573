/* ZeroMQ sockets in libuv's loop: whole messages in and out, and no call that waits.
 *
 * libzmq moves bytes in a thread of its own. What it tells us is a descriptor that becomes readable when *something* may
 * have happened to a socket, and only once: whoever does not look at all there is then, or looks by the way while it
 * sends, is not told again. So here the descriptor only wakes the loop; and before the loop waits again, every socket
 * that was woken or used is looked at until it has nothing more to say (zmq_exchange.c).
 *
 * What may be used up is bounded: messages that wait in libzmq for one peer (`high_water`), messages that wait here
 * because no peer takes them (`waiting_max`), bytes of a frame, frames of a message, and messages that are handled
 * before other things have their turn. Two things cannot be helped from here. libzmq collects all the frames of a
 * message before it shows the first, so a hostile peer that never ends a message fills its memory. And it ends the
 * process if a peer that speaks its oldest protocol (ZMTP 1.0) greets just while the socket is closed. */
#ifndef ORDEM_ZMQ_SOCKET_H
#define ORDEM_ZMQ_SOCKET_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>
#include <zmq.h>

#define ZMQ_FRAMES_MAX 16 /* of a message; the envelope's among them */
#define ZMQ_TURN_MAX                                                                                         \
    256 /* messages that one socket receives, or sends of those that waited, in a turn of the loop */
#define ZMQ_FRAME_MAX       (1024 * 1024) /* bytes */
#define ZMQ_HIGH_WATER      1000
#define ZMQ_WAITING_MAX     1000
#define ZMQ_ENDPOINT_LENGTH 256 /* with the NUL */

/* libzmq's thread, and who wakes whom: one for each process. */
struct zmq_hub {
    uv_loop_t *loop;
    void *context; /* libzmq's */
};

struct zmq_options {
    int type;           /* ZMQ_ROUTER, ZMQ_DEALER, ZMQ_REP, ZMQ_REQ, ZMQ_PUB, ZMQ_SUB, ZMQ_XPUB or ZMQ_XSUB */
    size_t frame_max;   /* bytes; who sends a longer frame is disconnected. 0: ZMQ_FRAME_MAX */
    int high_water;     /* messages for each peer, each way, within libzmq; 0: ZMQ_HIGH_WATER */
    size_t waiting_max; /* messages that wait here; 0: ZMQ_WAITING_MAX */
    int linger_ms;      /* that what was sent has to leave when the socket is closed */
    /* A peer that does not answer for three of them is disconnected; and tried again ten times a second, for who is so
     * watched is awaited. 0: no heartbeats, and more and more time between two tries. */
    int heartbeat_ms;
};

/* Since the socket was opened; a message counts once, however many frames it has. */
struct zmq_counters {
    uint64_t received, sent;
    uint64_t refused;     /* to send: there was no room */
    uint64_t unreachable; /* ZMQ_ROUTER: the peer was gone */
    uint64_t
        overflowed; /* ZMQ_PUB, ZMQ_XPUB: times that a subscriber's queue was found full. What it would have been
                             sent from then until it reads on is lost to it, and to nobody else */
    uint64_t malformed; /* received, of more than ZMQ_FRAMES_MAX frames, and thrown away */
};

struct zmq_message;

struct zmq_socket {
    struct zmq_hub *hub;
    struct zmq_options options;
    void *raw; /* libzmq's socket; NULL once it is closed */
    struct zmq_counters counters;
    bool paused, closing;

    /* A message came. The frames are valid during the call. The socket may be used, and closed, from within. */
    void (*on_message)(struct zmq_socket *, const struct text *frames, size_t count);
    /* One of more than ZMQ_FRAMES_MAX frames came: these are the first so many, the others are gone. May be NULL. */
    void (*on_malformed)(struct zmq_socket *, const struct text *frames, size_t count);
    /* All that waited here has been taken; may be NULL. */
    void (*on_drained)(struct zmq_socket *);
    /* The socket's memory may go. */
    void (*on_closed)(struct zmq_socket *);

    /* What follows is the implementation's. */

    uv_poll_t poll;              /* on libzmq's descriptor */
    uv_idle_t turn;              /* runs while the socket is to be looked at */
    struct zmq_message *waiting; /* a list, owned */
    size_t waiting_count;
    unsigned open_handles;
};

/* Raises the soft limit of open files, as every connection is one. ERROR_PROCESS. */
int zmq_hub_open(struct zmq_hub *hub, uv_loop_t *loop, struct error *error);

/* Before its sockets are opened: each connection is to cost a page of memory less, and each message that it receives a
 * copy. For who has many peers that say little. */
void zmq_hub_copy_received(struct zmq_hub *hub);

/* When all its sockets are closed and the loop has ended. Waits until they have lingered: not longer than they may. */
void zmq_hub_close(struct zmq_hub *hub);

/* The callbacks are set already. ERROR_PROCESS; nothing is left open then, and on_closed never comes. */
int zmq_socket_open(struct zmq_socket *socket, struct zmq_hub *hub, const struct zmq_options *options,
                    struct error *error);

/* Listens on an endpoint such as "tcp://127.0.0.1:5555" (a star is every address, or any free port); or connects, now
 * or, if nobody is there, later, and again and again. A socket may do either, several times. ERROR_CONFIG: no such
 * endpoint; ERROR_NETWORK. */
int zmq_socket_bind(struct zmq_socket *socket, const char *endpoint, struct error *error);
int zmq_socket_connect(struct zmq_socket *socket, const char *endpoint, struct error *error);

/* The contrary of connect. What is on its way to that peer alone is lost. */
int zmq_socket_disconnect(struct zmq_socket *socket, const char *endpoint, struct error *error);

/* The port of the endpoint that was bound last, or connected to; 0 if there is none. */
unsigned zmq_socket_port(const struct zmq_socket *socket);

/* ZMQ_SUB: all that begins with `topic` is to be received, or not any more. ERROR_PROCESS. */
int zmq_socket_subscribe(struct zmq_socket *socket, struct text topic, struct error *error);
int zmq_socket_unsubscribe(struct zmq_socket *socket, struct text topic, struct error *error);

/* Sends one message of 1 to ZMQ_FRAMES_MAX frames, or keeps a copy until it can be sent; messages keep their order.
 * ERROR_FULL: there is no room, and the message is not sent: `waiting_max` wait already, or, of a ZMQ_ROUTER, which does
 * not keep what one peer does not take, that peer's queue is full. ERROR_NETWORK: that peer is gone; or it is not this
 * socket's turn to speak (ZMQ_REQ, ZMQ_REP). */
int zmq_socket_send(struct zmq_socket *socket, const struct text *frames, size_t count, struct error *error);

/* Stops and goes on receiving: what peers send meanwhile waits, and then they do. */
void zmq_socket_pause(struct zmq_socket *socket, bool pause);

/* on_closed follows. What waited here is lost; what libzmq has taken lingers. */
void zmq_socket_close(struct zmq_socket *socket);

#endif
