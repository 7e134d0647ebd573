/* The sequencer's rule; see sequencer.c. */
#ifndef ORDEM_SEQUENCER_H
#define ORDEM_SEQUENCER_H

#include "common/actions.h"
#include "common/message.h"
#include "common/recent.h"

#include <stdint.h>

struct sequencer {
    int64_t next_seq;      /* the next free number, from 1 */
    struct recent ordered; /* commands that have theirs */
};

/* Before the first event. */
void sequencer_init(struct sequencer *sequencer);

/* `message` was ordered already, by this sequencer or by one before it. */
void sequencer_remember(struct sequencer *sequencer, const struct message *message);

/* A node wants `command` ordered. What is to be done is added to `out`. */
void sequencer_receive(struct sequencer *sequencer, struct message *command, struct actions *out);

/* After the last event. */
void sequencer_free(struct sequencer *sequencer);

#endif
