#include "common/net/grpc_connection.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* Our replies' headers are few, and a table for compressing them takes memory as long as its connection lives. The table
 * for what comes stays as large as HTTP/2 says: there are clients that do not heed a wish for a smaller one. */
#define TABLE_SIZE_OUT 512

#define SILENCE_MS 60000 /* a peer that does not even acknowledge for so long is gone */

static void say_broken(struct grpc_connection *connection, const char *why)
{
    struct grpc_server *server = connection->server;

    if (log_limit_admit(&server->broken, uv_now(server->hub.loop)) &&
        log_begin(server->log, LOG_WARNING, "discard")) {
        log_text(server->log, "reason", text_of("connection"));
        log_text(server->log, "from", text_of(connection->peer));
        log_text(server->log, "message", text_of(why));
        log_end(server->log);
    }
}

/* ---- what nghttp2 tells of frames ---- */

static struct grpc_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_connection *connection = context;

    if (connection->wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        connection->heard = call_of(session, frame->hd.stream_id);
        return 0;
    }
    connection->heard = grpc_call_new(connection, frame->hd.stream_id);
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, connection->heard);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    struct grpc_connection *connection = context;

    (void)session;
    (void)frame;
    (void)flags;
    if (connection->wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (connection->heard != NULL) {
        grpc_call_header(connection->heard, (struct text){(const char *)name, name_length},
                         (struct text){(const char *)value, value_length});
        if (connection->heard->header_bytes > 4 * GRPC_HEADERS_MAX) {
            say_broken(connection, "headers without end");
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t length, void *context)
{
    struct grpc_connection *connection = context;
    struct grpc_call *call = call_of(session, stream_id);

    (void)flags;
    if (connection->wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (call != NULL) {
        grpc_call_data(call, bytes, length);
    }
    return 0;
}

/* The second half of a drain: what was under way when it began has been heard, so no call is newer than this. */
static int say_last_call(nghttp2_session *session)
{
    return nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session),
                                 NGHTTP2_NO_ERROR, NULL, 0);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_connection *connection = context;
    struct grpc_call *call;
    bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;

    if (connection->wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        call = call_of(session, frame->hd.stream_id);
        if (call == NULL) {
            return 0;
        }
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            grpc_call_headers_end(call);
        }
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            grpc_call_end(call);
        }
        return 0;
    case NGHTTP2_SETTINGS:
        connection->greeted = true;
        return 0;
    case NGHTTP2_PING:
        return ack && connection->warned ? say_last_call(session) : 0;
    default:
        return 0;
    }
}

static int on_bad_frame(nghttp2_session *session, const nghttp2_frame *frame, int code, void *context)
{
    (void)session;
    (void)frame;
    say_broken(context, nghttp2_strerror(code));
    return 0;
}

/* The first half of a drain has gone out; or an answer that was given before the request ended, the rest of which need
 * not be sent. */
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_connection *connection = context;

    if (frame->hd.type == NGHTTP2_GOAWAY && connection->draining && !connection->warned) {
        connection->warned = true;
        return nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE,
                                   NULL); /* its answer tells that the warning was heard */
    }
    if (frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        struct grpc_call *call = call_of(session, frame->hd.stream_id);
        if (call != NULL && !call->ended) {
            return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                             NGHTTP2_NO_ERROR);
        }
    }
    return 0;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t length,
                        nghttp2_data_source *source, void *context)
{
    (void)session;
    (void)frame;
    (void)context;
    return grpc_call_copy_reply(source->ptr, head, length);
}

static int on_stream_closed(nghttp2_session *session, int32_t stream_id, uint32_t code, void *context)
{
    struct grpc_connection *connection = context;
    struct grpc_call *call = call_of(session, stream_id);

    (void)code;
    if (!connection->wire.closing && call != NULL) { /* else all calls are detached already */
        grpc_call_detach(call);
    }
    return 0;
}

void grpc_connection_prepare(struct grpc_server *server)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&server->option) != 0) {
        memory_new(SIZE_MAX); /* ends the program, as all want of memory does */
        return;
    }
    server->callbacks = callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_bad_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_option_set_no_closed_streams(server->option, 1); /* nobody's priorities depend on them */
    nghttp2_option_set_max_deflate_dynamic_table_size(server->option, TABLE_SIZE_OUT);
}

/* ---- what the wire tells ---- */

static void on_flushed(struct grpc_wire *wire)
{
    struct grpc_connection *connection = container_of(wire, struct grpc_connection, wire);

    connection->resting = false;
    grpc_connection_continue(connection);
}

static void on_lost(struct grpc_wire *wire, const char *why)
{
    struct grpc_connection *connection = container_of(wire, struct grpc_connection, wire);

    if (wire->misused && why != NULL) {
        say_broken(connection, why);
    }
    while (connection->calls != NULL) {
        grpc_call_detach(connection->calls);
    }
}

static void on_closed(struct grpc_wire *wire)
{
    struct grpc_connection *connection = container_of(wire, struct grpc_connection, wire);
    struct grpc_server *server = connection->server;

    DL_DELETE(server->connections, connection);
    server->connection_count--;
    free(connection);
    grpc_server_settle(server);
}

/* ---- from the first byte to the last ---- */

static void read_peer(struct grpc_connection *connection)
{
    struct sockaddr_storage address;
    int length = sizeof address;
    char text[INET6_ADDRSTRLEN] = "?";
    const char *shown = text;
    unsigned port = 0;

    if (uv_tcp_getpeername(&connection->wire.tcp, (struct sockaddr *)&address, &length) == 0) {
        if (address.ss_family == AF_INET6) {
            const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)(const void *)&address;
            uv_ip6_name(ip6, text, sizeof text);
            port = ntohs(ip6->sin6_port);
        } else {
            const struct sockaddr_in *ip4 = (const struct sockaddr_in *)(const void *)&address;
            uv_ip4_name(ip4, text, sizeof text);
            port = ntohs(ip4->sin_port);
        }
    }
    if (strncmp(text, "::ffff:", 7) == 0) { /* an IPv4 peer of the socket for both */
        shown += 7;
    }
    bool brackets = strchr(shown, ':') != NULL;
    snprintf(connection->peer, sizeof connection->peer, brackets ? "[%s]:%u" : "%s:%u", shown, port);
}

static int open_session(struct grpc_connection *connection)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GRPC_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GRPC_MESSAGE_MAX},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_HEADERS_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    struct grpc_server *server = connection->server;
    nghttp2_session *session;

    grpc_place_open(&connection->memory, &server->pool);
    int failure = nghttp2_session_server_new3(&session, server->callbacks, connection, server->option,
                                              &connection->memory.memory);
    grpc_place_settle(&connection->memory);
    if (failure != 0) {
        return UV_ENOMEM;
    }
    int status = grpc_wire_start(&connection->wire, session, SILENCE_MS);
    if (status == 0 &&
        (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) !=
             0 ||
         nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, GRPC_MESSAGE_MAX) != 0)) {
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
    connection->wire.on_flushed = on_flushed;
    connection->wire.on_lost = on_lost;
    connection->wire.on_closed = on_closed;
    connection->wire.lingers = true;
    int status = grpc_wire_init(&connection->wire, &server->hub);
    if (status != 0) {
        free(connection);
        return status;
    }
    DL_APPEND(server->connections, connection);
    server->connection_count++;
    status = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&connection->wire.tcp);
    if (status == 0) {
        read_peer(connection);
        status = refuse ? UV_EMFILE : open_session(connection);
    }
    if (status != 0) {
        grpc_wire_close(&connection->wire);
        return status;
    }
    grpc_wire_touch(&connection->wire); /* our settings */
    return 0;
}

void grpc_connection_give_up(struct grpc_connection *connection, const char *why)
{
    if (why[0] != '\0') {
        say_broken(connection, why);
    }
    grpc_wire_close(&connection->wire);
}

void grpc_connection_drain(struct grpc_connection *connection)
{
    nghttp2_session *session = connection->wire.session;

    if (connection->wire.closing || connection->wire.lingering) {
        return;
    }
    connection->draining = true;
    /* First a warning, and once the peer has heard it the number of the last call that counts: so no call that crosses
     * the warning on its way is lost. */
    if (!connection->greeted || nghttp2_submit_shutdown_notice(session) != 0) {
        grpc_wire_close(&connection->wire);
        return;
    }
    grpc_wire_touch(&connection->wire);
}

void grpc_connection_continue(struct grpc_connection *connection)
{
    while (connection->deferred != NULL && connection->reply_bytes < GRPC_REPLIES_MAX) {
        grpc_call_dispatch(connection->deferred);
    }
    /* A peer that reads nothing is not read from, either. */
    grpc_wire_pause(&connection->wire, connection->deferred != NULL && connection->wire.writing);
}

void grpc_connection_rest(struct grpc_connection *connection)
{
    const struct grpc_wire *wire = &connection->wire;
    bool busy = connection->calls != NULL || wire->dirty || wire->writing || wire->lingering ||
                nghttp2_session_want_write(wire->session) != 0;

    if (!connection->resting && !busy) {
        grpc_place_rest(&connection->memory);
        connection->resting = true;
    }
}
