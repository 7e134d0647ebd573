/* The leader's log: every update on disk before anybody hears of it (SQLite in WAL mode, synchronous=FULL).
 *
 * What one turn of the loop appends, and what comes while a batch is being written, shares one transaction and one
 * fsync ("group commit"): the thread that waits for the disk is not the loop's. Updates that are folded into the state
 * are deleted, but for the last ones: by those a command that comes again after a restart is known. */
#ifndef ORDEM_UPDATE_LOG_H
#define ORDEM_UPDATE_LOG_H

#include "common/error.h"
#include "common/kv_store.h"
#include "common/message.h"
#include "common/recent.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define UPDATE_LOG_KEPT 10000 /* updates that stay in the log after they were folded into the state */

struct sqlite3;
struct sqlite3_stmt;

/* What is to be written: an update, or the start of an epoch. */
struct log_entry {
    struct message *update; /* a reference of its own; NULL for an epoch */
    int64_t epoch;
};

struct log_batch {
    struct log_entry *entries; /* owned */
    size_t count, capacity;
};

struct update_log {
    struct sqlite3 *database;
    struct sqlite3_stmt *insert;
    uv_loop_t *loop;
    uv_work_t work;
    bool writing;                      /* the thread is at it: `batch` and the database are its own */
    struct log_batch gathering, batch; /* what comes next; what is being written */
    struct error error;                /* of the batch */
    int64_t seq, epoch;                /* the last that are on disk */
    int64_t folded_seq;                /* the state on disk is made of the updates up to this one */

    void (*on_recorded)(struct update_log *);                     /* `seq` and `epoch` have moved */
    void (*on_failed)(struct update_log *, const struct error *); /* nothing will be recorded any more */
};

/* Opens or makes the log in `folder` (made if it is not there), and puts what it holds into the empty `store` and
 * `applied`. The callbacks are set already.
 * Errors: ERROR_FILE, also if another process has the log open, or if what is there does not fit together. */
int update_log_open(struct update_log *log, uv_loop_t *loop, const char *folder, struct kv_store *store,
                    struct recent *applied, struct error *error);

/* Each is on disk once on_recorded has told so, in the order of the calls. */
void update_log_append(struct update_log *log, struct message *update);
void update_log_begin_epoch(struct update_log *log, int64_t epoch);

/* Is nothing being recorded? */
bool update_log_is_idle(const struct update_log *log);

/* Forgets all updates for a state that somebody else has: `store`, made of every update up to `seq` of that epoch.
 * On disk when it returns. Only while the log is idle. ERROR_FILE. */
int update_log_replace(struct update_log *log, int64_t epoch, int64_t seq, const struct kv_store *store,
                       struct error *error);

/* Waits for what is being written, and closes the file. */
void update_log_close(struct update_log *log);

#endif
