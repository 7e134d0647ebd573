/* A hold-back queue: messages that came before their turn, by their place in the total order.
 *
 * A window of HOLD_BACK_MAX places from the one whose turn it is; what lies beyond is not kept. */
#ifndef ORDEM_HOLD_BACK_H
#define ORDEM_HOLD_BACK_H

#include "common/message.h"

#include <stdbool.h>
#include <stdint.h>

#define HOLD_BACK_MAX 4096

/* Zeroed to start with. */
struct hold_back {
    struct message *places[HOLD_BACK_MAX]; /* at seq modulo its size; references of its own */
};

/* Keeps the message (one more reference). False if it is not within the window that starts at `next_seq`, or if its
 * place is taken: then it was not kept. */
bool hold_back_put(struct hold_back *held, struct message *message, int64_t next_seq);

/* The message of that place, which is the caller's now; NULL if it has not come. */
struct message *hold_back_take(struct hold_back *held, int64_t seq);

/* The first place that is taken, from `next_seq` on; `next_seq` if none is. */
int64_t hold_back_first(const struct hold_back *held, int64_t next_seq);

/* Forgets what is up to `seq`; INT64_MAX for all. */
void hold_back_drop(struct hold_back *held, int64_t seq);

#endif
