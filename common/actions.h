/* What an ordering rule wants done. A rule touches nothing itself: it answers each event with a list of actions, and
 * its caller (a node, or a simulation) carries them out in their order. */
#ifndef ORDEM_ACTIONS_H
#define ORDEM_ACTIONS_H

#include "common/message.h"

#include <stddef.h>

enum action_type {
    ACTION_SEND,      /* give the message to the network, for the whole group (parte3: for the sequencer) */
    ACTION_DELIVER,   /* apply the message to the store: it is its turn */
    ACTION_HOLD,      /* tell that the rule keeps the message until its turn comes */
    ACTION_DISCARD,   /* tell that the message had come already, or must not count */
    ACTION_RECORD,    /* have the message on disk before anything that follows */
    ACTION_REFUSE,    /* tell the client that this node does not take the command */
    ACTION_RECOVER,   /* ask the others for what is missing here; without a message */
    ACTION_STEP_DOWN, /* tell that this node does not lead any more; without a message */
};

struct action {
    enum action_type type;
    struct message *message; /* a reference of its own, released by actions_clear; NULL where there is none */
};

/* Zeroed to start with; reused from event to event, so that it stops allocating. */
struct actions {
    struct action *items;
    size_t count, capacity;
};

/* Adds an action; takes a reference to `message` (which may be NULL), and leaves the caller's alone. */
void actions_add(struct actions *actions, enum action_type type, struct message *message);

/* Releases the messages and empties the list. */
void actions_clear(struct actions *actions);

/* Frees the list as well. */
void actions_free(struct actions *actions);

#endif
