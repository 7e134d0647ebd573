/* Many deadlines and the earliest of them: a binary heap of moments that are embedded in what they belong to. Pure: the
 * caller brings the time. */
#ifndef ORDEM_DEADLINE_H
#define ORDEM_DEADLINE_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed to start with. */
struct deadline {
    uint64_t at_ms; /* uv_now of its loop */
    size_t place;   /* in the heap, from 1; 0 while it is in none */
};

struct deadline_place;

struct deadlines {
    struct deadline_place *heap; /* heap[1] is the earliest; owned, but not what it points to */
    size_t count, capacity;
};

/* Adds one that is in no heap. */
void deadlines_add(struct deadlines *deadlines, struct deadline *deadline, uint64_t at_ms);

/* Takes one out; nothing if it is in none. */
void deadlines_remove(struct deadlines *deadlines, struct deadline *deadline);

/* The earliest, NULL if there is none. */
struct deadline *deadlines_first(const struct deadlines *deadlines);

void deadlines_free(struct deadlines *deadlines);

#endif
