/* Many deadlines and the earliest of them: a binary heap of moments that are embedded in what they belong to. Pure: the
 * caller brings the time. */
#ifndef ORDEM_GRPC_DEADLINE_H
#define ORDEM_GRPC_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed to start with. */
struct grpc_deadline {
    uint64_t at_ms; /* uv_now of its loop */
    size_t place;   /* in the heap, from 1; 0 while it is in none */
};

struct grpc_deadline_place;

struct grpc_deadlines {
    struct grpc_deadline_place *heap; /* heap[1] is the earliest; owned, but not what it points to */
    size_t count, capacity;
};

/* Adds one that is in no heap. */
void grpc_deadlines_add(struct grpc_deadlines *deadlines, struct grpc_deadline *deadline, uint64_t at_ms);

/* Takes one out; nothing if it is in none. */
void grpc_deadlines_remove(struct grpc_deadlines *deadlines, struct grpc_deadline *deadline);

/* The earliest, NULL if there is none. */
struct grpc_deadline *grpc_deadlines_first(const struct grpc_deadlines *deadlines);

void grpc_deadlines_free(struct grpc_deadlines *deadlines);

#endif
