#include "paxos/messages.h"

#include "common/memory.h"

#include <stdlib.h>

struct paxos_message *paxos_message_create(enum paxos_type type, uint32_t from, struct ballot ballot,
                                           uint64_t instance)
{
    struct paxos_message *message = memory_new(sizeof *message);

    *message = (struct paxos_message){
        .references = 1, .type = type, .from = from, .ballot = ballot, .instance = instance};
    return message;
}

void paxos_message_add(struct paxos_message *message, uint64_t instance, struct ballot ballot,
                       struct value *value)
{
    message->proposals =
        memory_grow(message->proposals, &message->capacity, message->count + 1, sizeof *message->proposals);
    message->proposals[message->count++] = (struct proposal){instance, ballot, value_keep(value)};
}

struct paxos_message *paxos_message_keep(struct paxos_message *message)
{
    message->references++;
    return message;
}

void paxos_message_release(struct paxos_message *message)
{
    if (message == NULL || --message->references > 0) {
        return;
    }
    for (size_t i = 0; i < message->count; i++) {
        value_release(message->proposals[i].value);
    }
    free(message->proposals);
    free(message);
}

const char *paxos_type_name(enum paxos_type type)
{
    static const char *const names[] = {
        [PAXOS_PREPARE] = "prepare",       [PAXOS_PROMISE] = "promise",     [PAXOS_ACCEPT] = "accept",
        [PAXOS_ACCEPTED] = "accepted",     [PAXOS_NACK] = "nack",           [PAXOS_CONFIRM] = "confirm",
        [PAXOS_CONFIRMED] = "confirmed",   [PAXOS_HEARTBEAT] = "heartbeat", [PAXOS_FETCH] = "fetch",
        [PAXOS_CHECKPOINT] = "checkpoint",
    };
    return names[type];
}
