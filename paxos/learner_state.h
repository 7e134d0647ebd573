/* What a learner has made of the commands applied so far: the replicated state, but for the sessions, which the learner
 * keeps itself (paxos/learner.h). Two learners that applied the same instances have the same. */
#ifndef ORDEM_PAXOS_LEARNER_STATE_H
#define ORDEM_PAXOS_LEARNER_STATE_H

#include "paxos/command_json.h"
#include "paxos/resources.h"

#include <stdint.h>

/* Zeroed to start with. */
struct learner_state {
    struct resources resources;
    uint64_t commands; /* applied, each once; a command's place in the one order is its number */
    uint64_t writes;   /* how many of them were writes; a write's number is the version that it makes */
};

/* Applies the next command. Returns the number of the write, 0 if it is none. */
uint64_t learner_state_apply(struct learner_state *state, const struct operation *operation);

/* A client's timestamp as milliseconds since the epoch: a CommandMessage counts in seconds, a command of this part in
 * milliseconds. What is no time at all is 0. */
uint64_t learner_state_timestamp(const struct operation *operation);

void learner_state_free(struct learner_state *state);

#endif
