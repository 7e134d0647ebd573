/* What a role of Paxos wants done. As in common/actions.h, a role touches nothing itself: its caller carries the list out.
 *
 * The one rule for the caller: records become durable in the order in which they are given, and whatever else a role
 * gives is carried out only when every record that the role gave before it, in this list or an earlier one, is durable.
 * (An earlier one too: a request that comes twice is answered the second time without a record, and the first record may
 * still be on its way to the disk.) The caller may collect many lists and make their records durable in one go. */
#ifndef ORDEM_PAXOS_ACTIONS_H
#define ORDEM_PAXOS_ACTIONS_H

#include "paxos/messages.h"

enum paxos_action_type {
    PAXOS_RECORD,   /* `record` */
    PAXOS_SEND,     /* `message` to `to`, all of them or the one `number` */
    PAXOS_APPLY,    /* `command` of `value`, in `instance`, to the state: it is its turn */
    PAXOS_REPEATED, /* the same, but it was applied before: only answer the client again */
    PAXOS_READ,     /* the read `token` may be answered by who has applied all up to `instance` */
    PAXOS_DECIDED,  /* `value` is decided in `instance`: tell who asked for its commands */
    PAXOS_UNKNOWN,  /* `value` is or is not decided in `instance`: who leads next finds out */
    PAXOS_REFUSE, /* command (client, token) is in no instance: ask the leader, `number`; 0: none in sight */
    PAXOS_REFUSE_READ, /* the same of the read `token` */
    PAXOS_LEAD,        /* tell: this proposer leads, in `ballot` */
    PAXOS_STEP_DOWN,   /* tell: it does not any more */
    PAXOS_SNAPSHOT, /* give the learner `number` the state as of a checkpoint: what it misses is forgotten */
};

enum paxos_to { TO_PROPOSERS, TO_ACCEPTORS, TO_LEARNERS };

enum paxos_record_type {
    RECORD_ROUND,    /* proposer: this round may be used from now on */
    RECORD_PROMISE,  /* acceptor: nothing below this ballot any more */
    RECORD_ACCEPTED, /* acceptor: this proposal */
    RECORD_FORGET,   /* acceptor: all up to this instance is decided and elsewhere */
};

/* Read back in their order after a restart, records make the role that gave them. */
struct paxos_record {
    enum paxos_record_type type;
    struct ballot ballot;
    uint64_t instance;
    struct value *value; /* a reference of the record's own, where there is one */
};

struct paxos_action {
    enum paxos_action_type type;
    enum paxos_to to;
    uint32_t number; /* of a member; 0 is all or none */
    uint64_t instance, client, token;
    struct ballot ballot;
    size_t command;
    struct paxos_record record;
    struct paxos_message *message; /* a reference of the list's own, as is value */
    struct value *value;
};

/* Zeroed to start with; reused from event to event, so that it stops allocating. */
struct paxos_actions {
    struct paxos_action *items;
    size_t count, capacity;
};

/* Takes over the references in the action. */
void paxos_actions_add(struct paxos_actions *actions, struct paxos_action action);

/* Take no reference of the caller's: they add one of the list's where they need it. */
void paxos_record(struct paxos_actions *actions, enum paxos_record_type type, struct ballot ballot,
                  uint64_t instance, struct value *value);

/* Takes over the message: the last thing that is done with it. `number` 0 is all. */
void paxos_send(struct paxos_actions *actions, enum paxos_to to, uint32_t number,
                struct paxos_message *message);

/* Releases what they refer to and empties the list; and frees it. */
void paxos_actions_clear(struct paxos_actions *actions);
void paxos_actions_free(struct paxos_actions *actions);

#endif
