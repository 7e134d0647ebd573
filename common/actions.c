#include "common/actions.h"

#include "common/memory.h"

#include <stdlib.h>

void actions_add(struct actions *actions, enum action_type type, struct message *message)
{
    actions->items =
        memory_grow(actions->items, &actions->capacity, actions->count + 1, sizeof *actions->items);
    actions->items[actions->count++] = (struct action){type, message != NULL ? message_ref(message) : NULL};
}

void actions_clear(struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        message_unref(actions->items[i].message);
    }
    actions->count = 0;
}

void actions_free(struct actions *actions)
{
    actions_clear(actions);
    free(actions->items);
    *actions = (struct actions){0};
}
