/* How a client has its commands carried out: it asks a proposer, follows it to the one that leads, and where nobody answers
 * or nobody leads it asks the next one after a pause, and so on until its time is over. A command is the same bytes each
 * time, with the same clientId and timestamp: however often it is asked for, it takes effect at most once. */
#ifndef ORDEM_PAXOS_ASKER_H
#define ORDEM_PAXOS_ASKER_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/net/deadline.h"
#include "common/net/http_client.h"
#include "paxos/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define ASKER_TARGETS_MAX   (2 * PAXOS_MEMBERS_MAX) /* those that were given, and as many that were heard of */
#define ASKER_CONNECTIONS   64                      /* to one proposer */
#define ASKER_TRY_MS        2000                    /* that one proposer has for an answer */
#define ASKER_PAUSE_MIN_MS  20 /* after a try in vain; doubled from one to the next, up to */
#define ASKER_PAUSE_MAX_MS  500
#define ASKER_LAST_MS       500 /* or a fifth of the time that there is: no try begins later before its end */
#define ASKER_REDIRECTS_MAX 4   /* in a row, without a pause */

struct ask;

struct asker {
    uv_loop_t *loop;
    struct http_client targets[ASKER_TARGETS_MAX];
    size_t given, count; /* those that the user gave come first; behind them those that a proposer told of */
    size_t turn;         /* whose turn it is among those given, once nobody is known to lead */
    size_t leader;       /* who is asked first */

    /* What follows is the implementation's. */

    struct ask *asks;        /* under way: a list */
    struct deadlines pauses; /* of those that wait for their next try */
    uv_timer_t timer;
    bool closing;
};

/* What became of a command. Valid during on_done. */
struct ask_answer {
    int status;                /* of HTTP: a proposer's, or 503 or 504 where there was none in time */
    struct text body;          /* JSON, a proposer's; no bytes at all where `error` tells */
    const struct error *error; /* NULL if a proposer answered */
    const char *proposer;      /* the address of the one that answered last; NULL if none did */
    unsigned tries;
    uint64_t latency_us;
};

/* A command under way. Owned by the caller, alive until on_done; zeroed before it is first used. */
struct ask {
    bool anybody; /* whoever answers need not lead */
    void (*on_done)(struct ask *,
                    const struct ask_answer *); /* it may be used again, or freed, from within */

    /* What follows is the implementation's. */

    struct asker *asker;
    struct ask *prev, *next;
    struct http_call call;
    struct deadline pause;
    struct buffer body;
    const char *path;
    size_t target; /* that is asked */
    unsigned tries, redirects;
    bool maybe_done; /* some proposer may have taken it */
    uint64_t started_ns, timeout_ms, deadline_ms, pause_ms;
    struct error trouble; /* what came instead of an answer last */
};

/* `targets` is "host:port,host:port…". ERROR_CONFIG, naming `variable`, by which the user gave
 * them; the asker need not be closed then. */
int asker_open(struct asker *asker, uv_loop_t *loop, const char *targets, const char *variable,
               struct error *error);

/* Has the command in `body` (copied) carried out by POST `path` (static). ask->on_done is set already; it comes later,
 * never during this call. */
void asker_ask(struct asker *asker, struct ask *ask, const char *path, struct text body, uint64_t timeout_ms);

/* Frees what an ask keeps from one use to the next. It must not be under way. */
void ask_free(struct ask *ask);

/* Who is asked first. */
const char *asker_leader(const struct asker *asker);

/* Ends what is under way, and closes. */
void asker_close(struct asker *asker);

/* Once the loop has run the close callbacks. */
void asker_free(struct asker *asker);

#endif
