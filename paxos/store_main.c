/* The store's process: a copy of the data, written by two-phase commit as the learners drive it, read by anybody. */
#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "paxos/fields.h"
#include "paxos/reads.h"
#include "paxos/roles.h"
#include "paxos/store_process.h"

#include <signal.h>

#define METADATA_MAX 1000 /* resources in one answer */

static struct store_process *self(struct process *process)
{
    return container_of(process, struct store_process, process);
}

/* ---- reading ---- */

static bool refuse_unless_serving(const struct store_process *process, struct http_exchange *exchange)
{
    if (!process->store.serves) {
        http_fail(exchange, HTTP_UNAVAILABLE, "this store is not synchronised yet: ask another");
    }
    return !process->store.serves;
}

static void put_metadata(struct buffer *out, const struct resource *resource, uint32_t node)
{
    buffer_add_string(out, "\"resource\":");
    json_write_string(out, resource->name);
    buffer_add_format(out, ",\"version\":%llu,\"timestamp\":%llu,\"node_id\":%u",
                      (unsigned long long)resource->version, (unsigned long long)resource->timestamp, node);
}

static void get_resource(struct process *shared, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    struct store_process *process = self(shared);
    const struct resource *resource = resources_find(&process->store.resources, id);

    (void)request;
    if (refuse_unless_serving(process, exchange)) {
        return;
    }
    if (resource == NULL) {
        http_fail(exchange, HTTP_NOT_FOUND, "no resource of that name was ever written");
        return;
    }
    struct buffer *body = process_body(shared);
    buffer_add_char(body, '{');
    put_metadata(body, resource, shared->id);
    buffer_add_string(body, ",\"data\":");
    buffer_add(body, resource->data.bytes, resource->data.length);
    buffer_add_char(body, '}');
    process_reply(exchange, HTTP_OK, body);
}

/* Names and versions, in the order of versions: with ?after=…&count=… page by page. */
static void get_metadata(struct process *shared, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    struct store_process *process = self(shared);
    uint64_t after = 0;
    uint64_t count = 0;
    struct error error;

    (void)id;
    if (process_query_number(request, "after", 0, PAXOS_INSTANCE_MAX, 0, &after, &error) != 0 ||
        process_query_number(request, "count", 1, METADATA_MAX, METADATA_MAX, &count, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    const struct resource *resource = resources_after(&process->store.resources, after, (struct text){"", 0});
    struct buffer *body = process_body(shared);
    buffer_add_format(body, "{\"serves\":%s,\"complete\":%llu,\"resources\":[",
                      process->store.serves ? "true" : "false", (unsigned long long)process->store.complete);
    for (uint64_t i = 0; i < count && resource != NULL; i++, resource = resource->next) {
        buffer_add_string(body, i > 0 ? ",{" : "{");
        put_metadata(body, resource, shared->id);
        buffer_add_char(body, '}');
    }
    buffer_add_string(body, "]}");
    process_reply(exchange, HTTP_OK, body);
}

/* A write as this store knows it, by its number. */
static void get_transaction(struct process *shared, struct http_exchange *exchange,
                            const struct http_request *request, struct text id)
{
    struct store_process *process = self(shared);
    uint64_t number = 0;
    struct error error;

    (void)request;
    if (process_read_number(id, "the transaction", 1, PAXOS_INSTANCE_MAX, &number, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    const struct store_pending *pending = store_find_pending(&process->store, number);
    struct buffer *body = process_body(shared);
    buffer_add_format(body, "{\"number\":%llu,\"state\":", (unsigned long long)number);
    if (pending != NULL) {
        buffer_add_string(body, "\"ready\",\"resource\":");
        json_write_string(body, text_of(pending->name));
        buffer_add_format(body, ",\"waitedMs\":%llu",
                          (unsigned long long)(clock_monotonic_ms() - pending->since_ms));
    } else {
        buffer_add_string(body, number <= process->store.complete ? "\"committed\"" : "\"unknown\"");
    }
    buffer_add_char(body, '}');
    process_reply(exchange, HTTP_OK, body);
}

/* Several reads in one request, as learners pass them on: {"number":7,"reads":[{"resource":"x"}]} must see all writes up to
 * the seventh. */
static void post_read(struct process *shared, struct http_exchange *exchange,
                      const struct http_request *request, struct text id)
{
    struct store_process *process = self(shared);
    const struct json_object *body = process_read(shared, exchange, request);
    uint64_t number = 0;
    struct error error;

    (void)id;
    if (body == NULL) {
        return;
    }
    if (field_number_or(body, "number", 0, PAXOS_INSTANCE_MAX, 0, &number, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    if (!store_may_read(&process->store, number)) {
        http_fail(exchange, HTTP_UNAVAILABLE, "this store does not have all that the read must see");
        return;
    }
    struct buffer *out = process_body(shared);
    buffer_add_string(out, "{\"values\":");
    if (reads_answer(&process->store.resources, body, &process->answer, out, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

/* ---- the process ---- */

static const struct process_route routes[] = {
    {"POST", "/prepare", store_post_prepare},      {"POST", "/commit", store_post_commit},
    {"POST", "/abort", store_post_abort},          {"POST", "/synchronize", store_post_synchronize},
    {"POST", "/writes", store_post_writes},        {"POST", "/read", post_read},
    {"GET", "/resource/{id}", get_resource},       {"GET", "/resources/metadata", get_metadata},
    {"GET", "/transaction/{id}", get_transaction},
};

static void write_status(struct process *shared, struct buffer *out)
{
    const struct store *store = &self(shared)->store;

    buffer_add_format(out,
                      ",\"serves\":%s,\"resources\":%zu,\"pending\":%zu,\"version\":%llu,\"complete\":%llu",
                      store->serves ? "true" : "false", store->resources.count, store->pending_count,
                      (unsigned long long)resources_version(&store->resources),
                      (unsigned long long)store->complete);
}

static void write_stats(struct process *shared, struct buffer *out)
{
    const struct store_process *process = self(shared);

    buffer_add_format(out, ",\"prepared\":%llu,\"committed\":%llu,\"copied\":%llu,\"records\":%llu",
                      (unsigned long long)process->prepared, (unsigned long long)process->committed,
                      (unsigned long long)process->copied, (unsigned long long)process->disk.durable);
}

static void on_tick(struct process *shared, uint64_t now_ms)
{
    store_ask_outcomes(self(shared), now_ms);
    store_sync_go_on(self(shared));
}

static int open_all(struct store_process *process, struct error *error)
{
    static const char *const stops[] = {"never", "prepare", NULL};
    struct process *shared = &process->process;
    int stop = 0;
    int code = config_choice("STORE_STOP_AFTER", stops, 0, &stop, error);

    process->stop_after_prepare = stop == 1;
    if (code == 0) {
        code = process_open(shared, error);
    }
    if (code == 0) {
        code = peers_open(&process->stores, shared, "store", "STORES", false, error);
    }
    if (code == 0) {
        code = peers_open(&process->learners, shared, "learner", "LEARNERS", false, error);
    }
    return code == 0 ? store_disk_open(&process->disk, &shared->runtime.loop, shared->folder, &process->store,
                                       clock_monotonic_ms(), error)
                     : code;
}

int store_main(void)
{
    static struct store_process process = {
        .process = {.role = "store",
                    .routes = routes,
                    .route_count = sizeof routes / sizeof *routes,
                    .write_status = write_status,
                    .write_stats = write_stats,
                    .on_tick = on_tick},
        .stores = {.on_reply = store_on_reply},
        .learners = {.on_reply = store_on_reply},
        .disk = {.on_durable = store_on_durable, .on_failed = store_on_failed},
    };
    struct error error;

    store_init(&process.store);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as good as a full disk */
    if (open_all(&process, &error) != 0) {
        return process_refuse_start(&process.process, &error);
    }
    store_sync_begin(&process, "it starts");
    store_sync_go_on(&process);
    process_make_ready(&process.process);
    int status = process_run(&process.process);
    store_disk_close(&process.disk);
    store_free(&process.store);
    peers_free(&process.stores);
    peers_free(&process.learners);
    writes_free(&process.writes);
    json_object_free(&process.answer);
    buffer_free(&process.sync.after_name);
    return status;
}
