/* A delivery, put together from its frames (basic.deliver, a header, pieces of the body) as a record in the batch of
 * events. The broker is not trusted to send them in order. */
#ifndef ORDEM_AMQP_CONTENT_H
#define ORDEM_AMQP_CONTENT_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/net/amqp_event.h"
#include "common/net/amqp_library.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AMQP_BODY_MAX (64 * 1024 * 1024) /* a larger body is not kept */

struct amqp_content {
    enum { AMQP_CONTENT_NONE, AMQP_CONTENT_HEADER, AMQP_CONTENT_BODY } wanted;
    struct amqp_event event;
    bool returned;    /* basic.return: nobody asked for it */
    size_t start;     /* where its record begins in the batch */
    uint64_t missing; /* bytes of the body */
};

/* basic.deliver or basic.return has come. `event` says whose delivery it is; its tag and the rest are filled in. */
int amqp_content_begin(struct amqp_content *content, const amqp_method_t *method,
                       const struct amqp_event *event, struct error *error);

/* A header or a piece of the body has come. 1: the delivery is complete; 0: more is to come; or ERROR_BROKER. */
int amqp_content_add(struct amqp_content *content, const amqp_frame_t *frame, struct buffer *batch,
                     struct error *error);

/* Bytes at the end of the batch that belong to a delivery that is not complete. */
static inline size_t amqp_content_unfinished(const struct amqp_content *content, const struct buffer *batch)
{
    return content->wanted == AMQP_CONTENT_BODY ? batch->length - content->start : 0;
}

#endif
