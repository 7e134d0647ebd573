/* Connections over TCP, for servers as for clients: a libuv stream with a protocol on it, HTTP/1.1 or HTTP/2.
 *
 * All connections of one owner share a hub. What is read goes through one buffer of the hub and is used up at once;
 * what is to be sent is collected in another one, once in each turn of the loop, and written in one piece. So a
 * connection on which nothing happens has no buffer. What the kernel does not take at once waits in a buffer of its
 * own, and the protocol is not asked for more until that is gone: beyond it only whole messages wait, with their owner. */
#ifndef ORDEM_WIRE_H
#define ORDEM_WIRE_H

#include "common/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define WIRE_INPUT_SIZE  65536 /* bytes read in one call */
#define WIRE_OUTPUT_SIZE 65536 /* bytes collected for one write, about */

struct wire;

/* What is spoken on a wire. */
struct wire_protocol {
    /* Bytes came; all of them are used up. Returns what is wrong with them, NULL if nothing is. */
    const char *(*read)(struct wire *, const char *bytes, size_t length);
    /* Adds what there is to say to `output`, until that has WIRE_OUTPUT_SIZE bytes or a little more. Returns why it
     * cannot go on, NULL if it can. */
    const char *(*collect)(struct wire *, struct buffer *output);
    /* Has all been said on both sides? */
    bool (*is_done)(const struct wire *);
    /* The wire is closed: frees what the protocol keeps. */
    void (*free)(struct wire *);
};

struct wire_hub {
    const struct wire_protocol *protocol;
    uv_loop_t *loop;
    uv_idle_t turn;     /* runs while a wire has something to send, also where poll would wait */
    struct wire *dirty; /* a list: they may have something to send */
    char *input;        /* owned, WIRE_INPUT_SIZE bytes */
    struct buffer output;

    void (*on_closed)(struct wire_hub *); /* after wire_hub_close */
};

struct wire {
    uv_tcp_t tcp;
    struct wire_hub *hub;
    struct wire *prev, *next; /* among the hub's dirty ones */
    bool dirty, reading, closing;
    bool misused; /* it was lost because the peer does not keep to the protocol */
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
    void (*before_flush)(struct wire *);
    /* After something was; may be NULL. */
    void (*on_flushed)(struct wire *);
    /* The connection is lost or done; on_closed follows. Comes once, also when the owner closed it (`why` is NULL). */
    void (*on_lost)(struct wire *, const char *why);
    /* The wire's memory may go. */
    void (*on_closed)(struct wire *);
};

void wire_hub_open(struct wire_hub *hub, uv_loop_t *loop, const struct wire_protocol *protocol);

/* Once its wires are closed. Its memory may go after on_closed. */
void wire_hub_close(struct wire_hub *hub);

/* A wire on a TCP handle that is to be connected, or accepted, by the caller. The callbacks are set already. Returns
 * what uv_tcp_init does. */
int wire_init(struct wire *wire, struct wire_hub *hub);

/* Reads from now on. A peer that does not even acknowledge what was sent is given up after `silence_ms`. Returns a libuv
 * error; the caller then closes the wire. */
int wire_start(struct wire *wire, unsigned silence_ms);

/* Something may have to be sent: it will be, before the loop waits. */
void wire_touch(struct wire *wire);

/* How many bytes will have been handed over when all that is collected by now has been. */
uint64_t wire_position(const struct wire *wire);

/* Stops and goes on reading. */
void wire_pause(struct wire *wire, bool pause);

/* Closes at once, because of something that on_lost is told. */
void wire_lose(struct wire *wire, const char *why);

/* Closes at once. */
void wire_close(struct wire *wire);

/* Closes; what was to be sent before the loop waits is sent first, as far as the kernel takes it. */
void wire_close_after_flush(struct wire *wire);

#endif
