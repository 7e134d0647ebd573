/* A gRPC client for unary calls: one HTTP/2 connection (nghttp2 on libuv, prior knowledge, no TLS), made when it is
 * first needed and made again when it is lost. Calls wait for it until their deadline. */
#ifndef ORDEM_GRPC_CLIENT_H
#define ORDEM_GRPC_CLIENT_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/net/deadline.h"
#include "common/net/grpc_frame.h"
#include "common/net/grpc_status.h"
#include "common/net/http2_wire.h"
#include "common/net/target.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define GRPC_REPLY_MAX      (64 * 1024 * 1024) /* bytes */
#define GRPC_BACKOFF_MIN_MS 50 /* between two attempts to connect; doubled from one to the next */
#define GRPC_BACKOFF_MAX_MS 2000
#define GRPC_ATTEMPT_MS     5000 /* that one address has to accept a connection and to speak HTTP/2 */

struct grpc_client_connection;
struct grpc_request;

enum grpc_client_state {
    CLIENT_IDLE,       /* there is no connection, and nobody needs one */
    CLIENT_RESOLVING,  /* a name is being looked up */
    CLIENT_CONNECTING, /* an address is being tried */
    CLIENT_READY,
    CLIENT_PAUSING /* until the next attempt */
};

struct grpc_client {
    uv_loop_t *loop;
    struct target target;
    struct grpc_client_connection *connection; /* owned; NULL while there is none */
    bool closing;

    void (*on_closed)(struct grpc_client *); /* after grpc_client_close; may be NULL */

    /* What follows is the implementation's. */

    enum grpc_client_state state;
    struct wire_hub hub;
    uv_timer_t attempt; /* ends an attempt to connect, or the pause before the next one */
    uint64_t backoff_ms;
    uv_getaddrinfo_t resolver;
    struct addrinfo *addresses, *next_address; /* owned; those not tried yet */
    struct error trouble;                      /* why there is no connection */
    uv_timer_t alarm;                          /* at the first deadline, or earlier */
    uint64_t alarm_ms;                         /* uv_now for which it is set; UINT64_MAX if it is not */
    struct deadlines deadlines;
    struct grpc_request *waiting;               /* calls that are on no connection; a list */
    struct grpc_client_connection *connections; /* also those that only finish their calls; a list */
    unsigned open_handles;                      /* once it closes */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
};

/* A call under way. Owned by the caller, alive until on_done. */
struct grpc_request {
    struct grpc_client *client;

    /* The call has ended. `reply` is the message if `status` is GRPC_OK, else a sentence; valid during the call.
     * `sent` tells whether the server may have seen the request: where it is false, the call had no effect. The request
     * may be used again, or freed, from within. */
    void (*on_done)(struct grpc_request *, int status, struct text reply, bool sent);
    const struct error
        *error; /* while on_done runs, where it was this side that ended the call: why; else NULL */

    /* What follows is the implementation's. */

    struct grpc_client_connection *connection; /* NULL while it waits */
    struct grpc_request *prev, *next;          /* in the client's list, or the connection's */
    struct deadline deadline;
    uint64_t timeout_ms;
    char *frame; /* owned: the length-prefixed message, and behind it the method */
    size_t frame_length, method_length;
    size_t taken, copied; /* bytes of the frame that nghttp2 asked for, and that stand in the output */
    uint64_t end;         /* the connection's position behind its last byte; 0 until that was collected */
    int32_t stream_id;
    bool repeated; /* the server refused it unseen once */
    bool sent;     /* the server may have seen it */

    int http_status, grpc_status; /* of the reply; 0 and -1 until they come */
    bool is_grpc;                 /* its content type */
    size_t header_bytes;
    struct grpc_reader reader;
    struct buffer sentence; /* grpc-message */
};

/* `target` is "host:port"; an IPv6 address stands in brackets. Nothing is opened yet. on_closed is set already.
 * ERROR_CONFIG; the client need not be closed then. */
int grpc_client_init(struct grpc_client *client, uv_loop_t *loop, const char *target, struct error *error);

/* Is there a connection that takes calls? If not, one is being made, although nobody calls yet; to be called until it is
 * true. */
bool grpc_client_connect(struct grpc_client *client);

/* Calls `method` ("/kv.KvService/Set") with `message` (both copied). request->on_done is set already; it comes later,
 * never during this call, at the latest after `timeout_ms` with GRPC_DEADLINE_EXCEEDED. Calls that have not been sent
 * when a connection breaks or cannot be made wait for the next one; those that have been sent end with
 * GRPC_UNAVAILABLE. */
void grpc_client_call(struct grpc_client *client, struct grpc_request *request, const char *method,
                      struct text message, uint64_t timeout_ms);

/* Ends what is under way with GRPC_CANCELLED (later, before on_closed) and closes the connection. No call may be made
 * after on_closed. */
void grpc_client_close(struct grpc_client *client);

#endif
