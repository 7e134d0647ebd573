/* From a URL to a connection that is logged in: name, TCP, TLS, AMQP. Waits, and so belongs into a link's thread. */
#ifndef ORDEM_AMQP_CONNECT_H
#define ORDEM_AMQP_CONNECT_H

#include "common/error.h"
#include "common/net/amqp_library.h"
#include "common/net/amqp_thread.h"

#include <stdbool.h>

#define AMQP_CONNECT_MS 5000 /* for each of: TCP, TLS, login, one call */

/* A connection, for amqp_disconnect, or NULL with a sentence that says which of these refused, and why. */
amqp_connection_state_t amqp_connect(struct amqp_thread *thread, const struct amqp_url *url,
                                     struct error *error);

/* If limited, as at first, a broker that takes nothing for two heartbeats breaks the connection, however deep in a write
 * the thread waits. One that has asked for patience may take its time. */
void amqp_limit_writes(amqp_connection_state_t connection, bool limited);

/* Closes without a word to the broker, and frees. */
void amqp_disconnect(struct amqp_thread *thread, amqp_connection_state_t connection);

#endif
