#include "paxos/learner_disk_parts.h"

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
    " instance INTEGER NOT NULL, commands INTEGER NOT NULL, writes INTEGER NOT NULL,"
    " noted INTEGER NOT NULL, forgotten INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS resources (name TEXT PRIMARY KEY, data TEXT NOT NULL,"
    " version INTEGER NOT NULL, timestamp INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS sessions (place INTEGER PRIMARY KEY, first INTEGER NOT NULL,"
    " entries BLOB NOT NULL);"
    "INSERT OR IGNORE INTO counters VALUES (1, 0, 0, 0, 0, 0);"
    "COMMIT;";

int learner_disk_refuse(const struct learner_disk *disk, const char *doing, struct error *error)
{
    error_set(error, ERROR_FILE, "the learner's checkpoint");
    error_because(error, doing);
    error_because(error, sqlite3_errmsg(disk->database));
    return ERROR_FILE;
}

static int run(struct learner_disk *disk, const char *sql, const char *doing, struct error *error)
{
    return sqlite3_exec(disk->database, sql, NULL, NULL, NULL) == SQLITE_OK
               ? 0
               : learner_disk_refuse(disk, doing, error);
}

int learner_disk_prepare(struct learner_disk *disk, const char *sql, sqlite3_stmt **statement,
                         struct error *error)
{
    return sqlite3_prepare_v2(disk->database, sql, -1, statement, NULL) == SQLITE_OK
               ? 0
               : learner_disk_refuse(disk, N_("preparing a statement"), error);
}

/* ---- opening ---- */

static int open_file(struct learner_disk *disk, const char *path, struct error *error)
{
    int status = sqlite3_open(path, &disk->database);

    if (status == SQLITE_OK) {
        status = sqlite3_exec(disk->database, schema, NULL, NULL, NULL);
    }
    if (status == SQLITE_BUSY) {
        return error_set(error, ERROR_FILE, "%s: another learner has it open (DATA_DIR says where it is)",
                         path);
    }
    if (status != SQLITE_OK) {
        error_set(error, ERROR_FILE, "%s", path);
        error_because(error, sqlite3_errmsg(disk->database));
        return ERROR_FILE;
    }
    return 0;
}

int learner_disk_open(struct learner_disk *disk, uv_loop_t *loop, const char *folder,
                      struct learner_state *state, struct sessions *sessions, struct error *error)
{
    char path[4200];

    disk->loop = loop;
    snprintf(path, sizeof path, "%s/learner.db", folder);
    int code = directory_make(folder, "DATA_DIR", error);
    if (code == 0) {
        code = open_file(disk, path, error);
    }
    if (code == 0) {
        code = learner_disk_read(disk, state, sessions, error);
    }
    if (code == 0) {
        code = learner_disk_prepare(disk, "INSERT OR REPLACE INTO resources VALUES (?, ?, ?, ?)",
                                    &disk->put_resource, error);
    }
    if (code == 0) {
        code = learner_disk_prepare(disk, "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)",
                                    &disk->put_sessions, error);
    }
    if (code != 0) {
        learner_disk_close(disk);
    }
    return code;
}

/* ---- writing, on the thread ---- */

static int put(struct learner_disk *disk, sqlite3_stmt *statement, struct error *error)
{
    int status = sqlite3_step(statement);

    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return status == SQLITE_DONE ? 0 : learner_disk_refuse(disk, N_("writing"), error);
}

static int write_resources(struct learner_disk *disk, struct error *error)
{
    const struct checkpoint *next = &disk->next;
    const char *bytes = next->bytes.bytes;
    int code = 0;

    for (size_t i = 0; code == 0 && i < next->row_count; i++) {
        const struct checkpoint_row *row = &next->rows[i];
        sqlite3_bind_text64(disk->put_resource, 1, bytes, row->name_length, SQLITE_STATIC, SQLITE_UTF8);
        bytes += row->name_length;
        sqlite3_bind_text64(disk->put_resource, 2, bytes, row->data_length, SQLITE_STATIC, SQLITE_UTF8);
        bytes += row->data_length;
        sqlite3_bind_int64(disk->put_resource, 3, (sqlite3_int64)row->version);
        sqlite3_bind_int64(disk->put_resource, 4, (sqlite3_int64)row->timestamp);
        code = put(disk, disk->put_resource, error);
    }
    return code;
}

static void write_number(unsigned char *bytes, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8) {
        bytes[i] = (unsigned char)number;
    }
}

/* Those that share a row: so many of `sessions`, the first of which has that number. */
static int write_row(struct learner_disk *disk, uint64_t first, const struct session *sessions, size_t count,
                     struct error *error)
{
    unsigned char entries[SESSIONS_PER_ROW * SESSION_BYTES];

    for (size_t i = 0; i < count; i++) {
        write_number(entries + i * SESSION_BYTES, sessions[i].client);
        write_number(entries + i * SESSION_BYTES + 8, sessions[i].timestamp);
    }
    sqlite3_bind_int64(disk->put_sessions, 1, (sqlite3_int64)((first - 1) / SESSIONS_PER_ROW % SESSION_ROWS));
    sqlite3_bind_int64(disk->put_sessions, 2, (sqlite3_int64)first);
    sqlite3_bind_blob(disk->put_sessions, 3, entries, (int)(count * SESSION_BYTES), SQLITE_STATIC);
    return put(disk, disk->put_sessions, error);
}

static int write_sessions(struct learner_disk *disk, struct error *error)
{
    const struct checkpoint *next = &disk->next;
    uint64_t first = next->noted - next->session_count + 1;
    int code = 0;

    for (size_t done = 0; code == 0 && done < next->session_count;) {
        size_t count = SESSIONS_PER_ROW - (size_t)((first + done - 1) % SESSIONS_PER_ROW);
        if (count > next->session_count - done) {
            count = next->session_count - done;
        }
        code = write_row(disk, first + done, next->sessions + done, count, error);
        done += count;
    }
    return code;
}

static void write_checkpoint(uv_work_t *work)
{
    struct learner_disk *disk = container_of(work, struct learner_disk, work);
    const struct checkpoint *next = &disk->next;
    char end[320];

    snprintf(
        end, sizeof end,
        "UPDATE counters SET instance = %llu, commands = %llu, writes = %llu, noted = %llu, forgotten = %llu;"
        "COMMIT;",
        (unsigned long long)next->instance, (unsigned long long)next->commands,
        (unsigned long long)next->writes, (unsigned long long)next->noted,
        (unsigned long long)next->forgotten);
    int code = run(disk, next->whole ? "BEGIN; DELETE FROM resources; DELETE FROM sessions;" : "BEGIN;",
                   N_("beginning"), &disk->error);
    if (code == 0) {
        code = write_resources(disk, &disk->error);
    }
    if (code == 0) {
        code = write_sessions(disk, &disk->error);
    }
    if (code == 0) {
        code = run(disk, end, N_("committing"), &disk->error);
    }
    if (code != 0 && !sqlite3_get_autocommit(disk->database)) {
        sqlite3_exec(disk->database, "ROLLBACK", NULL, NULL, NULL);
    }
}

/* ---- checkpoints, on the loop ---- */

static void free_checkpoint(struct checkpoint *checkpoint)
{
    buffer_free(&checkpoint->bytes);
    free(checkpoint->rows);
    free(checkpoint->sessions);
    *checkpoint = (struct checkpoint){0};
}

static void on_written(uv_work_t *work, int status)
{
    struct learner_disk *disk = container_of(work, struct learner_disk, work);

    (void)status; /* never cancelled */
    disk->writing = false;
    if (disk->error.code != ERROR_NONE) {
        struct error error = disk->error;
        disk->error = (struct error){0};
        disk->on_failed(disk, &error);
        return;
    }
    disk->instance = disk->next.instance;
    disk->writes = disk->next.writes;
    disk->noted = disk->next.noted;
    if (disk->next.whole) {
        free_checkpoint(&disk->next); /* the next ones need much less */
    }
    disk->on_saved(disk);
}

static void gather_resources(struct checkpoint *next, const struct resources *resources, uint64_t version)
{
    const struct resource *resource = resources_after(resources, version, (struct text){"", 0});

    next->row_count = 0;
    buffer_clear(&next->bytes);
    for (; resource != NULL; resource = resource->next) {
        next->rows = memory_grow(next->rows, &next->row_capacity, next->row_count + 1, sizeof *next->rows);
        next->rows[next->row_count++] = (struct checkpoint_row){resource->name.length, resource->data.length,
                                                                resource->version, resource->timestamp};
        buffer_add(&next->bytes, resource->name.bytes, resource->name.length);
        buffer_add(&next->bytes, resource->data.bytes, resource->data.length);
    }
}

/* The row that the first new one belongs to is written as a whole. */
static void gather_sessions(struct checkpoint *next, const struct sessions *sessions, uint64_t noted)
{
    uint64_t first = noted - noted % SESSIONS_PER_ROW + 1;

    next->session_count = 0;
    if (first <= sessions->forgotten) {
        first = sessions->forgotten + 1;
    }
    for (uint64_t i = first; noted < sessions->noted && i <= sessions->noted; i++) {
        next->sessions = memory_grow(next->sessions, &next->session_capacity, next->session_count + 1,
                                     sizeof *next->sessions);
        next->sessions[next->session_count++] = sessions_get(sessions, i);
    }
}

bool learner_disk_save(struct learner_disk *disk, uint64_t instance, const struct learner_state *state,
                       const struct sessions *sessions, bool whole)
{
    struct checkpoint *next = &disk->next;

    if (disk->writing) {
        return false;
    }
    next->whole = whole;
    next->instance = instance;
    next->commands = state->commands;
    next->writes = state->writes;
    next->noted = sessions->noted;
    next->forgotten = sessions->forgotten;
    gather_resources(next, &state->resources, whole ? 0 : disk->writes);
    gather_sessions(next, sessions, whole ? 0 : disk->noted);
    disk->writing = uv_queue_work(disk->loop, &disk->work, write_checkpoint, on_written) == 0;
    return disk->writing;
}

void learner_disk_close(struct learner_disk *disk)
{
    sqlite3_finalize(disk->put_resource);
    sqlite3_finalize(disk->put_sessions);
    sqlite3_close(disk->database);
    free_checkpoint(&disk->next);
    disk->database = NULL;
    disk->put_resource = disk->put_sessions = NULL;
}
