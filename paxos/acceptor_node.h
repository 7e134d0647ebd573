/* The process around an acceptor: what its files share. */
#ifndef ORDEM_PAXOS_ACCEPTOR_NODE_H
#define ORDEM_PAXOS_ACCEPTOR_NODE_H

#include "paxos/acceptor.h"
#include "paxos/acceptor_log.h"
#include "paxos/peers.h"

#define ACCEPTOR_WAITING_BYTES (64 * 1024 * 1024) /* of values on their way to the disk; above that: 503 */
#define ACCEPTOR_PAUSE_MS      500                /* after the disk was full, before the next attempt */
#define ACCEPTOR_LEARN_MS      1                  /* that learners wait for more to be told at once */
#define ACCEPTOR_GIVE_BACK_MS  500                /* at least, between two times that it gives memory back */

struct waiting;

struct acceptor_node {
    struct process process;
    struct acceptor acceptor;
    struct acceptor_log log;
    struct peers learners;
    struct paxos_actions actions;

    struct waiting *first, *last; /* requests that wait for the disk, in their order: a list, owned */
    struct waiting *spare;        /* to be used again: likewise */
    size_t spare_count;
    struct buffer learn;  /* a body of /learn for all learners, so far: see acceptor_answer.c */
    uv_timer_t learn_due; /* then it is sent */

    uint64_t give_back_ms;  /* uv_now: memory that was freed is not given back before that */
    uint64_t full_until_ms; /* uv_now: no attempt to write before that */
    bool full;              /* the last commit failed */

    uint64_t prepares, accepts, proposals, refused;
};

/* ---- acceptor_answer.c ---- */

/* The role has been asked by `exchange` and wants this done: records go to the disk, and all else waits for it. What the
 * list holds is taken over. */
void acceptor_carry_out(struct acceptor_node *node, struct http_exchange *exchange,
                        struct paxos_actions *actions);

/* What they have not been told yet, at once. */
void acceptor_tell_learners(struct acceptor_node *node);

/* Answers those whose records are on disk. */
void acceptor_go_on(struct acceptor_node *node);

/* The disk did not take it: answers all who wait with a 507. */
void acceptor_give_up(struct acceptor_node *node, const char *why);

void acceptor_answer_free(struct acceptor_node *node);

/* ---- acceptor_view.c: what people and programs may see ---- */

void acceptor_get_instance(struct process *process, struct http_exchange *exchange,
                           const struct http_request *request, struct text id);
void acceptor_get_instances(struct process *process, struct http_exchange *exchange,
                            const struct http_request *request, struct text id);
void acceptor_write_status(struct process *process, struct buffer *out);
void acceptor_write_stats(struct process *process, struct buffer *out);

#endif
