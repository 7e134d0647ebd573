/* When is a write done?
 *
 * Rule: when every store that is not left out has committed it, after every one of them was ready (Gray 1978; Bernstein,
 * Hadzilacos and Goodman 1987, chapter 8, write-all-available). A store that does not answer in time is left out, and takes
 * part again when it has what it missed.
 *
 * Guarantees: every live store has every write that was finished, also after a crash of either. Does not guarantee: that a
 * write ends while no store is live, nor that a store knows that it was left out: a read must name the last write that it
 * has to see (store_may_read). It has no memory of its own, and needs none: that the write is to be done is decided in
 * Paxos's log, so whoever follows, or the other learner, drives the same write under the same number, and stores take it
 * once. Two may do so at a time, with different live stores.
 *
 * To break it: let coordinator_rejoin take a store without comparing what it has. */
#include "paxos/coordinator.h"

void coordinator_init(struct coordinator *coordinator, unsigned stores, uint64_t finished,
                      uint64_t timeout_ms)
{
    *coordinator = (struct coordinator){.stores = stores, .finished = finished, .timeout_ms = timeout_ms};
}

bool coordinator_begin(struct coordinator *coordinator, uint64_t number, uint64_t now_ms)
{
    if (coordinator->phase != COORDINATOR_IDLE || number <= coordinator->finished ||
        now_ms < coordinator->held_until_ms) {
        return false;
    }
    coordinator->phase = COORDINATOR_PREPARES;
    coordinator->number = number;
    coordinator->answered = 0;
    coordinator->deadline_ms = now_ms + coordinator->timeout_ms;
    return true;
}

uint32_t coordinator_unanswered(const struct coordinator *coordinator)
{
    return coordinator->phase == COORDINATOR_IDLE ? 0 : coordinator->live & ~coordinator->answered;
}

static bool end_phase(struct coordinator *coordinator, uint64_t now_ms)
{
    if (coordinator->live == 0 || coordinator_unanswered(coordinator) != 0) {
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

/* Ready ends phase 1 for a store, done ends phase 2; one that misses something is left out. After a time in which nobody answered, as behind a network that was
 * cut, the others get their time to answer too. */
bool coordinator_answer(struct coordinator *coordinator, uint32_t store, uint64_t number,
                        enum store_answer answer, uint64_t now_ms)
{
    enum store_answer wanted = coordinator->phase == COORDINATOR_PREPARES ? STORE_READY : STORE_DONE;

    if (store == 0 || store > coordinator->stores || coordinator->phase == COORDINATOR_IDLE ||
        number != coordinator->number || (coordinator->live & members_bit(store)) == 0) {
        return false;
    }
    if (answer == STORE_UNKNOWN) {
        coordinator->live &= ~members_bit(store);
    } else if (answer == wanted) {
        if (coordinator->answered == 0 && now_ms >= coordinator->deadline_ms) {
            coordinator->deadline_ms = now_ms + coordinator->timeout_ms;
        }
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
           (number <= coordinator->number && coordinator->phase == COORDINATOR_COMMITS);
}

/* In phase 2 it must have what is being committed, too, and so has answered: it was never asked in phase 1. */
bool coordinator_rejoin(struct coordinator *coordinator, uint32_t store, uint64_t synchronized)
{
    bool commits = coordinator->phase == COORDINATOR_COMMITS;

    if (store == 0 || store > coordinator->stores ||
        synchronized < (commits ? coordinator->number : coordinator->finished)) {
        return false;
    }
    coordinator->live |= members_bit(store);
    coordinator->answered |= commits ? members_bit(store) : 0;
    coordinator->held_until_ms = 0;
    return true;
}

void coordinator_hold(struct coordinator *coordinator, uint64_t now_ms)
{
    if (coordinator->held_until_ms == 0 || coordinator->held_at != coordinator->finished) {
        coordinator->held_until_ms = now_ms + coordinator->timeout_ms;
        coordinator->held_at = coordinator->finished;
    }
}
