/* What nghttp2 tells of the frames on a connection, and how its sessions are set up. */
#include "common/memory.h"
#include "common/net/grpc_connection.h"

/* Our replies' headers are few, and a table for compressing them takes memory as long as its connection lives. The table
 * for what comes stays as large as HTTP/2 says: there are clients that do not heed a wish for a smaller one. */
#define TABLE_SIZE_OUT 512

static struct grpc_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct grpc_connection *connection = context;

    if (connection->http2.wire.closing) {
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
    if (connection->http2.wire.closing) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (connection->heard != NULL) {
        grpc_call_header(connection->heard, (struct text){(const char *)name, name_length},
                         (struct text){(const char *)value, value_length});
        if (connection->heard->header_bytes > 4 * GRPC_HEADERS_MAX) {
            grpc_connection_report(connection, "headers without end");
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
    if (connection->http2.wire.closing) {
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

    if (connection->http2.wire.closing) {
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
    grpc_connection_report(context, nghttp2_strerror(code));
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
    if (!connection->http2.wire.closing && call != NULL) { /* else all calls are detached already */
        grpc_call_detach(call);
    }
    return 0;
}

void grpc_session_prepare(struct grpc_server *server)
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
