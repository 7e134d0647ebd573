/* A queue of the modelled broker: what waits, and what its one consumer has and has not acknowledged. */
#ifndef ORDEM_BROKER_QUEUE_H
#define ORDEM_BROKER_QUEUE_H

#include "common/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_PREFETCH 6 /* messages that a consumer may have */

/* A message that the consumer has. */
struct broker_given {
    struct message *message; /* a reference */
    uint64_t tag;
    bool taken;         /* it has begun with it */
    uint64_t acked_nth; /* 0: not acknowledged */
};

struct broker_queue {
    bool exists, consumed;
    bool leaderless; /* its leader has died: until there is another nothing gets in or out */
    size_t keeps;    /* so many, the oldest go; 0: all */
    struct message **waiting;
    size_t waiting_count, waiting_capacity;
    struct broker_given *given;
    size_t given_count, given_capacity;
    uint64_t tags, acks; /* so many were given, acknowledged */
};

/* Takes a reference. */
void queue_put(struct broker_queue *queue, struct message *message);

bool queue_can_give(const struct broker_queue *queue);

/* Hands the consumer the next message. */
void queue_give(struct broker_queue *queue);

/* Could the consumer begin with that delivery next? It is the oldest, or, where each sender has a stream of its own
 * that may stall, its sender's oldest. */
bool queue_is_next(const struct broker_queue *queue, size_t delivery, bool by_sender);

/* It acknowledges; an unknown tag is an earlier consumer's, and ignored. */
void queue_ack(struct broker_queue *queue, uint64_t tag);

/* Is an acknowledgement on its way? */
bool queue_has_ack(const struct broker_queue *queue);

/* The oldest arrives. */
void queue_settle(struct broker_queue *queue);

/* The consumer is gone: what it has not acknowledged goes back to the front, in order. */
void queue_return(struct broker_queue *queue);

/* Forgets everything. */
void queue_clear(struct broker_queue *queue);

#endif
