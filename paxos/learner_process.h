/* A learner's process: what its files share. learner_main.c starts it and carries out what the rules of learner.c give,
 * learner_messages.c hears what others say, learner_apply.c applies commands, learner_reads.c answers reads,
 * learner_snapshot.c gives and takes whole states, learner_stores.c drives the cluster's stores. */
#ifndef ORDEM_PAXOS_LEARNER_PROCESS_H
#define ORDEM_PAXOS_LEARNER_PROCESS_H

#include "paxos/coordinator.h"
#include "paxos/learner.h"
#include "paxos/learner_disk.h"
#include "paxos/learner_state.h"
#include "paxos/peers.h"
#include "paxos/process.h"
#include "paxos/snapshot.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define DECIDED_KEPT       1024 /* instances that GET /instance/{id} still knows the values of, */
#define DECIDED_BYTES      (32 * 1024 * 1024) /* and their bytes */
#define LEARNER_READS_MAX  4096               /* requests to /read that wait */
#define LEARNER_READS_SIZE (64 * 1024 * 1024) /* and their bytes */

/* An instance that was applied not long ago. */
struct decided {
    uint64_t instance;   /* 0: none */
    struct value *value; /* a reference of its own; NULL is a no-op */
    size_t bytes;
};

/* A request to /read that waits: for an instance to be applied, then for the stores to have all of it. */
struct learner_read {
    struct http_exchange *exchange;
    uint64_t instance, deadline_ms;
    uint64_t number; /* the last write that it must see; 0 until the instance is applied */
    unsigned tried;  /* stores that were asked in vain */
    uint64_t ticket; /* names it while a store is asked; 0 while none is */
    struct buffer question;
    struct learner_read *prev, *next;
};

/* The writes under way at the stores, as they are sent, also again. */
struct learner_stores {
    struct coordinator coordinator;
    struct buffer prepare, commit;
    uint32_t asked; /* the set of stores that have a question and have not answered */
    uint64_t batches;
};

/* A state that is being fetched from another learner, and then put onto the disk. */
struct learner_fetch {
    uint32_t from; /* a learner; 0: none is being fetched */
    bool saving;   /* the snapshot is whole, and on its way to the disk */
    struct snapshot snapshot;
};

struct learner_process {
    struct process process;
    struct peers acceptors, proposers, learners, stores, clients;
    uv_timer_t beat; /* every HEARTBEAT_MS */

    struct learner learner;
    struct learner_state state;
    struct learner_disk disk;
    uint64_t saved_ms; /* when the last checkpoint was begun */

    struct decided decided[DECIDED_KEPT]; /* each at instance % DECIDED_KEPT */
    size_t decided_bytes;
    uint64_t delivered;  /* commands in this life */
    uint64_t repeated;   /* commands that came again */
    uint64_t current_ms; /* when it last knew that nothing is decided that it has not applied */

    struct learner_read *reads; /* in the order in which they came; owned */
    size_t read_count, read_bytes;
    uint64_t read_tickets;

    struct learner_stores to_stores;
    struct learner_fetch fetch;

    struct paxos_actions actions;  /* of the event being handled */
    struct json_object body, item; /* being read */
    struct buffer scratch, canonical;
};

/* ---- learner_main.c ---- */

/* Carries out what the learner has given in `actions`, and all that follows from it. */
void learner_perform(struct learner_process *process);

/* ---- learner_messages.c ---- */

process_handler learner_post_learn, learner_post_heartbeat, learner_post_fetch;

void learner_on_learner_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply);
void learner_on_store_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply);
void learner_on_other_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply);

/* ---- learner_apply.c ---- */

/* Tells the log that it goes on from a state that it did not make in this life: the one from "disk", or "learner-2". */
void learner_say_recovered(struct learner_process *process, const char *from);

/* Applies, or tells of again, a command whose turn it is. */
void learner_apply(struct learner_process *process, const struct paxos_action *action);

/* Instances up to that one are applied: what was decided in them is remembered for a while. */
void learner_remember(struct learner_process *process, uint64_t before);
void learner_forget_decided(struct learner_process *process);

/* ---- learner_reads.c ---- */

process_handler learner_post_read, learner_get_resource, learner_get_instance, learner_get_instances;

/* Reads whose turn it is are answered, or passed on to a store; those that waited too long are refused. */
void learner_reads_go_on(struct learner_process *process);

/* Refuses all that wait: it leaves. */
void learner_reads_end(struct learner_process *process);

/* What a store answered to POST /read. */
void learner_reads_answered(struct learner_process *process, const struct peer_reply *reply);

/* ---- learner_snapshot.c ---- */

process_handler learner_get_snapshot, learner_post_snapshot;

/* That learner has a state further on than what the acceptors remember: it is fetched. */
void learner_fetch_begin(struct learner_process *process, uint32_t from);
void learner_fetch_page(struct learner_process *process, const struct peer_reply *reply);

/* Puts it onto the disk, once that is free. */
void learner_fetch_go_on(struct learner_process *process);

/* The disk has it, or could not take it. */
void learner_fetch_saved(struct learner_process *process);
void learner_fetch_drop(struct learner_process *process);

/* ---- learner_stores.c ---- */

process_handler learner_post_rejoin, learner_post_outcome, learner_post_writes;

/* Drives the writes that are applied and not yet at the stores. */
void learner_stores_go_on(struct learner_process *process);
void learner_stores_tick(struct learner_process *process, uint64_t now_ms);
void learner_stores_answered(struct learner_process *process, struct peer *peer,
                             const struct peer_reply *reply);

#endif
