/* When is a write done?
 *
 * Rule: when every store that is not left out has committed it, after every one of them was ready (Gray 1978; Bernstein,
 * Hadzilacos and Goodman 1987, chapter 8, write-all-available). A store that does not answer in time is left out, and
 * serves no reads until it has what it missed.
 *
 * Guarantees: a read at any live store sees every write that was finished. Does not guarantee: that a write ends while no
 * store is live. It has no memory of its own, and needs none: that the write is to be done is decided in Paxos's log, so
 * whoever follows, or the other learner, drives the same write under the same number, and stores take it once.
 *
 * To break it: let coordinator_rejoin take a store without comparing what it has. */
#include "paxos/coordinator.h"

void coordinator_init(struct coordinator *coordinator, unsigned stores, uint64_t finished,
                      uint64_t timeout_ms)
{
    *coordinator = (struct coordinator){.stores = stores, .finished = finished, .timeout_ms = timeout_ms};
    for (uint32_t i = 1; i <= stores; i++) {
        coordinator->live |= members_bit(i);
    }
}

bool coordinator_begin(struct coordinator *coordinator, uint64_t number, uint64_t now_ms)
{
    if (coordinator->phase != COORDINATOR_IDLE || number <= coordinator->finished) {
        return false;
    }
    coordinator->phase = COORDINATOR_PREPARES;
    coordinator->number = number;
    coordinator->answered = 0;
    coordinator->deadline_ms = now_ms + coordinator->timeout_ms;
    return true;
}

static bool end_phase(struct coordinator *coordinator, uint64_t now_ms)
{
    if (coordinator->live == 0 || (coordinator->live & ~coordinator->answered) != 0) {
        return false;
    }
    coordinator->answered = 0;
    coordinator->deadline_ms = now_ms + coordinator->timeout_ms;
    if (coordinator->phase == COORDINATOR_PREPARES) {
        coordinator->phase = COORDINATOR_COMMITS;
    } else {
        coordinator->phase = COORDINATOR_IDLE;
        coordinator->finished = coordinator->number;
    }
    return true;
}

/* Ready ends phase 1 for a store, done ends phase 2. One that was never ready misses something: it is left out. */
bool coordinator_answer(struct coordinator *coordinator, uint32_t store, uint64_t number,
                        enum store_answer answer, uint64_t now_ms)
{
    enum store_answer wanted = coordinator->phase == COORDINATOR_PREPARES ? STORE_READY : STORE_DONE;

    if (store == 0 || store > coordinator->stores || coordinator->phase == COORDINATOR_IDLE ||
        number != coordinator->number || (coordinator->live & members_bit(store)) == 0) {
        return false;
    }
    if (answer == STORE_UNKNOWN && (coordinator->live & ~members_bit(store)) != 0) {
        coordinator->live &= ~members_bit(store);
    } else if (answer == wanted) {
        coordinator->answered |= members_bit(store);
    }
    return end_phase(coordinator, now_ms);
}

/* Who has not answered by now is left out, in either phase; unless nobody has: the last copy is not given up. */
bool coordinator_tick(struct coordinator *coordinator, uint64_t now_ms)
{
    if (coordinator->phase == COORDINATOR_IDLE || now_ms < coordinator->deadline_ms ||
        (coordinator->live & coordinator->answered) == 0) {
        return false;
    }
    coordinator->live &= coordinator->answered;
    return end_phase(coordinator, now_ms);
}

bool coordinator_is_committed(const struct coordinator *coordinator, uint64_t number)
{
    return number <= coordinator->finished ||
           (number == coordinator->number && coordinator->phase == COORDINATOR_COMMITS);
}

bool coordinator_rejoin(struct coordinator *coordinator, uint32_t store, uint64_t synchronized)
{
    if (store == 0 || store > coordinator->stores || coordinator->phase != COORDINATOR_IDLE ||
        synchronized < coordinator->finished) {
        return false;
    }
    coordinator->live |= members_bit(store);
    return true;
}
