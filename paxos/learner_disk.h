/* A learner's checkpoints: its state as of an instance, on disk (SQLite in WAL mode, synchronous=FULL).
 *
 * A checkpoint is one transaction, written by a thread that is not the loop's, and costs what changed since the last one,
 * not the state: the resources beyond its version, and the commands that were noted since. These are stored a thousand to a
 * row, so that a million of them are read in no time. */
#ifndef ORDEM_PAXOS_LEARNER_DISK_H
#define ORDEM_PAXOS_LEARNER_DISK_H

#include "common/buffer.h"
#include "common/error.h"
#include "paxos/learner_state.h"
#include "paxos/sessions.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct sqlite3;
struct sqlite3_stmt;

/* A resource that is to be written; its name and data stand in the buffer of the checkpoint, one after the other. */
struct checkpoint_row {
    size_t name_length, data_length;
    uint64_t version, timestamp;
};

/* What is being written. */
struct checkpoint {
    bool whole; /* instead of what is on disk */
    uint64_t instance, commands, writes, noted, forgotten;
    struct buffer bytes;
    struct checkpoint_row *rows; /* owned, as are the sessions */
    size_t row_count, row_capacity;
    struct session *sessions; /* those that end with `noted` */
    size_t session_count, session_capacity;
};

struct learner_disk {
    struct sqlite3 *database;
    struct sqlite3_stmt *put_resource, *put_sessions;
    uv_loop_t *loop;
    uv_work_t work;
    bool writing;                     /* the thread is at it: `next` and the database are its own */
    struct checkpoint next;           /* what is being written */
    struct error error;               /* of writing it */
    uint64_t instance, writes, noted; /* what is on disk */

    void (*on_saved)(struct learner_disk *);                        /* `instance` has moved */
    void (*on_failed)(struct learner_disk *, const struct error *); /* what is on disk is as it was */
};

/* Opens or makes the file in `folder`, and puts what it holds into the empty `state` and `sessions`; `disk->instance` tells
 * as of which instance that is. The callbacks are set already. Errors: ERROR_FILE, also if another process has the file
 * open, or if what is there does not fit together. */
int learner_disk_open(struct learner_disk *disk, uv_loop_t *loop, const char *folder,
                      struct learner_state *state, struct sessions *sessions, struct error *error);

/* Begins to write what changed since the last checkpoint; with `whole` all there is, in place of what is on disk. What is
 * to be written is copied. False if a checkpoint is being written already. */
bool learner_disk_save(struct learner_disk *disk, uint64_t instance, const struct learner_state *state,
                       const struct sessions *sessions, bool whole);

/* Only once nothing is being written. */
void learner_disk_close(struct learner_disk *disk);

#endif
