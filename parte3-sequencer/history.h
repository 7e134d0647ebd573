/* What the broker is known to have of the total order; see history.c. */
#ifndef ORDEM_HISTORY_H
#define ORDEM_HISTORY_H

#include "common/message.h"
#include "sequencer.h"

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCER_HISTORY_MAX 4096 /* ordered commands that the broker keeps for a sequencer that starts */

/* Zeroed to start with. */
struct history {
    int64_t last_seq;                            /* the highest number that the broker has */
    struct message *last[SEQUENCER_HISTORY_MAX]; /* at seq modulo their number; references */
};

/* The broker has `message`, which has a number. Takes a reference. */
void history_add(struct history *history, struct message *message);

/* The command with that number, or NULL if it is none of the last. The history keeps its reference. */
struct message *history_find(const struct history *history, int64_t seq);

/* Does `own`, which a sequencer numbered and the broker did not confirm, contradict what the broker has: its number is
 * another command's, or its command has another number? `sequencer` was told of all that the broker has. */
bool history_contradicts(const struct history *history, const struct sequencer *sequencer,
                         const struct message *own);

/* `sequencer` forgets what it knew, and knows what the broker has. */
void history_restore(const struct history *history, struct sequencer *sequencer);

/* Forgets everything. */
void history_free(struct history *history);

#endif
