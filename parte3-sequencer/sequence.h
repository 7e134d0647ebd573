/* What the broker is known to have of the total order; see sequence.c. */
#ifndef ORDEM_SEQUENCE_H
#define ORDEM_SEQUENCE_H

#include "common/message.h"
#include "sequencer.h"

#include <stdbool.h>
#include <stdint.h>

#define SEQUENCER_HISTORY_MAX 4096 /* ordered commands that the broker keeps for a sequencer that starts */

/* Zeroed to start with. */
struct sequence {
    int64_t last_seq;                            /* the highest number that the broker has */
    struct message *last[SEQUENCER_HISTORY_MAX]; /* at seq modulo their number; references */
    bool safe
        [SEQUENCER_HISTORY_MAX]; /* the broker confirmed it: it is not only in the history, but in all queues */
};

/* The broker has `message`, which has a number; `safe` if it confirmed that. Takes a reference. */
void sequence_add(struct sequence *sequence, struct message *message, bool safe);

/* The command with that number, or NULL if it is none of the last. The reference stays its own. */
struct message *sequence_find(const struct sequence *sequence, int64_t seq);

/* A command with that UUID, which `sequencer` knows, came again: the numbered one, if it may have got into the history
 * and not into other queues; else NULL. */
struct message *sequence_find_unsafe(const struct sequence *sequence, const struct sequencer *sequencer,
                                     struct text message_uuid);

/* Does `own`, which a sequencer numbered and the broker did not confirm, contradict what the broker has: its number is
 * another command's, or its command has another number? `sequencer` was told of all that the broker has. */
bool sequence_contradicts(const struct sequence *sequence, const struct sequencer *sequencer,
                          const struct message *own);

/* `sequencer` forgets what it knew, and knows what the broker has. */
void sequence_restore(const struct sequence *sequence, struct sequencer *sequencer);

/* Forgets everything. */
void sequence_free(struct sequence *sequence);

#endif
