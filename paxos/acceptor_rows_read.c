/* What the file of an acceptor holds, as records again. */
#include "common/words.h"
#include "paxos/acceptor_rows.h"
#include "paxos/message_json.h"

#include <inttypes.h>
#include <sqlite3.h>

static int damaged(int64_t instance, struct error *error)
{
    return error_set(error, ERROR_FILE,
                     "the acceptor's file is damaged: what it says of instance %" PRId64 " cannot be",
                     instance);
}

static int take_row(struct acceptor_log *log, sqlite3_stmt *row,
                    void (*take)(struct acceptor_log *, const struct paxos_record *), struct error *error)
{
    struct paxos_record record = {.type = RECORD_ACCEPTED,
                                  .instance = (uint64_t)sqlite3_column_int64(row, 0),
                                  .ballot = {(uint64_t)sqlite3_column_int64(row, 1),
                                             (uint32_t)sqlite3_column_int64(row, 2)}};
    struct text text = {sqlite3_column_blob(row, 3), (size_t)sqlite3_column_bytes(row, 3)};
    bool is_noop = sqlite3_column_type(row, 3) == SQLITE_NULL;
    struct error cause;

    if (!ballot_is_valid(record.ballot) ||
        (!is_noop && message_json_read_value(text, "value", &record.value, &cause) != 0)) {
        return damaged((int64_t)record.instance, error);
    }
    take(log, &record);
    value_release(record.value);
    if (ballot_compare(record.ballot, log->promised) > 0) {
        log->promised = record.ballot;
    }
    return 0;
}

/* What is forgotten first, else the rows would be too far ahead; the promise last, as rows are not in the order of their
 * ballots. An accepted ballot is a promise too. */
int acceptor_rows_read(struct acceptor_log *log,
                       void (*take)(struct acceptor_log *, const struct paxos_record *), struct error *error)
{
    struct paxos_record forget = {.type = RECORD_FORGET};
    struct paxos_record promise = {.type = RECORD_PROMISE};
    sqlite3_stmt *row = NULL;
    int status = SQLITE_ROW;
    int code = acceptor_rows_prepare(log, "SELECT round, proposer, forgotten FROM acceptor", &row, error);

    if (code == 0 && sqlite3_step(row) == SQLITE_ROW) {
        log->promised =
            (struct ballot){(uint64_t)sqlite3_column_int64(row, 0), (uint32_t)sqlite3_column_int64(row, 1)};
        forget.instance = (uint64_t)sqlite3_column_int64(row, 2);
        take(log, &forget);
    }
    sqlite3_finalize(row);
    row = NULL;
    if (code == 0) {
        code =
            acceptor_rows_prepare(log,
                                  "SELECT instance, round, proposer, value FROM accepted ORDER BY instance",
                                  &row, error);
    }
    while (code == 0 && (status = sqlite3_step(row)) == SQLITE_ROW) {
        code = take_row(log, row, take, error);
    }
    if (code == 0 && status != SQLITE_DONE) {
        code = acceptor_rows_refuse(log, N_("reading"), error);
    }
    sqlite3_finalize(row);
    if (code == 0) {
        promise.ballot = log->promised;
        take(log, &promise);
    }
    return code;
}
