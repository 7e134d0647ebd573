#include "paxos/kept.h"

#include "common/memory.h"
#include "paxos/limits.h"

#include <stdlib.h>
#include <string.h>

struct proposal *kept_find(const struct kept *kept, uint64_t instance)
{
    if (instance <= kept->forgotten || instance - kept->forgotten > kept->count) {
        return NULL;
    }
    struct proposal *proposal = &kept->items[instance - kept->forgotten - 1];
    return proposal->ballot.round > 0 ? proposal : NULL;
}

bool kept_put(struct kept *kept, uint64_t instance, struct ballot ballot, struct value *value)
{
    if (instance <= kept->forgotten || instance - kept->forgotten > PAXOS_KEPT_MAX) {
        return false;
    }
    size_t place = (size_t)(instance - kept->forgotten - 1);
    kept->items = memory_grow(kept->items, &kept->capacity, place + 1, sizeof *kept->items);
    for (; kept->count <= place; kept->count++) {
        kept->items[kept->count] = (struct proposal){0};
    }
    struct value *old = kept->items[place].value;
    kept->items[place] = (struct proposal){instance, ballot, value_keep(value)};
    value_release(old);
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
        value_release(kept->items[i].value);
    }
    kept->count -= drop;
    if (kept->count > 0) {
        memmove(kept->items, kept->items + drop, kept->count * sizeof *kept->items);
    }
    kept->forgotten = instance;
}

uint64_t kept_last(const struct kept *kept)
{
    return kept->forgotten + kept->count;
}

void kept_free(struct kept *kept)
{
    for (size_t i = 0; i < kept->count; i++) {
        value_release(kept->items[i].value);
    }
    free(kept->items);
    *kept = (struct kept){0};
}
