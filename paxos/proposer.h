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
    struct value *value; /* NULL also once it is decided */
    uint32_t accepted;   /* the set of acceptors that accepted it in the leader's ballot */
    bool decided;
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
    unsigned unheard; /* times in a row that a higher ballot ended its own, and then nobody was heard of */

    /* phase 1 */
    uint32_t promises;
    struct kept found;   /* from promises: per instance, the highest ballot and its value */
    bool first_is_known; /* an acceptor has heard of the instance before `first` */

    /* phase 2 */
    uint64_t first, next; /* all before `first` is decided; `next` is free */
    struct slot *slots;   /* of first, first + 1, …, behind slots_gone that are not needed any more */
    size_t slots_gone, slots_capacity;
    uint64_t sent_before;  /* instances below it were sent before the last heartbeat */
    uint64_t repair_at_ms; /* not before then is an instance that is decided proposed once more */
    struct client_command
        *queue; /* commands that wait for an instance, from queue_first on; their bytes are owned */
    size_t queue_first, queue_count, queue_capacity;
    size_t queue_bytes; /* of those that wait */

    /* reads */
    struct pending_read *reads;
    size_t reads_count, reads_capacity;
    uint64_t confirm_round; /* 0: none is under way */
    uint64_t confirmed_ms;  /* when a majority last said that this one leads */
    uint64_t confirm_last;
    uint32_t confirms;

    /* time, of its own: what the clock says may jump, so only what passes between two ticks counts, up to a time-out */
    uint64_t clock_ms, now_ms, deadline_ms, heartbeat_at_ms;
    bool has_clock;
};

void proposer_init(struct proposer *proposer, const struct proposer_options *options);
void proposer_restore(struct proposer *proposer, const struct paxos_record *record);
void proposer_free(struct proposer *proposer);

/* After proposer_init: all before `first` is decided, so that it need not be asked for. */
void proposer_resume(struct proposer *proposer, uint64_t first);

/* A client's command; its bytes are copied. A proposer that does not lead, or has too many waiting, refuses it. It waits
 * for proposer_propose. */
void proposer_submit(struct proposer *proposer, const struct client_command *command,
                     struct paxos_actions *out);

/* Puts what waits into instances, as many as may be under way, and asks for what is to be read: to be called when all that
 * came together was submitted or received, so that it shares an instance, or a round of questions. */
void proposer_propose(struct proposer *proposer, struct paxos_actions *out);

/* A client's read, under a token of the caller's choice; it, too, waits for proposer_propose. */
void proposer_read(struct proposer *proposer, uint64_t token, struct paxos_actions *out);

/* Any message. `draw` is any number, another one each time: it chooses how long a time-out is. */
void proposer_receive(struct proposer *proposer, const struct paxos_message *message, uint64_t draw,
                      struct paxos_actions *out);

/* Time passed: to be called a few times per heartbeat_ms. */
void proposer_tick(struct proposer *proposer, uint64_t clock_ms, uint64_t draw, struct paxos_actions *out);

/* The slot of an instance that is under way. */
static inline struct slot *proposer_slot(const struct proposer *proposer, uint64_t instance)
{
    return &proposer->slots[proposer->slots_gone + (size_t)(instance - proposer->first)];
}

#endif
