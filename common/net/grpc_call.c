#include "common/net/grpc_connection.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define HEADER_OVERHEAD 32 /* bytes that HTTP/2 counts for each header besides its text */

/* ---- from birth to death ---- */

struct grpc_call *grpc_call_new(struct grpc_connection *connection, int32_t stream_id)
{
    struct grpc_server *server = connection->server;
    struct grpc_call *call = server->spare;

    if (call != NULL) {
        LL_DELETE(server->spare, call);
        server->spare_count--;
    } else {
        call = memory_new_zeroed(1, sizeof *call);
    }
    call->server = server;
    call->connection = connection;
    call->stream_id = stream_id;
    call->state = CALL_RECEIVING;
    call->with_owner = call->pinned = call->freed = false;
    call->is_post = call->is_grpc = call->has_te = call->bad_timeout = call->ended = false;
    call->header_bytes = call->method_length = 0;
    call->deadline_ms = UINT64_MAX;
    call->taken = call->copied = 0;
    grpc_reader_start(&call->reader, GRPC_MESSAGE_MAX);
    buffer_clear(&call->reply);
    DL_APPEND(connection->calls, call);
    return call;
}

/* The memory of the request, or what is too much of it to keep. */
static void release_request(struct grpc_call *call)
{
    call->server->request_bytes -= call->counted;
    call->counted = 0;
    if (call->reader.message.capacity > GRPC_SPARE_BYTES) {
        grpc_reader_free(&call->reader);
    }
}

void grpc_call_free(struct grpc_call *call)
{
    struct grpc_server *server = call->server;

    if (call->pinned) {
        call->freed = true;
        return;
    }
    if (call->reply.capacity > GRPC_SPARE_BYTES) {
        buffer_free(&call->reply);
    }
    if (server != NULL && server->spare_count < GRPC_SPARE_MAX) {
        LL_PREPEND(server->spare, call);
        server->spare_count++;
        return;
    }
    grpc_reader_free(&call->reader);
    buffer_free(&call->reply);
    free(call);
}

static void undefer(struct grpc_call *call)
{
    DL_DELETE2(call->connection->deferred, call, deferred_prev, deferred_next);
}

void grpc_call_settle(struct grpc_call *call)
{
    deadlines_remove(&call->server->deadlines, &call->deadline);
    if (call->state == CALL_DEFERRED) {
        undefer(call);
    }
    if (!call->pinned) { /* else its owner is reading the request just now */
        release_request(call);
    }
    call->state = CALL_ANSWERED;
}

void grpc_call_detach(struct grpc_call *call)
{
    struct grpc_connection *connection = call->connection;

    grpc_call_settle(call);
    memcpy(call->peer, connection->peer, sizeof call->peer);
    connection->reply_bytes -= call->reply.length - call->taken;
    if (connection->heard == call) {
        connection->heard = NULL;
    }
    DL_DELETE(connection->calls, call);
    call->connection = NULL;
    if (call->with_owner) {
        DL_APPEND(call->server->orphans, call);
    } else {
        grpc_call_free(call);
    }
}

/* ---- the request ---- */

static inline bool is_text(struct text text, const char *wanted, size_t length)
{
    return text.length == length && memcmp(text.bytes, wanted, length) == 0;
}

#define IS(text, literal) is_text((text), "" literal, sizeof(literal) - 1)

void grpc_call_header(struct grpc_call *call, struct text name, struct text value)
{
    uint64_t timeout_ms;

    call->header_bytes += name.length + value.length + HEADER_OVERHEAD;
    if (IS(name, ":path")) {
        call->method_length = value.length;
        memcpy(call->method, value.bytes,
               value.length < sizeof call->method ? value.length : sizeof call->method);
    } else if (IS(name, ":method")) {
        call->is_post = IS(value, "POST");
    } else if (IS(name, "content-type")) {
        call->is_grpc = grpc_content_type_is_grpc(value);
    } else if (IS(name, "te")) {
        call->has_te = IS(value, "trailers");
    } else if (IS(name, "grpc-timeout")) {
        call->bad_timeout = !grpc_timeout_read(value, &timeout_ms);
        call->deadline_ms = call->bad_timeout ? UINT64_MAX : uv_now(call->server->hub.loop) + timeout_ms;
    }
}

void grpc_call_headers_end(struct grpc_call *call)
{
    if (call->header_bytes > GRPC_HEADERS_MAX) {
        grpc_call_refuse(call, GRPC_RESOURCE_EXHAUSTED,
                         "the headers are too long: at most 16 KiB are allowed");
    } else if (!call->is_post) {
        grpc_call_refuse_http(call, "405");
    } else if (!call->is_grpc) {
        grpc_call_refuse_http(call, "415");
    } else if (!call->has_te) {
        grpc_call_refuse(call, GRPC_INTERNAL,
                         "the header \"te: trailers\" is missing: does a proxy stand between?");
    } else if (call->bad_timeout) {
        grpc_call_refuse(call, GRPC_INTERNAL,
                         "grpc-timeout does not parse: 1 to 8 digits and one of H M S m u n are allowed");
    } else if (call->method_length > GRPC_METHOD_MAX) {
        grpc_call_refuse(call, GRPC_UNIMPLEMENTED, "there is no such method");
    } else if (call->connection->draining) {
        grpc_call_refuse(call, GRPC_UNAVAILABLE, "the server is leaving");
    } else if (call->deadline_ms != UINT64_MAX) {
        deadlines_add(&call->server->deadlines, &call->deadline, call->deadline_ms);
        grpc_server_set_alarm(call->server);
    }
}

void grpc_call_data(struct grpc_call *call, const uint8_t *bytes, size_t length)
{
    struct grpc_server *server = call->server;
    struct error error;

    if (call->state != CALL_RECEIVING) {
        return; /* refused already */
    }
    enum grpc_status status = grpc_reader_feed(&call->reader, bytes, length, &error);
    server->request_bytes += call->reader.message.capacity - call->counted;
    call->counted = call->reader.message.capacity;
    if (status == GRPC_OK && server->request_bytes > GRPC_REQUESTS_MAX) {
        status = GRPC_RESOURCE_EXHAUSTED;
        error_set(&error, ERROR_TOO_LONG, "too many requests are being received at once");
    }
    if (status != GRPC_OK) {
        grpc_call_refuse(call, status, error.text);
    }
}

void grpc_call_end(struct grpc_call *call)
{
    struct grpc_connection *connection = call->connection;
    struct error error;

    call->ended = true;
    if (call->state != CALL_RECEIVING) {
        return;
    }
    enum grpc_status status = grpc_reader_end(&call->reader, &error);
    if (status != GRPC_OK) {
        grpc_call_refuse(call, status, error.text);
    } else if (connection->deferred == NULL && connection->reply_bytes < GRPC_REPLIES_MAX) {
        grpc_call_dispatch(call);
    } else {
        call->state = CALL_DEFERRED;
        DL_APPEND2(connection->deferred, call, deferred_prev, deferred_next);
        wire_pause(&connection->http2.wire, connection->http2.wire.writing);
    }
}

void grpc_call_dispatch(struct grpc_call *call)
{
    struct grpc_server *server = call->server;
    struct text request = buffer_text(&call->reader.message);

    if (call->state == CALL_DEFERRED) {
        undefer(call);
    }
    call->state = CALL_OWNED;
    call->with_owner = true;
    call->pinned = true; /* it may be answered, and its connection lost, before on_call returns */
    if (request.bytes == NULL) {
        request.bytes = "";
    }
    server->on_call(server, call, (struct text){call->method, call->method_length}, request);
    call->pinned = false;
    release_request(call);
    if (call->freed) {
        grpc_call_free(call);
    }
}

/* ---- what the owner may ask ---- */

const char *grpc_call_peer(const struct grpc_call *call)
{
    return call->connection != NULL ? call->connection->peer : call->peer;
}

uint64_t grpc_call_deadline(const struct grpc_call *call)
{
    return call->deadline_ms;
}
