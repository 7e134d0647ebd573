#include "update_log.h"

#include "common/container_of.h"
#include "common/directory.h"
#include "common/memory.h"
#include "common/words.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLD_EVERY 10000 /* updates; a start has to read at most so many again */

static const char schema[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS updates (seq INTEGER PRIMARY KEY, epoch INTEGER NOT NULL,"
    " message_uuid TEXT NOT NULL, sender_id TEXT NOT NULL, key TEXT NOT NULL,"
    " value TEXT NOT NULL);"
    "INSERT OR IGNORE INTO counters VALUES ('epoch', 0), ('folded_seq', 0);"
    "COMMIT;";

/* A commit that makes the file of the WAL longer waits for the disk half as long again as one that writes over what is
 * there: so the file is as long as it will get before the first. */
static const char make_room[] = "CREATE TABLE IF NOT EXISTS room (bytes BLOB);"
                                "INSERT INTO room VALUES (zeroblob(4600000));"
                                "DELETE FROM room;"
                                "PRAGMA wal_checkpoint(RESTART);";

static int refuse(const struct update_log *log, const char *doing, struct error *error)
{
    error_set(error, ERROR_FILE, "the log of updates");
    error_because(error, doing);
    error_because(error, sqlite3_errmsg(log->database));
    return ERROR_FILE;
}

static int run(struct update_log *log, const char *sql, const char *doing, struct error *error)
{
    return sqlite3_exec(log->database, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : refuse(log, doing, error);
}

static int prepare(struct update_log *log, const char *sql, sqlite3_stmt **statement, struct error *error)
{
    return sqlite3_prepare_v2(log->database, sql, -1, statement, NULL) == SQLITE_OK
               ? 0
               : refuse(log, N_("preparing a statement"), error);
}

static void bind_text(sqlite3_stmt *statement, int at, struct text text)
{
    sqlite3_bind_text(statement, at, text.bytes, (int)text.length, SQLITE_STATIC);
}

static struct text column_text(sqlite3_stmt *row, int at)
{
    const char *bytes = (const char *)sqlite3_column_text(row, at);
    return (struct text){bytes, (size_t)sqlite3_column_bytes(row, at)};
}

/* ---- reading it again ---- */

/* Hands every row of a query to `take`. */
static int each_row(struct update_log *log, const char *sql,
                    int (*take)(struct update_log *, sqlite3_stmt *, struct kv_store *, struct recent *,
                                struct error *),
                    struct kv_store *store, struct recent *applied, struct error *error)
{
    sqlite3_stmt *row = NULL;
    int code = prepare(log, sql, &row, error);
    int status = SQLITE_DONE;

    while (code == 0 && (status = sqlite3_step(row)) == SQLITE_ROW) {
        code = take(log, row, store, applied, error);
    }
    if (code == 0 && status != SQLITE_DONE) {
        code = refuse(log, N_("reading"), error);
    }
    sqlite3_finalize(row);
    return code;
}

static int take_counters(struct update_log *log, sqlite3_stmt *row, struct kv_store *store,
                         struct recent *applied, struct error *error)
{
    (void)store;
    (void)applied;
    (void)error;
    log->epoch = sqlite3_column_int64(row, 0);
    log->seq = log->folded_seq = sqlite3_column_int64(row, 1);
    return 0;
}

static void apply(struct kv_store *store, struct text key, struct text value)
{
    struct message update = {.command_type = COMMAND_SET, .key = key, .value = value};
    kv_store_apply(store, &update);
}

static int take_state(struct update_log *log, sqlite3_stmt *row, struct kv_store *store,
                      struct recent *applied, struct error *error)
{
    (void)log;
    (void)applied;
    (void)error;
    apply(store, column_text(row, 0), column_text(row, 1));
    return 0;
}

static int take_update(struct update_log *log, sqlite3_stmt *row, struct kv_store *store,
                       struct recent *applied, struct error *error)
{
    int64_t seq = sqlite3_column_int64(row, 0);

    recent_add(applied, column_text(row, 1), seq);
    if (seq <= log->folded_seq) {
        return 0;
    }
    if (seq != log->seq + 1) {
        return error_set(error, ERROR_FILE, "the log of updates goes on with %lld after %lld: it is damaged",
                         (long long)seq, (long long)log->seq);
    }
    log->seq = seq;
    apply(store, column_text(row, 2), column_text(row, 3));
    return 0;
}

static int read_all(struct update_log *log, struct kv_store *store, struct recent *applied,
                    struct error *error)
{
    int code = each_row(log,
                        "SELECT (SELECT value FROM counters WHERE name = 'epoch'),"
                        " (SELECT value FROM counters WHERE name = 'folded_seq')",
                        take_counters, store, applied, error);
    if (code == 0) {
        code = each_row(log, "SELECT key, value FROM state", take_state, store, applied, error);
    }
    if (code == 0) {
        code = each_row(log, "SELECT seq, message_uuid, key, value FROM updates ORDER BY seq", take_update,
                        store, applied, error);
    }
    store->ordem_local = 0; /* nothing was processed in this life yet */
    return code;
}

int update_log_open(struct update_log *log, uv_loop_t *loop, const char *folder, struct kv_store *store,
                    struct recent *applied, struct error *error)
{
    char path[4096];
    int code = directory_make(folder, "DATA_DIR", error);

    log->loop = loop;
    snprintf(path, sizeof path, "%s/updates.db", folder);
    if (code != 0) {
        return code;
    }
    int status = sqlite3_open(path, &log->database);
    if (status == SQLITE_OK) {
        status = sqlite3_exec(log->database, schema, NULL, NULL, NULL);
    }
    if (status == SQLITE_BUSY) {
        code =
            error_set(error, ERROR_FILE, "%s: another leader has it open (DATA_DIR says where it is)", path);
    } else if (status != SQLITE_OK) {
        code = error_set(error, ERROR_FILE, "%s", path);
        error_because(error, sqlite3_errmsg(log->database));
    }
    if (code == 0) {
        code = run(log, make_room, N_("making room"), error);
    }
    if (code == 0) {
        code = read_all(log, store, applied, error);
    }
    if (code == 0) {
        code = prepare(log, "INSERT INTO updates VALUES (?, ?, ?, ?, ?, ?)", &log->insert, error);
    }
    if (code != 0) {
        sqlite3_close(log->database);
    }
    return code;
}

/* ---- writing, on the thread ---- */

static int write_update(struct update_log *log, const struct message *update, struct error *error)
{
    sqlite3_bind_int64(log->insert, 1, update->seq);
    sqlite3_bind_int64(log->insert, 2, update->epoch);
    bind_text(log->insert, 3, update->message_uuid);
    bind_text(log->insert, 4, update->sender_id);
    bind_text(log->insert, 5, update->key);
    bind_text(log->insert, 6, update->value);
    int status = sqlite3_step(log->insert);
    sqlite3_reset(log->insert);
    return status == SQLITE_DONE ? 0 : refuse(log, N_("writing an update"), error);
}

static int write_epoch(struct update_log *log, int64_t epoch, struct error *error)
{
    char sql[96];

    snprintf(sql, sizeof sql, "UPDATE counters SET value = %lld WHERE name = 'epoch'", (long long)epoch);
    return run(log, sql, N_("writing an epoch"), error);
}

/* The state catches up with the updates, and the oldest of these go. */
static int fold(struct update_log *log, int64_t seq, struct error *error)
{
    char sql[512];

    snprintf(sql, sizeof sql,
             "INSERT OR REPLACE INTO state SELECT key, value FROM updates WHERE seq > %lld ORDER BY seq;"
             "UPDATE counters SET value = %lld WHERE name = 'folded_seq';"
             "DELETE FROM updates WHERE seq <= %lld;",
             (long long)log->folded_seq, (long long)seq, (long long)seq - UPDATE_LOG_KEPT);
    int code = run(log, sql, N_("folding updates into the state"), error);
    if (code == 0) {
        log->folded_seq = seq;
    }
    return code;
}

static void write_batch(uv_work_t *work)
{
    struct update_log *log = container_of(work, struct update_log, work);
    int64_t seq = log->seq;
    int code = run(log, "BEGIN", N_("beginning"), &log->error);

    for (size_t i = 0; code == 0 && i < log->batch.count; i++) {
        const struct log_entry *entry = &log->batch.entries[i];
        seq = entry->update != NULL ? entry->update->seq : seq;
        code = entry->update != NULL ? write_update(log, entry->update, &log->error)
                                     : write_epoch(log, entry->epoch, &log->error);
    }
    if (code == 0 && seq - log->folded_seq >= FOLD_EVERY) {
        code = fold(log, seq, &log->error);
    }
    if (code == 0) {
        run(log, "COMMIT", N_("committing"), &log->error);
    }
}

/* ---- batches, on the loop ---- */

static void clear(struct log_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        message_unref(batch->entries[i].update);
    }
    batch->count = 0;
}

static void on_written(uv_work_t *work, int status);

static void start_writing(struct update_log *log)
{
    if (log->writing || log->gathering.count == 0 || log->error.code != ERROR_NONE) {
        return;
    }
    struct log_batch empty = log->batch;
    log->batch = log->gathering;
    log->gathering = empty;
    log->writing = true;
    if (uv_queue_work(log->loop, &log->work, write_batch, on_written) != 0) {
        log->writing = false;
    }
}

static void on_written(uv_work_t *work, int status)
{
    struct update_log *log = container_of(work, struct update_log, work);

    (void)status; /* never cancelled */
    log->writing = false;
    if (log->error.code != ERROR_NONE) {
        log->on_failed(log, &log->error);
        return;
    }
    for (size_t i = 0; i < log->batch.count; i++) {
        const struct log_entry *entry = &log->batch.entries[i];
        log->seq = entry->update != NULL ? entry->update->seq : log->seq;
        log->epoch = entry->update != NULL ? log->epoch : entry->epoch;
    }
    clear(&log->batch);
    start_writing(log);
    log->on_recorded(log);
}

static void append(struct update_log *log, struct log_entry entry)
{
    struct log_batch *batch = &log->gathering;

    batch->entries = memory_grow(batch->entries, &batch->capacity, batch->count + 1, sizeof *batch->entries);
    batch->entries[batch->count++] = entry;
    start_writing(log);
}

void update_log_append(struct update_log *log, struct message *update)
{
    append(log, (struct log_entry){message_ref(update), update->epoch});
}

void update_log_begin_epoch(struct update_log *log, int64_t epoch)
{
    append(log, (struct log_entry){NULL, epoch});
}

bool update_log_is_idle(const struct update_log *log)
{
    return !log->writing && log->gathering.count == 0;
}

/* ---- a state of somebody else's ---- */

static int write_state(struct update_log *log, const struct kv_store *store, struct error *error)
{
    sqlite3_stmt *insert = NULL;
    int code = prepare(log, "INSERT INTO state VALUES (?, ?)", &insert, error);
    struct text key;
    struct text value;

    for (const struct kv_entry *entry = kv_store_next(store, NULL, &key, &value); code == 0 && entry != NULL;
         entry = kv_store_next(store, entry, &key, &value)) {
        bind_text(insert, 1, key);
        bind_text(insert, 2, value);
        code = sqlite3_step(insert) == SQLITE_DONE ? 0 : refuse(log, N_("writing the state"), error);
        sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return code;
}

int update_log_replace(struct update_log *log, int64_t epoch, int64_t seq, const struct kv_store *store,
                       struct error *error)
{
    char sql[256];
    int code = run(log, "BEGIN; DELETE FROM updates; DELETE FROM state;", N_("making room"), error);

    snprintf(sql, sizeof sql,
             "UPDATE counters SET value = %lld WHERE name = 'epoch';"
             "UPDATE counters SET value = %lld WHERE name = 'folded_seq'; COMMIT;",
             (long long)epoch, (long long)seq);
    if (code == 0) {
        code = write_state(log, store, error);
    }
    if (code == 0) {
        code = run(log, sql, N_("replacing the state"), error);
    }
    if (code == 0) {
        log->epoch = epoch;
        log->seq = log->folded_seq = seq;
    }
    return code;
}

void update_log_close(struct update_log *log)
{
    sqlite3_finalize(log->insert);
    sqlite3_close(log->database);
    clear(&log->gathering);
    clear(&log->batch);
    free(log->gathering.entries);
    free(log->batch.entries);
}
