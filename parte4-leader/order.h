/* The ordering rule of this part; see order.c. */
#ifndef ORDEM_ORDER_H
#define ORDEM_ORDER_H

#include "common/actions.h"
#include "common/hold_back.h"
#include "common/message.h"

#include <stdbool.h>
#include <stdint.h>

#define ORDER_PATIENCE_MS 500 /* how long a gap may stay before the others are asked */

struct order_options {
    struct text node_id; /* this node; not owned, lives as long as the rule */
};

struct order {
    struct order_options options;

    bool leading;
    int64_t epoch;       /* of the leader whose updates this node has; MESSAGE_NO_EPOCH before the first */
    int64_t known_epoch; /* the highest heard of: if it is higher, there is a new leader */
    int64_t next_seq;    /* whose turn it is, from 1 */
    int64_t known_seq;   /* the highest heard of: if it is not below next_seq, something is missing */
    struct hold_back held;

    int64_t stuck_seq;       /* next_seq when it last moved, */
    uint64_t stuck_since_ms; /* and when that was */
};

/* Before the first event. */
void order_init(struct order *order, const struct order_options *options);

/* This node leads from now on, in an epoch that is higher than any before. */
void order_lead(struct order *order, int64_t epoch);

/* A client of this node asked for `command`. What is to be done is added to `out`. */
void order_submit(struct order *order, struct message *command, struct actions *out);

/* A leader of that epoch says that it has come to `seq`. */
void order_hear(struct order *order, int64_t epoch, int64_t seq, struct actions *out);

/* `message` came from the group. */
void order_receive(struct order *order, struct message *message, struct actions *out);

/* A peer's state came, made of every update up to `seq`, as its leader of that epoch has them. If it is news, returns
 * true: the caller puts it in place of its own before it does what `out` says. */
bool order_install(struct order *order, int64_t epoch, int64_t seq, struct actions *out);

/* Nobody has what is missing: goes on with what there is. */
void order_give_up(struct order *order, struct actions *out);

/* Time passed: `now_ms` is milliseconds since some moment, and never goes back. */
void order_tick(struct order *order, uint64_t now_ms, struct actions *out);

/* After the last event. */
void order_free(struct order *order);

#endif
