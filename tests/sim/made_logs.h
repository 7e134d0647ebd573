/* Logs made by hand, line by line, as nodes, clients and the lab would write them: for runs that no simulation makes at
 * will. Time goes on by a millisecond with every line. */
#ifndef ORDEM_MADE_LOGS_H
#define ORDEM_MADE_LOGS_H

#include "common/lab/judge.h"
#include "tests/sim/simulation.h"

#include <stdint.h>

#define MADE_LOGS_MAX 8

/* A command; everything about it follows from its number. */
struct made_command {
    unsigned number;    /* its UUID's */
    const char *sender; /* the node that is asked */
    const char *key;
    const char *value; /* NULL for a GET */
    int64_t seq;       /* 0 for none */
};

struct made_logs {
    struct sim_log logs[MADE_LOGS_MAX]; /* one for each node, one for all clients, one for the lab */
    char names[MADE_LOGS_MAX][16];
    unsigned ordem_local[MADE_LOGS_MAX];
    size_t count;
    int64_t now_us;
    int64_t epoch;       /* of the commands from now on; 0 for none */
    unsigned latency_us; /* of the completions from now on */

    struct history history; /* of the last judgement */
    struct judgement judgement;
};

void made_begin(struct made_logs *made);

/* So much time passes. */
void made_wait_ms(struct made_logs *made, unsigned ms);

/* A line of a node: `rest` are further fields, each with a comma in front. */
void made_line(struct made_logs *made, const char *node, const char *event, const char *rest, ...)
    __attribute__((format(printf, 4, 5)));

/* start and ready; a node that starts again is a new life of it. */
void made_start(struct made_logs *made, const char *node, const char *part, const char *role);
void made_stop(struct made_logs *made, const char *node);
void made_send(struct made_logs *made, const char *node, const struct made_command *command);
void made_deliver(struct made_logs *made, const char *node, const struct made_command *command);
void made_install(struct made_logs *made, const char *node, int64_t seq, const char *from);

/* The same for three nodes at once; they stop long enough after everything else that nothing can be on its way. */
#define MADE_NODES 3
extern const char *const made_nodes[MADE_NODES]; /* node1, node2, node3 */
void made_start_all(struct made_logs *made, const char *part);
void made_stop_all(struct made_logs *made);
void made_deliver_at_all(struct made_logs *made, const struct made_command *command);

/* Clients are called client1 and so on. `status` "ok" tells the seq; `read` is JSON, NULL for what is not a GET. */
void made_invoke(struct made_logs *made, const char *client, const struct made_command *command);
void made_complete(struct made_logs *made, const char *client, const struct made_command *command,
                   const char *status, const char *read);

/* From its beginning to its end without anything in between. */
void made_call(struct made_logs *made, const char *client, const struct made_command *command,
               const char *status, const char *read);

/* client1 has the command's sender set a key, and is told that it is done. */
void made_set_safely(struct made_logs *made, const struct made_command *command);

/* `action` is kill or restart. */
void made_lab(struct made_logs *made, const char *action, const char *target);

/* A node's lines, or with "clients" and "lab" those. */
struct sim_log *made_log(struct made_logs *made, const char *name);

/* Reads and judges all of it, in place of what was judged before. */
const struct judgement *made_judge(struct made_logs *made);

/* Judges, and expects that outcome of one guarantee; of one that is broken a story with those words. */
void made_expect_violated(struct made_logs *made, enum guarantee guarantee, const char *words);
void made_expect(struct made_logs *made, enum guarantee guarantee, enum outcome outcome);
void made_expect_all(struct made_logs *made, enum outcome outcome);

void made_end(struct made_logs *made);

#endif
