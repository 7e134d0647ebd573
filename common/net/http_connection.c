#include "common/net/http_connection.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SILENCE_MS 60000 /* a peer that does not even acknowledge for so long is gone */

static const char continue_line[] = "HTTP/1.1 100 Continue\r\n\r\n";

void http_connection_report(struct http_connection *connection, const char *why)
{
    struct http_server *server = connection->server;
    refusals_add_broken(&server->refusals, uv_now(server->hub.loop), connection->peer, why);
}

/* ---- what the parser tells ---- */

static struct http_connection *connection_of(llhttp_t *parser)
{
    return container_of(parser, struct http_connection, parser);
}

/* The request has its place among the others: its answer waits for theirs. */
static void enqueue_heard(struct http_connection *connection)
{
    DL_APPEND(connection->exchanges, connection->heard);
    connection->exchange_count++;
    connection->heard = NULL;
    connection->since_ms = uv_now(connection->server->hub.loop);
}

void http_connection_refuse(struct http_connection *connection, enum http_status status, const char *sentence)
{
    if (connection->heard == NULL) {
        connection->heard = http_exchange_new(connection);
    }
    struct http_exchange *exchange = connection->heard;

    http_connection_report(connection, sentence);
    exchange->keeps_alive = false;
    connection->last = true;
    enqueue_heard(connection);
    http_fail(exchange, status, sentence);
}

static int refuse(struct http_connection *connection, enum http_status status, const char *sentence)
{
    http_connection_refuse(connection, status, sentence);
    return HPE_USER;
}

static int on_message_begin(llhttp_t *parser)
{
    struct http_connection *connection = connection_of(parser);

    connection->heard = http_exchange_new(connection);
    connection->since_ms = uv_now(connection->server->hub.loop);
    connection->used = true;
    connection->header = (struct http_header){0};
    return 0;
}

/* Keeps bytes of a request, unless all requests together hold too many. */
static int keep(struct http_connection *connection, struct buffer *out, const char *bytes, size_t length)
{
    struct http_server *server = connection->server;

    if (server->request_bytes + length > HTTP_REQUESTS_MAX) {
        return refuse(connection, HTTP_UNAVAILABLE, "too many requests are under way");
    }
    server->request_bytes += length;
    connection->heard->counted += length;
    buffer_add(out, bytes, length);
    return 0;
}

static int on_url(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = connection_of(parser);

    if (connection->heard->target.length + length > HTTP_TARGET_MAX) {
        return refuse(connection, HTTP_URI_TOO_LONG, "the address of the request is longer than 4096 bytes");
    }
    return keep(connection, &connection->heard->target, bytes, length);
}

/* Only what a header must be known for is kept of it. */
static int count_header(struct http_connection *connection, size_t length)
{
    connection->heard->header_bytes += length;
    return connection->heard->header_bytes <= HTTP_HEADERS_MAX
               ? 0
               : refuse(connection, HTTP_HEADERS_TOO_LARGE, "the headers are longer than 16 KiB");
}

static int on_header_field(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = connection_of(parser);

    http_header_add_name(&connection->header, bytes, length);
    return count_header(connection, length);
}

static int on_header_value(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = connection_of(parser);

    (void)bytes;
    if (http_header_begin_value(&connection->header)) {
        connection->heard->has_host |= http_header_is(&connection->header, "host");
        connection->heard->expects |= http_header_is(&connection->header, "expect");
    }
    return count_header(connection, length);
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http_connection *connection = connection_of(parser);
    bool is_chunked = (parser->flags & F_CHUNKED) != 0;

    if (parser->http_major != 1) {
        return refuse(connection, HTTP_BAD_REQUEST, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
    if (parser->http_minor != 0 && !connection->heard->has_host) {
        return refuse(connection, HTTP_BAD_REQUEST, "the header Host is missing");
    }
    if (!is_chunked && parser->content_length > HTTP_BODY_MAX) {
        return refuse(connection, HTTP_CONTENT_TOO_LARGE, "the body is longer than 1 MiB");
    }
    if (connection->heard->expects) {
        connection->heard->expects = is_chunked || parser->content_length > 0;
        wire_touch(&connection->wire);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_connection *connection = connection_of(parser);

    if (connection->heard->body.length + length > HTTP_BODY_MAX) {
        return refuse(connection, HTTP_CONTENT_TOO_LARGE, "the body is longer than 1 MiB");
    }
    return keep(connection, &connection->heard->body, bytes, length);
}

static int on_message_complete(llhttp_t *parser)
{
    struct http_connection *connection = connection_of(parser);
    struct http_exchange *exchange = connection->heard;

    exchange->is_head = parser->method == HTTP_HEAD;
    /* A client of HTTP/1.0 would have to be told that the connection persists. */
    exchange->keeps_alive = parser->http_minor != 0 && llhttp_should_keep_alive(parser) != 0;
    connection->last = !exchange->keeps_alive || connection->server->closing;
    enqueue_heard(connection);
    http_exchange_dispatch(exchange, text_of(llhttp_method_name((llhttp_method_t)parser->method)));
    return connection->wire.closing || connection->last ? HPE_USER : 0;
}

void http_connection_prepare(struct http_server *server)
{
    llhttp_settings_init(&server->settings);
    server->settings.on_message_begin = on_message_begin;
    server->settings.on_url = on_url;
    server->settings.on_header_field = on_header_field;
    server->settings.on_header_value = on_header_value;
    server->settings.on_headers_complete = on_headers_complete;
    server->settings.on_body = on_body;
    server->settings.on_message_complete = on_message_complete;
}

/* ---- the protocol on the wire ---- */

static const char *read_bytes(struct wire *wire, const char *bytes, size_t length)
{
    struct http_connection *connection = container_of(wire, struct http_connection, wire);
    llhttp_t *parser = &connection->parser;

    if (connection->last) {
        return NULL; /* what follows the last request is nobody's business */
    }
    llhttp_errno_t code = llhttp_execute(parser, bytes, length);
    while (code == HPE_PAUSED_UPGRADE && !connection->last) {
        /* To another protocol, which we need not take up (RFC 9110, section 7.8). */
        const char *rest = llhttp_get_error_pos(parser);
        llhttp_resume_after_upgrade(parser);
        code = llhttp_execute(parser, rest, (size_t)(bytes + length - rest));
    }
    if (code != HPE_OK && !connection->last && !wire->closing) {
        http_connection_refuse(connection, HTTP_BAD_REQUEST, "this is not a request of HTTP/1.1");
    }
    wire_pause(wire, connection->exchange_count >= HTTP_PIPELINE_MAX);
    return NULL;
}

static const char *collect(struct wire *wire, struct buffer *output)
{
    struct http_connection *connection = container_of(wire, struct http_connection, wire);
    struct http_exchange *exchange = connection->exchanges;

    while (exchange != NULL && exchange->answered && output->length < WIRE_OUTPUT_SIZE) {
        size_t left = exchange->reply.length - exchange->taken;
        size_t now = left < WIRE_OUTPUT_SIZE ? left : WIRE_OUTPUT_SIZE;

        buffer_add(output, exchange->reply.bytes + exchange->taken, now);
        exchange->taken += now;
        if (now == left) {
            http_exchange_detach(exchange);
        }
        exchange = connection->exchanges;
    }
    if (exchange == NULL && connection->heard != NULL && connection->heard->expects) {
        connection->heard->expects = false;
        buffer_add(output, continue_line, sizeof continue_line - 1);
    }
    return NULL;
}

static bool is_done(const struct wire *wire)
{
    const struct http_connection *connection =
        container_of((struct wire *)(uintptr_t)wire, struct http_connection, wire);
    return connection->last && connection->exchanges == NULL;
}

static void free_nothing(struct wire *wire)
{
    (void)wire;
}

static const struct wire_protocol protocol = {read_bytes, collect, is_done, free_nothing};

const struct wire_protocol *http_connection_protocol(void)
{
    return &protocol;
}

/* ---- from the first byte to the last ---- */

static void on_flushed(struct wire *wire)
{
    const struct http_connection *connection = container_of(wire, struct http_connection, wire);
    wire_pause(wire, connection->exchange_count >= HTTP_PIPELINE_MAX);
}

static void on_lost(struct wire *wire, const char *why)
{
    struct http_connection *connection = container_of(wire, struct http_connection, wire);

    (void)why; /* peers come and go */
    if (connection->heard != NULL) {
        connection->heard->connection = NULL;
        http_exchange_free(connection->heard);
        connection->heard = NULL;
    }
    while (connection->exchanges != NULL) {
        http_exchange_detach(connection->exchanges);
    }
}

static void on_closed(struct wire *wire)
{
    struct http_connection *connection = container_of(wire, struct http_connection, wire);
    struct http_server *server = connection->server;

    DL_DELETE(server->connections, connection);
    server->connection_count--;
    free(connection);
    http_server_settle(server);
}

int http_connection_accept(struct http_server *server)
{
    struct http_connection *connection = memory_new_zeroed(1, sizeof *connection);
    bool refuse_it = server->connection_count >= HTTP_CONNECTIONS_MAX || server->closing;

    connection->server = server;
    connection->since_ms = uv_now(server->hub.loop);
    connection->wire.on_flushed = on_flushed;
    connection->wire.on_lost = on_lost;
    connection->wire.on_closed = on_closed;
    connection->wire.lingers = true;
    llhttp_init(&connection->parser, HTTP_REQUEST, &server->settings);
    int status = wire_init(&connection->wire, &server->hub);
    if (status != 0) {
        free(connection);
        return status;
    }
    DL_APPEND(server->connections, connection);
    server->connection_count++;
    status = uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&connection->wire.tcp);
    if (status == 0) {
        listener_peer_name(&connection->wire.tcp, connection->peer);
        status = refuse_it ? UV_EMFILE : wire_start(&connection->wire, SILENCE_MS);
    }
    if (status != 0) {
        wire_close(&connection->wire);
    }
    return status;
}

void http_connection_drain(struct http_connection *connection)
{
    if (connection->heard == NULL) {
        connection->last = true;
        wire_touch(&connection->wire);
    }
}
