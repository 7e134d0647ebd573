#include "common/net/amqp_incoming.h"

#include "common/net/amqp_connect.h"
#include "common/net/amqp_reason.h"
#include "common/net/amqp_setup.h"

static int take_delivery(struct amqp_incoming *incoming, const amqp_method_t *method, struct error *error)
{
    struct amqp_event event = {.type = AMQP_EVENT_DELIVERY, .connection = incoming->thread->connection};

    if (method->id == AMQP_BASIC_DELIVER_METHOD) {
        const amqp_basic_deliver_t *deliver = method->decoded;
        for (size_t i = 0; i < deliver->consumer_tag.len; i++) { /* as amqp_setup named the consumers */
            event.step = event.step * 10 + (uint32_t)(((const char *)deliver->consumer_tag.bytes)[i] - '0');
        }
        if (event.step >= incoming->thread->step_count) {
            return error_set(error, ERROR_BROKER, "the broker delivers for a consumer that there is not");
        }
    }
    return amqp_content_begin(&incoming->content, method, &event, error);
}

static int take_channel_close(struct amqp_incoming *incoming, const amqp_method_t *method,
                              struct error *error)
{
    const amqp_channel_close_t *close = method->decoded;

    incoming->blamed = ((uint32_t)close->class_id << 16 | close->method_id) == AMQP_BASIC_PUBLISH_METHOD;
    return amqp_reason_method(error, "the broker closed the channel", method);
}

static int take_connection_close(struct amqp_incoming *incoming, const amqp_method_t *method,
                                 struct error *error)
{
    amqp_connection_close_ok_t close_ok = {0};

    amqp_reason_method(error, "the broker closed the connection", method);
    (void)amqp_send_method(incoming->connection, 0, AMQP_CONNECTION_CLOSE_OK_METHOD,
                           &close_ok); /* or it is gone */
    return ERROR_BROKER;
}

static int take_block(struct amqp_incoming *incoming, const amqp_method_t *method)
{
    incoming->blocked = method->id == AMQP_CONNECTION_BLOCKED_METHOD;
    amqp_limit_writes(incoming->connection, !incoming->blocked);
    if (incoming->blocked) {
        const amqp_connection_blocked_t *blocked = method->decoded;
        amqp_thread_note(incoming->thread, LOG_WARNING, "the broker takes no publishes for now: %.*s",
                         (int)blocked->reason.len, (const char *)blocked->reason.bytes);
    } else {
        amqp_thread_note(incoming->thread, LOG_INFO, "the broker takes publishes again");
    }
    return 0;
}

static int take_method(struct amqp_incoming *incoming, const amqp_method_t *method, struct error *error)
{
    const amqp_basic_ack_t *ack = method->decoded;

    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
    case AMQP_BASIC_RETURN_METHOD:
        return take_delivery(incoming, method, error);
    case AMQP_BASIC_ACK_METHOD:
        amqp_window_confirm(&incoming->thread->window, ack->delivery_tag, ack->multiple != 0, 0);
        return 0;
    case AMQP_BASIC_NACK_METHOD:
        /* A queue whose broker died. RabbitMQ 3 looks for its new place only on behalf of a new channel; there what was
         * not confirmed is published again. */
        return error_set(error, ERROR_BROKER, "the broker refused a message: a queue cannot take it now");
    case AMQP_BASIC_CANCEL_METHOD:
        return error_set(error, ERROR_BROKER,
                         "the broker stopped the consumer: the queue was deleted, or moved");
    case AMQP_CHANNEL_CLOSE_METHOD:
        return take_channel_close(incoming, method, error);
    case AMQP_CONNECTION_CLOSE_METHOD:
        return take_connection_close(incoming, method, error);
    case AMQP_CONNECTION_BLOCKED_METHOD:
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
        return take_block(incoming, method);
    default:
        return 0;
    }
}

static int take_frame(struct amqp_incoming *incoming, const amqp_frame_t *frame, struct error *error)
{
    if (frame->channel > AMQP_MAIN_CHANNEL) {
        return 0; /* left over from the steps */
    }
    if (frame->frame_type == AMQP_FRAME_METHOD) {
        return take_method(incoming, &frame->payload.method, error);
    }
    int code = amqp_content_add(&incoming->content, frame, &incoming->thread->batch, error);
    return code < 0 ? code : 0;
}

bool amqp_incoming_is_buffered(const struct amqp_incoming *incoming)
{
    return amqp_frames_enqueued(incoming->connection) || amqp_data_in_buffer(incoming->connection);
}

int amqp_incoming_take(struct amqp_incoming *incoming, struct error *error)
{
    const struct timeval at_once = {0};
    int code = 0;

    do {
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame_noblock(incoming->connection, &frame, &at_once);
        if (status == AMQP_STATUS_TIMEOUT) {
            return 0;
        }
        if (status != AMQP_STATUS_OK) {
            return amqp_reason_status(error, "the connection broke", status);
        }
        code = take_frame(incoming, &frame, error);
        amqp_maybe_release_buffers_on_channel(incoming->connection, frame.channel);
    } while (code == 0 && amqp_incoming_is_buffered(incoming));
    return code;
}
