/* Who takes a write to all stores. See coordinator.c for its rules. */
#ifndef ORDEM_PAXOS_COORDINATOR_H
#define ORDEM_PAXOS_COORDINATOR_H

#include "paxos/limits.h"
#include "paxos/store.h"

enum coordinator_phase { COORDINATOR_IDLE, COORDINATOR_PREPARES, COORDINATOR_COMMITS };

struct coordinator {
    unsigned stores;
    uint32_t live;     /* the set of stores that take part: what they have is complete */
    uint64_t finished; /* all writes up to this one are committed */
    uint64_t timeout_ms;

    /* the write under way */
    enum coordinator_phase phase;
    uint64_t number;
    uint32_t answered; /* the set of stores that did, in this phase */
    uint64_t deadline_ms;
};

/* `finished` is what its learner knows to be committed: 0 at first, later the checkpoint's. */
void coordinator_init(struct coordinator *coordinator, unsigned stores, uint64_t finished,
                      uint64_t timeout_ms);

/* Begins with the next write: send prepare to all that are live. False if one is under way, or it is finished already. */
bool coordinator_begin(struct coordinator *coordinator, uint64_t number, uint64_t now_ms);

/* A store answered, or time passed. True if a phase is over: then send commit to all that are live (phase
 * COORDINATOR_COMMITS), or answer the client and begin with the next write (COORDINATOR_IDLE). */
bool coordinator_answer(struct coordinator *coordinator, uint32_t store, uint64_t number,
                        enum store_answer answer, uint64_t now_ms);
bool coordinator_tick(struct coordinator *coordinator, uint64_t now_ms);

/* A store in doubt asks: is this write committed? If not, its prepare and its commit will come again. */
bool coordinator_is_committed(const struct coordinator *coordinator, uint64_t number);

/* A store that was left out is synchronised up to that write, and would take part again. False if it must go on
 * synchronising: a write was finished, or is under way, that it does not have. */
bool coordinator_rejoin(struct coordinator *coordinator, uint32_t store, uint64_t synchronized);

#endif
