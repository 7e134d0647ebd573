/* The server's side of one HTTP/2 connection, and the calls on it. Nobody but grpc_server.c, grpc_session.c,
 * grpc_connection.c, grpc_call.c and grpc_answer.c includes this.
 *
 * A call is alive as long as its stream, or as its owner has it, whichever is longer. */
#ifndef ORDEM_GRPC_CONNECTION_H
#define ORDEM_GRPC_CONNECTION_H

#include "common/net/deadline.h"
#include "common/net/grpc_frame.h"
#include "common/net/grpc_server.h"
#include "common/net/http2_wire.h"
#include "common/net/listener.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_METHOD_MAX  128         /* bytes of a path; a longer one names no method of ours */
#define GRPC_HEADERS_MAX (16 * 1024) /* bytes of a request's headers, counted as HTTP/2 does */
#define GRPC_SPARE_MAX   1024        /* calls kept for use again */
#define GRPC_SPARE_BYTES 4096        /* of a buffer kept with one */

struct grpc_connection {
    struct http2_wire http2;
    struct grpc_place memory; /* of the session */
    struct grpc_server *server;
    struct grpc_connection *prev, *next;
    struct grpc_call *calls;    /* whose streams are open; a list */
    struct grpc_call *heard;    /* whose headers are coming; NULL if that is nobody's */
    struct grpc_call *deferred; /* whole requests that wait until the peer reads its replies; another list */
    size_t reply_bytes;         /* of replies that nghttp2 has not taken yet */
    uint64_t read_ms;           /* uv_now when the peer's windows let some of them pass last */
    uint64_t opened_ms;
    bool resting;  /* nothing was written since its memory was given back */
    bool greeted;  /* the peer's preface has come */
    bool draining; /* no new calls */
    bool warned;   /* and the peer was told so */
    char peer[LISTENER_PEER_LENGTH];
};

enum grpc_call_state {
    CALL_RECEIVING, /* headers or message are still coming */
    CALL_DEFERRED,  /* whole, and waiting for its turn */
    CALL_OWNED,     /* with the owner, who will answer */
    CALL_ANSWERED   /* the answer is on its way, or there is none to give */
};

struct grpc_call {
    struct grpc_server *server;         /* NULL once that is gone */
    struct grpc_connection *connection; /* NULL once the stream is closed */
    struct grpc_call *prev, *next;      /* among the connection's calls, the orphans or the spare ones */
    struct grpc_call *deferred_prev, *deferred_next;
    enum grpc_call_state state;
    bool with_owner; /* also after its deadline answered for it */
    bool pinned;     /* in use further up the stack */
    bool freed;      /* while it was pinned */
    int32_t stream_id;

    /* The request. */
    bool is_post, is_grpc, has_te, bad_timeout; /* what its headers said */
    bool ended;                                 /* the peer will send no more */
    size_t header_bytes;
    size_t method_length; /* as it came */
    char method[GRPC_METHOD_MAX];
    struct grpc_reader reader;
    size_t counted; /* of request_bytes */
    struct deadline deadline;
    uint64_t deadline_ms; /* UINT64_MAX: none */

    /* The answer: prefix and message. */
    struct buffer reply;
    size_t taken;                    /* bytes of it that nghttp2 asked for */
    size_t copied;                   /* and that stand in the output */
    char peer[LISTENER_PEER_LENGTH]; /* once the connection is gone */
};

/* ---- grpc_server.c ---- */

/* Sets the alarm for a deadline that was added. */
void grpc_server_set_alarm(struct grpc_server *server);

/* A connection is gone: was it the last one of a server that closes? */
void grpc_server_settle(struct grpc_server *server);

/* ---- grpc_session.c ---- */

/* Callbacks and options for all sessions of a server. */
void grpc_session_prepare(struct grpc_server *server);

/* ---- grpc_connection.c ---- */

/* Tells the log what is wrong with a connection. */
void grpc_connection_report(struct grpc_connection *connection, const char *why);

/* Takes a connection that waits at the listener. Returns a libuv error; nothing is left of it then. */
int grpc_connection_accept(struct grpc_server *server);

/* Closes it because of something that the log is told, unless it is "". */
void grpc_connection_give_up(struct grpc_connection *connection, const char *why);

/* Says that no more calls are taken; the connection closes when those that it has are answered. */
void grpc_connection_drain(struct grpc_connection *connection);

/* Gives back the memory of a connection on which nothing happens. */
void grpc_connection_rest(struct grpc_connection *connection);

/* Gives whole requests to the owner while the peer reads its replies. */
void grpc_connection_continue(struct grpc_connection *connection);

/* ---- grpc_call.c ---- */

/* A new call on a new stream. */
struct grpc_call *grpc_call_new(struct grpc_connection *connection, int32_t stream_id);

void grpc_call_header(struct grpc_call *call, struct text name, struct text value);
void grpc_call_headers_end(struct grpc_call *call);
void grpc_call_data(struct grpc_call *call, const uint8_t *bytes, size_t length);

/* The whole request has come: it goes to the owner, or waits for its turn. */
void grpc_call_end(struct grpc_call *call);

/* Gives it to the owner. */
void grpc_call_dispatch(struct grpc_call *call);

/* It needs no answer any more, and no request. */
void grpc_call_settle(struct grpc_call *call);

/* Its stream is closed; frees the call, unless the owner has it. */
void grpc_call_detach(struct grpc_call *call);

/* Frees a call that neither a stream nor the owner has. */
void grpc_call_free(struct grpc_call *call);

/* ---- grpc_answer.c ---- */

/* Refuses a call that its owner does not have, or answers in the owner's place. */
void grpc_call_refuse(struct grpc_call *call, enum grpc_status status, const char *sentence);

/* Refuses what is not a gRPC request with a status of HTTP ("415"). */
void grpc_call_refuse_http(struct grpc_call *call, const char *http_status);

/* Answers for the owners of calls whose time is up. */
void grpc_calls_expire(struct grpc_server *server);

/* For nghttp2's send_data_callback. */
int grpc_call_copy_reply(struct grpc_call *call, const uint8_t *head, size_t length);

#endif
