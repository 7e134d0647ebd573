#include "paxos/acceptor_rows.h"

#include "common/words.h"
#include "paxos/message_json.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* `acceptor` is one row, so that a promise and what is forgotten are each one small change. A value is JSON, as on the
 * wire; NULL is a no-op. */
static const char schema[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS acceptor (id INTEGER PRIMARY KEY, round INTEGER NOT NULL,"
    " proposer INTEGER NOT NULL, forgotten INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS accepted (instance INTEGER PRIMARY KEY, round INTEGER NOT NULL,"
    " proposer INTEGER NOT NULL, value BLOB);"
    "COMMIT;";

/* Bytes by which the file grows: what comes and is forgotten later moves about in them. */
#define CHUNK (16 * 1024 * 1024)

/* A commit that makes the file of the WAL longer waits for the disk half as long again as one that writes over what is
 * there: so the file is as long as it will get before the first: what SQLite lets it grow to, and a transaction more. */
static const char make_room[] = "CREATE TABLE IF NOT EXISTS room (bytes BLOB);"
                                "INSERT INTO room VALUES (zeroblob(6500000));"
                                "DELETE FROM room;"
                                "PRAGMA wal_checkpoint(RESTART);";

int acceptor_rows_refuse(const struct acceptor_log *log, const char *doing, struct error *error)
{
    error_set(error, ERROR_FILE, "the acceptor's file");
    error_because(error, doing);
    error_because(error, sqlite3_errmsg(log->database));
    return ERROR_FILE;
}

static int run(struct acceptor_log *log, const char *sql, const char *doing, struct error *error)
{
    return sqlite3_exec(log->database, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : acceptor_rows_refuse(log, doing, error);
}

int acceptor_rows_prepare(struct acceptor_log *log, const char *sql, struct sqlite3_stmt **statement,
                          struct error *error)
{
    return sqlite3_prepare_v2(log->database, sql, -1, statement, NULL) == SQLITE_OK
               ? 0
               : acceptor_rows_refuse(log, N_("preparing a statement"), error);
}

/* ---- opening ---- */

static int open_database(struct acceptor_log *log, const char *path, struct error *error)
{
    int status = sqlite3_open(path, &log->database);
    int chunk = CHUNK;

    if (status == SQLITE_OK) {
        sqlite3_file_control(log->database, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
        status = sqlite3_exec(log->database, schema, NULL, NULL, NULL);
    }
    if (status == SQLITE_BUSY) {
        return error_set(error, ERROR_FILE, "%s: another process has it open (DATA_DIR says where it is)",
                         path);
    }
    if (status != SQLITE_OK) {
        error_set(error, ERROR_FILE, "%s", path);
        error_because(error, sqlite3_errmsg(log->database));
        return ERROR_FILE;
    }
    return 0;
}

/* A file is one acceptor's for ever: with the promises of another it would break its own. */
static int check_owner(struct acceptor_log *log, const char *path, uint32_t id, struct error *error)
{
    char sql[128];
    sqlite3_stmt *row = NULL;
    int64_t owner = 0;

    snprintf(sql, sizeof sql,
             "INSERT INTO acceptor SELECT %" PRIu32 ", 0, 0, 0 WHERE NOT EXISTS (SELECT * FROM acceptor)",
             id);
    int code = run(log, sql, N_("making its row"), error);
    if (code == 0) {
        code = acceptor_rows_prepare(log, "SELECT id FROM acceptor", &row, error);
    }
    if (code == 0 && sqlite3_step(row) == SQLITE_ROW) {
        owner = sqlite3_column_int64(row, 0);
    }
    sqlite3_finalize(row);
    if (code == 0 && owner != id) {
        code = error_set(error, ERROR_FILE, "%s is of the acceptor %" PRId64 ", and NODE_ID is %" PRIu32,
                         path, owner, id);
    }
    return code;
}

static int prepare_all(struct acceptor_log *log, struct error *error)
{
    int code = acceptor_rows_prepare(log, "BEGIN", &log->begin, error);

    if (code == 0) {
        code = acceptor_rows_prepare(log, "COMMIT", &log->commit, error);
    }
    if (code == 0) {
        code = acceptor_rows_prepare(log, "INSERT OR REPLACE INTO accepted VALUES (?, ?, ?, ?)", &log->accept,
                                     error);
    }
    if (code == 0) {
        code =
            acceptor_rows_prepare(log, "UPDATE acceptor SET round = ?, proposer = ?", &log->promise, error);
    }
    if (code == 0) {
        code = acceptor_rows_prepare(log, "DELETE FROM accepted WHERE instance <= ?", &log->forget, error);
    }
    return code;
}

int acceptor_rows_open(struct acceptor_log *log, const char *folder, uint32_t id, struct error *error)
{
    char path[4096 + 16];

    snprintf(path, sizeof path, "%s/acceptor.db", folder);
    int code = open_database(log, path, error);
    if (code == 0) {
        code = check_owner(log, path, id, error);
    }
    if (code == 0) {
        code = prepare_all(log, error);
    }
    if (code != 0) {
        acceptor_rows_close(log);
    }
    return code;
}

void acceptor_rows_make_room(struct acceptor_log *log)
{
    sqlite3_exec(log->database, make_room, NULL, NULL, NULL); /* on a full disk it is slower, that is all */
}

void acceptor_rows_close(struct acceptor_log *log)
{
    sqlite3_finalize(log->begin);
    sqlite3_finalize(log->commit);
    sqlite3_finalize(log->accept);
    sqlite3_finalize(log->promise);
    sqlite3_finalize(log->forget);
    sqlite3_close(log->database);
    log->begin = log->commit = log->accept = log->promise = log->forget = NULL;
    log->database = NULL;
}

static uint64_t size_of(const char *path)
{
    struct stat status;
    return path != NULL && stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

uint64_t acceptor_log_size(const struct acceptor_log *log)
{
    const char *path = sqlite3_db_filename(log->database, "main");
    return size_of(path) + size_of(sqlite3_filename_wal(path));
}

/* ---- writing ---- */

static int step(struct acceptor_log *log, sqlite3_stmt *statement, const char *doing)
{
    int status = sqlite3_step(statement);

    sqlite3_reset(statement);
    return status == SQLITE_DONE ? 0 : acceptor_rows_refuse(log, doing, &log->error);
}

static int write_accepted(struct acceptor_log *log, const struct paxos_record *record)
{
    sqlite3_bind_int64(log->accept, 1, (sqlite3_int64)record->instance);
    sqlite3_bind_int64(log->accept, 2, (sqlite3_int64)record->ballot.round);
    sqlite3_bind_int64(log->accept, 3, record->ballot.proposer);
    if (record->value == NULL) {
        sqlite3_bind_null(log->accept, 4);
    } else {
        buffer_clear(&log->value);
        message_json_write_value(&log->value, record->value);
        sqlite3_bind_blob(log->accept, 4, log->value.bytes, (int)log->value.length, SQLITE_STATIC);
    }
    return step(log, log->accept, N_("writing what was accepted"));
}

static int write_promise(struct acceptor_log *log, struct ballot promised)
{
    sqlite3_bind_int64(log->promise, 1, (sqlite3_int64)promised.round);
    sqlite3_bind_int64(log->promise, 2, promised.proposer);
    return step(log, log->promise, N_("writing a promise"));
}

/* With the rows goes what their ballots promised: it must stay. */
static int write_forgotten(struct acceptor_log *log, uint64_t instance, struct ballot promised)
{
    char sql[96];
    int code = write_promise(log, promised);

    snprintf(sql, sizeof sql, "UPDATE acceptor SET forgotten = %" PRIu64, instance);
    if (code == 0) {
        code = run(log, sql, N_("writing what is forgotten"), &log->error);
    }
    sqlite3_bind_int64(log->forget, 1, (sqlite3_int64)instance);
    return code == 0 ? step(log, log->forget, N_("forgetting")) : code;
}

static int write_record(struct acceptor_log *log, const struct paxos_record *record, struct ballot *promised)
{
    if (record->type != RECORD_FORGET && ballot_compare(record->ballot, *promised) > 0) {
        *promised = record->ballot;
    }
    switch (record->type) {
    case RECORD_PROMISE:
        return write_promise(log, *promised);
    case RECORD_ACCEPTED:
        return write_accepted(log, record);
    case RECORD_FORGET:
        return write_forgotten(log, record->instance, *promised);
    default:
        return 0; /* a proposer's */
    }
}

/* After a wait for the disk that failed nobody knows what it holds, and asking again would only seem to help (Rebello et
 * al. 2020, "Can Applications Recover from fsync Failures?"): such an acceptor must not go on. */
static bool is_fatal(struct acceptor_log *log)
{
    int status = sqlite3_extended_errcode(log->database);
    return status == SQLITE_IOERR_FSYNC || status == SQLITE_IOERR_DIR_FSYNC ||
           (status & 0xFF) == SQLITE_CORRUPT;
}

void acceptor_rows_write(struct acceptor_log *log)
{
    struct ballot promised = log->promised;
    int code = step(log, log->begin, N_("beginning"));

    for (size_t i = 0; code == 0 && i < log->batch.count; i++) {
        code = write_record(log, &log->batch.records[i], &promised);
    }
    if (code == 0) {
        code = step(log, log->commit, N_("committing"));
    }
    if (code == 0) {
        log->promised = promised;
        return;
    }
    log->fatal = is_fatal(log);
    if (sqlite3_get_autocommit(log->database) == 0) {
        sqlite3_exec(log->database, "ROLLBACK", NULL, NULL, NULL);
    }
}
