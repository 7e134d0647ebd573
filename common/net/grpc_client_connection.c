#include "common/net/grpc_client_connection.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define STREAMS_MAX 10000 /* at once, however many the server allows */

#define LENGTH(literal) (sizeof(literal) - 1)
#define HEADER(name, value, value_length, flags)                                                             \
    {                                                                                                        \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), LENGTH(name), (value_length),           \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | (flags)                                                           \
    }
#define STATIC_HEADER(name, value) HEADER(name, value, LENGTH(value), NGHTTP2_NV_FLAG_NO_COPY_VALUE)

static struct grpc_request *request_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

/* ---- requests ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): nghttp2 says how it is declared */
static ssize_t on_frame_wanted(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t length,
                               uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct grpc_request *request = request_of(session, stream_id);

    (void)room;
    (void)source;
    (void)context;
    if (request == NULL) { /* cancelled */
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    size_t left = request->frame_length - request->taken;
    size_t piece = left < length ? left : length;
    request->taken += piece;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY | (piece == left ? NGHTTP2_DATA_FLAG_EOF : 0);
    return (ssize_t)piece;
}

static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t length,
                        nghttp2_data_source *source, void *context)
{
    struct grpc_client_connection *connection = context;
    struct grpc_request *request = request_of(session, frame->hd.stream_id);

    (void)source;
    if (request == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    int code = http2_wire_add_data(&connection->http2, head, request->frame + request->copied, length);
    request->copied += length;
    if (request->copied == request->frame_length) {
        request->end = wire_position(&connection->http2.wire);
    }
    return code;
}

/* The time that is left; in calls that need not wait it is the same in every one, and compresses to one byte. */
static size_t write_timeout(const struct grpc_request *request, char out[GRPC_TIMEOUT_LENGTH + 1],
                            bool *usual)
{
    uint64_t now_ms = uv_now(request->client->loop);
    uint64_t at_ms = request->deadline.at_ms;
    uint64_t left_ms = at_ms > now_ms ? at_ms - now_ms : 1;

    *usual = left_ms + 1 >= request->timeout_ms;
    return grpc_timeout_write(out, *usual ? request->timeout_ms : left_ms);
}

/* Gives a request to nghttp2; false if this connection takes no more. */
static bool submit(struct grpc_client_connection *connection, struct grpc_request *request)
{
    struct grpc_client *client = connection->client;
    char timeout[GRPC_TIMEOUT_LENGTH + 1];
    bool usual;
    size_t timeout_length = write_timeout(request, timeout, &usual);
    const nghttp2_nv headers[] = {
        STATIC_HEADER(":method", "POST"),
        STATIC_HEADER(":scheme", "http"),
        HEADER(":path", request->frame + request->frame_length, request->method_length, NGHTTP2_NV_FLAG_NONE),
        HEADER(":authority", client->target.authority, strlen(client->target.authority),
               NGHTTP2_NV_FLAG_NO_COPY_VALUE),
        STATIC_HEADER("content-type", "application/grpc"),
        STATIC_HEADER("te", "trailers"),
        STATIC_HEADER("user-agent", "ordem"),
        HEADER("grpc-timeout", timeout, timeout_length,
               usual ? NGHTTP2_NV_FLAG_NONE : NGHTTP2_NV_FLAG_NO_INDEX),
    };
    nghttp2_data_provider provider = {0};

    provider.read_callback = on_frame_wanted;
    int32_t stream_id = nghttp2_submit_request(connection->http2.session, NULL, headers,
                                               sizeof headers / sizeof *headers, &provider, request);
    if (stream_id < 0) { /* two thousand million calls need a new connection */
        return false;
    }
    DL_DELETE(client->waiting, request);
    DL_APPEND(connection->requests, request);
    request->connection = connection;
    request->stream_id = stream_id;
    connection->open++;
    return true;
}

void grpc_client_connection_submit(struct grpc_client_connection *connection)
{
    struct grpc_client *client = connection->client;
    nghttp2_session *session = connection->http2.session;

    if (!connection->ready || connection->retired) {
        return;
    }
    size_t allowed = nghttp2_session_get_remote_settings(session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    while (client->waiting != NULL && connection->open < allowed && connection->open < STREAMS_MAX) {
        if (!submit(connection, client->waiting)) {
            (void)nghttp2_submit_goaway(session, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
            grpc_client_connection_retire(connection);
            return;
        }
    }
}

void grpc_client_connection_cancel(struct grpc_request *request)
{
    struct grpc_client_connection *connection = request->connection;
    nghttp2_session *session = connection->http2.session;

    if (connection->heard == request) {
        connection->heard = NULL;
    }
    if (!connection->http2.wire.closing) {
        (void)nghttp2_session_set_stream_user_data(session, request->stream_id, NULL);
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, request->stream_id, NGHTTP2_CANCEL);
        wire_touch(&connection->http2.wire);
    }
}

/* ---- what nghttp2 tells of frames ---- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_client_connection *connection = context;

    if (connection->http2.wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    connection->heard = request_of(session, frame->hd.stream_id);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags,
                     void *context)
{
    struct grpc_client_connection *connection = context;

    (void)session;
    (void)frame;
    (void)flags;
    if (connection->http2.wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (connection->heard != NULL) {
        grpc_request_header(connection->heard, (struct text){(const char *)name, name_length},
                            (struct text){(const char *)value, value_length});
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
                   size_t length, void *context)
{
    struct grpc_client_connection *connection = context;
    struct grpc_request *request = request_of(session, stream_id);

    (void)flags;
    if (connection->http2.wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (request != NULL) {
        grpc_request_data(request, bytes, length);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_client_connection *connection = context;
    struct grpc_request *request;

    if (connection->http2.wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        request = request_of(session, frame->hd.stream_id);
        if (request != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
            (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, NULL);
            connection->heard = NULL;
            grpc_request_conclude(request);
        }
        return 0;
    case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
            grpc_client_is_ready(connection);
        }
        return 0;
    case NGHTTP2_GOAWAY:
        grpc_client_connection_retire(connection);
        return 0;
    default:
        return 0;
    }
}

static int on_stream_closed(nghttp2_session *session, int32_t stream_id, uint32_t code, void *context)
{
    struct grpc_client_connection *connection = context;
    struct grpc_request *request = request_of(session, stream_id);

    if (connection->http2.wire.closing) {
        return 0; /* all requests have left it */
    }
    connection->open--;
    if (request != NULL) {
        if (connection->heard == request) {
            connection->heard = NULL;
        }
        grpc_request_fail(request, code);
    }
    wire_touch(&connection->http2.wire); /* there is room for another one */
    if (connection->retired) {
        grpc_client_wake(connection->client);
    }
    return 0;
}

void grpc_client_connection_prepare(struct grpc_client *client)
{
    nghttp2_session_callbacks *callbacks;

    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&client->option) != 0) {
        memory_new(SIZE_MAX); /* ends the program, as all want of memory does */
        return;
    }
    client->callbacks = callbacks;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_closed);
    nghttp2_option_set_max_reserved_remote_streams(client->option, 0);
}
