#include "paxos/process_routes.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "paxos/peers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define BODY_KEPT (1024 * 1024) /* bytes of the buffer for answers that are kept from one to the next */

/* ---- answering ---- */

struct buffer *process_body(struct process *process)
{
    if (process->scratch.capacity > BODY_KEPT) {
        buffer_free(&process->scratch);
    }
    buffer_clear(&process->scratch);
    return &process->scratch;
}

void process_reply(struct http_exchange *exchange, enum http_status status, const struct buffer *body)
{
    http_reply(exchange, status, "application/json", buffer_text(body));
}

static enum http_status status_of(enum error_code code)
{
    switch (code) {
    case ERROR_TOO_LONG:
        return HTTP_CONTENT_TOO_LARGE;
    case ERROR_FULL:
        return HTTP_UNAVAILABLE;
    case ERROR_FILE:
        return HTTP_INSUFFICIENT_STORAGE;
    default:
        return HTTP_BAD_REQUEST;
    }
}

void process_refuse(struct http_exchange *exchange, const struct error *error)
{
    http_fail(exchange, status_of(error->code), error->text);
}

const struct json_object *process_read(struct process *process, struct http_exchange *exchange,
                                       const struct http_request *request)
{
    struct error error;

    if (json_object_read(&process->body, request->body, &error) != 0) {
        process_refuse(exchange, &error);
        return NULL;
    }
    return &process->body;
}

int process_read_number(struct text text, const char *name, uint64_t low, uint64_t high, uint64_t *number,
                        struct error *error)
{
    uint64_t value = 0;
    bool good = text.length > 0 && text.length <= 19; /* so many digits always fit */

    for (size_t i = 0; good && i < text.length; i++) {
        good = text.bytes[i] >= '0' && text.bytes[i] <= '9';
        value = value * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    if (!good || value < low || value > high) {
        return error_set(error, ERROR_FIELD_VALUE,
                         "%s is \"%.*s\": a whole number from %" PRIu64 " to %" PRIu64 " is allowed", name,
                         (int)(text.length < 60 ? text.length : 60), text.length > 0 ? text.bytes : "", low,
                         high);
    }
    *number = value;
    return 0;
}

int process_query_number(const struct http_request *request, const char *name, uint64_t low, uint64_t high,
                         uint64_t standard, uint64_t *number, struct error *error)
{
    struct buffer value = {0};
    int code = 0;

    *number = standard;
    if (http_query_get(request->query, name, &value)) {
        code = process_read_number(buffer_text(&value), name, low, high, number, error);
    }
    buffer_free(&value);
    return code;
}

/* ---- what every process answers ---- */

static void get_health(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    (void)process, (void)request, (void)id;
    http_reply(exchange, HTTP_OK, "application/json", text_of("{\"status\":\"healthy\"}"));
}

static struct buffer *begin_report(struct process *process)
{
    struct buffer *out = process_body(process);

    buffer_add_format(out, "{\"role\":\"%s\",\"nodeId\":%" PRIu32 ",\"uptimeMs\":%" PRIu64, process->role,
                      process->id, clock_monotonic_ms() - process->started_ms);
    return out;
}

static void get_status(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id)
{
    struct buffer *out = begin_report(process);

    (void)request, (void)id;
    buffer_add_string(out, ",\"peers\":[");
    for (const struct peers *peers = process->peers; peers != NULL; peers = peers->next) {
        peers_write_status(peers, out);
    }
    buffer_add_char(out, ']');
    if (process->write_status != NULL) {
        process->write_status(process, out);
    }
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

static void get_stats(struct process *process, struct http_exchange *exchange,
                      const struct http_request *request, struct text id)
{
    struct buffer *out = begin_report(process);

    (void)request, (void)id;
    buffer_add_format(out, ",\"requests\":%" PRIu64 ",\"connections\":%zu", process->requests,
                      process->server.connection_count);
    if (process->write_stats != NULL) {
        process->write_stats(process, out);
    }
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
}

/* ?after=2026-11-21T09:30:00.123456Z: only what came later, for who asks again and again. */
static void reply_book(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, const struct log_book *book)
{
    struct buffer *out = process_body(process);
    struct buffer after = {0};

    (void)http_query_get(request->query, "after", &after);
    buffer_add_string(out, "{\"logs\":");
    log_book_write(book, buffer_text(&after), out);
    buffer_add_char(out, '}');
    process_reply(exchange, HTTP_OK, out);
    buffer_free(&after);
}

static void get_logs(struct process *process, struct http_exchange *exchange,
                     const struct http_request *request, struct text id)
{
    (void)id;
    if (process->debug) {
        reply_book(process, exchange, request, &process->all);
    } else {
        http_fail(exchange, HTTP_FORBIDDEN, "only a process started with DEBUG=true keeps all its logs");
    }
}

static void get_important_logs(struct process *process, struct http_exchange *exchange,
                               const struct http_request *request, struct text id)
{
    (void)id;
    reply_book(process, exchange, request, &process->important);
}

static const struct process_route common_routes[] = {
    {"GET", "/health", get_health},
    {"GET", "/status", get_status},
    {"GET", "/stats", get_stats},
    {"GET", "/logs", get_logs},
    {"GET", "/logs/important", get_important_logs},
};

#define COMMON_COUNT (sizeof common_routes / sizeof *common_routes)

/* ---- finding who answers ---- */

/* Is that the path of the route? `id` is then what stands in the place of {id}, as it came. */
static bool path_matches(const char *pattern, struct text path, struct text *id)
{
    const char *brace = strchr(pattern, '{');
    size_t fixed = brace != NULL ? (size_t)(brace - pattern) : strlen(pattern);
    const char *rest = brace != NULL ? brace + strlen("{id}") : "";
    size_t length = strlen(rest);

    *id = (struct text){0};
    if (path.length < fixed + length || memcmp(path.bytes, pattern, fixed) != 0 ||
        memcmp(path.bytes + path.length - length, rest, length) != 0) {
        return false;
    }
    if (brace == NULL) {
        return path.length == fixed;
    }
    *id = (struct text){path.bytes + fixed, path.length - fixed - length};
    return id->length > 0 && memchr(id->bytes, '/', id->length) == NULL;
}

/* A HEAD is a GET whose answer the server cuts. */
static bool method_matches(const char *method, struct text asked)
{
    return text_equal(text_of(method), asked) ||
           (text_equal(asked, text_of("HEAD")) && strcmp(method, "GET") == 0);
}

static const struct process_route *route_at(const struct process *process, size_t i)
{
    return i < process->route_count ? &process->routes[i] : &common_routes[i - process->route_count];
}

/* No route takes the method: 405 with those that the path does take, 404 if nobody has such a path. */
static void refuse_route(const struct process *process, struct http_exchange *exchange,
                         const struct http_request *request)
{
    struct buffer allowed = {0};
    struct text id;

    for (size_t i = 0; i < process->route_count + COMMON_COUNT; i++) {
        const struct process_route *route = route_at(process, i);
        if (path_matches(route->path, request->path, &id)) {
            buffer_add_string(&allowed, allowed.length > 0 ? ", " : "");
            buffer_add_string(&allowed, route->method);
        }
    }
    if (allowed.length > 0) {
        http_add_header(exchange, "Allow", buffer_text(&allowed));
        http_fail(exchange, HTTP_METHOD_NOT_ALLOWED, "this path does not take that method");
    } else {
        http_fail(exchange, HTTP_NOT_FOUND, "there is no such path here");
    }
    buffer_free(&allowed);
}

void process_route_request(struct http_server *server, struct http_exchange *exchange,
                           const struct http_request *request)
{
    struct process *process = container_of(server, struct process, server);
    struct text id;

    process->requests++;
    for (size_t i = 0; i < process->route_count + COMMON_COUNT; i++) {
        const struct process_route *route = route_at(process, i);
        if (!path_matches(route->path, request->path, &id) ||
            !method_matches(route->method, request->method)) {
            continue;
        }
        buffer_clear(&process->id_text);
        if (id.bytes != NULL && !http_decode(id, false, &process->id_text)) {
            http_fail(exchange, HTTP_BAD_REQUEST, "the path is not rightly encoded");
            return;
        }
        route->handle(process, exchange, request,
                      id.bytes != NULL ? buffer_text(&process->id_text) : (struct text){0});
        return;
    }
    refuse_route(process, exchange, request);
}
