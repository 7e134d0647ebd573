#include "paxos/paxos_actions.h"

#include "common/memory.h"

#include <stdlib.h>

void paxos_actions_add(struct paxos_actions *actions, struct paxos_action action)
{
    actions->items =
        memory_grow(actions->items, &actions->capacity, actions->count + 1, sizeof *actions->items);
    actions->items[actions->count++] = action;
}

void paxos_record(struct paxos_actions *actions, enum paxos_record_type type, struct ballot ballot,
                  uint64_t instance, struct value *value)
{
    paxos_actions_add(actions, (struct paxos_action){.type = PAXOS_RECORD,
                                                     .record = {type, ballot, instance, value_keep(value)}});
}

void paxos_send(struct paxos_actions *actions, enum paxos_to to, uint32_t number,
                struct paxos_message *message)
{
    paxos_actions_add(
        actions, (struct paxos_action){.type = PAXOS_SEND, .to = to, .number = number, .message = message});
}

void paxos_actions_clear(struct paxos_actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        value_release(actions->items[i].record.value);
        value_release(actions->items[i].value);
        paxos_message_release(actions->items[i].message);
    }
    actions->count = 0;
}

void paxos_actions_free(struct paxos_actions *actions)
{
    paxos_actions_clear(actions);
    free(actions->items);
    *actions = (struct paxos_actions){0};
}
