/* Who puts clients' commands into instances. See proposer.c for how one of them comes to lead, proposer_lead.c for what
 * the leader does and proposer_read.c for reads. */
#ifndef ORDEM_PAXOS_PROPOSER_H
#define ORDEM_PAXOS_PROPOSER_H

#include "paxos/kept.h"
#include "paxos/limits.h"
#include "paxos/paxos_actions.h"

enum proposer_phase { PROPOSER_FOLLOWS, PROPOSER_PREPARES, PROPOSER_LEADS };

struct proposer_options {
    uint32_t id;
    unsigned acceptors;
    unsigned window, batch; /* at most PAXOS_WINDOW and PAXOS_BATCH */
    unsigned heartbeat_ms; /* a leader says so often that it is there, and sends again what nobody answered */
    unsigned
        timeout_ms; /* without a leader for this long, and up to twice as long, a proposer tries to lead */
};

/* An instance under way. */
struct slot {
    struct value *value;
    uint32_t accepted; /* the set of acceptors that accepted it in the leader's ballot */
};

struct pending_read {
    uint64_t token, instance; /* it must see all up to this instance */
    uint64_t round;           /* of CONFIRM that tells; 0: the next one */
};

struct proposer {
    struct proposer_options options;
    enum proposer_phase phase;
    uint64_t round;        /* the highest that it has used: on its disk before it is used */
    struct ballot ballot;  /* its own, when it prepares or leads */
    struct ballot highest; /* that it has seen: who leads, as far as it knows */
    bool leader_in_sight;

    /* phase 1 */
    uint32_t promises;
    struct kept found; /* from promises: per instance, the highest ballot and its value */

    /* phase 2 */
    uint64_t first, next; /* all before `first` is decided; `next` is free */
    struct slot *slots;   /* of first, first + 1, … */
    size_t slots_capacity;
    struct client_command
        *queue; /* commands that wait for an instance, from queue_first on; their bytes are owned */
    size_t queue_first, queue_count, queue_capacity;

    /* reads */
    struct pending_read *reads;
    size_t reads_count, reads_capacity;
    uint64_t confirm_round; /* 0: none is under way */
    uint64_t confirm_last;
    uint32_t confirms;

    /* time, of its own: what the clock says may jump, so only what passes between two ticks counts, up to a time-out */
    uint64_t clock_ms, now_ms, deadline_ms, heartbeat_at_ms;
    bool has_clock;
};

void proposer_init(struct proposer *proposer, const struct proposer_options *options);
void proposer_restore(struct proposer *proposer, const struct paxos_record *record);
void proposer_free(struct proposer *proposer);

/* A client's command; its bytes are copied. A proposer that does not lead, or has too many waiting, refuses it. */
void proposer_submit(struct proposer *proposer, const struct client_command *command,
                     struct paxos_actions *out);

/* A client's read, under a token of the caller's choice. */
void proposer_read(struct proposer *proposer, uint64_t token, struct paxos_actions *out);

/* Any message. `draw` is any number, another one each time: it chooses how long a time-out is. */
void proposer_receive(struct proposer *proposer, const struct paxos_message *message, uint64_t draw,
                      struct paxos_actions *out);

/* Time passed: to be called a few times per heartbeat_ms. */
void proposer_tick(struct proposer *proposer, uint64_t clock_ms, uint64_t draw, struct paxos_actions *out);

#endif
