#include "parte5-chat/coordination.h"

#include "common/memory.h"

#include <stdlib.h>

#define JUMP_MAX (INT64_C(1000000) * EPOCHS_APART)

bool epoch_is_credible(int64_t known, int64_t claimed)
{
    return known == 0 ? claimed <= EPOCH_MAX / 2
                      : claimed - known <= JUMP_MAX && claimed < EPOCH_MAX - JUMP_MAX;
}

void coordination_add(struct coordinations *list, const struct coordination *action)
{
    list->items = memory_grow(list->items, &list->capacity, list->count + 1, sizeof *list->items);
    list->items[list->count++] = *action;
}

void coordination_free(struct coordinations *list)
{
    free(list->items);
    *list = (struct coordinations){0};
}
