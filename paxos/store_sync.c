/* How a store that missed something comes back: it copies, page by page, what was written since from a store that serves
 * or else from a learner, and then asks the learners to let it take part in writes again. Only then it serves reads.
 *
 * And how a store that said ready ends its doubt: it asks the learners, whichever of them drives the write. */
#include "paxos/store_process.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "paxos/fields.h"

#include <stdlib.h>
#include <string.h>

/* ---- steps ---- */

static void begin_copies(struct store_process *process)
{
    process->sync.step = SYNC_COPIES;
    process->sync.after = process->store.complete;
    buffer_clear(&process->sync.after_name);
}

static void begin_rejoins(struct store_process *process)
{
    store_disk_flush(&process->disk);
    process->sync.step = SYNC_REJOINS;
    process->sync.ticket = process->disk.appended;
    process->sync.asked = process->sync.answered = process->sync.taken = 0;
    process->sync.finished = 0;
}

void store_sync_begin(struct store_process *process, const char *why)
{
    process->store.serves = false;
    if (process->sync.step != SYNC_DONE) {
        return;
    }
    log_say(&process->process.log, LOG_INFO, "recover", "%s", why);
    process->sync.asking = false;
    begin_copies(process);
}

/* A learner lets it take part, and says how far it has finished: is all of that here? */
static void serve(struct store_process *process, uint64_t finished)
{
    if (!store_compare(&process->store, finished)) {
        begin_copies(process);
        return;
    }
    process->sync.step = SYNC_DONE;
    if (log_begin(&process->process.log, LOG_INFO, "recover")) {
        log_text(&process->process.log, "message", text_of("synchronised, and serves reads"));
        log_int(&process->process.log, "complete", (int64_t)process->store.complete);
        log_end(&process->process.log);
    }
}

static void wait_a_little(struct store_process *process)
{
    process->sync.again_ms = clock_monotonic_ms() + process->process.heartbeat_ms;
}

/* ---- asking ---- */

static bool ask_for_page(struct store_process *process, struct peers *peers, uint32_t number)
{
    struct buffer *body = process_body(&process->process);

    if (peers == &process->stores && number == process->process.id) {
        return false;
    }
    buffer_add_format(body, "{\"after\":%llu,\"resource\":", (unsigned long long)process->sync.after);
    json_write_string(body, buffer_text(&process->sync.after_name));
    buffer_add_char(body, '}');
    return peers_post(peers, number, "/writes", buffer_text(body), 0);
}

/* The next source that a question can be sent to; with none at all there is nothing to be copied. */
static void ask_for_copies(struct store_process *process)
{
    struct store_sync *sync = &process->sync;
    unsigned stores = process->stores.count;
    unsigned sources = stores + process->learners.count;

    for (unsigned tried = 0; tried < sources && !sync->asking; tried++) {
        sync->source %= sources;
        sync->asking = sync->source < stores
                           ? ask_for_page(process, &process->stores, sync->source + 1)
                           : ask_for_page(process, &process->learners, sync->source - stores + 1);
        sync->source += !sync->asking;
    }
    if (!sync->asking) {
        wait_a_little(process);
    }
}

static void ask_to_rejoin(struct store_process *process)
{
    struct store_sync *sync = &process->sync;
    struct buffer *body = process_body(&process->process);

    buffer_add_format(body, "{\"storeId\":%u,\"complete\":%llu}", process->process.id,
                      (unsigned long long)process->store.complete);
    for (uint32_t i = 1; i <= process->learners.count; i++) {
        if ((sync->asked & members_bit(i)) == 0 &&
            peers_post(&process->learners, i, "/store/rejoin", buffer_text(body), 0)) {
            sync->asked |= members_bit(i);
        }
    }
    if (sync->asked == 0) {
        wait_a_little(process);
    }
}

void store_sync_go_on(struct store_process *process)
{
    struct store_sync *sync = &process->sync;

    if (sync->step == SYNC_DONE || clock_monotonic_ms() < sync->again_ms) {
        return;
    }
    if (process->learners.count == 0) {
        serve(process, 0);
    } else if (sync->step == SYNC_COPIES && !sync->asking) {
        ask_for_copies(process);
    } else if (sync->step == SYNC_REJOINS && sync->asked == 0 && process->disk.durable >= sync->ticket) {
        ask_to_rejoin(process);
    }
}

/* ---- doubt ---- */

void store_ask_outcomes(struct store_process *process, uint64_t now_ms)
{
    uint64_t patience_ms = 2 * (uint64_t)process->process.timeout_ms;
    const struct store_pending *doubt = store_in_doubt(&process->store, 0, now_ms, patience_ms);

    if (doubt == NULL || now_ms < process->sync.doubt_ms) {
        return;
    }
    struct buffer *body = process_body(&process->process);
    buffer_add_format(body, "{\"storeId\":%u,\"numbers\":[", process->process.id);
    for (unsigned count = 0; doubt != NULL && count < WRITES_MAX; count++) {
        size_t next = (size_t)(doubt - process->store.pendings) + 1;
        buffer_add_format(body, "%s%llu", count > 0 ? "," : "", (unsigned long long)doubt->number);
        doubt = store_in_doubt(&process->store, next, now_ms, patience_ms);
    }
    buffer_add_string(body, "]}");
    peers_post_all(&process->learners, "/store/outcome", buffer_text(body), 0);
    process->sync.doubt_ms = now_ms + patience_ms;
}

static void take_outcomes(struct store_process *process, const struct json_object *answer)
{
    struct field_items items;
    struct error error;
    struct text item;
    uint64_t number;

    if (field_array(answer, "committed", &items, &error) != 0) {
        return;
    }
    while (field_next(&items, &item)) {
        const struct store_pending *pending =
            field_item_number(item, &number) ? store_find_pending(&process->store, number) : NULL;
        if (pending != NULL) {
            char *name = memory_copy_text(pending->name, strlen(pending->name));
            store_commit_one(process, name, number);
            free(name);
        }
    }
    store_disk_flush(&process->disk);
}

/* ---- answers ---- */

static void take_page(struct store_process *process, const struct json_object *page)
{
    struct writes *writes = &process->writes;
    struct error error;

    if (writes_read(writes, page, true, &error) != 0) {
        log_say(&process->process.log, LOG_WARNING, "discard", "a page of writes: %s", error.text);
        process->sync.source++;
        wait_a_little(process);
        return;
    }
    store_take_copies(process, writes);
    process->sync.fresh += writes->count;
    if (writes->count > 0) {
        const struct resource *last = &writes->items[writes->count - 1];
        process->sync.after = last->version;
        buffer_clear(&process->sync.after_name);
        buffer_add(&process->sync.after_name, last->name.bytes, last->name.length);
    }
    if (!writes->part) {
        begin_rejoins(process);
    }
    store_disk_flush(&process->disk);
    store_sync_go_on(process);
}

static void take_rejoin(struct store_process *process, uint32_t learner, int status,
                        const struct json_object *answer)
{
    struct store_sync *sync = &process->sync;
    struct error error;
    uint64_t finished = 0;

    sync->answered |= members_bit(learner);
    if (status == HTTP_OK &&
        field_number(answer, "finished", 0, PAXOS_INSTANCE_MAX, &finished, &error) == 0) {
        sync->taken |= members_bit(learner);
        sync->finished = finished > sync->finished ? finished : sync->finished;
    }
    if (status == HTTP_CONFLICT) { /* that one has more, or will have in a moment */
        sync->source = process->stores.count + learner - 1;
        if (sync->fresh == 0) {
            wait_a_little(process);
        }
        sync->fresh = 0;
        begin_copies(process);
        store_sync_go_on(process);
    } else if (sync->answered == sync->asked && sync->taken != 0) {
        serve(process, sync->finished);
    } else if (sync->answered == sync->asked) {
        begin_rejoins(process);
        wait_a_little(process);
    }
}

static void take_answer(struct store_process *process, struct peer *peer, const struct peer_reply *reply,
                        const struct json_object *answer)
{
    bool is_page = strcmp(reply->path, "/writes") == 0;

    if (is_page && process->sync.step == SYNC_COPIES) {
        process->sync.asking = false;
        if (reply->status == HTTP_OK) {
            take_page(process, answer);
        } else {
            process->sync.source++;
            wait_a_little(process);
        }
    } else if (strcmp(reply->path, "/store/rejoin") == 0 && process->sync.step == SYNC_REJOINS) {
        take_rejoin(process, peer->number, reply->status, answer);
    } else if (strcmp(reply->path, "/store/outcome") == 0 && reply->status == HTTP_OK) {
        take_outcomes(process, answer);
    }
}

void store_on_reply(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    struct store_process *process = peers->role[0] == 's'
                                        ? container_of(peers, struct store_process, stores)
                                        : container_of(peers, struct store_process, learners);
    struct peer_reply taken = *reply;
    struct error error;

    if (process->process.leaving) {
        return;
    }
    if (reply->status == HTTP_OK && json_object_read(&process->answer, reply->body, &error) != 0) {
        taken.status = HTTP_LOST;
    }
    take_answer(process, peer, &taken, &process->answer);
}

/* ---- what others ask ---- */

/* A page of what was written beyond a version, in the order of versions: for stores that missed it. */
void store_post_writes(struct process *shared, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    struct store_process *process = container_of(shared, struct store_process, process);
    const struct json_object *body = process_read(shared, exchange, request);
    struct error error;

    (void)id;
    if (body == NULL) {
        return;
    }
    if (!process->store.serves) {
        http_fail(exchange, HTTP_UNAVAILABLE, "this store is not synchronised itself");
        return;
    }
    struct buffer *page = process_body(shared);
    if (writes_put_page(page, &process->store.resources, process->store.complete, body, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    store_reply_later(process, exchange, HTTP_OK, page);
}

/* A learner that does not count on this store says how far it has finished: it has that, or looks for what it missed. */
void store_post_synchronize(struct process *shared, struct http_exchange *exchange,
                            const struct http_request *request, struct text id)
{
    struct store_process *process = container_of(shared, struct store_process, process);
    const struct json_object *question = process_read(shared, exchange, request);
    uint64_t finished = 0;
    struct error error;

    (void)id;
    if (question == NULL) {
        return;
    }
    if (field_number_or(question, "finished", 0, PAXOS_INSTANCE_MAX, 0, &finished, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    bool complete = process->sync.step == SYNC_DONE && store_compare(&process->store, finished);
    if (!complete) {
        store_sync_begin(process, "a learner has finished writes that it does not have");
        store_sync_go_on(process);
    }
    struct buffer *body = process_body(shared);
    buffer_add_format(body, "{\"storeId\":%u,\"serves\":%s,\"complete\":%llu}", shared->id,
                      process->store.serves ? "true" : "false", (unsigned long long)process->store.complete);
    store_reply_later(process, exchange, complete ? HTTP_OK : HTTP_CONFLICT, body);
}
