/* The client's side of one HTTP/1.1 connection. Nobody but http_client.c, http_client_connect.c and
 * http_client_connection.c includes this. */
#ifndef ORDEM_HTTP_CLIENT_CONNECTION_H
#define ORDEM_HTTP_CLIENT_CONNECTION_H

#include "common/net/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_client_connection {
    struct wire wire;
    llhttp_t parser;
    struct http_client *client;
    struct http_client_connection *prev, *next;
    struct http_call *call; /* that it carries; NULL while it is idle */
    uv_connect_t connect;
    bool connecting;
    bool used;         /* it has carried a call before this one */
    bool heard;        /* something of the reply has come */
    bool done;         /* it carries no more calls */
    uint64_t since_ms; /* uv_now when it became what it is: connecting, or idle */
    struct http_header header;
};

/* ---- http_client.c ---- */

/* Ends a call and tells its owner, who may then do anything. */
void http_call_finish(struct http_call *call, const struct http_response *response);

/* The same where there is no response; the sentence is for people. */
void http_call_fail(struct http_call *call, enum http_failure failure, const char *sentence);

/* A connection, or the resolver, is gone: was it the last thing that kept the client from closing? */
void http_client_settle(struct http_client *client);

/* Calls that cannot be made are to be told of it soon. */
void http_client_hurry(struct http_client *client);

/* ---- http_client_connect.c ---- */

/* Tells calls that wait what the trouble is. */
void http_client_refuse(struct http_client *client);

/* Puts calls that wait on connections that are idle, and makes more of these where they do not suffice. */
void http_client_serve(struct http_client *client);

/* Ends connections that do not come about, or have long been idle. */
void http_client_tidy(struct http_client *client);

/* ---- http_client_connection.c ---- */

const struct wire_protocol *http_client_protocol(void);

/* What llhttp is to call. */
void http_client_connection_prepare(struct http_client *client);

/* Carries a call, on a connection that is idle. */
void http_client_connection_carry(struct http_client_connection *connection, struct http_call *call);

#endif
