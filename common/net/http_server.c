#include "common/net/http_server.h"

#include "common/container_of.h"
#include "common/net/http_connection.h"
#include "common/net/listener.h"

#include <utlist.h>

#define HOUSEKEEPING_MS 1000
#define LINGER_MS       1000 /* that a peer has to close a connection that is done */
#define HANDLES         3    /* besides the listener, which closes first */

/* ---- opening ---- */

static void on_connection(uv_stream_t *stream, int status)
{
    struct http_server *server = container_of((uv_tcp_t *)stream, struct http_server, listener);

    if (status == 0) {
        status = http_connection_accept(server);
    }
    if (status != 0 && !server->closing) {
        refusals_add_refused(&server->refusals, uv_now(server->hub.loop), status, server->connection_count,
                             HTTP_CONNECTIONS_MAX);
    }
}

static void on_housekeeping(uv_timer_t *timer);

int http_server_open(struct http_server *server, uv_loop_t *loop, struct log *log, const char *host,
                     uint16_t port, struct error *error)
{
    *server = (struct http_server){.refusals.log = log,
                                   .on_request = server->on_request,
                                   .on_closed = server->on_closed,
                                   .date_s = -1};
    int code = listener_open(&server->listener, loop, host, port, on_connection, &server->port, error);
    if (code != 0) {
        return code;
    }
    wire_hub_open(&server->hub, loop, http_connection_protocol());
    uv_timer_init(loop, &server->housekeeping);
    uv_timer_init(loop, &server->grace);
    uv_timer_start(&server->housekeeping, on_housekeeping, HOUSEKEEPING_MS, HOUSEKEEPING_MS);
    http_connection_prepare(server);
    return 0;
}

/* ---- time ---- */

/* Has the peer had its time? */
static bool is_overdue(const struct http_connection *connection, uint64_t now_ms)
{
    const struct wire *wire = &connection->wire;
    uint64_t stood_ms = now_ms - wire->progress_ms;
    uint64_t idle_ms = now_ms - connection->since_ms;

    if (wire->lingering) {
        return stood_ms >= LINGER_MS;
    }
    if (wire->writing) {
        return stood_ms >= HTTP_STALL_MS;
    }
    return connection->exchanges == NULL && connection->heard == NULL &&
           idle_ms >= (connection->used ? HTTP_IDLE_MS : HTTP_REQUEST_MS);
}

static void on_housekeeping(uv_timer_t *timer)
{
    struct http_server *server = container_of(timer, struct http_server, housekeeping);
    uint64_t now_ms = uv_now(server->hub.loop);

    for (struct http_connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        if (connection->wire.closing) {
            continue; /* it stays in the list until its close callback */
        }
        if (is_overdue(connection, now_ms)) {
            wire_close(&connection->wire);
        } else if (connection->heard != NULL && now_ms - connection->since_ms >= HTTP_REQUEST_MS) {
            http_connection_refuse(connection, HTTP_REQUEST_TIMEOUT,
                                   "the request was not whole after 10 seconds");
        }
    }
    refusals_sum_up(&server->refusals, now_ms, false);
}

/* ---- closing ---- */

static void forget(struct http_server *server)
{
    struct http_exchange *exchange;

    if (--server->open_handles > 0) {
        return;
    }
    while ((exchange = server->orphans) != NULL) { /* their owner still has them */
        DL_DELETE(server->orphans, exchange);
        exchange->server = NULL;
    }
    while ((exchange = server->spare) != NULL) {
        LL_DELETE(server->spare, exchange);
        exchange->server = NULL;
        http_exchange_free(exchange);
    }
    if (server->on_closed != NULL) {
        server->on_closed(server);
    }
}

static void on_housekeeping_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct http_server, housekeeping));
}

static void on_grace_closed(uv_handle_t *handle)
{
    forget(container_of((uv_timer_t *)handle, struct http_server, grace));
}

static void on_hub_closed(struct wire_hub *hub)
{
    forget(container_of(hub, struct http_server, hub));
}

void http_server_settle(struct http_server *server)
{
    if (!server->closing || server->connection_count > 0 || server->open_handles > 0) {
        return;
    }
    server->open_handles = HANDLES;
    refusals_sum_up(&server->refusals, uv_now(server->hub.loop), true);
    uv_close((uv_handle_t *)&server->housekeeping, on_housekeeping_closed);
    uv_close((uv_handle_t *)&server->grace, on_grace_closed);
    server->hub.on_closed = on_hub_closed;
    wire_hub_close(&server->hub);
}

/* Where the process stood still, an answer may have been given in this very turn. */
static void on_grace_over(uv_timer_t *timer)
{
    struct http_server *server = container_of(timer, struct http_server, grace);

    for (struct http_connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        wire_close_after_flush(&connection->wire);
    }
}

void http_server_close(struct http_server *server, uint64_t grace_ms)
{
    if (server->closing) {
        return;
    }
    server->closing = true;
    uv_close((uv_handle_t *)&server->listener, NULL);
    for (struct http_connection *connection = server->connections; connection != NULL;
         connection = connection->next) {
        http_connection_drain(connection);
    }
    uv_timer_start(&server->grace, on_grace_over, grace_ms, 0);
    http_server_settle(server);
}
