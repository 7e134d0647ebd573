#include "common/net/amqp_look.h"

#include "common/net/amqp_content.h"
#include "common/net/amqp_reason.h"

#include <stdio.h>

#define POSTED_SIZE  (256 * 1024) /* bytes of events that are worth a post */
#define PREFETCH_MAX 65535        /* as much as the protocol has room for */

static const struct timeval patience = {.tv_sec = 5}; /* without a delivery */

struct look {
    struct amqp_thread *thread;
    amqp_connection_state_t connection;
    amqp_channel_t channel;
    amqp_bytes_t queue;
    struct amqp_content content;
    struct amqp_event event; /* what all its deliveries have in common */
    struct error *error;
};

static const char *name_of(const struct look *look)
{
    return look->thread->steps[look->event.step].name;
}

static int fail(struct look *look, amqp_rpc_reply_t reply)
{
    char what[96];

    snprintf(what, sizeof what, "looking into queue %.60s", name_of(look));
    return amqp_reason_reply(look->error, what, reply);
}

/* What the last call came to. */
static int result(struct look *look)
{
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(look->connection);
    return reply.reply_type == AMQP_RESPONSE_NORMAL ? 0 : fail(look, reply);
}

static int begin(struct look *look, uint32_t count)
{
    int code = 0;

    if (count <= PREFETCH_MAX) { /* else more come than are wanted, and they go back with the rest */
        amqp_basic_qos(look->connection, look->channel, 0, (uint16_t)count, 0);
        code = result(look);
    }
    if (code == 0) {
        amqp_basic_consume(look->connection, look->channel, look->queue, amqp_bytes_of(text_of("look")), 0, 0,
                           0, amqp_empty_table);
        code = result(look);
    }
    return code;
}

/* 1: a delivery is complete; 0: not yet; or ERROR_BROKER. */
static int take_frame(struct look *look, const amqp_frame_t *frame)
{
    if (frame->frame_type != AMQP_FRAME_METHOD) {
        return frame->channel == look->channel
                   ? amqp_content_add(&look->content, frame, &look->thread->batch, look->error)
                   : 0;
    }
    const amqp_method_t *method = &frame->payload.method;
    if (method->id == AMQP_CONNECTION_CLOSE_METHOD || method->id == AMQP_CHANNEL_CLOSE_METHOD) {
        return fail(look, (amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_SERVER_EXCEPTION, .reply = *method});
    }
    if (method->id == AMQP_BASIC_DELIVER_METHOD && frame->channel == look->channel) {
        return amqp_content_begin(&look->content, method, &look->event, look->error);
    }
    return 0;
}

static void post(struct look *look)
{
    amqp_thread_post(look->thread, amqp_content_unfinished(&look->content, &look->thread->batch));
    look->content.start = 0;
    amqp_mailbox_wait_for_room(&look->thread->mailbox);
}

static int receive(struct look *look, uint32_t count)
{
    int code = 0;

    while (count > 0 && code == 0) {
        amqp_frame_t frame;
        int status = amqp_simple_wait_frame_noblock(look->connection, &frame, &patience);
        if (status == AMQP_STATUS_TIMEOUT) { /* somebody else took some: the next look counts anew */
            return error_set(look->error, ERROR_BROKER, "queue %.60s did not hand out all that it held",
                             name_of(look));
        }
        if (status != AMQP_STATUS_OK) {
            return fail(look, (amqp_rpc_reply_t){.reply_type = AMQP_RESPONSE_LIBRARY_EXCEPTION,
                                                 .library_error = status});
        }
        code = take_frame(look, &frame);
        amqp_maybe_release_buffers_on_channel(look->connection, frame.channel);
        if (code == 1) {
            count--;
            code = 0;
        }
        if (look->thread->batch.length > POSTED_SIZE) {
            post(look);
        }
    }
    return code;
}

/* Now that all is held here, nothing is left: a quorum queue whose leader has died says for a moment that it is empty,
 * or counts what it had a moment ago, but hands out (and has nothing to hand out) only by its new leader's word. */
static int expect_no_more(struct look *look)
{
    amqp_rpc_reply_t reply = amqp_basic_get(look->connection, look->channel, look->queue, 0);

    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        return fail(look, reply);
    }
    return reply.reply.id == AMQP_BASIC_GET_EMPTY_METHOD
               ? 0
               : error_set(look->error, ERROR_BROKER, "queue %.60s did not hand out all that it held",
                           name_of(look));
}

/* Closing the channel, and nothing else, gives all back at once, together with the consumer's end, and in order: a
 * quorum queue shuffles what is refused by one basic.nack. */
static int give_back(struct look *look)
{
    amqp_rpc_reply_t reply = amqp_channel_close(look->connection, look->channel, AMQP_REPLY_SUCCESS);
    return reply.reply_type == AMQP_RESPONSE_NORMAL ? 0 : fail(look, reply);
}

int amqp_look(struct amqp_thread *thread, amqp_connection_state_t connection, amqp_channel_t channel,
              uint32_t step, uint32_t count, struct error *error)
{
    struct look look = {.thread = thread,
                        .connection = connection,
                        .channel = channel,
                        .queue = amqp_bytes_of(text_of(thread->steps[step].name)),
                        .event = {.type = AMQP_EVENT_DELIVERY, .step = step, .looked_at = true},
                        .error = error};
    int code = count > 0 ? begin(&look, count) : 0;

    if (code == 0) {
        code = receive(&look, count);
    }
    if (code == 0) {
        code = expect_no_more(&look);
    }
    /* What came in pieces when the connection broke is nobody's. */
    thread->batch.length -= amqp_content_unfinished(&look.content, &thread->batch);
    return code == 0 ? give_back(&look) : code;
}
