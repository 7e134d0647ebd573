/* Proposals by instance, from the first that is not forgotten: a ring that moves along with the instances, so that
 * forgetting costs what is forgotten and not what stays. */
#ifndef ORDEM_PAXOS_KEPT_H
#define ORDEM_PAXOS_KEPT_H

#include "paxos/messages.h"

#define KEPT_OVERHEAD 128 /* bytes that a proposal counts for besides its commands */

struct kept {
    uint64_t forgotten; /* all up to this instance */
    struct proposal
        *items; /* a ring: that of instance forgotten + 1 is at `first`; without a valid ballot: empty */
    size_t first, count, capacity;
    size_t bytes; /* of the commands in it, and KEPT_OVERHEAD for each proposal: on a wire it takes no more */
};

/* The proposal of that instance; NULL if there is none. */
struct proposal *kept_find(const struct kept *kept, uint64_t instance);

/* Puts a proposal in its place, with a reference of its own to the value. False if it is forgotten, or too far ahead. */
bool kept_put(struct kept *kept, uint64_t instance, struct ballot ballot, struct value *value);

/* Forgets all up to that instance. */
void kept_forget(struct kept *kept, uint64_t instance);

/* The last instance that may hold something. */
uint64_t kept_last(const struct kept *kept);

void kept_free(struct kept *kept);

#endif
