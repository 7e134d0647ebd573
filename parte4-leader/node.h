/* A node of this part: what main.c and leader.c share. */
#ifndef ORDEM_NODE_H
#define ORDEM_NODE_H

#include "common/net/recovery.h"
#include "common/net/replica.h"
#include "order.h"
#include "update_log.h"

#include <stdbool.h>
#include <stdint.h>

struct node {
    struct replica replica;
    struct order order;
    struct actions actions; /* what the rule asked for last */
    struct buffer encoded;  /* the message being published */

    struct recovery recovery;
    int64_t applied_seq;  /* the store is made of the updates up to this one */
    char leader_name[65]; /* "" until one was heard of */

    /* Of a leader. */
    bool starts_leading; /* its role */
    struct update_log log;
    bool log_is_behind;     /* of the store, which is a peer's */
    struct actions early;   /* commands that came before it leads */
    struct actions waiting; /* what is to be done once the disk has what came before */
    size_t waiting_from;    /* the first of it that is still to be done */
    bool has_led;           /* it has begun an epoch, or is about to */
    uint64_t lead_at_ms;    /* clock_monotonic_ms: when it has listened long enough; 0: nobody was asked */
    uint64_t announce_at_ms;
    int64_t wanted_epoch; /* being recorded; MESSAGE_NO_EPOCH if none is */

    char exchange[REPLICA_NAME_MAX], queue[REPLICA_NAME_MAX];
    char control_exchange[REPLICA_NAME_MAX], control_queue[REPLICA_NAME_MAX];
};

/* main.c: carries out what the rule asks for; the two that leader.c does later. */
void perform_actions(struct node *node);
void send_to_group(struct node *node, struct message *message);
void deliver(struct node *node, struct message *message);

/* leader.c. A follower's calls do nothing. */
int leader_open(struct node *node, struct error *error);
void leader_listen(struct node *node); /* what it asked for has reached all who are there */
void leader_tick(struct node *node, uint64_t now_ms);
void leader_hear(struct node *node, const struct recovery_note *note);
void leader_install(struct node *node); /* a peer's state is in the store */
bool leader_keep(struct node *node,
                 struct message *command); /* until it leads; false if it does not wait for that */
void leader_record(struct node *node, struct message *update);
void leader_do_later(struct node *node, const struct action *action);
void leader_step_down(struct node *node);
void leader_close(struct node *node);

#endif
