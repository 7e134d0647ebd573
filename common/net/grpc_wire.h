/* HTTP/2 connections over TCP: an nghttp2 session on a libuv stream, for the server as for the client.
 *
 * All connections of one owner share a hub. What is read goes through one buffer of the hub and is used up at once;
 * what is to be sent is collected in another one, once in each turn of the loop, and written in one piece. So a
 * connection on which nothing happens has no buffer. What the kernel does not take at once waits in a buffer of its
 * own, and nghttp2 is not asked for more until that is gone: beyond it only whole replies wait, with their owner. */
#ifndef ORDEM_GRPC_WIRE_H
#define ORDEM_GRPC_WIRE_H

#include "common/buffer.h"

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define GRPC_INPUT_SIZE  65536 /* bytes read in one call */
#define GRPC_OUTPUT_SIZE 65536 /* bytes collected for one write, about */

struct grpc_wire;

struct grpc_hub {
    uv_loop_t *loop;
    uv_idle_t turn;          /* runs while a wire has something to send, also where poll would wait */
    struct grpc_wire *dirty; /* a list: they may have something to send */
    char *input;             /* owned, GRPC_INPUT_SIZE bytes */
    struct buffer output;

    void (*on_closed)(struct grpc_hub *); /* after grpc_hub_close */
};

struct grpc_wire {
    uv_tcp_t tcp;
    struct grpc_hub *hub;
    nghttp2_session *session;      /* owned */
    struct grpc_wire *prev, *next; /* among the hub's dirty ones */
    bool dirty, reading, closing;
    bool misused; /* it was lost because the peer does not speak HTTP/2 */
    bool
        lingers; /* once all is said: say that, and read on until the peer closes, so that it gets all of it */
    bool lingering; /* it does */
    bool writing;   /* `unsent` is on its way */
    struct buffer unsent;
    union {
        uv_write_t write;
        uv_shutdown_t shutdown;
    } request;
    uint64_t handed;      /* bytes given to the kernel, or to libuv for it, so far */
    uint64_t progress_ms; /* uv_now when the kernel took something last */

    /* Before anything is collected; may be NULL. */
    void (*before_flush)(struct grpc_wire *);
    /* After something was; may be NULL. */
    void (*on_flushed)(struct grpc_wire *);
    /* The connection is lost or done; on_closed follows. Comes once, also when the owner closed it (`why` is NULL). */
    void (*on_lost)(struct grpc_wire *, const char *why);
    /* The wire's memory may go. */
    void (*on_closed)(struct grpc_wire *);
};

void grpc_hub_open(struct grpc_hub *hub, uv_loop_t *loop);

/* Once its wires are closed. Its memory may go after on_closed. */
void grpc_hub_close(struct grpc_hub *hub);

/* A wire on a TCP handle that is to be connected, or accepted, by the caller. The callbacks are set already. Returns
 * what uv_tcp_init does. */
int grpc_wire_init(struct grpc_wire *wire, struct grpc_hub *hub);

/* Reads from now on, into the session that the caller made; it is the wire's. A peer that does not even acknowledge what
 * was sent is given up after `silence_ms`. Returns a libuv error; the caller then closes the wire. */
int grpc_wire_start(struct grpc_wire *wire, nghttp2_session *session, unsigned silence_ms);

/* Something may have to be sent: it will be, before the loop waits. */
void grpc_wire_touch(struct grpc_wire *wire);

/* For nghttp2's send_data_callback: the frame's head and its bytes. Returns what the callback is to return. */
int grpc_wire_add_data(struct grpc_wire *wire, const uint8_t *head, const char *bytes, size_t length);

/* How many bytes will have been handed over when all that is collected by now has been. */
uint64_t grpc_wire_position(const struct grpc_wire *wire);

/* Stops and goes on reading. */
void grpc_wire_pause(struct grpc_wire *wire, bool pause);

/* Closes at once, because of something that on_lost is told. */
void grpc_wire_lose(struct grpc_wire *wire, const char *why);

/* Closes at once. */
void grpc_wire_close(struct grpc_wire *wire);

#endif
