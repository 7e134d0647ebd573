/* What the files about peers share; nobody else includes it. */
#ifndef ORDEM_PAXOS_PEER_PARTS_H
#define ORDEM_PAXOS_PEER_PARTS_H

#include "paxos/peers.h"

/* A call, from peers_call to on_reply. */
struct peer_call {
    struct http_call call;
    struct peer *peer;
    struct peer_call *prev, *next; /* among those that stall, or the spare ones */
    const char *method, *path;
    uint64_t tag;
    size_t length;        /* of the body */
    uint64_t deadline_ms; /* uv_now */

    /* while it stalls */
    uint64_t due_ms;        /* uv_now */
    struct buffer body;     /* what is to be sent; then what was answered */
    struct buffer location; /* of the answer, as what follows */
    bool has_body, has_location;
    int status;
    int64_t retry_after_s;
};

/* peers.c */

/* The call has come to its end: tells the owner, and what the circuit makes of it. */
void peer_call_end(struct peer_call *call, const struct http_response *response);

/* It is on its way. */
void peer_call_send(struct peer_call *call, struct text body);

/* peer_stall.c */

/* Does the network stall it? Then it goes on by itself, and the body or the answer is copied. */
bool peer_stall_going(struct peer_call *call, struct text body);
bool peer_stall_coming(struct peer_call *call, const struct http_response *response);

/* Ends all that stalls. */
void peer_stall_drop(struct peer *peer);

/* peer_circuit.c */

/* May a call be sent now? The one that is sent then, on a circuit that was open, is the trial. */
bool peer_circuit_admit(struct peer *peer);

/* What came of one: `status` is of HTTP, or one of enum http_failure, and `why` says so. */
void peer_circuit_note(struct peer *peer, int status, struct text why);

const char *peer_circuit_name(enum peer_circuit circuit);

#endif
