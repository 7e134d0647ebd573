#include "paxos/kept.h"

#include "common/memory.h"
#include "paxos/limits.h"

#include <stdlib.h>

/* Where the proposal of instance forgotten + 1 + i is, or would be. */
static struct proposal *place_of(const struct kept *kept, size_t i)
{
    return &kept->items[(kept->first + i) % kept->capacity];
}

static size_t cost_of(const struct proposal *proposal)
{
    return proposal->ballot.round > 0 ? KEPT_OVERHEAD + value_bytes(proposal->value) +
                                            (proposal->value != NULL ? proposal->value->count : 0)
                                      : 0;
}

struct proposal *kept_find(const struct kept *kept, uint64_t instance)
{
    if (instance <= kept->forgotten || instance - kept->forgotten > kept->count) {
        return NULL;
    }
    struct proposal *proposal = place_of(kept, (size_t)(instance - kept->forgotten - 1));
    return proposal->ballot.round > 0 ? proposal : NULL;
}

/* Makes the ring larger; it begins at the front again. */
static void grow(struct kept *kept, size_t count)
{
    size_t capacity = 0;
    struct proposal *items = memory_grow(NULL, &capacity, count, sizeof *items);

    for (size_t i = 0; i < kept->count; i++) {
        items[i] = *place_of(kept, i);
    }
    free(kept->items);
    kept->items = items;
    kept->first = 0;
    kept->capacity = capacity;
}

bool kept_put(struct kept *kept, uint64_t instance, struct ballot ballot, struct value *value)
{
    if (instance <= kept->forgotten || instance - kept->forgotten > PAXOS_KEPT_MAX) {
        return false;
    }
    size_t place = (size_t)(instance - kept->forgotten - 1);
    if (place >= kept->capacity) {
        grow(kept, place + 1);
    }
    for (; kept->count <= place; kept->count++) {
        *place_of(kept, kept->count) = (struct proposal){0};
    }
    struct proposal *proposal = place_of(kept, place);
    struct proposal old = *proposal;
    *proposal = (struct proposal){instance, ballot, value_keep(value)};
    kept->bytes += cost_of(proposal) - cost_of(&old);
    value_release(old.value);
    return true;
}

void kept_forget(struct kept *kept, uint64_t instance)
{
    if (instance <= kept->forgotten) {
        return;
    }
    uint64_t gone = instance - kept->forgotten;
    size_t drop = gone < kept->count ? (size_t)gone : kept->count;
    for (size_t i = 0; i < drop; i++) {
        const struct proposal *proposal = place_of(kept, i);
        kept->bytes -= cost_of(proposal);
        value_release(proposal->value);
    }
    kept->count -= drop;
    kept->first = kept->count > 0 ? (kept->first + drop) % kept->capacity : 0;
    kept->forgotten = instance;
}

uint64_t kept_last(const struct kept *kept)
{
    return kept->forgotten + kept->count;
}

void kept_free(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        value_release(place_of(kept, i)->value);
    }
    free(kept->items);
    *kept = (struct kept){0};
}
