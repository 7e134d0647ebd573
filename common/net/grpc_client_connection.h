/* The client's side of one HTTP/2 connection, and how the client's files call each other. Nobody but grpc_client.c,
 * grpc_client_connect.c, grpc_client_connection.c and
 * grpc_client_reply.c includes this. */
#ifndef ORDEM_GRPC_CLIENT_CONNECTION_H
#define ORDEM_GRPC_CLIENT_CONNECTION_H

#include "common/net/grpc_client.h"
#include "common/net/http2_wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_REPLY_HEADERS_MAX (64 * 1024) /* bytes of a reply's headers, counted as HTTP/2 does */

struct grpc_client_connection {
    struct http2_wire http2;
    struct grpc_client *client;
    struct grpc_client_connection *prev, *next;
    uv_connect_t connect;
    bool ready;                    /* the server's settings have come: it is one, and it takes calls */
    bool retired;                  /* no new calls: those that it has are finished */
    size_t open;                   /* streams */
    struct grpc_request *requests; /* on these; a list */
    struct grpc_request *heard;    /* whose headers are coming; NULL if that is nobody's */
};

/* ---- grpc_client.c ---- */

/* Ends a call and tells its owner, who may then do anything. */
void grpc_request_finish(struct grpc_request *request, int status, struct text reply, bool sent);

/* The same for a call that this side ends, and why. */
void grpc_request_abandon(struct grpc_request *request, int status, const struct error *error, bool sent);

/* Puts a call that no server has acted on back among those that wait. */
void grpc_request_requeue(struct grpc_request *request);

/* May the server have seen it? */
bool grpc_request_was_sent(const struct grpc_request *request);

/* A connection, or the resolver, is gone: was it the last thing that kept the client from closing? */
void grpc_client_settle(struct grpc_client *client);

/* ---- grpc_client_connect.c ---- */

/* Somebody waits: a connection is made, or used. */
void grpc_client_wake(struct grpc_client *client);

/* The connection takes calls. */
void grpc_client_is_ready(struct grpc_client_connection *connection);

/* It takes no more calls: those that it has are finished, and another one is made when it is needed. */
void grpc_client_connection_retire(struct grpc_client_connection *connection);

/* ---- grpc_client_connection.c ---- */

/* Callbacks and options for all sessions of a client. */
void grpc_client_connection_prepare(struct grpc_client *client);

/* Gives the calls that wait to the session, as many as the server takes at once. */
void grpc_client_connection_submit(struct grpc_client_connection *connection);

/* The server need not answer this one any more. */
void grpc_client_connection_cancel(struct grpc_request *request);

/* ---- grpc_client_reply.c ---- */

void grpc_request_header(struct grpc_request *request, struct text name, struct text value);
void grpc_request_data(struct grpc_request *request, const uint8_t *bytes, size_t length);

/* The whole reply has come. */
void grpc_request_conclude(struct grpc_request *request);

/* The stream ended before the reply did, with an error code of HTTP/2. */
void grpc_request_fail(struct grpc_request *request, uint32_t code);

#endif
