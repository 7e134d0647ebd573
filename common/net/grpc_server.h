/* A gRPC server for unary calls: HTTP/2 (nghttp2) on libuv, without TLS. What the messages mean is its owner's
 * business; see kv_service.h for ours. Protocol: "gRPC over HTTP2" (grpc/doc/PROTOCOL-HTTP2.md). */
#ifndef ORDEM_GRPC_SERVER_H
#define ORDEM_GRPC_SERVER_H

#include "common/error.h"
#include "common/log.h"
#include "common/net/deadline.h"
#include "common/net/grpc_pool.h"
#include "common/net/grpc_status.h"
#include "common/net/http2_wire.h"
#include "common/net/refusals.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define GRPC_MESSAGE_MAX     (1024 * 1024) /* bytes of a request */
#define GRPC_CONNECTIONS_MAX 4096
#define GRPC_STREAMS_MAX     1000 /* calls at once on one connection */
#define GRPC_REQUESTS_MAX                                                                                    \
    (64 * 1024 * 1024) /* bytes of requests that are not whole yet, of all connections */
#define GRPC_REPLIES_MAX                                                                                     \
    (1024 * 1024)             /* bytes of replies that a peer has not read; its next calls wait for it */
#define GRPC_PREFACE_MS 10000 /* a peer that has not introduced itself by then is sent away */
#define GRPC_STALL_MS   60000 /* a peer that reads nothing of its replies for so long likewise */

struct grpc_connection;

/* One call, from its request to its reply; owned by the server. */
struct grpc_call;

struct grpc_server {
    uint16_t port; /* as bound: what was asked for, or what the kernel chose for 0 */
    bool closing;

    /* A whole request has come. `method` is the path ("/kv.KvService/Set"); both texts are valid during the call.
     * Every call is answered exactly once, now or later, by grpc_call_reply or grpc_call_fail, also when its client is
     * gone or its deadline has passed meanwhile: the answer then goes nowhere, and the call is freed. */
    void (*on_call)(struct grpc_server *, struct grpc_call *, struct text method, struct text request);

    /* What follows is the implementation's. */

    uv_tcp_t listener;
    struct wire_hub hub;
    uv_timer_t housekeeping;             /* every second: peers that waste our time */
    uv_timer_t grace;                    /* when the rest is to be closed */
    uv_timer_t alarm;                    /* at the first deadline, or earlier */
    uint64_t alarm_ms;                   /* uv_now for which it is set; UINT64_MAX if it is not */
    size_t open_handles;                 /* of these, once it closes */
    struct deadlines deadlines;          /* of calls that their owner has not answered */
    struct grpc_connection *connections; /* a list, owned */
    size_t connection_count;
    struct grpc_call *orphans; /* calls whose client is gone and whose owner has not answered */
    struct grpc_call *spare;   /* calls to be used again */
    size_t spare_count;
    size_t request_bytes;  /* memory of requests that are not with their owner yet */
    struct grpc_pool pool; /* for sessions */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct refusals refusals;
};

/* Listens on `port` of every address of this machine (IPv6 and IPv4), or of `host`, an address, if it is not NULL.
 * Raises the soft limit of open files to the hard one. on_call is set already.
 * Errors: ERROR_NETWORK, telling what to do when the port is taken; ERROR_CONFIG, `host` is not an address. */
int grpc_server_open(struct grpc_server *server, uv_loop_t *loop, struct log *log, const char *host,
                     uint16_t port, struct error *error);

/* Answers with one message (copied) and status OK, and frees the call. */
void grpc_call_reply(struct grpc_call *call, struct text message);

/* Answers with a status that is not OK and a sentence, and frees the call. */
void grpc_call_fail(struct grpc_call *call, enum grpc_status status, const char *sentence);

/* "127.0.0.1:40312" */
const char *grpc_call_peer(const struct grpc_call *call);

/* Milliseconds (uv_now) at which the client stops waiting (grpc-timeout), UINT64_MAX if it set no limit. */
uint64_t grpc_call_deadline(const struct grpc_call *call);

/* No new connections or calls (GOAWAY; later calls get UNAVAILABLE); connections close once their calls are answered,
 * and all that is left closes after `grace_ms`. The server's memory may go when its loop has nothing left to do; calls
 * may still be answered after that, to nobody. */
void grpc_server_close(struct grpc_server *server, uint64_t grace_ms);

#endif
