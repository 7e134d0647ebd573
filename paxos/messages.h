/* What the roles say to one another. One message may speak of several instances: a request on the wire is one message.
 *
 *   PREPARE    proposer → acceptors   ballot, first instance (instance 0 is who leads; see proposer.c)
 *   PROMISE    acceptor → proposer    ballot, what is forgotten, what was accepted from the first instance on
 *   ACCEPT     proposer → acceptors   ballot, proposals
 *   ACCEPTED   acceptor → proposer and learners    the proposals, each with the ballot that it was accepted in
 *   NACK       acceptor → proposer    the ballot that it has promised, which is higher
 *   CONFIRM    proposer → acceptors   ballot, number of the round: is it still the highest?
 *   CONFIRMED  acceptor → proposer    ballot, number: it is
 *   HEARTBEAT  leader → proposers and learners     ballot, first instance that it does not know to be decided
 *   FETCH      learner → acceptors, proposers      first instance that it misses
 *   CHECKPOINT learner → acceptors    all up to this instance is on its disk, applied
 */
#ifndef ORDEM_PAXOS_MESSAGES_H
#define ORDEM_PAXOS_MESSAGES_H

#include "paxos/ballot.h"
#include "paxos/value.h"

enum paxos_type {
    PAXOS_PREPARE,
    PAXOS_PROMISE,
    PAXOS_ACCEPT,
    PAXOS_ACCEPTED,
    PAXOS_NACK,
    PAXOS_CONFIRM,
    PAXOS_CONFIRMED,
    PAXOS_HEARTBEAT,
    PAXOS_FETCH,
    PAXOS_CHECKPOINT,
};

/* A value in an instance under a ballot (van Renesse and Altinbuken 2015 call it a pvalue). */
struct proposal {
    uint64_t instance; /* from 1 */
    struct ballot ballot;
    struct value *value; /* a reference of its holder's own; NULL is a no-op */
};

struct paxos_message {
    unsigned references;
    enum paxos_type type;
    uint32_t from; /* the sender's number in its role, from 1 */
    struct ballot ballot;
    uint64_t instance; /* the first one meant, or the last one forgotten */
    uint64_t number;   /* of a round of CONFIRM */
    struct proposal *proposals;
    size_t count, capacity;
};

/* A message without proposals; the caller holds one reference. */
struct paxos_message *paxos_message_create(enum paxos_type type, uint32_t from, struct ballot ballot,
                                           uint64_t instance);

/* Adds a proposal, with a reference of its own to the value. Only before the message is given to anybody. */
void paxos_message_add(struct paxos_message *message, uint64_t instance, struct ballot ballot,
                       struct value *value);

struct paxos_message *paxos_message_keep(struct paxos_message *message);
void paxos_message_release(struct paxos_message *message);

/* For people: "promise". */
const char *paxos_type_name(enum paxos_type type);

#endif
