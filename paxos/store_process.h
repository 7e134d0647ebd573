/* A store's process: what its files share. store_main.c starts it and answers reads, store_write.c takes part in the two
 * phases, store_sync.c fetches what it missed. */
#ifndef ORDEM_PAXOS_STORE_PROCESS_H
#define ORDEM_PAXOS_STORE_PROCESS_H

#include "paxos/peers.h"
#include "paxos/process.h"
#include "paxos/store.h"
#include "paxos/store_disk.h"
#include "paxos/writes.h"

#include <stdbool.h>
#include <stdint.h>

#define STORE_STOPPED 3 /* the exit status of that drill */

/* An answer that waits for the records before it. */
struct store_reply {
    struct http_exchange *exchange;
    enum http_status status;
    uint64_t ticket; /* may leave once the disk has made so many records durable */
    struct buffer body;
    struct store_reply *prev, *next;
};

enum store_sync_step {
    SYNC_DONE,
    SYNC_COPIES, /* pages of what it misses, from a store that serves, or a learner */
    SYNC_REJOINS /* what it has is on its disk: the learners are asked to let it take part again */
};

struct store_sync {
    enum store_sync_step step;
    unsigned source;                 /* whom to ask next: the stores, then the learners */
    bool asking;                     /* and no answer yet */
    uint64_t after;                  /* the last version that came */
    struct buffer after_name;        /* and its resource */
    uint64_t ticket;                 /* of what came */
    uint32_t asked, answered, taken; /* learners: of them all, and those that let it take part */
    uint64_t finished;               /* as they say */
    size_t fresh;                    /* writes that were copied since a learner was last asked */
    uint64_t again_ms;               /* nothing is asked before then */
    uint64_t doubt_ms;               /* nor for the outcome of writes before then */
};

struct store_process {
    struct process process;
    struct peers stores, learners;
    struct store store;
    struct store_disk disk;
    struct store_reply *replies; /* in order of their tickets; owned */
    struct store_sync sync;
    struct json_object answer; /* of a peer */
    struct writes writes;      /* of the request that is being read */
    bool stop_after_prepare;   /* STORE_STOP_AFTER=prepare, a drill: it dies when it is told to commit */
    uint64_t prepared, committed, copied;
};

/* ---- store_write.c ---- */

process_handler store_post_prepare, store_post_commit, store_post_abort;

/* Answers once all records so far are durable. `body` is copied. */
void store_reply_later(struct store_process *process, struct http_exchange *exchange, enum http_status status,
                       const struct buffer *body);

void store_on_durable(struct store_disk *disk);
void store_on_failed(struct store_disk *disk, const struct error *error);

/* Takes writes that are committed elsewhere, and what they make complete; nothing is flushed. */
void store_take_copies(struct store_process *process, const struct writes *writes);

/* Commits a write that waits, and says so in its records; STORE_UNKNOWN if it does not wait here. */
enum store_answer store_commit_one(struct store_process *process, const char *name, uint64_t number);

/* ---- store_sync.c ---- */

process_handler store_post_synchronize, store_post_writes;

/* It misses something: it serves no more, and begins to fetch it. */
void store_sync_begin(struct store_process *process, const char *why);

/* Asks for the outcome of writes that have waited long; to be called on each tick. */
void store_ask_outcomes(struct store_process *process, uint64_t now_ms);

/* To be called on each tick, and whenever records became durable. */
void store_sync_go_on(struct store_process *process);

/* The answers of other stores and of learners. */
void store_on_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply);

#endif
