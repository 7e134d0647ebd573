#include "common/hold_back.h"

#include <stddef.h>

bool hold_back_put(struct hold_back *held, struct message *message, int64_t next_seq)
{
    if (message->seq < next_seq || message->seq - next_seq >= HOLD_BACK_MAX ||
        held->places[message->seq % HOLD_BACK_MAX] != NULL) {
        return false;
    }
    held->places[message->seq % HOLD_BACK_MAX] = message_ref(message);
    return true;
}

struct message *hold_back_take(struct hold_back *held, int64_t seq)
{
    struct message *message = held->places[seq % HOLD_BACK_MAX];

    held->places[seq % HOLD_BACK_MAX] = NULL;
    return message;
}

int64_t hold_back_first(const struct hold_back *held, int64_t next_seq)
{
    for (int64_t ahead = 0; ahead < HOLD_BACK_MAX; ahead++) {
        if (held->places[(next_seq + ahead) % HOLD_BACK_MAX] != NULL) {
            return next_seq + ahead;
        }
    }
    return next_seq;
}

void hold_back_drop(struct hold_back *held, int64_t seq)
{
    for (size_t i = 0; i < HOLD_BACK_MAX; i++) {
        if (held->places[i] != NULL && held->places[i]->seq <= seq) {
            message_unref(held->places[i]);
            held->places[i] = NULL;
        }
    }
}
