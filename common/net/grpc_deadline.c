#include "common/net/grpc_deadline.h"

#include "common/memory.h"

#include <stdlib.h>

static void put(struct grpc_deadlines *deadlines, size_t place, struct grpc_deadline *deadline)
{
    deadlines->heap[place] = deadline;
    deadline->place = place;
}

/* Moves the one at `place` up or down to where it belongs. */
static void settle(struct grpc_deadlines *deadlines, size_t place)
{
    struct grpc_deadline **heap = deadlines->heap;
    struct grpc_deadline *moving = heap[place];

    while (place > 1 && heap[place / 2]->at_ms > moving->at_ms) {
        put(deadlines, place, heap[place / 2]);
        place /= 2;
    }
    for (;;) {
        size_t child = place * 2;
        if (child < deadlines->count && heap[child + 1]->at_ms < heap[child]->at_ms) {
            child++;
        }
        if (child > deadlines->count || heap[child]->at_ms >= moving->at_ms) {
            break;
        }
        put(deadlines, place, heap[child]);
        place = child;
    }
    put(deadlines, place, moving);
}

void grpc_deadlines_add(struct grpc_deadlines *deadlines, struct grpc_deadline *deadline, uint64_t at_ms)
{
    size_t place = deadlines->count + 1;

    deadlines->heap = memory_grow(deadlines->heap, &deadlines->capacity, place + 1, sizeof *deadlines->heap);
    deadlines->count = place;
    deadline->at_ms = at_ms;
    deadlines->heap[place] = deadline;
    settle(deadlines, place);
}

void grpc_deadlines_remove(struct grpc_deadlines *deadlines, struct grpc_deadline *deadline)
{
    size_t place = deadline->place;

    if (place == 0) {
        return;
    }
    struct grpc_deadline *last = deadlines->heap[deadlines->count--];
    deadline->place = 0;
    if (last != deadline) {
        deadlines->heap[place] = last;
        settle(deadlines, place);
    }
}

struct grpc_deadline *grpc_deadlines_first(const struct grpc_deadlines *deadlines)
{
    return deadlines->count > 0 ? deadlines->heap[1] : NULL;
}

void grpc_deadlines_free(struct grpc_deadlines *deadlines)
{
    free(deadlines->heap);
    *deadlines = (struct grpc_deadlines){0};
}
