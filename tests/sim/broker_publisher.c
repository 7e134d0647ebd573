#include "tests/sim/broker_publisher.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

void publisher_connect(struct broker_publisher *publisher)
{
    publisher->channel = broker_connect(publisher->broker);
    publisher->connected = true;
    for (size_t i = 0; i < publisher->count; i++) {
        broker_publish(publisher->broker, publisher->channel, publisher->pending[i], publisher->to);
    }
}

void publisher_lose(struct broker_publisher *publisher)
{
    if (publisher->connected) {
        publisher->connected = false;
        broker_disconnect(publisher->broker, publisher->channel);
    }
}

void publisher_send(struct broker_publisher *publisher, struct message *message)
{
    publisher->pending =
        memory_grow(publisher->pending, &publisher->capacity, publisher->count + 1, sizeof(struct message *));
    publisher->pending[publisher->count++] = message_ref(message);
    if (publisher->connected) {
        broker_publish(publisher->broker, publisher->channel, message, publisher->to);
    }
}

bool publisher_waits(const struct broker_publisher *publisher, const struct message *message)
{
    for (size_t i = 0; i < publisher->count; i++) {
        if (text_equal(publisher->pending[i]->message_uuid, message->message_uuid)) {
            return true;
        }
    }
    return false;
}

bool publisher_has_confirm(const struct broker_publisher *publisher)
{
    return publisher->connected && broker_has_confirm(publisher->broker, publisher->channel);
}

struct message *publisher_confirm(struct broker_publisher *publisher)
{
    struct message *confirmed = publisher->pending[0];

    broker_confirm(publisher->broker, publisher->channel);
    publisher->count--;
    memmove(publisher->pending, publisher->pending + 1, publisher->count * sizeof(struct message *));
    return confirmed;
}

void publisher_die(struct broker_publisher *publisher)
{
    publisher_lose(publisher);
    while (publisher->count > 0) {
        message_unref(publisher->pending[--publisher->count]);
    }
    free(publisher->pending);
    publisher->pending = NULL;
    publisher->capacity = 0;
}
