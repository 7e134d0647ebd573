#include "paxos/acceptor_log.h"

#include "common/container_of.h"
#include "common/directory.h"
#include "common/memory.h"
#include "paxos/acceptor_rows.h"

#include <stdlib.h>

static void clear(struct record_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        value_release(batch->records[i].value);
    }
    batch->count = 0;
    batch->bytes = 0;
}

static void write_batch(struct acceptor_log *log)
{
    if (log->batch.count == 0) {
        return;
    }
    log->error.code = ERROR_NONE;
    acceptor_rows_write(log);
    if (log->error.code != ERROR_NONE) {
        struct error error = log->error;
        log->failures++;
        log->recorded = log->given;
        clear(&log->batch);
        log->on_failed(log, &error, log->fatal);
        return;
    }
    log->commits++;
    log->recorded = log->given;
    clear(&log->batch);
    log->on_recorded(log);
}

/* All that was ready when the loop looked has been read. */
static void on_turn(uv_check_t *turn)
{
    uv_check_stop(turn);
    write_batch(container_of(turn, struct acceptor_log, turn));
}

void acceptor_log_append(struct acceptor_log *log, const struct paxos_record *record)
{
    struct record_batch *batch = &log->batch;

    batch->records = memory_grow(batch->records, &batch->capacity, batch->count + 1, sizeof *batch->records);
    batch->records[batch->count] = *record;
    value_keep(record->value);
    batch->count++;
    batch->bytes += value_bytes(record->value);
    log->given++;
    uv_check_start(&log->turn, on_turn);
}

size_t acceptor_log_waiting(const struct acceptor_log *log)
{
    return log->batch.bytes;
}

int acceptor_log_open(struct acceptor_log *log, uv_loop_t *loop, const char *folder, uint32_t id,
                      struct error *error)
{
    int code = directory_make(folder, "DATA_DIR", error);

    uv_check_init(loop, &log->turn);
    return code == 0 ? acceptor_rows_open(log, folder, id, error) : code;
}

void acceptor_log_make_room(struct acceptor_log *log)
{
    acceptor_rows_make_room(log);
}

int acceptor_log_read(struct acceptor_log *log,
                      void (*take)(struct acceptor_log *, const struct paxos_record *), struct error *error)
{
    return acceptor_rows_read(log, take, error);
}

void acceptor_log_leave(struct acceptor_log *log)
{
    write_batch(log);
    uv_close((uv_handle_t *)&log->turn, NULL);
}

void acceptor_log_close(struct acceptor_log *log)
{
    acceptor_rows_close(log);
    clear(&log->batch);
    free(log->batch.records);
    buffer_free(&log->value);
}
