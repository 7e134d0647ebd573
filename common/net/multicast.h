/* UDP multicast: one group address, and whoever joined it receives what anybody sends to it, the sender too.
 *
 * A datagram may be lost, doubled or overtaken; it arrives whole or not at all. */
#ifndef ORDEM_MULTICAST_H
#define ORDEM_MULTICAST_H

#include "common/error.h"
#include "common/text.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define MULTICAST_BATCH 32 /* datagrams taken from the kernel in one call */

struct multicast_options {
    const char *group; /* MULTICAST_GROUP: 224.0.0.0 to 239.255.255.255; not owned */
    uint16_t port;     /* MULTICAST_PORT */
    int ttl;           /* MULTICAST_TTL: how many routers it may cross, 1 stays on the local network */
    const char
        *interface; /* MULTICAST_INTERFACE: a name (eth0, lo) or an address of this machine; NULL: by route */
    int receive_buffer; /* MULTICAST_RECEIVE_BUFFER: bytes to ask the kernel for */
};

struct multicast_batch;

struct multicast {
    uv_poll_t readable;
    int receiver,
        sender; /* sockets; the sender has a port of its own, which tells nodes of one machine apart */
    struct sockaddr_in group;
    struct multicast_batch *batch;
    int granted_buffer;   /* bytes of receive buffer that the kernel granted */
    uint32_t known_drops; /* as of the last multicast_take_drops */

    /* A datagram of the group; `from` and `bytes` are valid during the call. */
    void (*on_datagram)(struct multicast *, struct text bytes, const struct sockaddr_in *from);
};

/* Reads the MULTICAST_* variables. */
int multicast_options_read(struct multicast_options *options, struct error *error);

/* Joins the group and calls on_datagram from the loop from then on.
 * Errors: ERROR_NETWORK, with what the user can do about it; nothing is left open then. */
int multicast_open(struct multicast *multicast, uv_loop_t *loop, const struct multicast_options *options,
                   struct error *error);

/* Sends one datagram to the group. Errors: ERROR_NETWORK (no route, no buffer space); it was not sent then. */
int multicast_send(struct multicast *multicast, struct text bytes, struct error *error);

/* How many datagrams the kernel dropped since the last call because this node did not take them in time. */
uint32_t multicast_take_drops(struct multicast *multicast);

/* Leaves the group. The handle may be freed once the loop has run its close callback. */
void multicast_close(struct multicast *multicast);

/* "192.0.2.7:40312" */
void multicast_format_address(const struct sockaddr_in *address, char out[32]);

#endif
