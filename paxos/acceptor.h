/* The memory of the cluster: what an acceptor has promised and accepted. See acceptor.c for its rules. */
#ifndef ORDEM_PAXOS_ACCEPTOR_H
#define ORDEM_PAXOS_ACCEPTOR_H

#include "paxos/kept.h"
#include "paxos/limits.h"
#include "paxos/paxos_actions.h"

struct acceptor {
    uint32_t id;
    unsigned learners;
    uint64_t patience;      /* instances: a learner that is further behind is not waited for, */
    size_t patience_bytes;  /* nor is any but the first once so much is kept */
    struct ballot promised; /* in all instances at once */
    struct kept accepted;   /* per instance, the highest ballot that was accepted and its value */
    uint64_t checkpoints[PAXOS_MEMBERS_MAX + 1]; /* per learner: on its disk, applied */
};

/* Unless the caller sets another after acceptor_init. Who is not waited for is given a snapshot by a learner. */
#define ACCEPTOR_PATIENCE       65536
#define ACCEPTOR_PATIENCE_BYTES (PAXOS_KEPT_BYTES / 2)

/* `learners` is how many there are, at most PAXOS_MEMBERS_MAX. */
void acceptor_init(struct acceptor *acceptor, uint32_t id, unsigned learners);

/* After acceptor_init, each record in its order: then it is as it was. */
void acceptor_restore(struct acceptor *acceptor, const struct paxos_record *record);

/* Any message, from anybody: what an acceptor has no use for, and what nobody who is well would send, it ignores. */
void acceptor_receive(struct acceptor *acceptor, const struct paxos_message *message,
                      struct paxos_actions *out);

void acceptor_free(struct acceptor *acceptor);

#endif
