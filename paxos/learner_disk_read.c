#include "paxos/learner_disk_parts.h"

#include "common/words.h"

#include <sqlite3.h>

static int refuse_damaged(const char *what, struct error *error)
{
    error_set(error, ERROR_FILE, "the learner's checkpoint is damaged");
    error_because(error, what);
    return ERROR_FILE;
}

/* What is put together from the rows. */
struct reading {
    struct learner_disk *disk;
    struct learner_state *state;
    struct sessions *sessions;
    uint64_t noted;
};

static int take_counters(struct reading *reading, sqlite3_stmt *row, struct error *error)
{
    struct learner_disk *disk = reading->disk;
    int64_t values[5];

    for (int i = 0; i < 5; i++) {
        values[i] = sqlite3_column_int64(row, i);
        if (values[i] < 0) {
            return refuse_damaged(N_("a number is negative"), error);
        }
    }
    disk->instance = (uint64_t)values[0];
    reading->state->commands = (uint64_t)values[1];
    disk->writes = reading->state->writes = (uint64_t)values[2];
    disk->noted = reading->noted = (uint64_t)values[3];
    sessions_forget(reading->sessions, (uint64_t)values[4]);
    return 0;
}

static struct text column_text(sqlite3_stmt *row, int at)
{
    const char *bytes = (const char *)sqlite3_column_text(row, at);
    return (struct text){bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(row, at)};
}

static int take_resource(struct reading *reading, sqlite3_stmt *row, struct error *error)
{
    struct resource resource = {.name = column_text(row, 0),
                                .data = column_text(row, 1),
                                .version = (uint64_t)sqlite3_column_int64(row, 2),
                                .timestamp = (uint64_t)sqlite3_column_int64(row, 3)};

    if (resource.version <= resources_version(&reading->state->resources) ||
        resource.version > reading->state->writes) {
        return refuse_damaged(N_("a version is out of order"), error);
    }
    resources_set(&reading->state->resources, &resource);
    return 0;
}

static uint64_t read_number(const unsigned char *bytes)
{
    uint64_t number = 0;

    for (int i = 7; i >= 0; i--) {
        number = number << 8 | bytes[i];
    }
    return number;
}

static int take_sessions(struct reading *reading, sqlite3_stmt *row, struct error *error)
{
    uint64_t number = (uint64_t)sqlite3_column_int64(row, 0);
    const unsigned char *bytes = sqlite3_column_blob(row, 1);
    int count = sqlite3_column_bytes(row, 1) / SESSION_BYTES;

    for (int i = 0; i < count; i++, number++, bytes += SESSION_BYTES) {
        if (number <= reading->sessions->noted) {
            continue; /* forgotten since it was written */
        }
        if (number != reading->sessions->noted + 1 ||
            !sessions_note(reading->sessions, read_number(bytes), read_number(bytes + 8))) {
            return refuse_damaged(N_("a remembered command is missing, or there twice"), error);
        }
    }
    return 0;
}

/* Hands every row of a query to `take`. */
static int each_row(struct reading *reading, const char *sql,
                    int (*take)(struct reading *, sqlite3_stmt *, struct error *), struct error *error)
{
    sqlite3_stmt *row = NULL;
    int code = learner_disk_prepare(reading->disk, sql, &row, error);
    int status = SQLITE_DONE;

    while (code == 0 && (status = sqlite3_step(row)) == SQLITE_ROW) {
        code = take(reading, row, error);
    }
    if (code == 0 && status != SQLITE_DONE) {
        code = learner_disk_refuse(reading->disk, N_("reading"), error);
    }
    sqlite3_finalize(row);
    return code;
}

int learner_disk_read(struct learner_disk *disk, struct learner_state *state, struct sessions *sessions,
                      struct error *error)
{
    struct reading reading = {disk, state, sessions, 0};
    int code = each_row(&reading, "SELECT instance, commands, writes, noted, forgotten FROM counters",
                        take_counters, error);
    if (code == 0) {
        code = each_row(&reading, "SELECT name, data, version, timestamp FROM resources ORDER BY version",
                        take_resource, error);
    }
    if (code == 0) {
        code = each_row(&reading, "SELECT first, entries FROM sessions ORDER BY first", take_sessions, error);
    }
    if (code == 0 && reading.sessions->noted != reading.noted) {
        code = refuse_damaged(N_("remembered commands are missing"), error);
    }
    return code;
}
