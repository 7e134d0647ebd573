/* A connection in use: publishes and acknowledgements go out, deliveries and confirms come in, heartbeats both ways. */
#ifndef ORDEM_AMQP_SERVE_H
#define ORDEM_AMQP_SERVE_H

#include "common/error.h"
#include "common/net/amqp_library.h"
#include "common/net/amqp_thread.h"

#include <stdbool.h>

/* Serves until the link is over (0), or the connection is of no more use (ERROR_BROKER). `blamed`: the broker closed the
 * channel because of something that was published. */
int amqp_serve(struct amqp_thread *thread, amqp_connection_state_t connection, bool *blamed,
               struct error *error);

#endif
