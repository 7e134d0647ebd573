/* An HTTP/1.1 client for one server: libuv and llhttp, no TLS. It keeps as many connections as there are calls at once, up
 * to a bound, each for one call after the other; calls beyond it wait.
 *
 * It does not try again by itself: a server that cannot be reached ends the calls that wait for it, and what that means
 * is their owner's business. The one exception is a connection that was closed while it was idle, which no client can
 * know before it calls: such a call is made again on a new connection, unless it may not be repeated. An answer must tell
 * how long it is, or come in chunks; one that ends with its connection counts as lost. */
#ifndef ORDEM_HTTP_CLIENT_H
#define ORDEM_HTTP_CLIENT_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/net/deadline.h"
#include "common/net/http_header.h"
#include "common/net/target.h"
#include "common/net/wire.h"
#include "common/text.h"

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define HTTP_REPLY_MAX          (64 * 1024 * 1024) /* bytes of a body */
#define HTTP_REPLY_HEADERS_MAX  (64 * 1024)
#define HTTP_CONNECT_MS         5000 /* that one address has to accept a connection */
#define HTTP_CLIENT_IDLE_MS     30000
#define HTTP_CLIENT_CONNECTIONS 16 /* unless told */

struct http_client_connection;

/* How a call can fail, where other calls have a status of HTTP. */
enum http_failure {
    HTTP_UNREACHABLE = -1, /* no connection was to be had in time: the server has not seen the call */
    HTTP_LOST = -2,        /* the connection broke, or what came was not HTTP: the server may have seen it */
    HTTP_TIMED_OUT = -3,   /* no answer came in time: likewise */
    HTTP_CANCELLED = -4    /* the client was closed: see http_call_seen */
};

/* Valid during on_done. */
struct http_response {
    int status;            /* 200, …, or one of enum http_failure */
    struct text body;      /* of a failure: a sentence */
    struct text location;  /* a header; no bytes at all where it is not there */
    int64_t retry_after_s; /* another; -1 where it is not there */
};

struct http_client {
    uv_loop_t *loop;
    struct target target;
    size_t connections_max;
    bool closing;

    void (*on_closed)(struct http_client *); /* after http_client_close; may be NULL */

    /* What follows is the implementation's. */

    struct wire_hub hub;
    llhttp_settings_t settings;
    struct http_client_connection *connections; /* a list, owned */
    size_t connection_count, connecting_count;
    struct http_call *waiting; /* calls that are on no connection; a list */
    size_t waiting_count;
    uv_getaddrinfo_t resolver;
    bool resolving, calling;              /* a name is looked up; the owner is further up the stack */
    struct error trouble;                 /* that calls which wait are still to be told */
    struct addrinfo *addresses, *address; /* owned; and the one that is used */
    uv_timer_t alarm;                     /* at the first deadline, or earlier */
    uint64_t alarm_ms;                    /* uv_now for which it is set; UINT64_MAX if it is not */
    struct deadlines deadlines;
    uv_timer_t housekeeping; /* connections that are idle, or do not come about */
    unsigned open_handles;   /* once it closes */
};

/* A call under way. Owned by the caller, alive until on_done; zeroed before it is first used. */
struct http_call {
    struct http_client *client;
    bool once; /* it may not be repeated, even if the server was probably not there any more */

    /* The call has ended; it may be used again, or freed, from within. */
    void (*on_done)(struct http_call *, const struct http_response *);

    /* What follows is the implementation's. */

    struct http_client_connection *connection; /* NULL while it waits */
    struct http_call *prev, *next;
    struct deadline deadline;
    uint64_t timeout_ms;
    struct buffer request, body, location, retry_after;
    size_t taken; /* bytes of the request that are on their way */
    size_t header_bytes;
    bool repeated;
};

/* `target` is "host:port" or "http://host:port"; an IPv6 address stands in brackets. `connections_max` of 0 is
 * HTTP_CLIENT_CONNECTIONS. Nothing is opened yet. on_closed is set already. ERROR_CONFIG; the client need not be closed
 * then. */
int http_client_init(struct http_client *client, uv_loop_t *loop, const char *target, size_t connections_max,
                     struct error *error);

/* Calls `method` ("POST") on `path` ("/propose?wait=decided", encoded) with `body`, which is JSON (both copied); no bytes
 * at all for none. call->on_done is set already; it comes later, never during this call, at the latest after
 * `timeout_ms`. */
void http_client_call(struct http_client *client, struct http_call *call, const char *method,
                      const char *path, struct text body, uint64_t timeout_ms);

/* May the server have seen it, and done what it asks for? Some of it was sent, now or before it was repeated. For on_done
 * of a call that failed. */
bool http_call_seen(const struct http_call *call);

/* Ends a call with HTTP_CANCELLED, at once, without on_done. */
void http_call_cancel(struct http_call *call);

/* Frees what a call keeps from one use to the next. It must not be under way. */
void http_call_free(struct http_call *call);

/* Ends what is under way with HTTP_CANCELLED (before on_closed) and closes the connections. */
void http_client_close(struct http_client *client);

#endif
