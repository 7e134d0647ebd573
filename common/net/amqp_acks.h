/* Acknowledgements, gathered: what the consumer dealt with, in whatever order, as few basic.ack as possible.
 *
 * An ack that is `multiple` also stands for every earlier delivery of its connection, so it may only be sent when all of
 * those were dealt with. Those beyond a gap are acknowledged one by one. Pure. */
#ifndef ORDEM_AMQP_ACKS_H
#define ORDEM_AMQP_ACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amqp_ack {
    uint64_t connection, tag;
    bool multiple;
};

struct amqp_ack_list {
    struct amqp_ack *items; /* owned */
    size_t count, capacity;
};

/* Tags from `first` to `last`, which were acknowledged one by one. */
struct amqp_island {
    uint64_t first, last;
};

struct amqp_acks {
    uint64_t connection;         /* the newest that was acknowledged on */
    uint64_t settled;            /* every delivery of it up to this tag was acknowledged */
    struct amqp_island *islands; /* beyond a gap, in order; owned */
    size_t island_count, island_capacity;
    struct amqp_ack_list ready; /* to be sent, in order; whoever takes them leaves it empty */
};

/* The delivery `tag` of `connection` was dealt with. Ignores what is of an earlier connection, or came before. */
void amqp_acks_add(struct amqp_acks *acks, uint64_t connection, uint64_t tag);

void amqp_acks_free(struct amqp_acks *acks);

/* Moves all of `more` behind `list`. */
void amqp_ack_list_move(struct amqp_ack_list *list, struct amqp_ack_list *more);

#endif
