/* What may be asked of a client over HTTP: an operation, a load, what became of them, and how the members are. */
#include "common/container_of.h"
#include "common/memory.h"
#include "paxos/client_service_parts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <utlist.h>

/* An operation that somebody waits for. */
struct service_operation {
    struct ask ask;
    struct client_service *service;
    struct http_exchange *exchange;
    struct client_operation operation;
    struct buffer texts; /* that it points to */
    struct service_operation *prev, *next;
};

static struct client_service *service_of(struct process *process)
{
    return container_of(process, struct client_service, process);
}

/* ---- the history ---- */

static struct client_result result_of(const struct ask_answer *answer)
{
    return (struct client_result){.status = answer->status,
                                  .body = answer->body,
                                  .error = answer->error != NULL ? answer->error->text : NULL,
                                  .proposer = answer->proposer,
                                  .tries = answer->tries,
                                  .latency_us = answer->latency_us};
}

static void add_json(struct buffer *out, const char *name, struct text json)
{
    if (json.bytes != NULL) {
        buffer_add_format(out, ",\"%s\":", name);
        client_write_brief(out, json);
    }
}

void service_remember(struct client_service *service, const char *from,
                      const struct client_operation *operation, const struct ask_answer *answer)
{
    struct buffer *out = &service->entry;
    struct client_result result = result_of(answer);
    char time[CLOCK_TEXT_LENGTH + 1];

    clock_format(clock_wall_us(), time);
    buffer_clear(out);
    buffer_add_format(out, "{\"number\":%" PRIu64 ",\"ts\":\"%s\",\"from\":\"%s\",\"operation\":",
                      ++service->numbered, time, from);
    buffer_clear(&service->scratch);
    json_write_string(&service->scratch, operation->operation);
    client_write_brief(out, buffer_text(&service->scratch));
    add_json(out, "resource", operation->resource);
    add_json(out, "data", operation->data);
    buffer_add_format(out, ",\"stale\":%s,\"status\":%d,\"result\":", operation->stale ? "true" : "false",
                      answer->status);
    client_result_write(out, &result, true, &service->object);
    buffer_add_char(out, '}');
    client_history_add(&service->history, buffer_text(out));
}

/* ---- one operation ---- */

static void on_answer(struct ask *ask, const struct ask_answer *answer)
{
    struct service_operation *waiting = container_of(ask, struct service_operation, ask);
    struct client_service *service = waiting->service;
    struct client_result result = result_of(answer);
    struct buffer *out = process_body(&service->process);

    client_result_write(out, &result, false, &service->object);
    process_reply(waiting->exchange, (enum http_status)answer->status, out);
    service_remember(service, "http", &waiting->operation, answer);
    DL_DELETE(service->operations, waiting);
    service->operation_count--;
    ask_free(ask);
    buffer_free(&waiting->texts);
    free(waiting);
}

/* The texts of the request's body do not live as long as the operation. */
static void keep_texts(struct service_operation *waiting, const struct client_operation *operation)
{
    struct buffer *texts = &waiting->texts;
    size_t resource = operation->operation.length;
    size_t data = resource + operation->resource.length;

    buffer_add(texts, operation->operation.bytes, operation->operation.length);
    buffer_add(texts, operation->resource.bytes, operation->resource.length);
    buffer_add(texts, operation->data.bytes, operation->data.length);
    waiting->operation = *operation;
    waiting->operation.operation.bytes = texts->bytes;
    if (operation->resource.bytes != NULL) {
        waiting->operation.resource.bytes = texts->bytes + resource;
    }
    if (operation->data.bytes != NULL) {
        waiting->operation.data.bytes = texts->bytes + data;
    }
}

void service_post_operation(struct process *process, struct http_exchange *exchange,
                            const struct http_request *request, struct text id)
{
    struct client_service *service = service_of(process);
    struct client_operation operation;
    struct error error;
    const struct json_object *object = process_read(process, exchange, request);

    (void)id;
    if (object == NULL) {
        return;
    }
    if (client_operation_read(&operation, object, &service->scratch, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    if (process->leaving || service->operation_count >= SERVICE_OPERATIONS_MAX) {
        http_fail(exchange, HTTP_UNAVAILABLE, "too many operations are under way already");
        return;
    }
    struct service_operation *waiting = memory_new_zeroed(1, sizeof *waiting);
    waiting->service = service;
    waiting->exchange = exchange;
    waiting->ask.on_done = on_answer;
    waiting->ask.anybody = operation.stale;
    keep_texts(waiting, &operation);
    DL_APPEND(service->operations, waiting);
    service->operation_count++;
    buffer_clear(&service->entry);
    client_operation_write(&service->entry, &service->identity, &waiting->operation, clock_wall_us());
    asker_ask(&service->asker, &waiting->ask, client_operation_path(&waiting->operation),
              buffer_text(&service->entry), service->timeout_ms);
}

/* ---- a load ---- */

static void reply_load(struct client_service *service, struct http_exchange *exchange)
{
    struct buffer *out = process_body(&service->process);

    buffer_add_string(out, "{\"role\":\"client\"");
    client_load_write(&service->load, out);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

void service_post_start(struct process *process, struct http_exchange *exchange,
                        const struct http_request *request, struct text id)
{
    struct client_service *service = service_of(process);
    struct client_load_settings settings;
    struct error error;
    const struct json_object *object = process_read(process, exchange, request);

    (void)id;
    if (object == NULL) {
        return;
    }
    if (client_load_read(&settings, object, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    if (process->leaving || service->load.running || service->load.in_flight > 0) {
        http_fail(exchange, HTTP_CONFLICT, "a load is running: POST /stop ends it");
        return;
    }
    log_say(&process->log, LOG_INFO, "load", "a load of %" PRIu64 " operations a second begins",
            settings.rate);
    client_load_start(&service->load, &settings);
    reply_load(service, exchange);
}

void service_post_stop(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    struct client_service *service = service_of(process);

    (void)request, (void)id;
    client_load_stop(&service->load);
    reply_load(service, exchange);
}

/* ---- from the learners ---- */

void service_post_notification(struct process *process, struct http_exchange *exchange,
                               const struct http_request *request, struct text id)
{
    struct client_service *service = service_of(process);

    (void)id;
    if (process_read(process, exchange, request) == NULL) {
        return;
    }
    if (request->body.length > SERVICE_NOTIFICATION_MAX) {
        http_fail(exchange, HTTP_CONTENT_TOO_LARGE, "a notification is at most 4096 bytes long");
        return;
    }
    client_history_add(&service->notifications, request->body);
    http_reply(exchange, HTTP_OK, "application/json", text_of("{}"));
}

/* ---- what is known ---- */

static int read_after(const struct http_request *request, const char *name, uint64_t *after,
                      struct error *error)
{
    return process_query_number(request, name, 0, UINT64_MAX >> 1, 0, after, error);
}

void service_get_history(struct process *process, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    struct client_service *service = service_of(process);
    uint64_t after = 0;
    uint64_t count = 0;
    struct error error;

    (void)id;
    if (read_after(request, "after", &after, &error) != 0 ||
        process_query_number(request, "count", 0, HISTORY_KEPT, HISTORY_KEPT, &count, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    struct buffer *out = process_body(process);
    buffer_add_string(out, "{\"operations\":");
    client_history_write(&service->history, after, count, out);
    buffer_add_string(out, ",\"notifications\":");
    client_history_write(&service->notifications, 0, count, out);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

/* All that the page draws, at once: ?operations= and ?lines= tell what it has already. */
void service_get_cluster(struct process *process, struct http_exchange *exchange,
                         const struct http_request *request, struct text id)
{
    struct client_service *service = service_of(process);
    uint64_t operations = 0;
    uint64_t lines = 0;
    struct error error;

    (void)id;
    if (read_after(request, "operations", &operations, &error) != 0 ||
        read_after(request, "lines", &lines, &error) != 0) {
        process_refuse(exchange, &error);
        return;
    }
    client_members_look(&service->members);
    struct buffer *out = process_body(process);
    buffer_add_format(out, "{\"name\":\"%s\",\"clusterStore\":%s,\"members\":", process->name,
                      process->cluster_store ? "true" : "false");
    client_members_write(&service->members, out);
    buffer_add_string(out, ",\"load\":{\"role\":\"client\"");
    client_load_write(&service->load, out);
    buffer_add_string(out, "},\"operations\":");
    client_history_write(&service->history, operations, HISTORY_KEPT, out);
    buffer_add_string(out, ",\"lines\":");
    client_history_write(&service->members.lines, lines, HISTORY_KEPT, out);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

/* ---- members, through this one ---- */

void service_get_member_status(struct process *process, struct http_exchange *exchange,
                               const struct http_request *request, struct text id)
{
    (void)request;
    client_members_ask(&service_of(process)->members, exchange, id, "/status");
}

void service_get_member_stats(struct process *process, struct http_exchange *exchange,
                              const struct http_request *request, struct text id)
{
    (void)request;
    client_members_ask(&service_of(process)->members, exchange, id, "/stats");
}

void service_get_member_health(struct process *process, struct http_exchange *exchange,
                               const struct http_request *request, struct text id)
{
    (void)request;
    client_members_ask(&service_of(process)->members, exchange, id, "/health");
}

void service_get_member_logs(struct process *process, struct http_exchange *exchange,
                             const struct http_request *request, struct text id)
{
    (void)request;
    client_members_ask(&service_of(process)->members, exchange, id, "/logs");
}

void service_get_member_important(struct process *process, struct http_exchange *exchange,
                                  const struct http_request *request, struct text id)
{
    (void)request;
    client_members_ask(&service_of(process)->members, exchange, id, "/logs/important");
}
