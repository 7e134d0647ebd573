/* A run: starts a part's members as separate processes, has a workload done, types at prompts as users would or calls
 * as clients, lets happen to the members what is planned, waits until the group is quiet, and stops it. What stays is a
 * directory of logs for the judge. */
#ifndef ORDEM_RUN_H
#define ORDEM_RUN_H

#include "common/error.h"
#include "common/faults.h"
#include "common/lab/part_plan.h"
#include "common/lab/run_host.h"

#include <stdbool.h>
#include <stdint.h>

struct run_options {
    const char *part;               /* "parte1" */
    unsigned members[MEMBER_KINDS]; /* how many of each kind, of those that the part has */
    unsigned writers; /* parte1: the first `writers` nodes are typed to; else there are so many clients */
    unsigned operations, keys;     /* of all writers together; different keys */
    unsigned rate;                 /* commands a second of each writer; 0: as fast as they are taken */
    unsigned reads;                /* GETs among 1000 commands */
    struct fault_settings network; /* also holds the seed, of the workload too */
    struct schedule schedule;      /* complete */
    uint32_t quiet_ms;    /* a group whose logs do not grow for so long, and the longest delay, is quiet */
    char directory[4000]; /* for the logs; made if it is not there */

    /* Parts with a broker: */
    unsigned brokers;    /* nodes of a private one */
    unsigned in_flight;  /* requests of each writer at once, at most; 0: 1, or at full speed 32 */
    uint32_t timeout_ms; /* that a node has to answer */
    bool wait;           /* answer after the apply */
};

/* What a run is good for. */
enum run_kind {
    RUN_CLEAN,      /* nothing is wrong: what it costs */
    RUN_NETWORK,    /* a bad network: what is guaranteed */
    RUN_NODE,       /* a node is killed, */
    RUN_COORDINATOR /* or the one that all depend on: what survives */
};

enum run_kind run_kind_of(const struct run_options *options);

/* What a user gets who asks for nothing else: 3 nodes, 3 writers, 300 commands on 5 keys, 200 a second, no faults,
 * seed 42; with Paxos 3 proposers, 3 acceptors and 3 learners. The directory is left empty. */
struct run_options run_options_standard(const char *part);

/* Carries the run out, with a progress bar on a terminal, with a broker of its own if it needs one and AMQP_URL names
 * none. Returns 0, or with `error` filled: ERROR_PROCESS (a member or the broker did not start, or ended before it was
 * asked to), ERROR_FILE, ERROR_NETWORK. `*interrupted` tells that the user stopped it; every process has ended then,
 * too. */
int run_part(const struct run_options *options, bool *interrupted, struct error *error);

/* The same on a host that is open, whose broker may serve several runs, one after the other. host->interrupts tells that
 * the user stopped it. */
int run_part_on(const struct run_options *options, struct run_host *host, struct error *error);

/* The logs of a run, for the judge: the path of log `index` (from 0), false when there is no further one. */
bool run_log_path(const struct run_options *options, unsigned index, char *out, size_t size);

/* Writes and reads run.json in a run's directory, everything that the options say. A run writes it last, when all went
 * well: a directory that holds one holds a whole run. What is read from it is
 * checked like options; `directory` becomes the one it was read from. ERROR_FILE, ERROR_NOT_JSON, ERROR_CONFIG. */
int run_write_description(const struct run_options *options, struct error *error);
int run_read_description(const char *directory, struct run_options *options, struct error *error);

/* The folder of this program, where the parts' programs stand too. ERROR_FILE. */
int run_program_folder(char *out, size_t size, struct error *error);

#endif
