#include "common/net/deadline.h"

#include "common/memory.h"

#include <stdlib.h>

/* One place of the heap; the moment stands here too, so that comparing two does not fetch them. */
struct deadline_place {
    uint64_t at_ms;
    struct deadline *deadline;
};

static void put(struct deadlines *deadlines, size_t place, struct deadline_place moving)
{
    deadlines->heap[place] = moving;
    moving.deadline->place = place;
}

/* Puts one where it belongs, above or below a place that is free. */
static void settle(struct deadlines *deadlines, size_t place, struct deadline *deadline)
{
    const struct deadline_place *heap = deadlines->heap;
    uint64_t at_ms = deadline->at_ms;

    while (place > 1 && heap[place / 2].at_ms > at_ms) {
        put(deadlines, place, heap[place / 2]);
        place /= 2;
    }
    for (;;) {
        size_t child = place * 2;
        if (child < deadlines->count && heap[child + 1].at_ms < heap[child].at_ms) {
            child++;
        }
        if (child > deadlines->count || heap[child].at_ms >= at_ms) {
            break;
        }
        put(deadlines, place, heap[child]);
        place = child;
    }
    put(deadlines, place, (struct deadline_place){at_ms, deadline});
}

void deadlines_add(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ms)
{
    size_t place = deadlines->count + 1;

    deadlines->heap = memory_grow(deadlines->heap, &deadlines->capacity, place + 1, sizeof *deadlines->heap);
    deadline->at_ms = at_ms;
    settle(deadlines, place, deadline);
    deadlines->count = place;
}

void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline)
{
    size_t place = deadline->place;

    if (place == 0) {
        return;
    }
    struct deadline *last = deadlines->heap[deadlines->count--].deadline;
    deadline->place = 0;
    if (last != deadline) {
        settle(deadlines, place, last);
    }
}

struct deadline *deadlines_first(const struct deadlines *deadlines)
{
    return deadlines->count > 0 ? deadlines->heap[1].deadline : NULL;
}

void deadlines_free(struct deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (struct deadlines){0};
}
