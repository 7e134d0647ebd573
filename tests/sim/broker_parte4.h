/* Parte 4 on the modelled broker: its rule, and around it what main.c, leader.c and update_log.c do, with faults; then
 * everything heals, and must end alike. */
#ifndef ORDEM_BROKER_PARTE4_H
#define ORDEM_BROKER_PARTE4_H

#include "parte4-leader/order.h"
#include "tests/sim/broker_log.h"
#include "tests/sim/broker_model.h"
#include "tests/sim/broker_notes.h"
#include "tests/sim/broker_publisher.h"
#include "tests/sim/broker_store.h"

#define PARTE4_NODES     4 /* the first leads, the second may */
#define PARTE4_LISTEN_MS 300

enum parte4_variant {
    PARTE4_AS_IT_IS,
    PARTE4_RECORDS_NOTHING, /* "to break it" in order.c */
    PARTE4_SENDS_UNRECORDED,
    PARTE4_KEEPS_ITS_EPOCH, /* a leader that starts goes on in the epoch that its log ends with */
    PARTE4_FORGETS_ITS_LOG, /* a leader that has begun an epoch puts a peer's state in its store only */
    PARTE4_LEADS_AGAIN,     /* a leader that stepped down does not give up an epoch that it wanted to begin */
    PARTE4_TELLS_NO_EPOCH,  /* nobody tells a leader of a newer one that is gone */
    PARTE4_IGNORES_EPOCHS,  /* followers take updates of any */
    PARTE4_IGNORES_GAPS,    /* nobody asks for what is missing */
};

struct parte4_options {
    uint64_t seed;
    unsigned commands;
    bool second_leader; /* is started by mistake, */
    bool second_leaves; /* and in the end stopped for good, and the first one started again */
    bool
        prompt; /* nothing fails, and what replicas tell each other arrives before a leader stops listening */
    enum parte4_variant variant;
    struct made_logs
        *log; /* for the judge; NULL for none. Then clients give each command once, to the leader */
};

/* An update, or, without one, the beginning of an epoch. */
struct parte4_entry {
    struct message *update; /* a reference */
    int64_t epoch;
};

/* A leader's log. What is on it survives its leader; what is being written may not. */
struct parte4_disk {
    struct store updates; /* from the first on */
    int64_t epoch;
    struct parte4_entry *writing;
    size_t count, capacity;
};

struct parte4_node {
    unsigned number;
    char name[8];
    bool started, up, consuming, paused;
    bool gone; /* for good */
    unsigned life;
    struct order order;
    struct store store;
    int64_t applied_seq;
    bool applied[COMMANDS_MAX];   /* one by one, and in this life */
    bool requested[COMMANDS_MAX]; /* by a client that was not answered yet */
    struct broker_publisher publisher;

    /* Of a leader. */
    bool starts_leading, has_led;
    bool log_is_behind; /* of the store */
    struct parte4_disk disk;
    bool has_led_once;      /* in this life */
    struct actions early;   /* commands that came before that */
    struct actions waiting; /* for the disk */
    uint64_t lead_at_ms;
    int64_t wanted_epoch;
    int64_t led_epoch; /* the last that it led in, in any life */
};

struct parte4_world {
    const struct parte4_options *options;
    struct schedule schedule;
    struct broker broker;
    struct notes notes;
    struct commands commands;
    unsigned asks; /* so often was something found missing */
    struct parte4_node nodes[PARTE4_NODES];

    bool answered_first[COMMANDS_MAX]; /* before the second leader was started */
};

/* Runs until all has healed and is quiet; what was found wrong, if anything. */
struct finding parte4_run(const struct parte4_options *options);

/* broker_parte4_steps.c: steps until nothing more can happen, or `most` of them. In chaos clients give commands, time
 * passes and there are faults; else not going quiet is found wrong. */
void parte4_run_steps(struct parte4_world *world, bool chaos, unsigned most);
void parte4_submit(struct parte4_world *world, struct parte4_node *node); /* a client has a new command */

/* broker_parte4_node.c: a node, as main.c has it. */
void parte4_node_start(struct parte4_world *world, struct parte4_node *node);
void parte4_node_crash(struct parte4_world *world, struct parte4_node *node);
void parte4_node_consume(struct parte4_world *world, struct parte4_node *node); /* it is connected again */
void parte4_node_lose_consumer(struct parte4_world *world, struct parte4_node *node);
void parte4_node_request(struct parte4_world *world, struct parte4_node *node, unsigned command);
void parte4_node_confirm(struct parte4_world *world, struct parte4_node *node);
void parte4_node_process(struct parte4_world *world, struct parte4_node *node, unsigned delivery);
void parte4_node_hear(struct parte4_world *world, const struct note *note);
void parte4_node_tick(struct parte4_world *world, struct parte4_node *node);
void parte4_node_perform(struct parte4_world *world, struct parte4_node *node, struct actions *actions);
void parte4_node_send(struct parte4_world *world, struct parte4_node *node, struct message *update);
void parte4_node_deliver(struct parte4_world *world, struct parte4_node *node, struct message *update);

/* broker_parte4_leader.c: what only a leader does, as leader.c has it, and its log. A follower's calls do nothing. */
void parte4_leader_open(struct parte4_world *world, struct parte4_node *node);
void parte4_leader_connected(struct parte4_world *world, struct parte4_node *node);
void parte4_leader_record(struct parte4_node *node, struct message *update);
bool parte4_leader_keep(struct parte4_node *node, struct message *command); /* until it leads, if it will */
void parte4_leader_write(struct parte4_world *world, struct parte4_node *node); /* some of it is on disk */
void parte4_leader_hear(struct parte4_node *node, const struct note *note);
void parte4_leader_install(struct parte4_world *world,
                           struct parte4_node *node); /* a peer's state is in the store */
void parte4_leader_step_down(const struct parte4_world *world, struct parte4_node *node);
void parte4_leader_announce(struct parte4_world *world, struct parte4_node *node);
void parte4_leader_tick(struct parte4_world *world, struct parte4_node *node);
void parte4_leader_crash(struct parte4_world *world, struct parte4_node *node);

#endif
