#include "common/net/grpc_deadline.h"

#include "common/memory.h"

#include <stdlib.h>

/* One place of the heap; the moment stands here too, so that comparing two does not fetch them. */
struct grpc_deadline_place {
    uint64_t at_ms;
    struct grpc_deadline *deadline;
};

static void put(struct grpc_deadlines *deadlines, size_t place, struct grpc_deadline_place moving)
{
    deadlines->heap[place] = moving;
    moving.deadline->place = place;
}

/* Puts one where it belongs, above or below a place that is free. */
static void settle(struct grpc_deadlines *deadlines, size_t place, struct grpc_deadline *deadline)
{
    const struct grpc_deadline_place *heap = deadlines->heap;
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
    put(deadlines, place, (struct grpc_deadline_place){at_ms, deadline});
}

void grpc_deadlines_add(struct grpc_deadlines *deadlines, struct grpc_deadline *deadline, uint64_t at_ms)
{
    size_t place = deadlines->count + 1;

    deadlines->heap = memory_grow(deadlines->heap, &deadlines->capacity, place + 1, sizeof *deadlines->heap);
    deadline->at_ms = at_ms;
    settle(deadlines, place, deadline);
    deadlines->count = place;
}

void grpc_deadlines_remove(struct grpc_deadlines *deadlines, struct grpc_deadline *deadline)
{
    size_t place = deadline->place;

    if (place == 0) {
        return;
    }
    struct grpc_deadline *last = deadlines->heap[deadlines->count--].deadline;
    deadline->place = 0;
    if (last != deadline) {
        settle(deadlines, place, last);
    }
}

struct grpc_deadline *grpc_deadlines_first(const struct grpc_deadlines *deadlines)
{
    return deadlines->count > 0 ? deadlines->heap[1].deadline : NULL;
}

void grpc_deadlines_free(struct grpc_deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (struct grpc_deadlines){0};
}
