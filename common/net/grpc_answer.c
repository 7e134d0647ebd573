/* Answers: a message with status OK, or a status and a sentence. */
#include "common/container_of.h"
#include "common/net/grpc_connection.h"

#include <stdio.h>
#include <string.h>
#include <utlist.h>

#define STATIC_FLAGS    (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)
#define LENGTH(literal) (sizeof(literal) - 1)
/* A header whose name and value nghttp2 need not copy; it never writes to them. */
#define STATIC_HEADER(name, value)                                                                           \
    {                                                                                                        \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), LENGTH(name), LENGTH(value),            \
            STATIC_FLAGS                                                                                     \
    }
#define HEADER(name, value, value_length, flags)                                                             \
    {                                                                                                        \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), LENGTH(name), (value_length),           \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | (flags)                                                           \
    }

/* The call is the library's again; true if its answer has somewhere to go. */
static bool take_back(struct grpc_call *call)
{
    call->with_owner = false;
    if (call->connection == NULL) {
        if (call->server != NULL) {
            DL_DELETE(call->server->orphans, call);
        }
        grpc_call_free(call);
        return false;
    }
    return call->state == CALL_OWNED; /* else its deadline has answered */
}

/* Queues what the session is to send; a session that cannot even do that resets the stream. */
static void submit(struct grpc_call *call, const nghttp2_nv *headers, size_t count,
                   const nghttp2_data_provider *provider)
{
    struct grpc_connection *connection = call->connection;
    nghttp2_session *session = connection->http2.session;

    if (nghttp2_submit_response(session, call->stream_id, headers, count, provider) != 0) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_INTERNAL_ERROR);
    }
    wire_touch(&connection->http2.wire);
}

/* ---- a message ---- */

/* NOLINTNEXTLINE(readability-non-const-parameter): nghttp2 says how it is declared */
static ssize_t on_reply_wanted(nghttp2_session *session, int32_t stream_id, uint8_t *room, size_t length,
                               uint32_t *flags, nghttp2_data_source *source, void *context)
{
    static const nghttp2_nv trailers[] = {STATIC_HEADER("grpc-status", "0")};
    struct grpc_call *call = source->ptr;
    size_t left = call->reply.length - call->taken;
    size_t piece = left < length ? left : length;

    (void)room;
    (void)context;
    call->taken += piece;
    call->connection->reply_bytes -= piece;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (piece == left) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, stream_id, trailers, sizeof trailers / sizeof *trailers) != 0) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
    return (ssize_t)piece;
}

int grpc_call_copy_reply(struct grpc_call *call, const uint8_t *head, size_t length)
{
    struct grpc_connection *connection = call->connection;
    const char *bytes = call->reply.bytes + call->copied;

    call->copied += length;
    connection->read_ms = uv_now(connection->server->hub.loop);
    return http2_wire_add_data(&connection->http2, head, bytes, length);
}

void grpc_call_reply(struct grpc_call *call, struct text message)
{
    static const nghttp2_nv headers[] = {STATIC_HEADER(":status", "200"),
                                         STATIC_HEADER("content-type", "application/grpc")};
    struct grpc_connection *connection = call->connection;
    nghttp2_data_provider provider;

    if (!take_back(call)) {
        return;
    }
    if (message.length > UINT32_MAX) {
        grpc_call_refuse(call, GRPC_RESOURCE_EXHAUSTED, "the reply is longer than a message can be");
        return;
    }
    grpc_call_settle(call);
    grpc_prefix_write((uint8_t *)buffer_reserve(&call->reply, GRPC_PREFIX_LENGTH + message.length),
                      message.length);
    call->reply.length = GRPC_PREFIX_LENGTH;
    buffer_add(&call->reply, message.bytes, message.length);
    if (connection->reply_bytes == 0) {
        connection->read_ms = uv_now(call->server->hub.loop); /* from now on there is something to read */
    }
    connection->reply_bytes += call->reply.length;
    provider.source.ptr = call;
    provider.read_callback = on_reply_wanted;
    submit(call, headers, sizeof headers / sizeof *headers, &provider);
}

/* ---- a status ---- */

void grpc_call_refuse(struct grpc_call *call, enum grpc_status status, const char *sentence)
{
    char number[8];
    struct buffer encoded = {0};

    grpc_call_settle(call);
    int digits = snprintf(number, sizeof number, "%d", (int)status);
    grpc_sentence_encode(&encoded, text_of(sentence));
    /* Sentences differ: they would only drive out what is worth remembering of the compression's table. */
    nghttp2_nv headers[] = {STATIC_HEADER(":status", "200"),
                            STATIC_HEADER("content-type", "application/grpc"),
                            HEADER("grpc-status", number, (size_t)digits, NGHTTP2_NV_FLAG_NONE),
                            HEADER("grpc-message", encoded.bytes, encoded.length, NGHTTP2_NV_FLAG_NO_INDEX),
                            STATIC_HEADER("grpc-accept-encoding", "identity")};
    size_t count = sizeof headers / sizeof *headers - (status != GRPC_UNIMPLEMENTED);
    submit(call, headers, count, NULL);
    buffer_free(&encoded);
}

void grpc_call_refuse_http(struct grpc_call *call, const char *http_status)
{
    nghttp2_nv headers[] = {HEADER(":status", http_status, strlen(http_status), NGHTTP2_NV_FLAG_NONE),
                            STATIC_HEADER("allow", "POST")};
    bool wrong_method = strcmp(http_status, "405") == 0;

    grpc_call_settle(call);
    submit(call, headers, wrong_method ? 2 : 1, NULL);
}

void grpc_call_fail(struct grpc_call *call, enum grpc_status status, const char *sentence)
{
    if (take_back(call)) {
        grpc_call_refuse(call, status, sentence);
    }
}

void grpc_calls_expire(struct grpc_server *server)
{
    struct deadline *first;

    while ((first = deadlines_first(&server->deadlines)) != NULL &&
           first->at_ms <= uv_now(server->hub.loop)) {
        grpc_call_refuse(container_of(first, struct grpc_call, deadline), GRPC_DEADLINE_EXCEEDED,
                         "the call's deadline has passed");
    }
}
