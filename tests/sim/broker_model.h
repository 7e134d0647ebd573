/* RabbitMQ, as far as a rule can tell.
 *
 *     publisher ──channel──▶ broker ──one stream for each queue──▶ queue ──▶ consumer
 *        ▲                                                           │          │
 *        └───────────────────── confirms ────────────────────────────┘◀── acks ─┘
 *
 * Each arrow keeps its order and takes as long as the schedule likes. What the broker has taken from a channel gets
 * into every queue that it is for and is not lost; two channels' messages may enter two queues in two orders. Of what
 * a publisher that crashes or is cut off had sent, the broker has taken a beginning; its confirms are lost. What a
 * consumer had not acknowledged goes back to the front of its queue, in order.
 *
 * It may be one of several brokers that share the queues. Of what it had taken when it dies, each queue has a beginning
 * of its own; and queues that it led do nothing until they have another leader. */
#ifndef ORDEM_BROKER_MODEL_H
#define ORDEM_BROKER_MODEL_H

#include "common/message.h"
#include "tests/sim/broker_queue.h"
#include "tests/sim/broker_schedule.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BROKER_QUEUES_MAX   8
#define BROKER_CHANNELS_MAX 32
#define BROKER_STEPS        1000 /* the kinds of its steps count from here */

/* Queues are known by their number; a set of them is a sum of these. */
#define BROKER_TO(queue) (1U << (queue))

enum broker_step {
    BROKER_ARRIVE = BROKER_STEPS, /* the broker takes the next message of channel a */
    BROKER_ENQUEUE,               /* the next message of channel a for queue b is in it */
    BROKER_GIVE,                  /* queue a gives its consumer the next message */
    BROKER_ACK,                   /* the next acknowledgement for queue a arrives */
    BROKER_ELECT,                 /* queue a has a leader again */
};

struct broker_publish {
    struct message *message; /* a reference */
    unsigned to;
};

/* A publisher's connection. */
struct broker_channel {
    bool used, open;
    struct broker_publish *published;
    size_t count, capacity;
    size_t arrived;                   /* so many of them the broker has taken, */
    size_t queued[BROKER_QUEUES_MAX]; /* so many of these are in that queue if they are for it, */
    size_t confirmed;                 /* and of so many the publisher knows */
    unsigned haste[BROKER_QUEUES_MAX];
};

struct broker {
    struct schedule *schedule;
    struct broker_queue queues[BROKER_QUEUES_MAX];
    struct broker_channel channels[BROKER_CHANNELS_MAX];

    void (*on_queued)(struct broker *, const struct message *); /* a queue has it; may be NULL */
};

/* ---- publishers ---- */

/* The number of a new channel. */
unsigned broker_connect(struct broker *broker);

/* `to`: a set of queues; those that do not exist when it arrives get nothing. Takes a reference. */
void broker_publish(struct broker *broker, unsigned channel, struct message *message, unsigned to);

/* The publisher is gone, and some of the end of what it published. */
void broker_disconnect(struct broker *broker, unsigned channel);

/* The broker that the publisher is connected to dies. */
void broker_kill(struct broker *broker, unsigned channel);

/* Is there a confirm on its way? */
bool broker_has_confirm(const struct broker *broker, unsigned channel);

/* It arrives: of the oldest message that has none yet. */
void broker_confirm(struct broker *broker, unsigned channel);

/* Is anything on its way into that queue from a channel that is closed? */
bool broker_drains_into(const struct broker *broker, unsigned queue);

/* ---- consumers ---- */

/* True if the queue was made, false if it was there. */
bool broker_declare(struct broker *broker, unsigned queue, size_t keeps);

/* With all that is in it and on its way into it. */
void broker_delete(struct broker *broker, unsigned queue);

void broker_consume(struct broker *broker, unsigned queue);

/* The consumer is gone. */
void broker_cancel(struct broker *broker, unsigned queue);

/* Offers a step of this kind (a: the queue, b: which delivery) for each delivery that the consumer could begin with
 * next: the oldest, or, where each sender has a stream of its own that may stall, the oldest of each sender. */
void broker_offer_deliveries(struct broker *broker, unsigned queue, bool by_sender, int kind);

/* The consumer begins with a delivery; the message stays the broker's. */
struct message *broker_take(struct broker *broker, unsigned queue, unsigned delivery, uint64_t *tag);

/* Acknowledges; one of an earlier consumer is ignored. */
void broker_ack(struct broker *broker, unsigned queue, uint64_t tag);

/* Marks what all messages in a queue, or on their way into it, are by `what_of`. */
void broker_mark(const struct broker *broker, unsigned queue, int64_t (*what_of)(const struct message *),
                 bool *present);

/* The same of those that are sure to stay in it once all that is on its way has got there: one that keeps only so many
 * may lose others to that. Nothing consumes it. */
void broker_mark_kept(const struct broker *broker, unsigned queue, int64_t (*what_of)(const struct message *),
                      bool *present);

/* ---- the broker itself ---- */

void broker_offer_steps(struct broker *broker);

/* False if the step is not one of its own. */
bool broker_do(struct broker *broker, struct step step);

void broker_free(struct broker *broker);

#endif
