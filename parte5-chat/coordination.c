#include "parte5-chat/coordination.h"

#include "common/memory.h"

#include <stdlib.h>

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
