/* The bad network, carried out: stands between a transport and the node, and loses, doubles, delays or cuts off
 * messages as common/faults.h decides. With no fault set it hands them straight on.
 *
 * It respects what the transport promises. A datagram that is delayed may be overtaken by the next. A stream keeps its
 * order: what is delayed stalls all that follows on it, a loss stalls it until the sender would have sent again, a
 * partition until it heals, and nothing comes twice. Every fault is a `fault` event in the log. */
#ifndef ORDEM_FAULT_LINK_H
#define ORDEM_FAULT_LINK_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/faults.h"
#include "common/log.h"
#include "common/message.h"
#include "common/net/fault_watch.h"

#include <stdbool.h>
#include <uv.h>

#define FAULT_LINK_DELAYED_MAX 100000 /* datagrams under way; above that they are lost, and the log says so */
#define FAULT_LINK_RETRANSMIT_MS                                                                             \
    200 /* TCP's shortest retransmission time-out (Linux; RFC 6298 asks for 1 s) */

enum fault_transport { FAULT_DATAGRAMS, FAULT_STREAMS };

/* What the transport wants back when the message was dealt with; zero where there is nothing to give back. */
struct receipt {
    uint64_t connection, tag;
};

struct delayed;
struct stalled_stream;

struct fault_link {
    struct faults faults;
    struct fault_watch watch;
    struct log *log;
    uv_loop_t *loop;
    enum fault_transport transport;
    struct delayed *delayed; /* datagrams under way: a list, owned */
    size_t delayed_count;
    struct stalled_stream *streams; /* a list, owned; by sender */
    uv_timer_t release;             /* of streams: when the next message is due */

    /* A message got through; the callee takes a reference if it keeps it. */
    void (*on_message)(struct fault_link *, struct message *, struct receipt);
};

/* Reads the NET_* variables and starts watching NET_FAULTS_FILE. `self` is this node's name, not owned. */
int fault_link_open(struct fault_link *link, enum fault_transport transport, uv_loop_t *loop, struct log *log,
                    struct text self, struct error *error);

/* A message arrived from `sender`; on_message is called at once, later, twice or never. The caller keeps its
 * reference. */
void fault_link_receive(struct fault_link *link, struct text sender, struct message *message,
                        struct receipt receipt);

/* Forgets what is under way, because it will come again. */
void fault_link_drop(struct fault_link *link);

/* Drops what is still under way. The handles may be freed once the loop has run their close callbacks. */
void fault_link_close(struct fault_link *link);

#endif
