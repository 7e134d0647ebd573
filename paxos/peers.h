/* The members of one role that this process talks to, by HTTP: "acceptor-1", "acceptor-2", …
 *
 * A peer that does not answer is not asked in vain for ever: after PEER_FAILURES calls in a row that failed its circuit is
 * open, and nothing is sent to it; after a pause, which doubles from time to time, one call tries again (half open), and
 * what comes of it closes the circuit or opens it anew (Nygard 2007, "Release It!"). Nothing is sent a second time from
 * here: the roles do that, and know when.
 *
 * The bad network that was asked for (NET_…) is carried out here, at the caller: a call on its way, or its answer, is
 * stalled, and with it what follows between the two processes; a loss costs a retransmission, a partition lasts until it
 * heals. A call that stalls for longer than its time-out fails. */
#ifndef ORDEM_PAXOS_PEERS_H
#define ORDEM_PAXOS_PEERS_H

#include "common/net/http_client.h"
#include "paxos/process.h"

#include <stdbool.h>
#include <stdint.h>

#define PEER_FAILURES     3   /* in a row, before the circuit opens */
#define PEER_PAUSE_MIN_MS 100 /* before the first trial; then twice as long each time, up to */
#define PEER_PAUSE_MAX_MS 1000
#define PEER_TIMEOUTS     4                  /* TIMEOUT_MS that a peer has to answer what peers_post sends */
#define PEER_CALLS_MAX    4096               /* under way to one peer, */
#define PEER_BYTES_MAX    (64 * 1024 * 1024) /* and their bodies */
#define PEER_CONNECTIONS  8

enum peer_circuit { CIRCUIT_CLOSED, CIRCUIT_OPEN, CIRCUIT_HALF_OPEN };

struct peer_call;

struct peer {
    struct peers *peers;
    uint32_t number;
    char name[PROCESS_NAME_MAX]; /* "acceptor-2" */
    struct http_client client;   /* client.target.authority is its address */

    enum peer_circuit circuit;
    unsigned failures;      /* in a row */
    uint64_t pause_ms;      /* the last one */
    uint64_t open_until_ms; /* uv_now */
    char last_error[160];   /* "" if there was none */
    uint64_t sent, answered, failed, dropped;

    size_t call_count, call_bytes; /* under way */
    struct peer_call *going;       /* stalled on their way there: a list, in their order, owned */
    struct peer_call *coming;      /* answered, and stalled on the way back: likewise */
};

/* What became of a call. Valid during on_reply. */
struct peer_reply {
    const char *path; /* as it was called */
    uint64_t tag;     /* likewise */
    int status;       /* of HTTP, or one of enum http_failure */
    struct text body; /* of a failure: a sentence */
    struct text location;
    int64_t retry_after_s; /* -1 where it is not there */
};

struct peers {
    struct process *process;
    const char *role;   /* "acceptor" */
    uint32_t count;     /* how many there are, this process included if it is one of them */
    struct peer *items; /* items[i] is number i + 1; owned */
    struct peers *next; /* of the process */

    /* A call has ended: comes exactly once for each that was taken, never during peers_call. */
    void (*on_reply)(struct peers *, struct peer *, const struct peer_reply *);

    /* What follows is the implementation's. */

    struct peer_call *spare; /* to be used again: a list, owned */
    size_t spare_count;
    uv_timer_t release; /* when something stalled goes on */
    bool opened, closing;
};

/* Reads the list of addresses in the setting `variable` ("ACCEPTORS"): where it is unset there are none, which is an error
 * if they are `required`. on_reply is set already. The process closes them when it leaves. ERROR_CONFIG. */
int peers_open(struct peers *peers, struct process *process, const char *role, const char *variable,
               bool required, struct error *error);

/* Calls `method` on `path` with `body` (copied; no bytes at all for none). Method and path must live until on_reply. False
 * if it is not sent, and never will be: the circuit is open, or too much is under way. */
bool peers_call(struct peers *peers, uint32_t number, const char *method, const char *path, struct text body,
                uint64_t tag, uint64_t timeout_ms);

/* POST to one; to all but this process itself: how many took it. */
bool peers_post(struct peers *peers, uint32_t number, const char *path, struct text body, uint64_t tag);
unsigned peers_post_all(struct peers *peers, const char *path, struct text body, uint64_t tag);

/* Is that this process itself? */
bool peer_is_self(const struct peer *peer);

/* Adds what stands in "peers" of /status, in an array that `out` has opened. */
void peers_write_status(const struct peers *peers, struct buffer *out);

/* What was asked of the network has changed. */
void peers_release(struct peers *peers);

/* Drops what is under way: on_reply is told (HTTP_CANCELLED). Nothing of them is on the loop any more when process_run
 * returns; then peers_free. */
void peers_close(struct peers *peers);
void peers_free(struct peers *peers);

#endif
