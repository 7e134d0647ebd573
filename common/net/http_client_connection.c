#include "common/net/http_client_connection.h"

#include "common/container_of.h"

#include <string.h>

/* ---- what the parser tells ---- */

static struct http_client_connection *connection_of(llhttp_t *parser)
{
    return container_of(parser, struct http_client_connection, parser);
}

static int on_message_begin(llhttp_t *parser)
{
    struct http_client_connection *connection = connection_of(parser);

    connection->header = (struct http_header){0};
    return connection->call != NULL ? 0 : HPE_USER; /* nobody asked */
}

static int count_header(const struct http_client_connection *connection, size_t length)
{
    connection->call->header_bytes += length;
    return connection->call->header_bytes <= HTTP_REPLY_HEADERS_MAX ? 0 : HPE_USER;
}

static int on_header_field(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_client_connection *connection = connection_of(parser);

    http_header_add_name(&connection->header, bytes, length);
    return count_header(connection, length);
}

static int on_header_value(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_client_connection *connection = connection_of(parser);
    struct http_call *call = connection->call;

    (void)http_header_begin_value(&connection->header);
    if (http_header_is(&connection->header, "location")) {
        buffer_add(&call->location, bytes, length);
    } else if (http_header_is(&connection->header, "retry-after")) {
        buffer_add(&call->retry_after, bytes, length);
    }
    return count_header(connection, length);
}

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    struct http_call *call = connection_of(parser)->call;

    if (call->body.length + length > HTTP_REPLY_MAX) {
        return HPE_USER;
    }
    buffer_add(&call->body, bytes, length);
    return 0;
}

/* Seconds; -1 for a date, which it may also be, and where there is none. */
static int64_t read_seconds(struct text text)
{
    int64_t seconds = 0;

    text = text_trim(text);
    for (size_t i = 0; i < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9' || seconds > INT32_MAX) {
            return -1;
        }
        seconds = seconds * 10 + (text.bytes[i] - '0');
    }
    return text.length > 0 ? seconds : -1;
}

static int on_message_complete(llhttp_t *parser)
{
    struct http_client_connection *connection = connection_of(parser);
    struct http_call *call = connection->call;

    if (parser->status_code / 100 == 1) { /* an interim answer: the real one follows */
        return 0;
    }
    struct http_response response = {.status = parser->status_code,
                                     .body = buffer_text(&call->body),
                                     .location = text_trim(buffer_text(&call->location)),
                                     .retry_after_s = read_seconds(buffer_text(&call->retry_after))};
    /* A server that answers before it has read all may take the rest for the next request. */
    connection->done = llhttp_should_keep_alive(parser) == 0 || call->taken < call->request.length;
    connection->call = NULL;
    connection->used = true;
    connection->since_ms = uv_now(connection->client->loop);
    http_call_finish(call, &response);
    return connection->wire.closing || connection->done ? HPE_USER : 0;
}

void http_client_connection_prepare(struct http_client *client)
{
    llhttp_settings_init(&client->settings);
    client->settings.on_message_begin = on_message_begin;
    client->settings.on_header_field = on_header_field;
    client->settings.on_header_value = on_header_value;
    client->settings.on_body = on_body;
    client->settings.on_message_complete = on_message_complete;
}

/* ---- the protocol on the wire ---- */

static const char *read_bytes(struct wire *wire, const char *bytes, size_t length)
{
    struct http_client_connection *connection = container_of(wire, struct http_client_connection, wire);

    connection->heard = true;
    llhttp_errno_t code = llhttp_execute(&connection->parser, bytes, length);
    if (wire->closing) {
        return NULL;
    }
    if (connection->done) {
        wire_close(wire);
        return NULL;
    }
    if (code != HPE_OK) {
        return "what it answers is not HTTP, or longer than allowed";
    }
    http_client_serve(connection->client); /* it may be idle now */
    return NULL;
}

static const char *collect(struct wire *wire, struct buffer *output)
{
    const struct http_client_connection *connection = container_of(wire, struct http_client_connection, wire);
    struct http_call *call = connection->call;

    if (call != NULL && !connection->connecting) {
        size_t left = call->request.length - call->taken;
        size_t now = left < WIRE_OUTPUT_SIZE ? left : WIRE_OUTPUT_SIZE;

        buffer_add(output, call->request.bytes + call->taken, now);
        call->taken += now;
    }
    return NULL;
}

/* It is closed where it is known to be done. */
static bool is_done(const struct wire *wire)
{
    (void)wire;
    return false;
}

static void free_nothing(struct wire *wire)
{
    (void)wire;
}

static const struct wire_protocol protocol = {read_bytes, collect, is_done, free_nothing};

const struct wire_protocol *http_client_protocol(void)
{
    return &protocol;
}

void http_client_connection_carry(struct http_client_connection *connection, struct http_call *call)
{
    connection->call = call;
    connection->heard = false;
    call->connection = connection;
    call->taken = call->header_bytes = 0;
    buffer_clear(&call->body);
    buffer_clear(&call->location);
    buffer_clear(&call->retry_after);
    wire_touch(&connection->wire);
}
