/* What replicas tell each other beside the commands (common/net/recovery.h), on its way: what one process sends to
 * another keeps its order, takes as long as the schedule likes, may come twice, and is lost if nobody is there. */
#ifndef ORDEM_BROKER_NOTES_H
#define ORDEM_BROKER_NOTES_H

#include "tests/sim/broker_schedule.h"
#include "tests/sim/broker_store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum note_type { NOTE_ASK, NOTE_STATE, NOTE_LEADER };

struct note {
    enum note_type type;
    unsigned from, to; /* processes */
    int64_t epoch;
    int64_t seq;        /* "from_seq" of an ask */
    struct store state; /* of a state */
};

struct notes {
    struct note *on_their_way; /* owned */
    size_t count, capacity;
};

void notes_send(struct notes *notes, const struct note *note);

/* To all `processes` but the sender. */
void notes_broadcast(struct notes *notes, struct note note, unsigned processes);

/* Offers a step of this kind (a: which note) for each that could arrive next. */
void notes_offer(const struct notes *notes, struct schedule *schedule, int kind);

/* It arrives; perhaps it stays, to come again. */
struct note notes_take(struct notes *notes, size_t which, bool comes_again);

void notes_free(struct notes *notes);

#endif
