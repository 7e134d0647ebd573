/* AMQP_LOOK: what waits in a queue is handed out, and stays there. */
#ifndef ORDEM_AMQP_LOOK_H
#define ORDEM_AMQP_LOOK_H

#include "common/error.h"
#include "common/net/amqp_library.h"
#include "common/net/amqp_thread.h"

/* Hands out the `count` messages of the queue of that step as events, using a channel that nobody else uses, and gives
 * them back to the queue. ERROR_BROKER. */
int amqp_look(struct amqp_thread *thread, amqp_connection_state_t connection, amqp_channel_t channel,
              uint32_t step, uint32_t count, struct error *error);

#endif
