/* An HTTP/1.1 server (RFC 9110, RFC 9112) on libuv, without TLS; the parser is llhttp. Connections persist and requests
 * may be pipelined: they are handed to the owner as they come, may be answered in any order, and the answers leave in
 * the order of the requests. What the paths mean is the owner's business. */
#ifndef ORDEM_HTTP_SERVER_H
#define ORDEM_HTTP_SERVER_H

#include "common/error.h"
#include "common/log.h"
#include "common/net/http_status.h"
#include "common/net/refusals.h"
#include "common/net/wire.h"
#include "common/text.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define HTTP_BODY_MAX        (1024 * 1024) /* bytes of a request's body */
#define HTTP_TARGET_MAX      4096          /* bytes of a path with its query */
#define HTTP_HEADERS_MAX     (16 * 1024)   /* bytes of a request's headers */
#define HTTP_CONNECTIONS_MAX 4096
#define HTTP_PIPELINE_MAX    256 /* requests of one connection that wait for answers; then it is not read */
#define HTTP_REQUESTS_MAX                                                                                    \
    (64 * 1024 * 1024) /* bytes of requests that are not whole yet, of all connections */
#define HTTP_REPLIES_MAX                                                                                     \
    (256 * 1024 * 1024)        /* bytes of answers that their clients have not taken; the next one is a 503 */
#define HTTP_REQUEST_MS 10000  /* a request must be whole by then */
#define HTTP_STALL_MS   60000  /* a peer that reads nothing of its answers for so long is sent away */
#define HTTP_IDLE_MS    120000 /* a connection on which nothing happens is closed */

struct http_connection;

/* One request and its answer; owned by the server. */
struct http_exchange;

/* What came. Valid during on_request. */
struct http_request {
    struct text method; /* "POST" */
    struct text path;   /* "/instance/7", as it came: percent signs and all */
    struct text query;  /* "wait=decided", what follows the question mark; NULL bytes if there is none */
    struct text body;
};

struct http_server {
    uint16_t port; /* as bound: what was asked for, or what the kernel chose for 0 */
    bool closing;

    /* A whole request has come. Every exchange is answered exactly once, now or later, by http_reply or http_fail, also
     * when its client is gone meanwhile: the answer then goes nowhere, and the exchange is freed. */
    void (*on_request)(struct http_server *, struct http_exchange *, const struct http_request *);
    void (*on_closed)(struct http_server *); /* after http_server_close; may be NULL */

    /* What follows is the implementation's. */

    uv_tcp_t listener;
    struct wire_hub hub;
    uv_timer_t housekeeping;             /* every second: peers that waste our time */
    uv_timer_t grace;                    /* when the rest is to be closed */
    unsigned open_handles;               /* of these, once it closes */
    struct http_connection *connections; /* a list, owned */
    size_t connection_count;
    struct http_exchange *orphans; /* exchanges whose client is gone and whose owner has not answered */
    struct http_exchange *spare;   /* exchanges to be used again */
    size_t spare_count;
    size_t request_bytes; /* of requests that are not with their owner yet */
    size_t reply_bytes;   /* of answers that are not gone yet */
    llhttp_settings_t settings;
    int64_t date_s; /* for which `date` was written */
    char date[32];
    struct refusals refusals;
};

/* Listens as listener_open does; its errors. on_request is set already. */
int http_server_open(struct http_server *server, uv_loop_t *loop, struct log *log, const char *host,
                     uint16_t port, struct error *error);

/* Answers with a body (copied) of a media type ("application/json"), and frees the exchange. */
void http_reply(struct http_exchange *exchange, enum http_status status, const char *type, struct text body);

/* Answers {"error":"…"} with a sentence, and frees the exchange. */
void http_fail(struct http_exchange *exchange, enum http_status status, const char *sentence);

/* Adds a header to the answer that will be given. A value that holds a control character is left out. */
void http_add_header(struct http_exchange *exchange, const char *name, struct text value);

/* "127.0.0.1:40312" */
const char *http_exchange_peer(const struct http_exchange *exchange);

/* Is there still somebody to answer? */
bool http_exchange_is_wanted(const struct http_exchange *exchange);

/* The value of `name` in a query, percent signs decoded behind what `out` holds: true if it is there. Where it stands
 * several times the first counts; what is not rightly encoded is not there. */
bool http_query_get(struct text query, const char *name, struct buffer *out);

/* Decodes percent signs behind what `out` holds; false, and nothing added, where they encode nothing, or something that is
 * not UTF-8. `plus` tells whether a plus sign is a space, as in a query. */
bool http_decode(struct text encoded, bool plus, struct buffer *out);

/* No new connections; those that are open close once their requests are answered, and all that is left closes after
 * `grace_ms`. Exchanges may still be answered after that, to nobody. */
void http_server_close(struct http_server *server, uint64_t grace_ms);

#endif
