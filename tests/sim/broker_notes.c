#include "tests/sim/broker_notes.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

void notes_send(struct notes *notes, const struct note *note)
{
    notes->on_their_way =
        memory_grow(notes->on_their_way, &notes->capacity, notes->count + 1, sizeof *notes->on_their_way);
    notes->on_their_way[notes->count++] = *note;
}

void notes_broadcast(struct notes *notes, struct note note, unsigned processes)
{
    for (note.to = 0; note.to < processes; note.to++) {
        if (note.to != note.from) {
            notes_send(notes, &note);
        }
    }
}

void notes_offer(const struct notes *notes, struct schedule *schedule, int kind)
{
    bool seen[64] = {false}; /* by sender and receiver */

    for (size_t i = 0; i < notes->count; i++) {
        unsigned path = notes->on_their_way[i].from * 8 + notes->on_their_way[i].to;
        if (!seen[path]) {
            seen[path] = true;
            schedule_offer(schedule, 8, kind, (unsigned)i, 0);
        }
    }
}

struct note notes_take(struct notes *notes, size_t which, bool comes_again)
{
    struct note note = notes->on_their_way[which];

    if (!comes_again) {
        notes->count--;
        memmove(&notes->on_their_way[which], &notes->on_their_way[which + 1],
                (notes->count - which) * sizeof note);
    }
    return note;
}

void notes_free(struct notes *notes)
{
    free(notes->on_their_way);
}
