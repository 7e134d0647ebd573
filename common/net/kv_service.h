/* The key-value service of parts 2 to 4, kv.KvService: Set, Get and Print over gRPC, each message the UTF-8 JSON of a
 * plain object.
 *
 *     Set   {"key": "x", "value": 1}   → {"status": "ok", "message": "…", "node": "node1"}        parte4 adds "seq"
 *     Get   {"key": "x"}               → … "local_value": "1"      the value as JSON text, inside a JSON string
 *     Print {}                         → … "snapshot": "{\"x\":1}"  the dictionary likewise, keys sorted
 *
 * Two members of ours may be added to a request: "wait": true, to be answered only when the command has been applied
 * here (parte3), and "message_uuid", by which a request that is sent again after a lost connection is known. */
#ifndef ORDEM_KV_SERVICE_H
#define ORDEM_KV_SERVICE_H

#include "common/json.h"
#include "common/message.h"
#include "common/net/grpc_server.h"
#include "common/net/kv_request.h"
#include "common/uuid.h"

#define KV_SERVICE_GRACE_MS 3000 /* that calls under way have when the service closes */
#define KV_SERVICE_UUIDS    64   /* drawn from the kernel at once */

struct kv_call;

struct kv_service {
    struct grpc_server server;
    struct text node;          /* this node's name; not owned */
    struct json_object object; /* being read; its memory is reused */
    struct kv_request request; /* likewise */
    struct buffer reply;       /* likewise */
    struct kv_call *spare;     /* calls to be used again; a list, owned */
    size_t spare_count;
    uint8_t random[KV_SERVICE_UUIDS][16];
    size_t random_left;

    /* A request that is well formed has come. `message` is the command that it makes, from this node, with a UUID of
     * its own or the one that the request brought, without seq; take a reference to keep it. The call is answered by
     * kv_call_reply or kv_call_fail, now or later, and once. */
    void (*on_request)(struct kv_service *, struct kv_call *, struct message *message, bool wait);
};

/* One request. */
struct kv_call;

/* Listens on RPC_PORT (`standard_port` if unset), of RPC_HOST if that is set. ERROR_NETWORK, ERROR_CONFIG. */
int kv_service_open(struct kv_service *service, uv_loop_t *loop, struct log *log, struct text node,
                    uint16_t standard_port, struct error *error);

void kv_call_reply(struct kv_call *call, const struct kv_reply *reply);

/* The transport's own refusal. */
void kv_call_fail(struct kv_call *call, enum grpc_status status, const char *sentence);

/* Takes no more requests (they get UNAVAILABLE); those under way have KV_SERVICE_GRACE_MS to be answered. */
void kv_service_close(struct kv_service *service);

/* Frees what is left, once the loop has nothing left to do and every call is answered; nothing if it was never opened. */
void kv_service_free(struct kv_service *service);

#endif
