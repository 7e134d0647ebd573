/* The server's side of one HTTP/1.1 connection, and the exchanges on it. Nobody but http_server.c, http_connection.c and
 * http_exchange.c includes this.
 *
 * An exchange is alive as long as it waits for its turn on the connection, or as its owner has it, whichever is longer. */
#ifndef ORDEM_HTTP_CONNECTION_H
#define ORDEM_HTTP_CONNECTION_H

#include "common/buffer.h"
#include "common/net/http_header.h"
#include "common/net/http_server.h"
#include "common/net/listener.h"
#include "common/net/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_SPARE_MAX   1024 /* exchanges kept for use again */
#define HTTP_SPARE_BYTES 4096 /* of a buffer kept with one */

struct http_connection {
    struct wire wire;
    llhttp_t parser;
    struct http_server *server;
    struct http_connection *prev, *next;
    struct http_exchange *exchanges; /* in the order of their requests; a list */
    size_t exchange_count;
    struct http_exchange *heard; /* whose request is coming; NULL between two of them; not in the list yet */
    uint64_t since_ms;           /* uv_now when that request began, or the last one ended */
    struct http_header header;
    bool used; /* a request has begun on it */
    bool last; /* no more requests are read: the last answer closes it */
    char peer[LISTENER_PEER_LENGTH];
};

struct http_exchange {
    struct http_server *server;         /* NULL once that is gone */
    struct http_connection *connection; /* NULL once that is gone */
    struct http_exchange *prev, *next;  /* among the connection's exchanges, the orphans or the spare ones */
    bool with_owner;
    bool answered;

    /* The request. */
    struct buffer target, body;
    size_t header_bytes;
    size_t counted;   /* of request_bytes */
    bool expects;     /* to hear 100-continue before it sends the body */
    bool has_host;    /* the header */
    bool is_head;     /* an answer has no body */
    bool keeps_alive; /* what the client wants of the connection */

    /* The answer. */
    struct buffer headers; /* that the owner added */
    struct buffer reply;   /* head and body, ready to go */
    size_t reply_counted;  /* of reply_bytes */
    size_t taken;          /* bytes of it that are on their way */
    char peer[LISTENER_PEER_LENGTH];
};

/* ---- http_server.c ---- */

/* A connection is gone: was it the last one of a server that closes? */
void http_server_settle(struct http_server *server);

/* ---- http_connection.c ---- */

const struct wire_protocol *http_connection_protocol(void);

/* What llhttp is to call. */
void http_connection_prepare(struct http_server *server);

/* Tells the log what is wrong with a connection. */
void http_connection_report(struct http_connection *connection, const char *why);

/* Takes a connection that waits at the listener. Returns a libuv error; nothing is left of it then. */
int http_connection_accept(struct http_server *server);

/* Reads no more requests: it closes when those that it has are answered. */
void http_connection_drain(struct http_connection *connection);

/* The request that is coming is answered before it is whole, and is the last one. */
void http_connection_refuse(struct http_connection *connection, enum http_status status,
                            const char *sentence);

/* ---- http_exchange.c ---- */

/* A new exchange, whose request begins. */
struct http_exchange *http_exchange_new(struct http_connection *connection);

/* Gives a whole request to the owner. */
void http_exchange_dispatch(struct http_exchange *exchange, struct text method);

/* Its connection is gone, or done with it. */
void http_exchange_detach(struct http_exchange *exchange);

/* Frees one that neither a connection nor the owner has. */
void http_exchange_free(struct http_exchange *exchange);

#endif
