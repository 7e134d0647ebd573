/* The sending half of a node: a link that keeps what the broker has not confirmed, and publishes it again, in the same
 * order, on its next connection. */
#ifndef ORDEM_BROKER_PUBLISHER_H
#define ORDEM_BROKER_PUBLISHER_H

#include "tests/sim/broker_model.h"

struct broker_publisher {
    struct broker *broker;
    unsigned to; /* a set of queues */
    bool connected;
    unsigned channel;
    struct message **pending; /* references, in order */
    size_t count, capacity;
};

void publisher_connect(struct broker_publisher *publisher);

/* The connection is lost. */
void publisher_lose(struct broker_publisher *publisher);

/* Takes a reference. */
void publisher_send(struct broker_publisher *publisher, struct message *message);

/* Is the message waiting for its confirm? */
bool publisher_waits(const struct broker_publisher *publisher, const struct message *message);

bool publisher_has_confirm(const struct broker_publisher *publisher);

/* A confirm has come: of this message, whose reference is the caller's. */
struct message *publisher_confirm(struct broker_publisher *publisher);

/* The process is dead, and with it what was not sent. */
void publisher_die(struct broker_publisher *publisher);

#endif
