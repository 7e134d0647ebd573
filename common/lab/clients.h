/* The clients of a run of parts 2 to 5 and of Paxos: as many as there are writers, sending their shares of the workload and
 * recording what they see (client_log.h).
 *
 * Those of parts 2 to 4 are each at a node, ask by gRPC, and send nothing a second time. Those of Paxos ask by HTTP
 * whichever proposer answers, and go on under the same message_uuid until one has or their time is up. Those of the chat:
 * clients_chat.h. */
#ifndef ORDEM_CLIENTS_H
#define ORDEM_CLIENTS_H

#include "common/lab/client_log.h"
#include "common/lab/part_plan.h"
#include "common/lab/workload.h"
#include "common/net/grpc_client.h"
#include "common/net/http_client.h"
#include "common/net/zmq_socket.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define CLIENTS_TIMEOUT_MS 5000 /* that a command may take, unless something else is asked for */

struct clients_options {
    const struct workload *workload;
    enum part_users users;    /* how they ask */
    const char *const *nodes; /* whom they ask: names; not owned */
    const uint16_t *ports;    /* and their services on 127.0.0.1; not owned */
    unsigned node_count;
    unsigned rate;      /* commands a second of each writer; 0: as fast as they are answered */
    unsigned in_flight; /* requests that a writer has under way at once, at most; from 1 */
    uint32_t timeout_ms;
    bool wait;             /* gRPC: ask to be answered after the apply */
    bool first_takes_sets; /* gRPC: SETs go to the first node, else to the writer's own */
    const char *log_path;
    const char *part;    /* USERS_ZMQ: its name, */
    uint16_t heard_port; /* and where they hear what is published */
};

struct client;

/* What does one thing after the other: in the log a client of its own. */
struct client_slot {
    struct client *client;
    struct invocation invocation;
    unsigned asked; /* who is, from 0 */
    bool busy;

    struct grpc_request request; /* by gRPC */

    struct http_call call;     /* by HTTP: one attempt */
    struct buffer body;        /* owned */
    uint64_t deadline_ms;      /* uv_now: then the client waits no longer */
    uint64_t again_ms;         /* the next attempt; 0 while one is under way */
    unsigned refusals;         /* in a row, without a pause */
    bool may_have_happened;    /* an attempt reached somebody who did not say what became of it */
    struct client_outcome why; /* the last attempt failed */

    struct chat_talk *talk; /* of the chat; owned */
};

struct clients_protocol;

/* A client's connections to one proposer. */
struct client_link {
    struct http_client connection;
    struct client *client;
};

/* A writer. */
struct client {
    struct clients *clients;
    unsigned number;           /* from 0 */
    unsigned node;             /* its own, from 0; by HTTP who answered last */
    struct client_slot *slots; /* owned */
    unsigned begun, ended;     /* commands */
    unsigned timeouts;         /* in a row, one after the other, since clients_settle */
    uint64_t timed_out_ns;     /* uv_hrtime: the last of them */
    bool gave_up;

    struct grpc_client own, first; /* by gRPC; `first` only if SETs go elsewhere than its own node */
    bool has_own, has_first;       /* they are open */

    struct chat_ear *ear; /* of the chat; owned */

    struct client_link *links; /* by HTTP, one to each of those that can be asked; owned */
    unsigned open_links;
};

struct clients {
    struct clients_options options;
    const struct clients_protocol *protocol;
    struct client *items; /* owned */
    bool *lost;           /* by node; owned */
    struct client_log log;
    struct client_replies replies;
    struct zmq_hub hub; /* of the chat; open if it has a context */
    struct buffer message;
    uint64_t elapsed_ms;
    unsigned sets_done; /* answered ok */
    unsigned open;      /* connections to be closed */
    bool closing;
    uint64_t settled_ns; /* uv_hrtime: clients_settle; 0: not yet */

    void (*on_closed)(struct clients *); /* after clients_close */
};

/* Opens the log and prepares the connections. on_closed is set already, all else is zero. ERROR_FILE, ERROR_CONFIG; it
 * is to be closed then, too. */
int clients_open(struct clients *clients, uv_loop_t *loop, const struct clients_options *options,
                 struct error *error);

/* Does what comes before the first command: to be called often, until it is true. */
bool clients_greet(struct clients *clients);

/* Sends what is due; to be called often. `elapsed_ms`: since the first command. */
void clients_turn(struct clients *clients, uint64_t elapsed_ms);

/* Nothing more is planned to happen, and who was to be back is back: what does not answer from now on never will. The
 * second call and those after it do nothing. */
void clients_settle(struct clients *clients);

/* That node is down and will stay so: what can be sent nowhere else is given up. */
void clients_lose(struct clients *clients, unsigned node);

/* Commands that have ended or were given up. */
unsigned clients_done(const struct clients *clients);

/* Ends what is under way, and closes the connections and the log; on_closed comes later, or
 * at once if nothing was open. */
void clients_close(struct clients *clients);

/* Frees the memory, after on_closed. */
void clients_free(struct clients *clients);

#endif
