/* Clients' commands that are on their way: from the call that asked to the broker's confirm, and where the client
 * wants to wait for it, to the delivery. Each is known by its UUID, so that one that is sent again finds itself. */
#ifndef ORDEM_REQUESTS_H
#define ORDEM_REQUESTS_H

#include "common/error.h"
#include "common/message.h"
#include "common/net/amqp_link.h"
#include "common/net/kv_service.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#define REQUESTS_MAX       10000 /* at once; fewer than a link takes, so that it refuses none of them */
#define REQUESTS_BYTES_MAX (32 * 1024 * 1024) /* of their values, likewise */
#define REQUESTS_ANSWER_MS 30000              /* a client that set no limit of its own hears by then */

struct requests;

struct request {
    struct amqp_publish publish; /* to the broker */
    struct requests *requests;
    struct message *message; /* a reference of its own */
    struct kv_call *call;    /* NULL once it is answered */
    int64_t seq, epoch;      /* the command's place, once it has one */
    bool wait;               /* the client wants to hear of the delivery */
    bool confirmed;          /* the broker has it */
    uint64_t answer_by_ms;   /* clock_monotonic_ms */
    struct request *prev, *next;
    UT_hash_handle hh;
};

/* Zeroed to start with. */
struct requests {
    struct request *by_uuid; /* uthash */
    struct request *oldest;  /* a list of the same */
    size_t count, bytes;

    /* The broker has the command (`code` 0), or will never have it. */
    void (*on_confirmed)(struct request *, int code);
};

/* A new request; takes a reference to `message`. Fills `error` and returns NULL if too many wait: ERROR_FULL. */
struct request *requests_add(struct requests *requests, struct kv_call *call, struct message *message,
                             bool wait, struct error *error);

/* The request of that command, NULL if there is none. */
struct request *requests_find(const struct requests *requests, const struct message *message);

/* The client came again with a command that is still on its way: it, and not its first call, gets the answer. */
void request_take_over(struct request *request, struct kv_call *call, bool wait);

/* Answers the call, if it still waits. The request ends when it is answered and the broker has it. */
void request_reply(struct request *request, const struct kv_reply *reply);

/* Ends the request, which the broker will never have, and says so to its client. */
void request_fail(struct request *request, const char *sentence);

/* The broker has it: ends the request if its client has been answered. */
void request_settle(struct request *request);

/* Tells the clients that have waited too long; the commands stay on their way. */
void requests_expire(struct requests *requests, uint64_t now_ms);

/* Tells all clients that the node leaves. What links still hold stays valid until it is done. */
void requests_abandon(struct requests *requests);

#endif
