/* A group of nodes in one process, under a seeded scheduler: the pure rule of a part, a simulated network, no clock.
 * What it leaves behind is what real nodes leave behind: their logs, line by line, and their stores. */
#ifndef ORDEM_SIMULATION_H
#define ORDEM_SIMULATION_H

#include "common/buffer.h"
#include "common/faults.h"
#include "common/kv_store.h"
#include "common/lab/history.h"

#include <stddef.h>
#include <stdint.h>

#define SIM_NODES_MAX 8

struct sim_options {
    unsigned nodes, writers, operations, keys;
    struct fault_settings network; /* also holds the seed */
    unsigned pace_ms;              /* a writer sends every so many milliseconds */
};

/* A log as lines, so that tests can swap, drop, double and alter them. */
struct sim_log {
    char **lines; /* without line breaks, NUL-terminated, owned */
    size_t count, capacity;
};

struct sim {
    struct sim_options options;
    struct sim_log logs[SIM_NODES_MAX];
    struct kv_store stores[SIM_NODES_MAX];
};

/* Runs until nothing is under way. */
void sim_run(struct sim *sim, const struct sim_options *options);

/* Has the logs read as the judge reads files. */
void sim_read_logs(const struct sim *sim, struct history *history);

/* Do all nodes' stores hold the same? */
bool sim_stores_equal(struct sim *sim);

void sim_free(struct sim *sim);

#endif
