/* What every process of the cluster has, whatever its role: its name, its settings, its logs, the address at which it
 * answers HTTP, and the way it starts and leaves. A role embeds it, finds itself again by container_of, and adds its
 * routes.
 *
 * Every process answers GET /health, /status, /stats, /logs and /logs/important; a path that nobody has is a 404, a method
 * that a path does not take a 405. Every answer is JSON, and what is wrong with a request stands in its "error". */
#ifndef ORDEM_PAXOS_PROCESS_H
#define ORDEM_PAXOS_PROCESS_H

#include "common/json.h"
#include "common/log.h"
#include "common/log_book.h"
#include "common/net/fault_watch.h"
#include "common/net/http_server.h"
#include "common/net/runtime.h"
#include "paxos/limits.h"

#include <stdbool.h>
#include <stdint.h>

#define PROCESS_NAME_MAX 32
#define PROCESS_PATH_MAX 4096
#define PROCESS_GRACE_MS 1000 /* that requests have to be answered once a process leaves */

struct process;
struct peers;

/* The bad network that was asked for, in both directions. */
struct peer_faults {
    struct fault_watch watch;
    struct faults going, coming;
};

/* Answers a request, now or later: exactly once, by one of the process_reply… or http_… functions. `id` is what stood in
 * the place of {id}, decoded; no bytes at all for a path without one. */
typedef void process_handler(struct process *process, struct http_exchange *exchange,
                             const struct http_request *request, struct text id);

struct process_route {
    const char *method; /* "POST" */
    const char *path;   /* "/prepare"; "/instance/{id}"; "/members/{id}/status" */
    process_handler *handle;
};

struct process {
    /* Set by the role before process_open. */
    const char *role; /* "acceptor" */
    const struct process_route *routes;
    size_t route_count;
    void (*write_status)(struct process *, struct buffer *out); /* members of /status, each behind a comma */
    void (*write_stats)(struct process *, struct buffer *out);  /* likewise; both may be NULL */
    void (*on_tick)(struct process *, uint64_t now_ms);         /* every RUNTIME_TICK_MS; may be NULL */
    void (*on_leave)(struct process *);  /* no more requests will come: answer those that wait; may be NULL */
    void (*on_closed)(struct process *); /* all is answered: close what else is on the loop; may be NULL */
    void (*log_stop)(struct process *);  /* fields of the line with which it stops; may be NULL */

    /* Settings. */
    uint32_t id;                   /* NODE_ID */
    char name[PROCESS_NAME_MAX];   /* "acceptor-2" */
    char folder[PROCESS_PATH_MAX]; /* DATA_DIR */
    bool debug;                    /* DEBUG */
    bool cluster_store;            /* USE_CLUSTER_STORE */
    unsigned heartbeat_ms, timeout_ms;

    struct runtime runtime;
    struct log log;
    struct http_server server;

    /* What follows is the implementation's. */

    uint16_t port;
    struct log_book all, important; /* what GET /logs and /logs/important tell */
    struct log_watcher watcher;
    struct peers *peers; /* a list: those that it talks to */
    struct peer_faults faults;
    uint64_t started_ms, requests;
    bool leaving, closed;
    struct json_object body; /* of process_read */
    struct buffer scratch;   /* what is being answered */
    struct buffer id_text;
    int exit_status;
};

/* Reads the settings, opens the logs, and then, first of all, the port. Errors: ERROR_CONFIG, ERROR_FILE, ERROR_NETWORK,
 * ERROR_PROCESS. */
int process_open(struct process *process, struct error *error);

/* Prints an error of starting up; returns the exit status. */
int process_refuse_start(struct process *process, const struct error *error);

/* It can do what it is there for: says `ready`. */
void process_make_ready(struct process *process);

/* Runs until the process has left, and frees what it has; returns the exit status. */
int process_run(struct process *process);

/* Leaves as on a signal: answers what waits, then ends. */
void process_leave(struct process *process, int exit_status);

/* Something happened that a process must not go on after: says so and ends at once. */
void process_die(struct process *process, const struct error *error) __attribute__((noreturn));

/* ---- answering ---- */

/* A buffer for a body, empty. It is the process's: one at a time, and only until the answer is given. */
struct buffer *process_body(struct process *process);

void process_reply(struct http_exchange *exchange, enum http_status status, const struct buffer *body);

/* Answers {"error":…}; the status is that which suits the error: 400, 413, 503 or 507. */
void process_refuse(struct http_exchange *exchange, const struct error *error);

/* The request's body as a JSON object, valid until the next one is read; NULL if it is none, and then it was refused. */
const struct json_object *process_read(struct process *process, struct http_exchange *exchange,
                                       const struct http_request *request);

/* A whole number from `low` to `high` in a text that came from outside (a path, a query); ERROR_FIELD_VALUE, with its
 * `name`. */
int process_read_number(struct text text, const char *name, uint64_t low, uint64_t high, uint64_t *number,
                        struct error *error);

/* The number `name` of a query; `standard` where it is not there. */
int process_query_number(const struct http_request *request, const char *name, uint64_t low, uint64_t high,
                         uint64_t standard, uint64_t *number, struct error *error);

#endif
