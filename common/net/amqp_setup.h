/* What is done at every connect, before anything is published or consumed: the steps of a link. */
#ifndef ORDEM_AMQP_SETUP_H
#define ORDEM_AMQP_SETUP_H

#include "common/error.h"
#include "common/net/amqp_library.h"
#include "common/net/amqp_thread.h"

#include <stdbool.h>

#define AMQP_MAIN_CHANNEL                                                                                    \
    1 /* for publishing and consuming; a broker's refusal closes a channel, so steps have others */

/* Carries all steps out, AMQP_CONSUME last, and leaves the main channel open, with confirms. Sets thread->queue_made if a
 * queue that is consumed was not there before. ERROR_BROKER: the connection is of no use. */
int amqp_setup(struct amqp_thread *thread, amqp_connection_state_t connection, struct error *error);

#endif
