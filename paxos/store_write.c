/* The two phases as a store's process answers them: the rules of store.c first, then the disk, then the answer. */
#include "paxos/store_process.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

/* ---- answers that wait for the disk ---- */

static void release(struct store_process *process, struct store_reply *reply)
{
    DL_DELETE(process->replies, reply);
    buffer_free(&reply->body);
    free(reply);
}

void store_reply_later(struct store_process *process, struct http_exchange *exchange, enum http_status status,
                       const struct buffer *body)
{
    struct store_reply *reply = memory_new_zeroed(1, sizeof *reply);

    store_disk_flush(&process->disk);
    reply->exchange = exchange;
    reply->status = status;
    reply->ticket = process->disk.appended;
    buffer_add(&reply->body, body->bytes, body->length);
    DL_APPEND(process->replies, reply);
    if (process->disk.durable >= reply->ticket) {
        store_on_durable(&process->disk);
    }
}

void store_on_durable(struct store_disk *disk)
{
    struct store_process *process = container_of(disk, struct store_process, disk);
    struct store_reply *reply;

    while ((reply = process->replies) != NULL && reply->ticket <= disk->durable) {
        process_reply(reply->exchange, reply->status, &reply->body);
        release(process, reply);
    }
    store_sync_go_on(process);
}

/* What is not on the disk was never promised to anybody: the store is again what the disk says, and asks the others. */
void store_on_failed(struct store_disk *disk, const struct error *error)
{
    struct store_process *process = container_of(disk, struct store_process, disk);
    struct error trouble;

    log_say(&process->process.log, LOG_ERROR, "recover", "%s", error->text);
    while (process->replies != NULL) {
        http_fail(process->replies->exchange, HTTP_INSUFFICIENT_STORAGE, error->text);
        release(process, process->replies);
    }
    disk->durable = disk->appended;
    store_free(&process->store);
    store_init(&process->store);
    if (store_disk_read(disk, &process->store, clock_monotonic_ms(), &trouble) != 0) {
        process_die(&process->process, &trouble);
    }
    store_sync_begin(process, "what could not be written is to be fetched again");
}

/* ---- the phases ---- */

static void answer(struct store_process *process, struct http_exchange *exchange, enum store_answer answer)
{
    static const char *const names[] = {
        [STORE_READY] = "ready", [STORE_BUSY] = "busy", [STORE_DONE] = "done", [STORE_UNKNOWN] = "unknown"};
    bool good = answer == STORE_READY || answer == STORE_DONE;
    struct buffer *body = process_body(&process->process);

    buffer_add_format(body, "{\"storeId\":%u,\"answer\":\"%s\",\"complete\":%llu}", process->process.id,
                      names[answer], (unsigned long long)process->store.complete);
    store_reply_later(process, exchange, good ? HTTP_OK : HTTP_CONFLICT, body);
}

/* The writes of a request; NULL if it was refused. */
static const struct writes *read_writes(struct store_process *process, struct http_exchange *exchange,
                                        const struct http_request *request, bool with_data)
{
    const struct json_object *body = process_read(&process->process, exchange, request);
    struct error error;

    if (body == NULL) {
        return NULL;
    }
    if (writes_read(&process->writes, body, with_data, &error) != 0) {
        process_refuse(exchange, &error);
        return NULL;
    }
    return &process->writes;
}

static enum store_answer prepare_one(struct store_process *process, const struct resource *item)
{
    const struct store_write write = {item->version, item->timestamp, item->data.bytes, item->data.length};
    size_t before = process->store.pending_count;
    enum store_answer answer = store_prepare(&process->store, item->name.bytes, &write, clock_monotonic_ms());

    if (process->store.pending_count > before) {
        store_disk_append(&process->disk, STORE_RECORD_READY, item);
        process->prepared++;
    }
    return answer;
}

/* Phase 1. A batch that does not follow what it has tells the store that it was left out for a while. */
void store_post_prepare(struct process *shared, struct http_exchange *exchange,
                        const struct http_request *request, struct text id)
{
    struct store_process *process = container_of(shared, struct store_process, process);
    const struct writes *writes = read_writes(process, exchange, request, true);
    enum store_answer all = STORE_READY;

    (void)id;
    if (writes == NULL) {
        return;
    }
    if (!store_follows(&process->store, writes->first)) {
        store_sync_begin(process, "a prepare came for writes beyond those that it missed");
        answer(process, exchange, STORE_UNKNOWN);
        return;
    }
    for (size_t i = 0; i < writes->count && all == STORE_READY; i++) {
        all = prepare_one(process, &writes->items[i]);
    }
    answer(process, exchange, all);
}

enum store_answer store_commit_one(struct store_process *process, const char *name, uint64_t number)
{
    const struct resource *resource = store_find(&process->store, name);
    uint64_t before = resource == NULL ? 0 : resource->version;
    enum store_answer answer = store_commit(&process->store, name, number);

    if (answer == STORE_DONE && number > before) {
        store_disk_append(&process->disk, STORE_RECORD_COMMITTED,
                          &(struct resource){.name = text_of(name), .version = number});
        process->committed++;
    }
    return answer;
}

static void complete(struct store_process *process, uint64_t first, uint64_t last)
{
    uint64_t before = process->store.complete;

    store_completed(&process->store, first, last);
    if (process->store.complete > before) {
        store_disk_append(&process->disk, STORE_RECORD_COMPLETE,
                          &(struct resource){.version = process->store.complete});
    }
}

/* Phase 2. */
void store_post_commit(struct process *shared, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    struct store_process *process = container_of(shared, struct store_process, process);
    const struct writes *writes = read_writes(process, exchange, request, false);
    enum store_answer all = STORE_DONE;

    (void)id;
    if (writes == NULL) {
        return;
    }
    if (process->stop_after_prepare) {
        _exit(STORE_STOPPED);
    }
    for (size_t i = 0; i < writes->count; i++) {
        if (store_commit_one(process, writes->items[i].name.bytes, writes->items[i].version) != STORE_DONE) {
            all = STORE_UNKNOWN;
        }
    }
    if (all == STORE_DONE && !writes->part) {
        complete(process, writes->first, writes->last);
    } else if (all == STORE_UNKNOWN) {
        store_sync_begin(process, "a commit came for a write that it was never ready for");
    }
    answer(process, exchange, all);
}

void store_post_abort(struct process *shared, struct http_exchange *exchange,
                      const struct http_request *request, struct text id)
{
    struct store_process *process = container_of(shared, struct store_process, process);
    const struct writes *writes = read_writes(process, exchange, request, false);

    (void)id;
    if (writes == NULL) {
        return;
    }
    for (size_t i = 0; i < writes->count; i++) {
        size_t before = process->store.pending_count;
        store_abort(&process->store, writes->items[i].name.bytes, writes->items[i].version);
        if (process->store.pending_count < before) {
            store_disk_append(&process->disk, STORE_RECORD_ABORTED, &writes->items[i]);
        }
    }
    answer(process, exchange, STORE_DONE);
}

/* ---- copies ---- */

void store_take_copies(struct store_process *process, const struct writes *writes)
{
    for (size_t i = 0; i < writes->count; i++) {
        const struct resource *item = &writes->items[i];
        const struct resource *had = store_find(&process->store, item->name.bytes);
        const struct store_write write = {item->version, item->timestamp, item->data.bytes,
                                          item->data.length};
        bool newer = had == NULL || item->version > had->version;
        store_synchronize(&process->store, item->name.bytes, &write);
        if (newer) {
            store_disk_append(&process->disk, STORE_RECORD_COPIED, item);
            process->copied++;
        }
    }
    if (!writes->part) {
        complete(process, 1, writes->last);
    }
}
