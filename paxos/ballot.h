/* Which attempt is later? A ballot is (round, proposer): rounds order attempts, the proposer's number breaks ties, so
 * that no two proposers ever own the same ballot (Lamport 2001, section 2.2: proposers choose their numbers from
 * disjoint sets). A proposer records its round before it uses it, and so never owns the same ballot twice. */
#ifndef ORDEM_PAXOS_BALLOT_H
#define ORDEM_PAXOS_BALLOT_H

#include <stdbool.h>
#include <stdint.h>

/* What JSON readers still count exactly. A ballot beyond it is from nobody who is well, and is not taken: it would leave
 * no higher one to anybody. */
#define BALLOT_ROUND_MAX (UINT64_C(1) << 53)

struct ballot {
    uint64_t round;    /* from 1; 0 is below all: no ballot */
    uint32_t proposer; /* from 1 */
};

/* Negative, zero or positive, as a is lower than, the same as or higher than b. */
int ballot_compare(struct ballot a, struct ballot b);

/* One that a proposer could own? */
bool ballot_is_valid(struct ballot ballot);

/* A round is one above the highest that its proposer has seen. Whoever sees one that is further than this above what he
 * has seen has not missed so many elections: somebody made it up, and the last round is not to be reached like that. */
#define BALLOT_STEP_MAX (UINT64_C(1) << 32)

/* Is it valid, and could it come after rounds up to `seen`? */
bool ballot_may_follow(struct ballot ballot, uint64_t seen);

#endif
