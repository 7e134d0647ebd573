#include "common/net/grpc_client.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/grpc_client_connection.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HANDLES 3

/* ---- opening ---- */

int grpc_client_init(struct grpc_client *client, uv_loop_t *loop, const char *target, struct error *error)
{
    *client = (struct grpc_client){.loop = loop,
                                   .on_closed = client->on_closed,
                                   .backoff_ms = GRPC_BACKOFF_MIN_MS,
                                   .alarm_ms = UINT64_MAX};
    int code = target_read(&client->target, target, error);
    if (code != 0) {
        return code;
    }
    wire_hub_open(&client->hub, loop, &http2_protocol);
    uv_timer_init(loop, &client->attempt);
    uv_timer_init(loop, &client->alarm);
    grpc_client_connection_prepare(client);
    return 0;
}

/* ---- calls ---- */

static void on_alarm(uv_timer_t *timer);

/* A deadline that is met leaves the alarm as it is: mostly it is the next one's time anyhow. */
static void set_alarm(struct grpc_client *client)
{
    const struct deadline *first = deadlines_first(&client->deadlines);
    uint64_t now_ms = uv_now(client->loop);

    if (first != NULL && first->at_ms < client->alarm_ms && !client->closing) {
        client->alarm_ms = first->at_ms;
        uv_timer_start(&client->alarm, on_alarm, first->at_ms > now_ms ? first->at_ms - now_ms : 0, 0);
    }
}

/* Forgets what a server has seen or said of it. */
static void start_anew(struct grpc_request *request)
{
    request->connection = NULL;
    request->taken = request->copied = 0;
    request->end = 0;
    request->stream_id = 0;
    request->http_status = 0;
    request->grpc_status = -1;
    request->is_grpc = false;
    request->header_bytes = 0;
    grpc_reader_start(&request->reader, GRPC_REPLY_MAX);
    buffer_clear(&request->sentence);
}

void grpc_client_call(struct grpc_client *client, struct grpc_request *request, const char *method,
                      struct text message, uint64_t timeout_ms)
{
    uint64_t now_ms = uv_now(client->loop);

    *request = (struct grpc_request){.client = client, .on_done = request->on_done, .timeout_ms = timeout_ms};
    start_anew(request);
    request->method_length = strlen(method);
    request->frame_length = GRPC_PREFIX_LENGTH + message.length;
    request->frame = memory_new(request->frame_length + request->method_length);
    grpc_prefix_write((uint8_t *)request->frame, message.length);
    if (message.length > 0) {
        memcpy(request->frame + GRPC_PREFIX_LENGTH, message.bytes, message.length);
    }
    memcpy(request->frame + request->frame_length, method, request->method_length);
    DL_APPEND(client->waiting, request);
    deadlines_add(&client->deadlines, &request->deadline,
                  timeout_ms < UINT64_MAX - now_ms ? now_ms + timeout_ms : UINT64_MAX);
    set_alarm(client);
    grpc_client_wake(client);
}

static void unlink_request(struct grpc_request *request)
{
    if (request->connection != NULL) {
        DL_DELETE(request->connection->requests, request);
    } else {
        DL_DELETE(request->client->waiting, request);
    }
}

void grpc_request_finish(struct grpc_request *request, int status, struct text reply, bool sent)
{
    char *frame = request->frame;
    struct grpc_reader reader = request->reader; /* `reply` may stand in it */
    struct buffer sentence = request->sentence;

    deadlines_remove(&request->client->deadlines, &request->deadline);
    unlink_request(request);
    request->on_done(request, status, reply, sent);
    free(frame);
    grpc_reader_free(&reader);
    buffer_free(&sentence);
}

void grpc_request_abandon(struct grpc_request *request, int status, const struct error *error, bool sent)
{
    request->error = error;
    grpc_request_finish(request, status, text_of(error->text), sent);
}

bool grpc_request_was_sent(const struct grpc_request *request)
{
    if (request->connection == NULL) {
        return request->sent;
    }
    return request->end != 0 && request->end <= request->connection->http2.wire.handed;
}

void grpc_request_requeue(struct grpc_request *request)
{
    unlink_request(request);
    start_anew(request);
    DL_APPEND(request->client->waiting, request);
}

/* ---- deadlines ---- */

static void expire(struct grpc_request *request)
{
    struct grpc_client *client = request->client;
    bool sent = grpc_request_was_sent(request);
    struct error error;

    if (!sent && client->trouble.code != ERROR_NONE) {
        error_set(&error, ERROR_NETWORK, "not sent within %llu ms", (unsigned long long)request->timeout_ms);
        error_because_of(&error, &client->trouble);
    } else {
        error_set(&error, ERROR_NETWORK, "no answer from %s within %llu ms", client->target.authority,
                  (unsigned long long)request->timeout_ms);
        if (!sent) {
            error_because(&error, "not sent");
        }
    }
    if (request->connection != NULL) {
        grpc_client_connection_cancel(request);
    }
    grpc_request_abandon(request, GRPC_DEADLINE_EXCEEDED, &error, sent);
}

static void on_alarm(uv_timer_t *timer)
{
    struct grpc_client *client = container_of(timer, struct grpc_client, alarm);
    struct deadline *first;

    client->alarm_ms = UINT64_MAX;
    while (!client->closing && (first = deadlines_first(&client->deadlines)) != NULL &&
           first->at_ms <= uv_now(client->loop)) {
        expire(container_of(first, struct grpc_request, deadline));
    }
    set_alarm(client);
}

/* ---- closing ---- */

static void forget(struct grpc_client *client)
{
    struct grpc_request *request;

    if (--client->open_handles > 0) {
        return;
    }
    while ((request = client->waiting) != NULL) {
        grpc_request_finish(request, GRPC_CANCELLED, text_of("the client closed"), request->sent);
    }
    deadlines_free(&client->deadlines);
    nghttp2_session_callbacks_del(client->callbacks);
    nghttp2_option_del(client->option);
    if (client->on_closed != NULL) {
        client->on_closed(client);
    }
}

static void on_attempt_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct grpc_client, attempt));
}

static void on_alarm_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct grpc_client, alarm));
}

static void on_hub_closed(struct wire_hub *hub)
{
    forget(container_of(hub, struct grpc_client, hub));
}

void grpc_client_settle(struct grpc_client *client)
{
    bool busy = client->connections != NULL || client->state == CLIENT_RESOLVING;

    if (!client->closing || busy || client->open_handles > 0) {
        return;
    }
    client->open_handles = HANDLES;
    uv_close((uv_handle_t *)&client->attempt, on_attempt_closed);
    uv_close((uv_handle_t *)&client->alarm, on_alarm_closed);
    client->hub.on_closed = on_hub_closed;
    wire_hub_close(&client->hub);
}

void grpc_client_close(struct grpc_client *client)
{
    if (client->closing) {
        return;
    }
    client->closing = true;
    uv_timer_stop(&client->attempt);
    if (client->state == CLIENT_RESOLVING) {
        (void)uv_cancel((uv_req_t *)&client->resolver); /* if it runs already, it ends by itself */
    }
    if (client->addresses != NULL) {
        uv_freeaddrinfo(client->addresses);
        client->addresses = client->next_address = NULL;
    }
    for (struct grpc_client_connection *connection = client->connections; connection != NULL;
         connection = connection->next) {
        wire_close(&connection->http2.wire);
    }
    grpc_client_settle(client);
}
