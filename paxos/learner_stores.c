/* How a learner drives the cluster's stores: coordinator.c says when, this sends and counts.
 *
 * What is applied and not yet at the stores goes there in one batch. Of a resource that was written several times only the
 * last write is named: it is all that anybody may still read. Where a batch would be too large, the stores are too far
 * behind for it: they are left out, and copy. */
#include "paxos/learner_process.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "paxos/fields.h"

#include <string.h>

static struct learner_process *self(struct process *process)
{
    return container_of(process, struct learner_process, process);
}

/* ---- batches ---- */

static void begin_body(const struct learner_process *process, struct buffer *body, uint64_t last)
{
    buffer_clear(body);
    buffer_add_format(body, "{\"learnerId\":%u,\"first\":%llu,\"last\":%llu", process->process.id,
                      (unsigned long long)process->to_stores.coordinator.finished + 1,
                      (unsigned long long)last);
}

/* The bodies of both phases; false if one is not enough for all that is to be written. */
static bool make_bodies(struct learner_process *process)
{
    struct learner_stores *stores = &process->to_stores;
    uint64_t last = process->state.writes;
    const struct resource *first =
        resources_after(&process->state.resources, stores->coordinator.finished, (struct text){"", 0});

    begin_body(process, &stores->prepare, last);
    const struct resource *put = writes_put(&stores->prepare, first);
    buffer_add_char(&stores->prepare, '}');
    if (put == NULL || put->next != NULL) {
        return false;
    }
    begin_body(process, &stores->commit, last);
    buffer_add_string(&stores->commit, ",\"writes\":[");
    for (const struct resource *write = first; write != NULL; write = write->next) {
        buffer_add_string(&stores->commit, write == first ? "" : ",");
        writes_put_one(&stores->commit, write, false);
    }
    buffer_add_string(&stores->commit, "]}");
    return true;
}

/* As after a start: what the stores miss they copy from this learner's state, and then take part again. */
static void leave_all_out(struct learner_process *process)
{
    struct coordinator *coordinator = &process->to_stores.coordinator;

    log_say(&process->process.log, LOG_WARNING, "recover",
            "the stores are too far behind for one batch of writes: they copy what they miss");
    coordinator_init(coordinator, coordinator->stores, process->state.writes, coordinator->timeout_ms);
}

static void begin_batch(struct learner_process *process)
{
    struct coordinator *coordinator = &process->to_stores.coordinator;

    if (coordinator->phase != COORDINATOR_IDLE || coordinator->live == 0 ||
        coordinator->finished >= process->state.writes) {
        return;
    }
    if (!make_bodies(process)) {
        leave_all_out(process);
    } else if (coordinator_begin(coordinator, process->state.writes, clock_monotonic_ms())) {
        process->to_stores.batches++;
    }
}

static void send_phase(struct learner_process *process)
{
    struct learner_stores *stores = &process->to_stores;
    bool prepares = stores->coordinator.phase == COORDINATOR_PREPARES;
    uint32_t wanted = coordinator_unanswered(&stores->coordinator) & ~stores->asked;

    for (uint32_t i = 1; i <= process->stores.count; i++) {
        if ((wanted & members_bit(i)) != 0 &&
            peers_call(&process->stores, i, "POST", prepares ? "/prepare" : "/commit",
                       buffer_text(prepares ? &stores->prepare : &stores->commit), stores->coordinator.number,
                       process->process.timeout_ms)) {
            stores->asked |= members_bit(i);
        }
    }
}

void learner_stores_go_on(struct learner_process *process)
{
    if (process->process.cluster_store && !process->process.leaving) {
        begin_batch(process);
        send_phase(process);
    }
}

/* ---- stores that are left out ---- */

static void say_live(struct learner_process *process, uint32_t before)
{
    uint32_t live = process->to_stores.coordinator.live;

    for (uint32_t i = 1; i <= process->stores.count; i++) {
        if (((live ^ before) & members_bit(i)) != 0) {
            log_say(&process->process.log, LOG_INFO, (live & members_bit(i)) != 0 ? "connect" : "disconnect",
                    "store-%u %s", i, (live & members_bit(i)) != 0 ? "takes part in writes" : "is left out");
        }
    }
}

/* Those that do not take part are asked what they have, which also tells them that they may miss something. */
static void ask_who_is_out(struct learner_process *process)
{
    struct learner_stores *stores = &process->to_stores;
    struct buffer *body = &process->scratch;

    buffer_clear(body);
    buffer_add_format(body, "{\"learnerId\":%u,\"finished\":%llu}", process->process.id,
                      (unsigned long long)stores->coordinator.finished);
    for (uint32_t i = 1; i <= process->stores.count; i++) {
        uint32_t bit = members_bit(i);
        if (((stores->coordinator.live | stores->asked) & bit) == 0 &&
            peers_call(&process->stores, i, "POST", "/synchronize", buffer_text(body), 0,
                       process->process.timeout_ms)) {
            stores->asked |= bit;
        }
    }
}

void learner_stores_tick(struct learner_process *process, uint64_t now_ms)
{
    uint32_t before = process->to_stores.coordinator.live;

    if (!process->process.cluster_store || process->process.leaving) {
        return;
    }
    coordinator_tick(&process->to_stores.coordinator, now_ms);
    say_live(process, before);
    ask_who_is_out(process);
    learner_stores_go_on(process);
    learner_reads_go_on(process);
}

/* ---- answers ---- */

/* What a store says to prepare or commit; false if that is nothing to go by. */
static bool read_answer(struct learner_process *process, const struct peer_reply *reply,
                        enum store_answer *answer)
{
    static const char *const names[] = {
        [STORE_READY] = "ready", [STORE_BUSY] = "busy", [STORE_DONE] = "done", [STORE_UNKNOWN] = "unknown"};
    struct error error;

    if ((reply->status != HTTP_OK && reply->status != HTTP_CONFLICT) ||
        json_object_read(&process->body, reply->body, &error) != 0) {
        return false;
    }
    const struct json_member *member = json_object_get(&process->body, "answer");
    for (unsigned i = 0; member != NULL && i < sizeof names / sizeof *names; i++) {
        if (text_equal(member->text, text_of(names[i]))) {
            *answer = (enum store_answer)i;
            return true;
        }
    }
    return false;
}

static bool read_complete(struct learner_process *process, const struct peer_reply *reply, uint64_t *complete)
{
    struct error error;

    return reply->status == HTTP_OK && json_object_read(&process->body, reply->body, &error) == 0 &&
           field_number(&process->body, "complete", 0, PAXOS_INSTANCE_MAX, complete, &error) == 0;
}

void learner_stores_answered(struct learner_process *process, struct peer *peer,
                             const struct peer_reply *reply)
{
    struct coordinator *coordinator = &process->to_stores.coordinator;
    bool to_prepare = strcmp(reply->path, "/prepare") == 0;
    uint32_t before = coordinator->live;
    enum store_answer answer = STORE_BUSY;
    uint64_t complete = 0;

    process->to_stores.asked &= ~members_bit(peer->number);
    if (strcmp(reply->path, "/synchronize") == 0) {
        if (read_complete(process, reply, &complete)) {
            coordinator_rejoin(coordinator, peer->number, complete);
        }
    } else if (to_prepare == (coordinator->phase == COORDINATOR_PREPARES) &&
               read_answer(process, reply, &answer)) {
        coordinator_answer(coordinator, peer->number, reply->tag, answer, clock_monotonic_ms());
        if (answer == STORE_BUSY) {
            return; /* the next tick asks again */
        }
    } else {
        return;
    }
    say_live(process, before);
    learner_stores_go_on(process);
    learner_reads_go_on(process);
}

/* ---- what stores ask ---- */

/* The number `name` of a store's question, and its own; NULL if it was refused. */
static const struct json_object *read_question(struct learner_process *process,
                                               struct http_exchange *exchange,
                                               const struct http_request *request, uint64_t *store)
{
    const struct json_object *body = process_read(&process->process, exchange, request);
    struct error error;

    if (body == NULL) {
        return NULL;
    }
    if (!process->process.cluster_store) {
        http_fail(exchange, HTTP_UNAVAILABLE, "this learner drives no stores: USE_CLUSTER_STORE is false");
        return NULL;
    }
    if (field_number(body, "storeId", 1, process->stores.count, store, &error) != 0) {
        process_refuse(exchange, &error);
        return NULL;
    }
    return body;
}

/* A store has synchronised. Where it still misses something it goes on, and the next writes wait for it. */
void learner_post_rejoin(struct process *shared, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    struct learner_process *process = self(shared);
    struct coordinator *coordinator = &process->to_stores.coordinator;
    uint64_t store = 0;
    uint64_t complete = 0;
    uint32_t before = coordinator->live;
    struct error error;
    const struct json_object *body = read_question(process, exchange, request, &store);

    (void)id;
    if (body == NULL) {
        return;
    }
    if (field_number(body, "complete", 0, PAXOS_INSTANCE_MAX, &complete, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    bool live = coordinator_rejoin(coordinator, (uint32_t)store, complete);
    if (!live) {
        coordinator_hold(coordinator, clock_monotonic_ms());
    }
    struct buffer *out = process_body(shared);
    buffer_add_format(out, "{\"learnerId\":%u,\"live\":%s,\"finished\":%llu}", shared->id,
                      live ? "true" : "false", (unsigned long long)coordinator->finished);
    process_reply(exchange, live ? HTTP_OK : HTTP_CONFLICT, out);
    say_live(process, before);
    learner_stores_go_on(process);
}

/* A store in doubt asks for the outcome of writes: {"storeId":2,"numbers":[7,8]} → {"committed":[7]}. */
void learner_post_outcome(struct process *shared, struct http_exchange *exchange,
                          const struct http_request *request, struct text id)
{
    struct learner_process *process = self(shared);
    struct field_items items;
    struct text item;
    uint64_t store = 0;
    uint64_t number = 0;
    unsigned told = 0;
    struct error error;
    const struct json_object *body = read_question(process, exchange, request, &store);

    (void)id;
    if (body == NULL) {
        return;
    }
    if (field_array(body, "numbers", &items, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    struct buffer *out = process_body(shared);
    buffer_add_format(out, "{\"learnerId\":%u,\"committed\":[", shared->id);
    while (field_next(&items, &item)) {
        if (field_item_number(item, &number) &&
            coordinator_is_committed(&process->to_stores.coordinator, number)) {
            buffer_add_format(out, "%s%llu", told++ > 0 ? "," : "", (unsigned long long)number);
        }
    }
    buffer_add_string(out, "]}");
    process_reply(exchange, HTTP_OK, out);
}

/* A page of what is applied here, for a store that missed it: decided, and so as good as committed. */
void learner_post_writes(struct process *shared, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    struct learner_process *process = self(shared);
    const struct json_object *body = process_read(shared, exchange, request);
    struct error error;

    (void)id;
    if (body == NULL) {
        return;
    }
    struct buffer *page = process_body(shared);
    if (writes_put_page(page, &process->state.resources, process->state.writes, body, &error) == 0) {
        process_reply(exchange, HTTP_OK, page);
    } else {
        process_refuse(exchange, &error);
    }
}
