/* Reads at a learner. One that must see all up to an instance waits until that is applied; with a cluster store it then
 * waits until the stores have it too, and one of these answers. */
#include "paxos/learner_process.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "paxos/fields.h"
#include "paxos/message_json.h"
#include "paxos/reads.h"

#include <stdlib.h>
#include <utlist.h>

#define TIMEOUTS 2 /* TIMEOUT_MS that a read waits */

static struct learner_process *self(struct process *process)
{
    return container_of(process, struct learner_process, process);
}

/* ---- one that waits ---- */

static void forget(struct learner_process *process, struct learner_read *read)
{
    DL_DELETE(process->reads, read);
    process->read_count--;
    process->read_bytes -= read->question.length;
    buffer_free(&read->question);
    free(read);
}

static void begin_answer(const struct learner_process *process, struct buffer *out)
{
    buffer_add_format(out, "{\"instanceId\":%llu,\"ageMs\":%llu",
                      (unsigned long long)process->learner.applied,
                      (unsigned long long)(clock_monotonic_ms() - process->current_ms));
}

/* From its own state. */
static void answer(struct learner_process *process, struct learner_read *read)
{
    struct buffer *out = process_body(&process->process);
    struct error error;
    int code = json_object_read(&process->body, buffer_text(&read->question), &error);

    begin_answer(process, out);
    buffer_add_string(out, ",\"values\":");
    if (code == 0) {
        code = reads_answer(&process->state.resources, &process->body, &process->item, out, &error);
    }
    buffer_add_char(out, '}');
    if (code == 0) {
        process_reply(read->exchange, HTTP_OK, out);
    } else {
        process_refuse(read->exchange, &error);
    }
    forget(process, read);
}

/* ---- through a store ---- */

/* The question as it came, with the number of the last write that the store must have. */
static void ask_store(struct learner_process *process, struct learner_read *read)
{
    uint32_t live = process->to_stores.coordinator.live;
    struct buffer *body = &process->scratch;
    unsigned skip =
        members_count(live) > 0 ? (unsigned)((process->read_tickets + read->tried) % members_count(live)) : 0;

    for (uint32_t i = 1; i <= process->stores.count; i++) {
        if ((live & members_bit(i)) == 0 || skip-- > 0) {
            continue;
        }
        buffer_clear(body);
        buffer_add(body, read->question.bytes, read->question.length - 1);
        buffer_add_format(body, ",\"number\":%llu}", (unsigned long long)read->number);
        read->ticket = ++process->read_tickets;
        if (!peers_call(&process->stores, i, "POST", "/read", buffer_text(body), read->ticket,
                        process->process.timeout_ms)) {
            read->ticket = 0;
        }
        return;
    }
}

void learner_reads_answered(struct learner_process *process, const struct peer_reply *reply)
{
    struct buffer *out = process_body(&process->process);
    struct learner_read *read = NULL;

    DL_FOREACH(process->reads, read)
    {
        if (read->ticket == reply->tag) {
            break;
        }
    }
    if (read == NULL) {
        return; /* it waited too long */
    }
    read->ticket = 0;
    if (reply->status != HTTP_OK || reply->body.length < 2) {
        read->tried++;
        learner_reads_go_on(process);
        return;
    }
    begin_answer(process, out);
    buffer_add_char(out, ',');
    buffer_add(out, reply->body.bytes + 1, reply->body.length - 1);
    process_reply(read->exchange, HTTP_OK, out);
    forget(process, read);
}

/* ---- all of them ---- */

static void go_on(struct learner_process *process, struct learner_read *read, uint64_t now_ms)
{
    bool applied = process->learner.applied >= read->instance;

    if (applied && !process->process.cluster_store) {
        answer(process, read);
        return;
    }
    if (applied && read->number == 0) {
        read->number = process->state.writes;
    }
    if (applied && read->ticket == 0 && process->to_stores.coordinator.finished >= read->number) {
        ask_store(process, read);
    }
    if (now_ms >= read->deadline_ms) {
        http_fail(read->exchange, HTTP_UNAVAILABLE,
                  applied ? "no store has answered in time"
                          : "what the read must see is not applied here yet");
        forget(process, read);
    }
}

void learner_reads_go_on(struct learner_process *process)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct learner_read *read = NULL;
    struct learner_read *next = NULL;

    DL_FOREACH_SAFE(process->reads, read, next)
    {
        go_on(process, read, now_ms);
    }
}

void learner_reads_end(struct learner_process *process)
{
    while (process->reads != NULL) {
        http_fail(process->reads->exchange, HTTP_UNAVAILABLE, "this learner is leaving: ask another");
        forget(process, process->reads);
    }
}

void learner_post_read(struct process *shared, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    struct learner_process *process = self(shared);
    const struct json_object *body = process_read(shared, exchange, request);
    uint64_t instance = 0;
    struct error error;

    (void)id;
    if (body == NULL) {
        return;
    }
    if (field_number_or(body, "instanceId", 0, PAXOS_INSTANCE_MAX, 0, &instance, &error) != 0 ||
        reads_check(body, &process->item, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    if (process->read_count >= LEARNER_READS_MAX ||
        process->read_bytes + request->body.length > LEARNER_READS_SIZE) {
        http_fail(exchange, HTTP_UNAVAILABLE, "too many reads wait here already");
        return;
    }
    struct learner_read *read = memory_new_zeroed(1, sizeof *read);
    read->exchange = exchange;
    read->instance = instance;
    read->deadline_ms = clock_monotonic_ms() + TIMEOUTS * (uint64_t)shared->timeout_ms;
    struct text question = text_trim(request->body);
    buffer_add(&read->question, question.bytes, question.length);
    DL_APPEND(process->reads, read);
    process->read_count++;
    process->read_bytes += read->question.length;
    learner_reads_go_on(process);
}

/* ---- what it has, as it has it ---- */

void learner_get_resource(struct process *shared, struct http_exchange *exchange,
                          const struct http_request *request, struct text id)
{
    struct learner_process *process = self(shared);
    const struct resource *resource = resources_find(&process->state.resources, id);
    struct buffer stale = {0};
    bool is_stale =
        http_query_get(request->query, "stale", &stale) && text_equal(buffer_text(&stale), text_of("true"));

    buffer_free(&stale);
    if (!is_stale) {
        http_fail(exchange, HTTP_BAD_REQUEST,
                  "a learner tells what it has, which may be old: ask with ?stale=true, or ask a proposer");
        return;
    }
    if (resource == NULL) {
        http_fail(exchange, HTTP_NOT_FOUND, "no resource of that name was ever written");
        return;
    }
    struct buffer *out = process_body(shared);
    begin_answer(process, out);
    buffer_add_string(out, ",\"resource\":");
    json_write_string(out, resource->name);
    buffer_add_format(out,
                      ",\"version\":%llu,\"timestamp\":%llu,\"data\":", (unsigned long long)resource->version,
                      (unsigned long long)resource->timestamp);
    buffer_add(out, resource->data.bytes, resource->data.length);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

/* An instance that was applied of late with its value; one that was not, with who accepted what. */
static bool write_instance(const struct learner_process *process, uint64_t instance, struct buffer *out)
{
    const struct decided *decided = &process->decided[instance % DECIDED_KEPT];
    const struct tally *tally = learner_tally(&process->learner, instance);

    if (instance <= process->learner.applied) {
        buffer_add_format(out, "{\"instanceId\":%llu,\"state\":\"applied\"", (unsigned long long)instance);
        if (decided->instance == instance) {
            buffer_add_string(out, ",\"value\":");
            message_json_write_value(out, decided->value);
        }
        buffer_add_char(out, '}');
        return true;
    }
    if (tally == NULL) {
        return false;
    }
    buffer_add_format(out,
                      "{\"instanceId\":%llu,\"state\":\"accepted\",\"proposalNumber\":%llu,\"proposerId\":%u,"
                      "\"acceptors\":%u,\"value\":",
                      (unsigned long long)instance, (unsigned long long)tally->ballot.round,
                      tally->ballot.proposer, members_count(tally->accepted));
    message_json_write_value(out, tally->value);
    buffer_add_char(out, '}');
    return true;
}

void learner_get_instance(struct process *shared, struct http_exchange *exchange,
                          const struct http_request *request, struct text id)
{
    uint64_t instance = 0;
    struct error error;

    (void)request;
    if (process_read_number(id, "the instance", 1, PAXOS_INSTANCE_MAX, &instance, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    struct buffer *out = process_body(shared);
    if (write_instance(self(shared), instance, out)) {
        process_reply(exchange, HTTP_OK, out);
    } else {
        http_fail(exchange, HTTP_NOT_FOUND, "nothing is known here of that instance");
    }
}

/* ?from=…&count=…: the last ones, unless told. */
void learner_get_instances(struct process *shared, struct http_exchange *exchange,
                           const struct http_request *request, struct text id)
{
    const struct learner_process *process = self(shared);
    uint64_t applied = process->learner.applied;
    uint64_t standard = applied > 20 ? applied - 19 : 1;
    uint64_t from = 0;
    uint64_t count = 0;
    unsigned written = 0;
    struct error error;

    (void)id;
    if (process_query_number(request, "from", 1, PAXOS_INSTANCE_MAX, standard, &from, &error) != 0 ||
        process_query_number(request, "count", 1, PAXOS_FETCH_MAX, 20, &count, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    struct buffer *out = process_body(shared);
    buffer_add_format(out, "{\"applied\":%llu,\"instances\":[", (unsigned long long)applied);
    for (uint64_t i = from; i < from + count && out->length < MESSAGE_JSON_FULL; i++) {
        size_t before = out->length;
        buffer_add_string(out, written > 0 ? "," : "");
        if (write_instance(process, i, out)) {
            written++;
        } else {
            out->length = before;
        }
    }
    buffer_add_string(out, "]}");
    process_reply(exchange, HTTP_OK, out);
}
