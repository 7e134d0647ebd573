/* A run: starts a part's nodes as separate processes, types a workload at their prompts as users would, waits until
 * the group is quiet, and stops them. What stays is a directory of logs for the judge. */
#ifndef ORDEM_RUN_H
#define ORDEM_RUN_H

#include "common/error.h"
#include "common/faults.h"

#include <stdbool.h>
#include <stdint.h>

struct run_options {
    const char *part;              /* "parte1" */
    unsigned nodes, writers;       /* the first `writers` nodes are typed to */
    unsigned operations, keys;     /* of all writers together; different keys */
    unsigned rate;                 /* commands a second of each writer; 0: as fast as they are taken */
    struct fault_settings network; /* also holds the seed, of the workload too */
    char directory[4000];          /* for the logs; made if it is not there */
};

/* What a user gets who asks for nothing else: 3 nodes, 3 writers, 300 commands on 5 keys, 200 a second, no faults,
 * seed 42. The directory is left empty. */
struct run_options run_options_standard(const char *part);

/* Carries the run out, with a progress bar on a terminal. Returns 0, or with `error` filled: ERROR_PROCESS (a node
 * did not start, or ended before it was asked to), ERROR_FILE. `*interrupted` tells that the user stopped it; every
 * process has ended then, too. */
int run_part(const struct run_options *options, bool *interrupted, struct error *error);

/* The folder of this program, where the parts' programs stand too. ERROR_FILE. */
int run_program_folder(char *out, size_t size, struct error *error);

#endif
