/* What a store has, on disk before it answers (SQLite in WAL mode, synchronous=FULL): resources, the writes that it is
 * ready for, and up to which write it is complete.
 *
 * What one turn of the loop appends, and what comes while a batch is being written, shares one transaction and one fsync
 * ("group commit"), in a thread that is not the loop's. */
#ifndef ORDEM_PAXOS_STORE_DISK_H
#define ORDEM_PAXOS_STORE_DISK_H

#include "common/buffer.h"
#include "common/error.h"
#include "paxos/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct sqlite3;
struct sqlite3_stmt;

enum store_record_type {
    STORE_RECORD_READY,     /* the write waits for its outcome */
    STORE_RECORD_COMMITTED, /* one that waited is shown */
    STORE_RECORD_COPIED,    /* what another store committed is shown */
    STORE_RECORD_ABORTED,   /* the write does not wait any more */
    STORE_RECORD_COMPLETE   /* up to the number */
};

/* Its name and data stand in the buffer of the batch, one after the other. */
struct store_record {
    enum store_record_type type;
    uint64_t number, timestamp;
    size_t name_length, data_length;
};

struct store_batch {
    struct store_record *records; /* owned */
    size_t count, capacity;
    struct buffer bytes;
};

enum { STORE_STATEMENTS = 6 };

struct store_disk {
    struct sqlite3 *database;
    struct sqlite3_stmt *statements[STORE_STATEMENTS];
    uv_loop_t *loop;
    uv_work_t work;
    bool writing;                        /* the thread is at it: `batch` and the database are its own */
    struct store_batch gathering, batch; /* what comes next; what is being written */
    struct error error;                  /* of the batch */
    uint64_t appended, durable;          /* records: so many were given, so many are on disk */
    uint64_t batch_end;                  /* `durable`, once the batch is written */

    void (*on_durable)(struct store_disk *);                      /* `durable` has moved */
    void (*on_failed)(struct store_disk *, const struct error *); /* all that was not durable is lost */
};

/* Opens or makes the file in `folder`, and puts what it holds into the empty `store`. The callbacks are set already.
 * Errors: ERROR_FILE, also if another process has the file open, or if what is there does not fit together. */
int store_disk_open(struct store_disk *disk, uv_loop_t *loop, const char *folder, struct store *store,
                    uint64_t now_ms, struct error *error);

/* Reads all again into the empty `store`, after on_failed. ERROR_FILE. */
int store_disk_read(struct store_disk *disk, struct store *store, uint64_t now_ms, struct error *error);

/* Each is on disk once `durable` has reached what `appended` was after the call. Name and data are copied. Nothing is
 * written before the flush, so that what belongs together is written together. */
void store_disk_append(struct store_disk *disk, enum store_record_type type, const struct resource *write);
void store_disk_flush(struct store_disk *disk);

/* Only once nothing is being written. */
void store_disk_close(struct store_disk *disk);

#endif
