/* The ordering rule of this part; see order.c. */
#ifndef ORDEM_ORDER_H
#define ORDEM_ORDER_H

#include "common/actions.h"
#include "common/message.h"

#include <stdint.h>

struct order_options {
    struct text node_id; /* this node; not owned, lives as long as the rule */
};

struct order {
    struct order_options options;
};

/* Before the first event. */
void order_init(struct order *order, const struct order_options *options);

/* A client of this node asked for `command`. What is to be done is added to `out`. */
void order_submit(struct order *order, struct message *command, struct actions *out);

/* `message` came from the group. */
void order_receive(struct order *order, struct message *message, struct actions *out);

/* Time passed: `now_ms` is milliseconds since some moment, and never goes back. */
void order_tick(struct order *order, uint64_t now_ms, struct actions *out);

/* After the last event. */
void order_free(struct order *order);

#endif
