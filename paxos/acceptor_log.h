/* What an acceptor must not forget, on disk: SQLite. Records that come in one turn of the loop share a transaction, so that
 * one wait for the disk does for all of them (group commit); what comes during that wait shares the next one. The loop
 * itself waits: nothing that an acceptor is asked could be answered before, and a thread that waits in its place costs two
 * wake-ups for each commit, which were a third of what a write costs.
 *
 * The file holds what the acceptor has promised, what it has forgotten, and one row for each instance that it has accepted
 * something in and not forgotten: it does not grow with what was decided long ago. */
#ifndef ORDEM_PAXOS_ACCEPTOR_LOG_H
#define ORDEM_PAXOS_ACCEPTOR_LOG_H

#include "common/buffer.h"
#include "common/error.h"
#include "paxos/paxos_actions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct sqlite3;
struct sqlite3_stmt;

struct record_batch {
    struct paxos_record *records; /* each with a reference to its value; owned */
    size_t count, capacity, bytes;
};

struct acceptor_log {
    uint64_t given, recorded; /* records so far: that were appended; that are on disk */
    uint64_t commits, failures;

    void (*on_recorded)(struct acceptor_log *); /* `recorded` has moved */

    /* A commit failed, for want of room: of its records, and of those that came after them, none is on disk, and none will
     * be. `recorded` is `given`, so that counting goes on. If it is fatal, the disk cannot be trusted any more. */
    void (*on_failed)(struct acceptor_log *, const struct error *, bool fatal);

    /* What follows is the implementation's. */

    struct sqlite3 *database;
    struct sqlite3_stmt *begin, *commit, *accept, *promise, *forget;
    uv_check_t turn;           /* the end of a turn of the loop in which something came */
    struct record_batch batch; /* what comes next, or is being written */
    struct ballot promised;    /* by all records so far */
    struct buffer value;       /* being written */
    struct error error;        /* of the batch */
    bool fatal;                /* after it nobody knows what is on disk */
};

/* Opens or makes the file in `folder` (made if it is not there). The callbacks are set already. Errors: ERROR_FILE, also
 * if another process has it open, or if it is another acceptor's. */
int acceptor_log_open(struct acceptor_log *log, uv_loop_t *loop, const char *folder, uint32_t id,
                      struct error *error);

/* Makes the file as large as it will be in use: later, when there is less to wait for, it would cost more. For after
 * what is there has been read. */
void acceptor_log_make_room(struct acceptor_log *log);

/* Hands to `take` what the file holds, as records in an order that makes the acceptor that gave them. Only while nothing
 * is being written. ERROR_FILE. */
int acceptor_log_read(struct acceptor_log *log,
                      void (*take)(struct acceptor_log *, const struct paxos_record *), struct error *error);

/* It will be on disk, which on_recorded tells at the end of this turn of the loop: what comes in one shares a transaction.
 * Takes a reference to the value. */
void acceptor_log_append(struct acceptor_log *log, const struct paxos_record *record);

/* Bytes of values that wait for the disk. */
size_t acceptor_log_waiting(const struct acceptor_log *log);

/* Bytes of the file. */
uint64_t acceptor_log_size(const struct acceptor_log *log);

/* Takes its handle off the loop; what was appended is still written. */
void acceptor_log_leave(struct acceptor_log *log);

/* Once nothing is being written. */
void acceptor_log_close(struct acceptor_log *log);

#endif
