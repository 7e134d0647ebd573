/* What a link's thread tells the loop: records in one buffer, in the order in which they happened, so that a batch of
 * deliveries costs neither an allocation nor a lock for each. */
#ifndef ORDEM_AMQP_EVENT_H
#define ORDEM_AMQP_EVENT_H

#include "common/buffer.h"
#include "common/log.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

enum amqp_event_type {
    AMQP_EVENT_DELIVERY,
    AMQP_EVENT_CONNECTED,
    AMQP_EVENT_DISCONNECTED, /* or a try to connect that failed */
    AMQP_EVENT_NOTE,         /* nothing but a line for the log */
};

/* The head of a record, followed by the bytes of both texts. */
struct amqp_event {
    enum amqp_event_type type;
    enum log_level level;
    uint64_t tag;        /* of a delivery */
    uint64_t connection; /* of a delivery or a state; see amqp_thread.h */
    uint32_t step;       /* AMQP_LOOK or AMQP_CONSUME: which step it comes from */
    bool redelivered, looked_at;
    bool too_large; /* a delivery whose body, of `body_size` bytes, was not kept */
    uint64_t body_size;
    bool queue_made;      /* AMQP_EVENT_CONNECTED */
    bool was_connected;   /* AMQP_EVENT_DISCONNECTED: was there a connection before */
    size_t first_length;  /* a delivery's reply_to, else the broker's name */
    size_t second_length; /* its body, else a sentence */
};

/* Adds a record as a whole; the lengths are taken from the texts. */
void amqp_event_add(struct buffer *batch, struct amqp_event event, struct text first, struct text second);

/* Takes the next record off the front of `batch`; the texts stay the batch's. False at its end. */
bool amqp_event_take(struct text *batch, struct amqp_event *event, struct text *first, struct text *second);

#endif
