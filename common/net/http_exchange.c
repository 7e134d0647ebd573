/* One request and its answer. */
#include "common/json.h"
#include "common/memory.h"
#include "common/net/http_connection.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

/* ---- from birth to death ---- */

struct http_exchange *http_exchange_new(struct http_connection *connection)
{
    struct http_server *server = connection->server;
    struct http_exchange *exchange = server->spare;

    if (exchange != NULL) {
        LL_DELETE(server->spare, exchange);
        server->spare_count--;
    } else {
        exchange = memory_new_zeroed(1, sizeof *exchange);
    }
    exchange->server = server;
    exchange->connection = connection;
    exchange->with_owner = exchange->answered = false;
    exchange->expects = exchange->has_host = exchange->is_head = false;
    exchange->keeps_alive = true;
    exchange->header_bytes = exchange->counted = exchange->reply_counted = exchange->taken = 0;
    buffer_clear(&exchange->target);
    buffer_clear(&exchange->body);
    buffer_clear(&exchange->headers);
    buffer_clear(&exchange->reply);
    return exchange;
}

/* Few are large, and these are not kept. */
static void trim(struct buffer *buffer)
{
    if (buffer->capacity > HTTP_SPARE_BYTES) {
        buffer_free(buffer);
    }
}

static void forget_request(struct http_exchange *exchange)
{
    if (exchange->server != NULL) {
        exchange->server->request_bytes -= exchange->counted;
    }
    exchange->counted = 0;
    trim(&exchange->target);
    trim(&exchange->body);
}

void http_exchange_free(struct http_exchange *exchange)
{
    struct http_server *server = exchange->server;

    forget_request(exchange);
    if (server != NULL) {
        server->reply_bytes -= exchange->reply_counted;
    }
    if (server != NULL && server->open_handles == 0 && server->spare_count < HTTP_SPARE_MAX) {
        trim(&exchange->headers);
        trim(&exchange->reply);
        LL_PREPEND(server->spare, exchange);
        server->spare_count++;
        return;
    }
    buffer_free(&exchange->target);
    buffer_free(&exchange->body);
    buffer_free(&exchange->headers);
    buffer_free(&exchange->reply);
    free(exchange);
}

void http_exchange_detach(struct http_exchange *exchange)
{
    struct http_connection *connection = exchange->connection;

    DL_DELETE(connection->exchanges, exchange);
    connection->exchange_count--;
    exchange->connection = NULL;
    if (exchange->with_owner) {
        memcpy(exchange->peer, connection->peer, sizeof exchange->peer);
        DL_APPEND(exchange->server->orphans, exchange);
    } else {
        http_exchange_free(exchange);
    }
}

/* ---- the request ---- */

/* The path of an absolute address ("http://host:80/path"), as a proxy is asked, is what follows the host. */
static struct text skip_origin(struct text target)
{
    static const char scheme[] = "http://";
    const size_t length = sizeof scheme - 1;

    if (target.length < length || memcmp(target.bytes, scheme, length) != 0) {
        return target;
    }
    const char *slash = memchr(target.bytes + length, '/', target.length - length);
    return slash == NULL ? text_of("/")
                         : (struct text){slash, target.length - (size_t)(slash - target.bytes)};
}

void http_exchange_dispatch(struct http_exchange *exchange, struct text method)
{
    struct text target = skip_origin(buffer_text(&exchange->target));
    struct http_request request = {.method = method, .path = target, .body = buffer_text(&exchange->body)};
    const char *mark = target.length > 0 ? memchr(target.bytes, '?', target.length) : NULL;

    if (mark != NULL) {
        request.path.length = (size_t)(mark - target.bytes);
        request.query = (struct text){mark + 1, target.length - request.path.length - 1};
    }
    exchange->with_owner = true;
    exchange->server->on_request(exchange->server, exchange, &request);
    /* It may be gone by now. What is left of its request is forgotten with it. */
}

const char *http_exchange_peer(const struct http_exchange *exchange)
{
    return exchange->connection != NULL ? exchange->connection->peer : exchange->peer;
}

bool http_exchange_is_wanted(const struct http_exchange *exchange)
{
    return exchange->connection != NULL;
}

/* ---- the answer ---- */

void http_add_header(struct http_exchange *exchange, const char *name, struct text value)
{
    for (size_t i = 0; i < value.length; i++) {
        if ((unsigned char)value.bytes[i] < ' ' || value.bytes[i] == 0x7F) {
            return; /* it could end the header and begin another one */
        }
    }
    buffer_add_string(&exchange->headers, name);
    buffer_add_string(&exchange->headers, ": ");
    buffer_add(&exchange->headers, value.bytes, value.length);
    buffer_add_string(&exchange->headers, "\r\n");
}

/* "Sun, 06 Nov 1994 08:49:37 GMT", in English whatever the locale (RFC 9110, section 5.6.7). */
static const char *date_of(struct http_server *server)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t now = time(NULL);
    struct tm day;

    if (server->date_s != now && gmtime_r(&now, &day) != NULL) {
        size_t length = strftime(server->date, sizeof server->date, "DDD, %d MMM %Y %H:%M:%S GMT", &day);
        if (length > 0) {
            memcpy(server->date, days + (ptrdiff_t)3 * day.tm_wday, 3);
            memcpy(server->date + 8, months + (ptrdiff_t)3 * day.tm_mon, 3);
            server->date_s = now;
        }
    }
    return server->date;
}

static void write_head(struct http_exchange *exchange, enum http_status status, const char *type,
                       size_t length)
{
    struct buffer *out = &exchange->reply;
    bool closes = !exchange->keeps_alive || (exchange->server->closing && exchange->next == NULL);

    buffer_add_string(out, "HTTP/1.1 ");
    buffer_add_int(out, status);
    buffer_add_char(out, ' ');
    buffer_add_string(out, http_status_phrase(status));
    buffer_add_string(out, "\r\nDate: ");
    buffer_add_string(out, date_of(exchange->server));
    if (status != HTTP_NO_CONTENT) {
        buffer_add_string(out, "\r\nContent-Type: ");
        buffer_add_string(out, type);
        buffer_add_string(out, "\r\nContent-Length: ");
        buffer_add_int(out, (int64_t)length);
    }
    buffer_add_string(out, closes ? "\r\nConnection: close\r\n" : "\r\n");
    buffer_add(out, exchange->headers.bytes, exchange->headers.length);
    buffer_add_string(out, "\r\n");
}

/* Who asks for much again and again and reads none of it must not fill the memory. Small answers always go. */
static bool is_too_much(const struct http_server *server, size_t length)
{
    return length > HTTP_SPARE_BYTES && server->reply_bytes + length > HTTP_REPLIES_MAX;
}

void http_reply(struct http_exchange *exchange, enum http_status status, const char *type, struct text body)
{
    struct http_connection *connection = exchange->connection;

    exchange->with_owner = false;
    if (connection == NULL) {
        if (exchange->server != NULL) {
            DL_DELETE(exchange->server->orphans, exchange);
        }
        http_exchange_free(exchange);
        return;
    }
    if (is_too_much(exchange->server, body.length)) {
        status = HTTP_UNAVAILABLE;
        type = "application/json";
        body = text_of("{\"error\":\"too much waits for clients that do not read\"}\n");
    }
    write_head(exchange, status, type, body.length);
    if (!exchange->is_head && status != HTTP_NO_CONTENT) {
        buffer_add(&exchange->reply, body.bytes, body.length);
    }
    exchange->reply_counted = exchange->reply.length;
    exchange->server->reply_bytes += exchange->reply_counted;
    forget_request(exchange);
    exchange->answered = true;
    wire_touch(&connection->wire);
}

void http_fail(struct http_exchange *exchange, enum http_status status, const char *sentence)
{
    struct buffer body = {0};

    buffer_add_string(&body, "{\"error\":");
    json_write_string(&body, text_of(sentence));
    buffer_add_string(&body, "}\n");
    http_reply(exchange, status, "application/json", buffer_text(&body));
    buffer_free(&body);
}
