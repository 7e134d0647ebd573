/* What rabbitmq-c and the broker say when something fails, as one sentence. */
#ifndef ORDEM_AMQP_REASON_H
#define ORDEM_AMQP_REASON_H

#include "common/error.h"
#include "common/net/amqp_library.h"

#include <stdbool.h>

/* "what: the broker's sentence", from its connection.close or channel.close, or rabbitmq-c's own. Returns ERROR_BROKER. */
int amqp_reason_reply(struct error *error, const char *what, amqp_rpc_reply_t reply);
int amqp_reason_method(struct error *error, const char *what, const amqp_method_t *close);
int amqp_reason_status(struct error *error, const char *what, int status);

/* The code of the channel.close that a call was answered with (404, 405, 406, ...), else 0: the connection is lost. */
int amqp_reason_channel_code(amqp_rpc_reply_t reply);

#endif
