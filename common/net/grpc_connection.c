#include "common/net/grpc_connection.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/listener.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SILENCE_MS 60000 /* a peer that does not even acknowledge for so long is gone */

void grpc_connection_report(struct grpc_connection *connection, const char *why)
{
    struct grpc_server *server = connection->server;
    refusals_add_broken(&server->refusals, uv_now(server->hub.loop), connection->peer, why);
}

/* ---- what the wire tells ---- */

static void on_flushed(struct wire *wire)
{
    struct grpc_connection *connection = container_of(wire, struct grpc_connection, http2.wire);

    connection->resting = false;
    grpc_connection_continue(connection);
}

static void on_lost(struct wire *wire, const char *why)
{
    struct grpc_connection *connection = container_of(wire, struct grpc_connection, http2.wire);

    if (wire->misused && why != NULL) {
        grpc_connection_report(connection, why);
    }
    while (connection->calls != NULL) {
        grpc_call_detach(connection->calls);
    }
}

static void on_closed(struct wire *wire)
{
    struct grpc_connection *connection = container_of(wire, struct grpc_connection, http2.wire);
    struct grpc_server *server = connection->server;

    DL_DELETE(server->connections, connection);
    server->connection_count--;
    free(connection);
    grpc_server_settle(server);
}

/* ---- from the first byte to the last ---- */

static int open_session(struct grpc_connection *connection)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GRPC_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_MESSAGE_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_HEADERS_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    struct grpc_server *server = connection->server;
    nghttp2_session **session = &connection->http2.session;

    grpc_place_open(&connection->memory, &server->pool);
    int failure = nghttp2_session_server_new3(session, server->callbacks, connection, server->option,
                                              &connection->memory.memory);
    grpc_place_settle(&connection->memory);
    if (failure != 0) {
        return UV_ENOMEM;
    }
    int status = wire_start(&connection->http2.wire, SILENCE_MS);
    if (status == 0 &&
        (nghttp2_submit_settings(*session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) !=
             0 ||
         nghttp2_session_set_local_window_size(*session, NGHTTP2_FLAG_NONE, 0, GRPC_MESSAGE_MAX) != 0)) {
        status = UV_ENOMEM;
    }
    return status;
}

int grpc_connection_accept(struct grpc_server *server)
{
    struct grpc_connection *connection = memory_new_zeroed(1, sizeof *connection);
    bool refuse = server->connection_count >= GRPC_CONNECTIONS_MAX || server->closing;

    connection->server = server;
    connection->opened_ms = uv_now(server->hub.loop);
    connection->http2.wire.on_flushed = on_flushed;
    connection->http2.wire.on_lost = on_lost;
    connection->http2.wire.on_closed = on_closed;
    connection->http2.wire.lingers = true;
    int status = wire_init(&connection->http2.wire, &server->hub);
    if (status != 0) {
        free(connection);
        return status;
    }
    DL_APPEND(server->connections, connection);
    server->connection_count++;
    status = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&connection->http2.wire.tcp);
    if (status == 0) {
        listener_peer_name(&connection->http2.wire.tcp, connection->peer);
        status = refuse ? UV_EMFILE : open_session(connection);
    }
    if (status != 0) {
        wire_close(&connection->http2.wire);
        return status;
    }
    wire_touch(&connection->http2.wire); /* our settings */
    return 0;
}

void grpc_connection_give_up(struct grpc_connection *connection, const char *why)
{
    if (why[0] != '\0') {
        grpc_connection_report(connection, why);
    }
    wire_close(&connection->http2.wire);
}

void grpc_connection_drain(struct grpc_connection *connection)
{
    nghttp2_session *session = connection->http2.session;

    if (connection->http2.wire.closing || connection->http2.wire.lingering) {
        return;
    }
    connection->draining = true;
    /* First a warning, and once the peer has heard it the number of the last call that counts: so no call that crosses
     * the warning on its way is lost. */
    if (!connection->greeted || nghttp2_submit_shutdown_notice(session) != 0) {
        wire_close(&connection->http2.wire);
        return;
    }
    wire_touch(&connection->http2.wire);
}

void grpc_connection_continue(struct grpc_connection *connection)
{
    while (connection->deferred != NULL && connection->reply_bytes < GRPC_REPLIES_MAX) {
        grpc_call_dispatch(connection->deferred);
    }
    /* A peer that reads nothing is not read from, either. */
    wire_pause(&connection->http2.wire, connection->deferred != NULL && connection->http2.wire.writing);
}

void grpc_connection_rest(struct grpc_connection *connection)
{
    const struct wire *wire = &connection->http2.wire;
    bool busy = connection->calls != NULL || wire->dirty || wire->writing || wire->lingering ||
                nghttp2_session_want_write(connection->http2.session) != 0;

    if (!connection->resting && !busy) {
        grpc_place_rest(&connection->memory);
        connection->resting = true;
    }
}
