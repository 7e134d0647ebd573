/* What the files of the sequencer's process share. Each has one reason to exist:
 *
 *     sequencer_main.c     starts it, takes the lock and the queues, and has the rule (sequencer.c) number what comes in
 *     sequencer_send.c     sends what was numbered to all, until the broker has it
 *     sequencer_rebuild.c  finds out, on every connection, what the numbers have come to
 *     sequencer_replay.c   sends to one node again what it lacks
 *
 * and what the broker has of the total order is in sequence.c. */
#ifndef ORDEM_SEQUENCER_PROCESS_H
#define ORDEM_SEQUENCER_PROCESS_H

#include "common/net/replica.h"
#include "sequence.h"
#include "sequencer.h"

#include <uthash.h>

#define ASKERS_MAX 64 /* nodes told apart; two that share a place only ask more often */

/* Who asked last, and for what. */
struct asker {
    char name[65];
    int64_t seq;
};

struct sequencer_process {
    struct replica replica;
    struct sequencer rule;
    struct sequence sequence; /* what the broker has */
    struct actions actions;   /* what the rule asked for last */
    struct buffer encoded;    /* the message being published */

    struct ordering *by_uuid; /* numbered, and not confirmed: uthash, owned */
    struct ordering *waiting; /* those that the link does not have, by number: a list */
    int64_t known_seq;        /* the last number that this sequencer gave, or found when it connected */

    struct recovery recovery;
    struct asker askers[ASKERS_MAX]; /* by the hash of their names */
    uint64_t announce_at_ms;         /* clock_monotonic_ms */

    char control[REPLICA_NAME_MAX], control_queue[REPLICA_NAME_MAX];
    char input[REPLICA_NAME_MAX], exchange[REPLICA_NAME_MAX], history_queue[REPLICA_NAME_MAX],
        lock[REPLICA_NAME_MAX];
};

/* A numbered command on its way to the exchange, or, sent again, to one node's queue. */
struct ordering {
    struct amqp_publish publish;
    struct sequencer_process *process;
    struct message *message; /* numbered; a reference of its own */
    struct receipt receipt;  /* of the command in the input queue */
    struct ordering *prev, *next;
    UT_hash_handle hh;
};

/* ---- sequencer_send.c ---- */

/* Sends `message`, which was just numbered, to all; when the broker has it, acknowledges the command. */
void ordering_begin(struct sequencer_process *process, struct message *message, struct receipt receipt);

/* `command`, which has a number, came again. */
void ordering_repeat(struct sequencer_process *process, struct message *command, struct receipt receipt);

/* Gives the link what waits for it, as far as there is room. */
void orderings_publish(struct sequencer_process *process);

/* Forgets what is numbered and not confirmed; there is no connection, or a new one that has none of it yet. */
void orderings_drop(struct sequencer_process *process);

/* Frees one that is in no list. */
void ordering_end(struct ordering *ordering);

/* ---- sequencer_rebuild.c ---- */

/* A message was found in the history queue, and stays there. */
void rebuild_look(struct sequencer_process *process, struct message *message);

/* There is a connection, and all of the history queue was looked at: goes on from there. */
void rebuild_finish(struct sequencer_process *process);

/* ---- sequencer_replay.c ---- */

/* A node lacks what was ordered from `note->seq` on. */
void replay_answer(struct sequencer_process *process, const struct recovery_note *note);

#endif
