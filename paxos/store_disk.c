#include "paxos/store_disk.h"

#include "common/container_of.h"
#include "common/directory.h"
#include "common/memory.h"
#include "common/words.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static const char schema[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS counters (one INTEGER PRIMARY KEY CHECK (one = 1),"
    " complete INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS resources (name TEXT PRIMARY KEY, data TEXT NOT NULL,"
    " version INTEGER NOT NULL, timestamp INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS pendings (number INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " data TEXT NOT NULL, timestamp INTEGER NOT NULL);"
    "CREATE INDEX IF NOT EXISTS pendings_by_name ON pendings (name, number);"
    "INSERT OR IGNORE INTO counters VALUES (1, 0);"
    "COMMIT;";

/* Every record is one or two of these. All take number, name, data and timestamp as ?1 to ?4, as far as they need them. */
enum { PUT_PENDING, SHOW_PENDING, DROP_PASSED, PUT_RESOURCE, DROP_PENDING, PUT_COMPLETE };

static const char *const texts[STORE_STATEMENTS] = {
    [PUT_PENDING] = "REPLACE INTO pendings VALUES (?1, ?2, ?3, ?4)",
    [SHOW_PENDING] = ("REPLACE INTO resources"
                      " SELECT name, data, number, timestamp FROM pendings WHERE number = ?1"),
    [DROP_PASSED] = "DELETE FROM pendings WHERE name = ?2 AND number <= ?1",
    [PUT_RESOURCE] = "REPLACE INTO resources VALUES (?2, ?3, ?1, ?4)",
    [DROP_PENDING] = "DELETE FROM pendings WHERE number = ?1",
    [PUT_COMPLETE] = "UPDATE counters SET complete = ?1",
};

static int refuse(const struct store_disk *disk, const char *doing, struct error *error)
{
    error_set(error, ERROR_FILE, "the store's file");
    error_because(error, doing);
    error_because(error, sqlite3_errmsg(disk->database));
    return ERROR_FILE;
}

static int run(const struct store_disk *disk, const char *sql, const char *doing, struct error *error)
{
    return sqlite3_exec(disk->database, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : refuse(disk, doing, error);
}

static int prepare(struct store_disk *disk, const char *sql, sqlite3_stmt **statement, struct error *error)
{
    return sqlite3_prepare_v2(disk->database, sql, -1, statement, NULL) == SQLITE_OK
               ? 0
               : refuse(disk, N_("preparing a statement"), error);
}

/* ---- reading it again ---- */

static const char *column_name(sqlite3_stmt *row, int at)
{
    const char *name = (const char *)sqlite3_column_text(row, at);
    return name != NULL ? name : "";
}

static struct store_write column_write(sqlite3_stmt *row)
{
    return (struct store_write){.data = column_name(row, 1),
                                .length = (size_t)sqlite3_column_bytes(row, 1),
                                .number = (uint64_t)sqlite3_column_int64(row, 2),
                                .timestamp = (uint64_t)sqlite3_column_int64(row, 3)};
}

static void take_resource(struct store *store, sqlite3_stmt *row, uint64_t now_ms)
{
    struct store_write write = column_write(row);

    (void)now_ms;
    store_synchronize(store, column_name(row, 0), &write);
}

static void take_pending(struct store *store, sqlite3_stmt *row, uint64_t now_ms)
{
    struct store_write write = column_write(row);

    store_prepare(store, column_name(row, 0), &write, now_ms);
}

static void take_complete(struct store *store, sqlite3_stmt *row, uint64_t now_ms)
{
    (void)now_ms;
    store_completed(store, 1, (uint64_t)sqlite3_column_int64(row, 0));
}

/* Hands every row of a query to `take`. */
static int each_row(struct store_disk *disk, const char *sql, struct store *store, uint64_t now_ms,
                    void (*take)(struct store *, sqlite3_stmt *, uint64_t), struct error *error)
{
    sqlite3_stmt *row = NULL;
    int code = prepare(disk, sql, &row, error);
    int status = SQLITE_DONE;

    while (code == 0 && (status = sqlite3_step(row)) == SQLITE_ROW) {
        take(store, row, now_ms);
    }
    if (code == 0 && status != SQLITE_DONE) {
        code = refuse(disk, N_("reading"), error);
    }
    sqlite3_finalize(row);
    return code;
}

int store_disk_read(struct store_disk *disk, struct store *store, uint64_t now_ms, struct error *error)
{
    int code = each_row(disk, "SELECT name, data, version, timestamp FROM resources ORDER BY version", store,
                        now_ms, take_resource, error);
    if (code == 0) {
        code = each_row(disk, "SELECT name, data, number, timestamp FROM pendings ORDER BY number", store,
                        now_ms, take_pending, error);
    }
    if (code == 0) {
        code = each_row(disk, "SELECT complete FROM counters", store, now_ms, take_complete, error);
    }
    return code;
}

static int open_file(struct store_disk *disk, const char *path, struct error *error)
{
    int status = sqlite3_open(path, &disk->database);

    if (status == SQLITE_OK) {
        status = sqlite3_exec(disk->database, schema, NULL, NULL, NULL);
    }
    if (status == SQLITE_BUSY) {
        return error_set(error, ERROR_FILE, "%s: another store has it open (DATA_DIR says where it is)",
                         path);
    }
    if (status != SQLITE_OK) {
        error_set(error, ERROR_FILE, "%s", path);
        error_because(error, sqlite3_errmsg(disk->database));
        return ERROR_FILE;
    }
    return 0;
}

int store_disk_open(struct store_disk *disk, uv_loop_t *loop, const char *folder, struct store *store,
                    uint64_t now_ms, struct error *error)
{
    char path[4200];

    disk->loop = loop;
    snprintf(path, sizeof path, "%s/store.db", folder);
    int code = directory_make(folder, "DATA_DIR", error);
    if (code == 0) {
        code = open_file(disk, path, error);
    }
    if (code == 0) {
        code = store_disk_read(disk, store, now_ms, error);
    }
    for (size_t i = 0; code == 0 && i < STORE_STATEMENTS; i++) {
        code = prepare(disk, texts[i], &disk->statements[i], error);
    }
    if (code != 0) {
        store_disk_close(disk);
    }
    return code;
}

/* ---- writing, on the thread ---- */

static int step(struct store_disk *disk, int which, const struct store_record *record, const char *name,
                struct error *error)
{
    sqlite3_stmt *statement = disk->statements[which];
    int wants = sqlite3_bind_parameter_count(statement);

    if (wants >= 1) {
        sqlite3_bind_int64(statement, 1, (sqlite3_int64)record->number);
    }
    if (wants >= 2) {
        sqlite3_bind_text64(statement, 2, name, record->name_length, SQLITE_STATIC, SQLITE_UTF8);
    }
    if (wants >= 4) {
        sqlite3_bind_text64(statement, 3, name + record->name_length, record->data_length, SQLITE_STATIC,
                            SQLITE_UTF8);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)record->timestamp);
    }
    int status = sqlite3_step(statement);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status == SQLITE_DONE ? 0 : refuse(disk, N_("writing"), error);
}

static int write_record(struct store_disk *disk, const struct store_record *record, const char *name,
                        struct error *error)
{
    int code = 0;

    switch (record->type) {
    case STORE_RECORD_READY:
        return step(disk, PUT_PENDING, record, name, error);
    case STORE_RECORD_COMMITTED:
        code = step(disk, SHOW_PENDING, record, name, error);
        return code == 0 ? step(disk, DROP_PASSED, record, name, error) : code;
    case STORE_RECORD_COPIED:
        code = step(disk, PUT_RESOURCE, record, name, error);
        return code == 0 ? step(disk, DROP_PASSED, record, name, error) : code;
    case STORE_RECORD_ABORTED:
        return step(disk, DROP_PENDING, record, name, error);
    case STORE_RECORD_COMPLETE:
        return step(disk, PUT_COMPLETE, record, name, error);
    }
    return code;
}

static void write_batch(uv_work_t *work)
{
    struct store_disk *disk = container_of(work, struct store_disk, work);
    const char *bytes = disk->batch.bytes.bytes;
    int code = run(disk, "BEGIN", N_("writing"), &disk->error);

    for (size_t i = 0; code == 0 && i < disk->batch.count; i++) {
        const struct store_record *record = &disk->batch.records[i];
        code = write_record(disk, record, bytes, &disk->error);
        bytes += record->name_length + record->data_length;
    }
    if (code == 0) {
        code = run(disk, "COMMIT", N_("committing"), &disk->error);
    }
    if (code != 0 && !sqlite3_get_autocommit(disk->database)) {
        sqlite3_exec(disk->database, "ROLLBACK", NULL, NULL, NULL);
    }
}

/* ---- batches, on the loop ---- */

static void clear(struct store_batch *batch)
{
    batch->count = 0;
    buffer_clear(&batch->bytes);
}

static void on_written(uv_work_t *work, int status);

static void start_writing(struct store_disk *disk)
{
    if (disk->writing || disk->gathering.count == 0) {
        return;
    }
    struct store_batch empty = disk->batch;
    disk->batch = disk->gathering;
    disk->gathering = empty;
    disk->batch_end = disk->appended;
    disk->writing = uv_queue_work(disk->loop, &disk->work, write_batch, on_written) == 0;
}

/* What was appended while a batch failed builds upon it, and is lost with it. */
static void fail(struct store_disk *disk)
{
    struct error error = disk->error;

    disk->error = (struct error){0};
    clear(&disk->batch);
    clear(&disk->gathering);
    disk->on_failed(disk, &error);
}

static void on_written(uv_work_t *work, int status)
{
    struct store_disk *disk = container_of(work, struct store_disk, work);

    (void)status; /* never cancelled */
    disk->writing = false;
    if (disk->error.code != ERROR_NONE) {
        fail(disk);
        return;
    }
    disk->durable = disk->batch_end;
    clear(&disk->batch);
    start_writing(disk);
    disk->on_durable(disk);
}

void store_disk_append(struct store_disk *disk, enum store_record_type type, const struct resource *write)
{
    struct store_batch *batch = &disk->gathering;

    batch->records = memory_grow(batch->records, &batch->capacity, batch->count + 1, sizeof *batch->records);
    batch->records[batch->count++] =
        (struct store_record){type, write->version, write->timestamp, write->name.length, write->data.length};
    buffer_add(&batch->bytes, write->name.bytes, write->name.length);
    buffer_add(&batch->bytes, write->data.bytes, write->data.length);
    disk->appended++;
}

void store_disk_flush(struct store_disk *disk)
{
    start_writing(disk);
}

void store_disk_close(struct store_disk *disk)
{
    for (size_t i = 0; i < STORE_STATEMENTS; i++) {
        sqlite3_finalize(disk->statements[i]);
        disk->statements[i] = NULL;
    }
    sqlite3_close(disk->database);
    disk->database = NULL;
    free(disk->gathering.records);
    free(disk->batch.records);
    buffer_free(&disk->gathering.bytes);
    buffer_free(&disk->batch.bytes);
    disk->gathering = disk->batch = (struct store_batch){0};
}
