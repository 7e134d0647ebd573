/* What every replica behind a broker has, whatever its rule (parts 2 to 4): its name, its log, its store, the service
 * that clients call, the requests that wait, the bad network, and the way it starts and leaves. A part embeds it and
 * adds its rule and its links. */
#ifndef ORDEM_REPLICA_H
#define ORDEM_REPLICA_H

#include "common/event.h"
#include "common/kv_store.h"
#include "common/log.h"
#include "common/net/amqp_link.h"
#include "common/net/fault_link.h"
#include "common/net/kv_service.h"
#include "common/net/recovery.h"
#include "common/net/requests.h"
#include "common/net/runtime.h"
#include "common/recent.h"

#include <stdbool.h>
#include <stdint.h>

#define REPLICA_LEAVE_MS 2000 /* how long a node that leaves waits for what it has begun */
#define REPLICA_NAME_MAX 256  /* bytes of the name of a queue or an exchange */

struct replica {
    const char *part; /* "parte2" */
    const char *role; /* "node"; not owned */
    uint16_t port;    /* of the service, where RPC_PORT is unset; 0 for a process without one */
    char id[65];
    struct amqp_options amqp;
    struct runtime runtime;
    struct log log;
    struct kv_store store;
    struct kv_service service;
    struct amqp_link publisher, consumer; /* one each: a broker that throttles publishers still delivers */
    struct amqp_step *steps;              /* of both, owned */
    struct fault_link faults;             /* between the broker and the rule; off by default */
    struct requests requests;
    struct recent applied; /* commands in the store, with their seq */
    struct discards discards;
    struct buffer snapshot;

    unsigned links, links_connected;
    bool not_ready_yet; /* set by a part that has more to do before it is of use: see replica_make_ready */
    bool ready, leaving, closing;
    uint64_t leave_by_ms; /* clock_monotonic_ms */

    void (*on_tick)(struct replica *, uint64_t now_ms);
    /* The consumer is connected; `queue_made`: what was sent until now is not in its queue. May be NULL. */
    void (*on_connected)(struct replica *, bool queue_made);
    void (*on_disconnected)(struct replica *); /* likewise */
};

/* The name of a queue or an exchange: the setting `variable` (or `standard`), and then QUEUE_SUFFIX, by which several
 * groups share a broker. ERROR_CONFIG. */
int replica_name(char out[REPLICA_NAME_MAX], const char *variable, const char *standard, struct error *error);

/* The same for what belongs to one node alone: its name, `ending`, and then QUEUE_SUFFIX. */
int replica_queue(char out[REPLICA_NAME_MAX], const char *node_id, const char *ending, struct error *error);

/* Reads the settings and opens everything but the links. Its members part, role, port and the callbacks of it, of its
 * consumer, service, faults and requests are set already. `standard_id` holds where NODE_ID is unset; NULL for a random
 * one. */
int replica_open(struct replica *replica, const char *standard_id, struct error *error);

/* Opens the links, which carry out these steps (copied) whenever they connect. Without publisher's steps the consumer
 * is the only link. */
int replica_open_links(struct replica *replica, const struct amqp_step *publisher, size_t publisher_count,
                       const struct amqp_step *consumer, size_t consumer_count, struct error *error);

/* What kept a replica from being ready is done. */
void replica_make_ready(struct replica *replica);

/* Applies a command to the store, logs it, and answers the client that waits for it. */
void replica_deliver(struct replica *replica, const struct message *message);

/* A command came that is not delivered now: it is held, or a peer's state that was taken over holds it already. A client that
 * waits for it is answered in the second case, which is when its place is not beyond `installed_seq`. */
void replica_note_place(struct replica *replica, const struct message *message, int64_t installed_seq);

/* The store is a peer's, made of all commands up to `seq`: answers the clients that wait for one of those that were held. */
void replica_answer_installed(struct replica *replica, int64_t seq);

/* Fills a reply with what the store says: the value for a GET, the snapshot for a PRINT. */
void replica_read(struct replica *replica, const struct message *message, struct kv_reply *reply);

/* Was the command applied before? Then it is answered. */
bool replica_answer_known(struct replica *replica, struct kv_call *call, const struct message *message);

/* Puts a peer's state in place of the store's, and logs that. */
void replica_install(struct replica *replica, const struct recovery_note *note);

/* Decodes a message that must have its place in the total order; NULL and in `error` why not. */
struct message *replica_decode_ordered(struct text body, struct error *error);

/* Discarded input, with a warning. */
void replica_discard(struct replica *replica, const struct error *error, const char *from);

/* Runs until the node has left, and frees what it has. */
void replica_run(struct replica *replica);

/* Something happened that a node must not go on after: says so and leaves with exit status 1. */
void replica_die(struct replica *replica, const struct error *error) __attribute__((noreturn));

/* Prints an error of starting up; returns the exit status. */
int replica_refuse_start(struct replica *replica, const struct error *error);

#endif
