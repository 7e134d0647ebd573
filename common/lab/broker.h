/* A private RabbitMQ: the machine's own rabbitmq-server as one node or a cluster of several, on loopback, on ports that
 * nobody uses, with its files in a scratch folder. It disturbs no other broker on the machine and is disturbed by none,
 * and nothing of it outlives the lab, however that ends.
 *
 * Node K is rabbit@127.0.0.K. All nodes take Erlang's connections on one and the same port, each on its own address, so
 * that they find each other without epmd, a daemon which would stay behind. Programs talk AMQP to 127.0.0.1, where each
 * node has its port. */
#ifndef ORDEM_BROKER_H
#define ORDEM_BROKER_H

#include "common/error.h"
#include "common/lab/amqp_probe.h"
#include "common/lab/guard.h"
#include "common/lab/ports.h"
#include "common/lab/scratch.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <uv.h>

#define BROKER_NODES_MAX 7

struct broker;

enum broker_node_state {
    BROKER_NODE_DOWN,
    BROKER_NODE_STARTING,
    BROKER_NODE_UP,    /* it answers, or did before it was paused */
    BROKER_NODE_ENDING /* being killed */
};

struct broker_node {
    struct broker *broker;
    struct guard guard;
    struct amqp_probe probe;
    uv_timer_t deadline; /* of its start */
    uint16_t port;
    unsigned number; /* from 1 */
    enum broker_node_state state;
    bool started; /* at least once */
};

struct broker {
    uv_loop_t *loop;
    struct scratch scratch;
    struct broker_node nodes[BROKER_NODES_MAX];
    unsigned count;
    struct ports ports;   /* one for each node, */
    uint16_t erlang_port; /* and this one for Erlang's own connections */
    char program[3000];   /* rabbitmq-server */
    char url[BROKER_NODES_MAX *
             48]; /* "amqp://guest:guest@127.0.0.1:PORT", one for each node, between commas */
    bool ready, failed, stopping;
    unsigned open; /* handles that on_stopped waits for */

    void (*on_ready)(struct broker *);                        /* all nodes answer, for the first time */
    void (*on_up)(struct broker *, struct broker_node *);     /* one answers; may be NULL */
    void (*on_down)(struct broker *, struct broker_node *);   /* one was killed and is gone; may be NULL */
    void (*on_failed)(struct broker *, const struct error *); /* one did not start, or ended unasked; once */
    void (*on_stopped)(struct broker *); /* after broker_stop; all is closed and removed */
};

/* Starts `nodes` of them. The scratch folder's path is `beginning` and six characters more; the folder above it must be
 * there. The callbacks are set already, all else is set here. ERROR_PROCESS (not installed, or not to be started),
 * ERROR_FILE, ERROR_NETWORK; nothing runs then, and on_stopped does not come, but what was opened is closed only by the
 * loop's next turns. Starting takes some seconds: on_ready or on_failed tells its end. */
int broker_start(struct broker *broker, uv_loop_t *loop, const char *beginning, unsigned nodes,
                 struct error *error);

/* SIGKILL to node `number` (from 1), as when its machine loses power; on_down follows. ERROR_PROCESS if it is down. */
int broker_kill(struct broker *broker, unsigned number, struct error *error);

/* Starts a node that is down, with the files and the port that it had; on_up follows. ERROR_PROCESS if it is not down,
 * or cannot be started. */
int broker_restart(struct broker *broker, unsigned number, struct error *error);

/* SIGSTOP and SIGCONT: its connections stay, and nothing answers. ERROR_PROCESS if it is down. */
int broker_pause(struct broker *broker, unsigned number, struct error *error);
int broker_resume(struct broker *broker, unsigned number, struct error *error);

unsigned broker_up_count(const struct broker *broker);

/* Kills what runs and removes the scratch folder: nobody will read what an orderly end would save. */
void broker_stop(struct broker *broker);

/* The last lines that the nodes wrote, for the reader of an error. Before broker_stop. */
void broker_print_log(const struct broker *broker, FILE *out);

#endif
