/* Who finds out what is decided and applies it. See learner.c for its rules. */
#ifndef ORDEM_PAXOS_LEARNER_H
#define ORDEM_PAXOS_LEARNER_H

#include "paxos/limits.h"
#include "paxos/paxos_actions.h"
#include "paxos/sessions.h"

/* Who accepted what in an instance, in the highest ballot heard of: what was accepted below it is not counted any more. */
struct tally {
    struct ballot ballot;
    uint32_t accepted; /* the set of acceptors that did, in that ballot */
    struct value *value;
};

struct learner {
    uint32_t id;
    unsigned acceptors;
    uint64_t applied;       /* all up to this instance */
    uint64_t checkpoint;    /* all up to this one is on disk */
    uint64_t decided_below; /* the leader says that all before this one is decided */
    uint64_t forgotten;     /* an acceptor has forgotten up to here */
    struct tally *tallies;  /* a ring: of applied + 1 to applied + count, each at instance % capacity */
    size_t held;            /* bytes of their values, which are bounded */
    size_t count, capacity; /* the capacity is a power of two, or 0 */
    struct sessions sessions;
    uint64_t applied_at_tick; /* how far it was */
    unsigned stuck_ticks;     /* since it came any further, though there is something */
};

void learner_init(struct learner *learner, uint32_t id, unsigned acceptors);
void learner_free(struct learner *learner);

/* The state as of `instance` is installed, from disk or from another learner; the sessions are copied. False if it is
 * older than what this one has: then nothing happened. */
bool learner_install(struct learner *learner, uint64_t instance, const struct sessions *sessions);

/* The state as of `instance`, with the sessions, is durable. */
void learner_checkpointed(struct learner *learner, uint64_t instance, struct paxos_actions *out);

/* Who accepted what so far in an instance that is not applied; NULL if nothing is known of it. */
const struct tally *learner_tally(const struct learner *learner, uint64_t instance);

void learner_receive(struct learner *learner, const struct paxos_message *message, struct paxos_actions *out);

/* To be called about once per heartbeat: asks for what is missing. */
void learner_tick(struct learner *learner, struct paxos_actions *out);

#endif
