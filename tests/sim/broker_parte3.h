/* Parte 3 on the modelled broker: its two rules, and around them what main.c and the sequencer's process do, with faults;
 * then everything heals, and must end alike.
 *
 * The broker is one of several, and may die. There are two sequencers, of which the lock lets in one: the other, or one
 * that starts, takes over, and one whose connection was lost may find that another went on. One combination is known
 * not to be survived, and does not happen here: that a broker dies which put a numbered command into some queues, the
 * history not among them, and before that command is sent again the sequencer dies, or another takes over. */
#ifndef ORDEM_BROKER_PARTE3_H
#define ORDEM_BROKER_PARTE3_H

#include "parte3-sequencer/order.h"
#include "parte3-sequencer/sequence.h"
#include "parte3-sequencer/sequencer.h"
#include "tests/sim/broker_log.h"
#include "tests/sim/broker_model.h"
#include "tests/sim/broker_notes.h"
#include "tests/sim/broker_publisher.h"
#include "tests/sim/broker_store.h"

#define PARTE3_NODES      3 /* node n's queue is n, its number among the processes too; */
#define PARTE3_SEQUENCERS 2 /* theirs follow */
#define PARTE3_PROCESSES  (PARTE3_NODES + PARTE3_SEQUENCERS)
#define PARTE3_INPUT      PARTE3_NODES
#define PARTE3_HISTORY    (PARTE3_NODES + 1)
#define PARTE3_SEQS       (STORE_MAX + 2) /* numbers are below */

enum parte3_variant {
    PARTE3_AS_IT_IS,
    PARTE3_DELIVERS_EARLY,   /* what should be held back is delivered ("to break it" in order.c) */
    PARTE3_IGNORES_GAPS,     /* nobody asks for what is missing */
    PARTE3_READS_NO_HISTORY, /* a sequencer that starts counts from 1 */
    PARTE3_ORDERS_REPEATS,   /* it does not ask what it ordered already ("to break it" in sequencer.c) */
    PARTE3_ACKS_EARLY,       /* it acknowledges a command before its number is safe */
    PARTE3_KNOWS_ONE_ASKER,  /* it helps a node that asks twice only if no other asked in between */
    PARTE3_TAKES_NO_LOCK,    /* it reads the history while its predecessor's last messages are on their way */
    PARTE3_NUMBERS_ANEW,     /* after a lost connection it gives what was not confirmed new numbers */
    PARTE3_GOES_ON_ANYWAY,   /* after a lost connection it does not look whether another went on */
    PARTE3_TRUSTS_HISTORY,   /* it takes what is in the history for safe in all queues */
    PARTE3_BELIEVES_EMPTY,   /* it takes the word of a history without a leader that there is nothing in it */
};

struct parte3_options {
    uint64_t seed;
    unsigned commands;
    unsigned history; /* ordered messages that the broker keeps. If none is ever too many, every node may lose
                       * its memory; else only while another has, or gets, what would be lost */
    enum parte3_variant variant;
    bool calm;             /* nothing fails */
    struct made_logs *log; /* for the judge; NULL for none. Then clients give each command once */
};

struct parte3_node {
    char name[8];
    bool started, up, consuming, paused;
    unsigned life;
    struct order order;
    struct store store;
    bool applied[COMMANDS_MAX]; /* one by one, and in this life */
    struct broker_publisher publisher;
};

/* A numbered command that the broker has not confirmed. */
struct parte3_ordering {
    struct message *message; /* a reference */
    uint64_t tag;            /* of the command in the input queue; 0 if it was of an earlier connection */
    bool sent_again;         /* to a node that asked: there is nothing to acknowledge */
};

struct parte3_sequencer {
    const char *name;
    bool up, connected, paused;
    struct sequencer rule;
    struct sequence sequence;
    int64_t known_seq; /* the last number that it gave, or found when it connected */
    unsigned channel;
    struct parte3_ordering *orderings; /* in the order of the channel */
    size_t count, capacity;
    int64_t asked_seq[PARTE3_NODES]; /* who asked for what, and was not helped by it */
    unsigned asker;                  /* the last */
};

struct parte3_world {
    const struct parte3_options *options;
    struct schedule schedule;
    struct broker broker;
    struct notes notes;
    struct commands commands;
    unsigned asks; /* so often was something found missing */
    struct parte3_node nodes[PARTE3_NODES];
    struct parte3_sequencer sequencers[PARTE3_SEQUENCERS];
    const struct parte3_sequencer *latest; /* that was connected, and lives: it knows every number; or NULL */

    /* What the queues have seen of the total order. */
    int numbered[PARTE3_SEQS]; /* the command of each number, -1 for none yet */
    int64_t seq_of[COMMANDS_MAX];
    int64_t last_seq;
};

/* Runs until all has healed and is quiet; what was found wrong, if anything. */
struct finding parte3_run(const struct parte3_options *options);

/* broker_parte3_steps.c: steps until nothing more can happen, or `most` of them. In chaos clients give commands, time
 * passes and there are faults; else not going quiet is found wrong. */
void parte3_run_steps(struct parte3_world *world, bool chaos, unsigned most);

/* The name of a process. */
const char *parte3_name(const struct parte3_world *world, unsigned number);

/* broker_parte3_faults.c: what happens from outside, by process. What would take more from all of them together than the
 * rules promise to survive does not happen. */
void parte3_crash(struct parte3_world *world, unsigned number);
void parte3_lose_consumer(struct parte3_world *world, unsigned number); /* a sequencer: its only link */
void parte3_kill_broker(struct parte3_world *world, unsigned number); /* of that sequencer, and some nodes */
void parte3_delete_queue(struct parte3_world *world, unsigned number);
void parte3_pause(struct parte3_world *world, unsigned number, bool paused);
void parte3_come_back(struct parte3_world *world, unsigned number); /* the process, a link, or that it runs */
void parte3_submit(struct parte3_world *world, unsigned number);    /* a client has a new command, */
void parte3_submit_again(struct parte3_world *world, unsigned number,
                         unsigned command); /* or one of which it has heard nothing */

/* Does the history have every numbered command that may come again, so that who reads it need know nothing more? */
bool parte3_history_tells(const struct parte3_world *world);

/* broker_parte3_node.c: a node, as main.c has it. */
void parte3_node_start(struct parte3_world *world, unsigned number);
void parte3_node_crash(struct parte3_world *world, unsigned number);
void parte3_node_consume(struct parte3_world *world, unsigned number); /* it is connected again */
void parte3_node_lose_consumer(struct parte3_world *world, unsigned number);
void parte3_node_request(struct parte3_world *world, unsigned number, unsigned command);
void parte3_node_confirm(struct parte3_world *world, unsigned number);
void parte3_node_process(struct parte3_world *world, unsigned number, unsigned delivery);
void parte3_node_hear(struct parte3_world *world, const struct note *note);
void parte3_node_tick(struct parte3_world *world, unsigned number);

/* broker_parte3_sequencer.c: a sequencer, as its process has it. */
bool parte3_sequencer_may_connect(const struct parte3_world *world, unsigned number);
void parte3_sequencer_connect(struct parte3_world *world, unsigned number); /* and start, if it is down */
void parte3_sequencer_lose(struct parte3_world *world, unsigned number,
                           bool broker_dies); /* its connection, and with the broker that it was to? */
void parte3_sequencer_crash(struct parte3_world *world, unsigned number);
void parte3_sequencer_process(struct parte3_world *world, unsigned delivery); /* the one at work */
void parte3_sequencer_confirm(struct parte3_world *world, unsigned number);
void parte3_sequencer_hear(struct parte3_world *world, const struct note *note);
void parte3_sequencer_announce(struct parte3_world *world, unsigned number);

#endif
