/* Who takes writes to all stores. See coordinator.c for its rules. */
#ifndef ORDEM_PAXOS_COORDINATOR_H
#define ORDEM_PAXOS_COORDINATOR_H

#include "paxos/limits.h"
#include "paxos/store.h"

enum coordinator_phase { COORDINATOR_IDLE, COORDINATOR_PREPARES, COORDINATOR_COMMITS };

struct coordinator {
    unsigned stores;
    uint32_t live;     /* the set of stores that take part: they have every write up to `finished` */
    uint64_t finished; /* all writes up to this one are committed at all that are live */
    uint64_t timeout_ms;

    /* the writes under way: those behind `finished` up to `number` */
    enum coordinator_phase phase;
    uint64_t number;
    uint32_t answered; /* the set of stores that did, in this phase */
    uint64_t deadline_ms;

    /* no other writes are begun until then, so that a store can catch up */
    uint64_t held_until_ms, held_at;
};

/* `finished` is the last write that its learner has applied: 0 at first, later the checkpoint's or the snapshot's. No store
 * is live: each is to be asked what it has, and then to rejoin. Times are a monotonic clock's. */
void coordinator_init(struct coordinator *coordinator, unsigned stores, uint64_t finished,
                      uint64_t timeout_ms);

/* Begins with the next writes, up to `number`: prepare is to be sent to all that are live. False if some are under way, or
 * it is finished already, or a store is waited for. */
bool coordinator_begin(struct coordinator *coordinator, uint64_t number, uint64_t now_ms);

/* The stores to which what the phase asks is to be sent, also again when no answer comes. */
uint32_t coordinator_unanswered(const struct coordinator *coordinator);

/* A store answered, or time passed. True if a phase is over: then send commit to all that are live (phase
 * COORDINATOR_COMMITS), or answer the clients and begin with the next writes (COORDINATOR_IDLE). */
bool coordinator_answer(struct coordinator *coordinator, uint32_t store, uint64_t number,
                        enum store_answer answer, uint64_t now_ms);
bool coordinator_tick(struct coordinator *coordinator, uint64_t now_ms);

/* A store in doubt asks: is this write committed? If not, its prepare and its commit will come again. */
bool coordinator_is_committed(const struct coordinator *coordinator, uint64_t number);

/* A store that is not live has every write up to that number, and would take part. False if it must synchronise: a write
 * was finished, or is being committed, that it does not have. If writes are being prepared, the store is now among those
 * that prepare is to be sent to. */
bool coordinator_rejoin(struct coordinator *coordinator, uint32_t store, uint64_t synchronized);

/* A store is about to catch up: begins with no other writes before it has rejoined, or a time-out has passed. At most once
 * between two writes, so that stores that never catch up stop nobody. */
void coordinator_hold(struct coordinator *coordinator, uint64_t now_ms);

#endif
