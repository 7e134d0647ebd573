#include "common/net/amqp_content.h"

#include <string.h>

static int refuse(struct error *error)
{
    return error_set(error, ERROR_BROKER, "the broker sent frames that do not belong together");
}

int amqp_content_begin(struct amqp_content *content, const amqp_method_t *method,
                       const struct amqp_event *event, struct error *error)
{
    if (content->wanted != AMQP_CONTENT_NONE) {
        return refuse(error);
    }
    *content = (struct amqp_content){.wanted = AMQP_CONTENT_HEADER, .event = *event};
    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        content->event.tag = deliver->delivery_tag;
        content->event.redelivered = deliver->redelivered != 0;
    } else {
        content->returned = true;
    }
    return 0;
}

/* The record is complete but for its head, whose place was kept free. */
static int finish(struct amqp_content *content, struct buffer *batch)
{
    content->wanted = AMQP_CONTENT_NONE;
    if (content->returned) {
        batch->length = content->start;
        return 0;
    }
    memcpy(batch->bytes + content->start, &content->event, sizeof content->event);
    return 1;
}

static int begin_body(struct amqp_content *content, const amqp_frame_t *frame, struct buffer *batch,
                      struct error *error)
{
    const amqp_basic_properties_t *properties = frame->payload.properties.decoded;

    if (frame->payload.properties.class_id != AMQP_BASIC_CLASS) {
        return refuse(error);
    }
    content->start = batch->length;
    content->missing = frame->payload.properties.body_size;
    content->event.body_size = content->missing;
    content->event.too_large = content->missing > AMQP_BODY_MAX;
    content->event.second_length =
        content->event.too_large || content->returned ? 0 : (size_t)content->missing;
    buffer_reserve(batch, sizeof content->event);
    batch->length += sizeof content->event;
    if ((properties->_flags & AMQP_BASIC_REPLY_TO_FLAG) != 0) {
        content->event.first_length = properties->reply_to.len;
        buffer_add(batch, properties->reply_to.bytes, properties->reply_to.len);
    }
    content->wanted = AMQP_CONTENT_BODY;
    return content->missing == 0 ? finish(content, batch) : 0;
}

int amqp_content_add(struct amqp_content *content, const amqp_frame_t *frame, struct buffer *batch,
                     struct error *error)
{
    if (frame->frame_type == AMQP_FRAME_HEADER && content->wanted == AMQP_CONTENT_HEADER) {
        return begin_body(content, frame, batch, error);
    }
    amqp_bytes_t piece = frame->payload.body_fragment;
    if (frame->frame_type != AMQP_FRAME_BODY || content->wanted != AMQP_CONTENT_BODY ||
        piece.len > content->missing) {
        return refuse(error);
    }
    content->missing -= piece.len;
    if (content->event.second_length > 0) {
        buffer_add(batch, piece.bytes, piece.len);
    }
    return content->missing == 0 ? finish(content, batch) : 0;
}
