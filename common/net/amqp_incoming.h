/* What the broker sends on a connection in use: deliveries, confirms, and the reasons why it ends. */
#ifndef ORDEM_AMQP_INCOMING_H
#define ORDEM_AMQP_INCOMING_H

#include "common/error.h"
#include "common/net/amqp_content.h"
#include "common/net/amqp_library.h"
#include "common/net/amqp_thread.h"

#include <stdbool.h>

struct amqp_incoming {
    struct amqp_thread *thread;
    amqp_connection_state_t connection;
    struct amqp_content content; /* a delivery that came in part */
    bool blocked;                /* the broker asked not to publish for now */
    bool blamed;                 /* it closed the channel because of something that was published */
};

/* Has rabbitmq-c read more than it has handed out? */
bool amqp_incoming_is_buffered(const struct amqp_incoming *incoming);

/* Takes what has arrived, without waiting. ERROR_BROKER: the connection is of no more use. */
int amqp_incoming_take(struct amqp_incoming *incoming, struct error *error);

#endif
