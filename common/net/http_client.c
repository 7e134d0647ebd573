#include "common/net/http_client.h"

#include "common/container_of.h"
#include "common/net/http_client_connection.h"

#include <netdb.h>
#include <string.h>
#include <utlist.h>

#define HOUSEKEEPING_MS 1000
#define HANDLES         3

/* ---- opening ---- */

static void on_housekeeping(uv_timer_t *timer)
{
    http_client_tidy(container_of(timer, struct http_client, housekeeping));
}

int http_client_init(struct http_client *client, uv_loop_t *loop, const char *target, size_t connections_max,
                     struct error *error)
{
    static const char scheme[] = "http://";
    const size_t scheme_length = sizeof scheme - 1;

    *client = (struct http_client){.loop = loop,
                                   .on_closed = client->on_closed,
                                   .connections_max =
                                       connections_max != 0 ? connections_max : HTTP_CLIENT_CONNECTIONS,
                                   .alarm_ms = UINT64_MAX};
    if (strncmp(target, scheme, scheme_length) == 0) {
        target += scheme_length;
    }
    int code = target_read(&client->target, target, error);
    if (code != 0) {
        return code;
    }
    wire_hub_open(&client->hub, loop, http_client_protocol());
    uv_timer_init(loop, &client->alarm);
    uv_timer_init(loop, &client->housekeeping);
    uv_timer_start(&client->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
    uv_unref((uv_handle_t *)&client->housekeeping); /* it keeps no loop running */
    http_client_connection_prepare(client);
    return 0;
}

/* ---- time ---- */

static void on_alarm(uv_timer_t *timer);

/* A deadline that is met leaves the alarm as it is: mostly it is the next one's time anyhow. */
static void set_alarm(struct http_client *client)
{
    const struct deadline *first = deadlines_first(&client->deadlines);
    uint64_t now_ms = uv_now(client->loop);

    if (first != NULL && first->at_ms < client->alarm_ms && !client->closing) {
        client->alarm_ms = first->at_ms;
        uv_timer_start(&client->alarm, on_alarm, first->at_ms > now_ms ? first->at_ms - now_ms : 0, 0);
    }
}

static void expire(struct http_call *call)
{
    const char *server = call->client->target.authority;
    unsigned long long timeout_ms = call->timeout_ms;
    struct error error;

    if (http_call_seen(call)) {
        error_set(&error, ERROR_NETWORK, "no answer from %s within %llu ms", server, timeout_ms);
        http_call_fail(call, HTTP_TIMED_OUT, error.text);
    } else {
        error_set(&error, ERROR_NETWORK, "no connection to %s within %llu ms", server, timeout_ms);
        http_call_fail(call, HTTP_UNREACHABLE, error.text);
    }
}

static void on_alarm(uv_timer_t *timer)
{
    struct http_client *client = container_of(timer, struct http_client, alarm);
    struct deadline *first;

    client->alarm_ms = UINT64_MAX;
    if (client->trouble.code != ERROR_NONE) {
        http_client_refuse(client);
    }
    while (!client->closing && (first = deadlines_first(&client->deadlines)) != NULL &&
           first->at_ms <= uv_now(client->loop)) {
        expire(container_of(first, struct http_call, deadline));
    }
    set_alarm(client);
}

void http_client_hurry(struct http_client *client)
{
    client->alarm_ms = uv_now(client->loop);
    uv_timer_start(&client->alarm, on_alarm, 0, 0);
}

/* ---- calls ---- */

void http_client_call(struct http_client *client, struct http_call *call, const char *method,
                      const char *path, struct text body, uint64_t timeout_ms)
{
    struct buffer *out = &call->request;

    call->client = client;
    call->connection = NULL;
    call->taken = 0;
    call->repeated = false;
    call->timeout_ms = timeout_ms;
    buffer_clear(out);
    buffer_add_string(out, method);
    buffer_add_char(out, ' ');
    buffer_add_string(out, path);
    buffer_add_string(out, " HTTP/1.1\r\nHost: ");
    buffer_add_string(out, client->target.authority);
    if (body.bytes != NULL) {
        buffer_add_string(out, "\r\nContent-Type: application/json\r\nContent-Length: ");
        buffer_add_int(out, (int64_t)body.length);
    }
    buffer_add_string(out, "\r\n\r\n");
    buffer_add(out, body.bytes, body.length);
    DL_APPEND(client->waiting, call);
    client->waiting_count++;
    deadlines_add(&client->deadlines, &call->deadline, uv_now(client->loop) + timeout_ms);
    set_alarm(client);
    client->calling = true;
    http_client_serve(client);
    client->calling = false;
}

/* Takes it off its connection, which then is of no more use, or out of the line. */
static void leave(struct http_call *call)
{
    struct http_client *client = call->client;
    struct http_client_connection *connection = call->connection;

    deadlines_remove(&client->deadlines, &call->deadline);
    call->connection = NULL;
    if (connection == NULL) {
        DL_DELETE(client->waiting, call);
        client->waiting_count--;
    } else if (connection->call == call) {
        connection->call = NULL;
        wire_close(&connection->wire);
    }
}

void http_call_finish(struct http_call *call, const struct http_response *response)
{
    leave(call);
    call->on_done(call, response);
}

void http_call_fail(struct http_call *call, enum http_failure failure, const char *sentence)
{
    struct http_response response = {.status = (int)failure, .body = text_of(sentence), .retry_after_s = -1};
    http_call_finish(call, &response);
}

bool http_call_seen(const struct http_call *call)
{
    return call->taken > 0 || call->repeated;
}

void http_call_cancel(struct http_call *call)
{
    leave(call);
}

void http_call_free(struct http_call *call)
{
    buffer_free(&call->request);
    buffer_free(&call->body);
    buffer_free(&call->location);
    buffer_free(&call->retry_after);
}

/* ---- closing ---- */

static void forget(struct http_client *client)
{
    if (--client->open_handles > 0) {
        return;
    }
    deadlines_free(&client->deadlines);
    if (client->addresses != NULL) {
        uv_freeaddrinfo(client->addresses);
    }
    if (client->on_closed != NULL) {
        client->on_closed(client);
    }
}

static void on_alarm_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct http_client, alarm));
}

static void on_housekeeping_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct http_client, housekeeping));
}

static void on_hub_closed(struct wire_hub *hub)
{
    forget(container_of(hub, struct http_client, hub));
}

void http_client_settle(struct http_client *client)
{
    if (!client->closing || client->connections != NULL || client->resolving || client->open_handles > 0) {
        return;
    }
    client->open_handles = HANDLES;
    uv_close((uv_handle_t *)&client->alarm, on_alarm_closed);
    uv_close((uv_handle_t *)&client->housekeeping, on_housekeeping_closed);
    client->hub.on_closed = on_hub_closed;
    wire_hub_close(&client->hub);
}

void http_client_close(struct http_client *client)
{
    if (client->closing) {
        return;
    }
    client->closing = true;
    while (client->waiting != NULL) {
        http_call_fail(client->waiting, HTTP_CANCELLED, "the client is closing");
    }
    for (struct http_client_connection *connection = client->connections; connection != NULL;
         connection = connection->next) {
        wire_close(&connection->wire);
    }
    if (client->resolving) {
        (void)uv_cancel(
            (uv_req_t *)&client->resolver); /* where it is too late for that, it comes to its end */
    }
    http_client_settle(client);
}
