/* The clients of a run of parts 2 to 4: as many as there are writers, each at a node, sending its share of the workload
 * by gRPC and recording what it sees (client_log.h). They do not send anything a second time. */
#ifndef ORDEM_CLIENTS_H
#define ORDEM_CLIENTS_H

#include "common/lab/client_log.h"
#include "common/lab/workload.h"
#include "common/net/grpc_client.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define CLIENTS_TIMEOUT_MS 5000 /* that a node has to answer, unless something else is asked for */

struct clients_options {
    const struct workload *workload;
    const char *const *nodes; /* their names; not owned */
    const uint16_t *ports;    /* of the nodes' services on 127.0.0.1; not owned */
    unsigned node_count;
    unsigned rate;      /* commands a second of each writer; 0: as fast as they are answered */
    unsigned in_flight; /* requests that a writer has under way at once, at most; from 1 */
    uint32_t timeout_ms;
    bool wait;             /* ask to be answered after the apply */
    bool first_takes_sets; /* SETs go to the first node, else to the writer's own */
    const char *log_path;
};

struct client;

/* What does one thing after the other: in the log a client of its own. */
struct client_slot {
    struct grpc_request request;
    struct client *client;
    struct invocation invocation;
    unsigned node; /* who was asked, from 0 */
    bool busy;
};

/* A writer. */
struct client {
    struct clients *clients;
    unsigned number;               /* from 0 */
    unsigned node;                 /* its own, from 0 */
    struct grpc_client own, first; /* `first` only if SETs go elsewhere than its own node */
    bool has_own, has_first;       /* they are open */
    struct client_slot *slots;     /* owned */
    unsigned begun, ended;         /* commands */
    unsigned timeouts;             /* in a row */
    bool gave_up;
};

struct clients {
    struct clients_options options;
    struct client *items; /* owned */
    bool *lost;           /* by node; owned */
    struct client_log log;
    struct buffer message;
    uint64_t elapsed_ms;
    unsigned open; /* connections to be closed */
    bool closing;
    bool settled; /* nothing more is planned to happen: what does not answer now never will */

    void (*on_closed)(struct clients *); /* after clients_close */
};

/* Opens the log and prepares the connections. on_closed is set already, all else is zero. ERROR_FILE, ERROR_CONFIG; it
 * is to be closed then, too. */
int clients_open(struct clients *clients, uv_loop_t *loop, const struct clients_options *options,
                 struct error *error);

/* Sends what is due; to be called often. `elapsed_ms`: since the first command. */
void clients_turn(struct clients *clients, uint64_t elapsed_ms);

/* That node is down and will stay so: what would be sent there is given up. */
void clients_lose(struct clients *clients, unsigned node);

/* Commands that have ended or were given up. */
unsigned clients_done(const struct clients *clients);

/* Ends what is under way, and closes the connections and the log; on_closed comes later, or
 * at once if nothing was open. */
void clients_close(struct clients *clients);

/* Frees the memory, after on_closed. */
void clients_free(struct clients *clients);

#endif
