#include "common/net/amqp_event.h"

#include <string.h>

void amqp_event_add(struct buffer *batch, struct amqp_event event, struct text first, struct text second)
{
    event.first_length = first.length;
    event.second_length = second.length;
    memcpy(buffer_reserve(batch, sizeof event), &event, sizeof event);
    batch->length += sizeof event;
    buffer_add(batch, first.bytes, first.length);
    buffer_add(batch, second.bytes, second.length);
}

static struct text take(struct text *batch, size_t length)
{
    struct text taken = {batch->bytes, length};

    batch->bytes += length;
    batch->length -= length;
    return taken;
}

bool amqp_event_take(struct text *batch, struct amqp_event *event, struct text *first, struct text *second)
{
    if (batch->length == 0) {
        return false;
    }
    memcpy(event, take(batch, sizeof *event).bytes, sizeof *event);
    *first = take(batch, event->first_length);
    *second = take(batch, event->second_length);
    return true;
}
