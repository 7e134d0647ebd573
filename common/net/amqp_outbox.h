/* What the loop gives a link's thread to send: publishes until they are done, and acknowledgements. The rest of it is
 * in amqp_link.h. */
#ifndef ORDEM_AMQP_OUTBOX_H
#define ORDEM_AMQP_OUTBOX_H

#include "common/net/amqp_link.h"
#include "common/net/amqp_window.h"

#define AMQP_NAME_MAX 255 /* bytes; as the protocol says */

/* Once per turn of the loop: hands over what is due. */
void amqp_outbox_flush(struct amqp_link *link);

/* Hands over everything. */
void amqp_outbox_empty(struct amqp_link *link);

/* These are done: tells their publishers, and frees them. */
void amqp_outbox_finish(struct amqp_link *link, struct amqp_job_list *done);

/* None of those that are under way will be confirmed. */
void amqp_outbox_give_up(struct amqp_link *link);

#endif
