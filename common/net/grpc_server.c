#include "common/net/grpc_server.h"

#include "common/container_of.h"
#include "common/net/grpc_connection.h"
#include "common/net/listener.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HOUSEKEEPING_MS 1000
#define REST_MS         2000 /* without output; then a connection is idle */
#define LINGER_MS       1000 /* that a peer has to close a connection that is done */
#define HANDLES         4    /* besides the listener, which closes first */

/* ---- opening ---- */

static void on_connection(uv_stream_t *stream, int status)
{
    struct grpc_server *server = container_of((uv_tcp_t *)stream, struct grpc_server, listener);

    if (status == 0) {
        status = grpc_connection_accept(server);
    }
    if (status != 0 && !server->closing) {
        refusals_add_refused(&server->refusals, uv_now(server->hub.loop), status, server->connection_count,
                             GRPC_CONNECTIONS_MAX);
    }
}

static void on_housekeeping(uv_timer_t *timer);

int grpc_server_open(struct grpc_server *server, uv_loop_t *loop, struct log *log, const char *host,
                     uint16_t port, struct error *error)
{
    *server = (struct grpc_server){.refusals.log = log, .on_call = server->on_call, .alarm_ms = UINT64_MAX};
    int code = listener_open(&server->listener, loop, host, port, on_connection, &server->port, error);
    if (code != 0) {
        return code;
    }
    wire_hub_open(&server->hub, loop, &http2_protocol);
    uv_timer_init(loop, &server->housekeeping);
    uv_timer_init(loop, &server->grace);
    uv_timer_init(loop, &server->alarm);
    uv_timer_start(&server->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
    grpc_pool_open(&server->pool, GRPC_CONNECTIONS_MAX);
    grpc_session_prepare(server);
    return 0;
}

/* ---- time ---- */

static void on_alarm(uv_timer_t *timer)
{
    struct grpc_server *server = container_of(timer, struct grpc_server, alarm);

    server->alarm_ms = UINT64_MAX;
    grpc_calls_expire(server);
    grpc_server_set_alarm(server);
}

/* A deadline that is met leaves the alarm as it is: mostly it is the next one's time anyhow. */
void grpc_server_set_alarm(struct grpc_server *server)
{
    const struct deadline *first = deadlines_first(&server->deadlines);
    uint64_t now_ms = uv_now(server->hub.loop);

    if (first != NULL && first->at_ms < server->alarm_ms) {
        server->alarm_ms = first->at_ms;
        uv_timer_start(&server->alarm, on_alarm, first->at_ms > now_ms ? first->at_ms - now_ms : 0, 0);
    }
}

/* What is wrong with a connection, NULL if nothing is. */
static const char *find_fault(const struct grpc_connection *connection, uint64_t now_ms)
{
    uint64_t stood_ms = now_ms - connection->http2.wire.progress_ms;

    if (!connection->greeted && now_ms - connection->opened_ms >= GRPC_PREFACE_MS) {
        return "no HTTP/2 preface came";
    }
    if (connection->http2.wire.lingering && stood_ms >= LINGER_MS) {
        return "";
    }
    if ((connection->http2.wire.writing && stood_ms >= GRPC_STALL_MS) ||
        (connection->reply_bytes > 0 && now_ms - connection->read_ms >= GRPC_STALL_MS)) {
        return "its replies are not read";
    }
    return NULL;
}

static void on_housekeeping(uv_timer_t *timer)
{
    struct grpc_server *server = container_of(timer, struct grpc_server, housekeeping);
    uint64_t now_ms = uv_now(server->hub.loop);

    for (struct grpc_connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        if (connection->http2.wire.closing) {
            continue; /* it stays in the list until its close callback */
        }
        const char *fault = find_fault(connection, now_ms);
        if (fault != NULL) {
            grpc_connection_give_up(connection, fault);
        } else if (now_ms - connection->http2.wire.progress_ms >= REST_MS) {
            grpc_connection_rest(connection);
        }
    }
    refusals_sum_up(&server->refusals, now_ms, false);
}

/* ---- closing ---- */

static void forget(struct grpc_server *server)
{
    struct grpc_call *call;

    if (--server->open_handles > 0) {
        return;
    }
    while ((call = server->orphans) != NULL) { /* their owner still has them */
        DL_DELETE(server->orphans, call);
        call->server = NULL;
    }
    while ((call = server->spare) != NULL) {
        LL_DELETE(server->spare, call);
        call->server = NULL;
        grpc_call_free(call);
    }
    deadlines_free(&server->deadlines);
    grpc_pool_close(&server->pool);
    nghttp2_session_callbacks_del(server->callbacks);
    nghttp2_option_del(server->option);
}

static void on_housekeeping_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct grpc_server, housekeeping));
}

static void on_grace_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct grpc_server, grace));
}

static void on_alarm_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct grpc_server, alarm));
}

static void on_hub_closed(struct wire_hub *hub)
{
    forget(container_of(hub, struct grpc_server, hub));
}

void grpc_server_settle(struct grpc_server *server)
{
    if (!server->closing || server->connection_count > 0 || server->open_handles > 0) {
        return;
    }
    server->open_handles = HANDLES;
    refusals_sum_up(&server->refusals, uv_now(server->hub.loop), true);
    uv_close((uv_handle_t *)&server->housekeeping, on_housekeeping_closed);
    uv_close((uv_handle_t *)&server->grace, on_grace_closed);
    uv_close((uv_handle_t *)&server->alarm, on_alarm_closed);
    server->hub.on_closed = on_hub_closed;
    wire_hub_close(&server->hub);
}

/* Where the process stood still, an answer may have been given in this very turn. */
static void on_grace_over(uv_timer_t *timer)
{
    struct grpc_server *server = container_of(timer, struct grpc_server, grace);

    for (struct grpc_connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        wire_close_after_flush(&connection->http2.wire);
    }
}

void grpc_server_close(struct grpc_server *server, uint64_t grace_ms)
{
    if (server->closing) {
        return;
    }
    server->closing = true;
    uv_close((uv_handle_t *)&server->listener, NULL);
    for (struct grpc_connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        grpc_connection_drain(connection);
    }
    uv_timer_start(&server->grace, on_grace_over, grace_ms, 0);
    grpc_server_settle(server);
}
