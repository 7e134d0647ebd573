/* What the writers of a run type or send: commands made from a seed, the same for every part. Pure. */
#ifndef ORDEM_WORKLOAD_H
#define ORDEM_WORKLOAD_H

#include "common/buffer.h"

#include <stdbool.h>
#include <stdint.h>

struct workload {
    unsigned writers;
    unsigned operations; /* of all writers together */
    unsigned keys;       /* k1, k2, … */
    unsigned reads;      /* how many of 1000 are GETs */
    uint64_t seed;
};

#define WORKLOAD_READS 100 /* one of ten */

/* With WORKLOAD_READS; `reads` may be changed afterwards. */
void workload_init(struct workload *workload, unsigned writers, unsigned operations, unsigned keys,
                   uint64_t seed);

struct workload_command {
    bool is_set; /* else a GET */
    char key[24];
    char value[32]; /* of a SET; its own for each command: "n1-17" is the 17th of the first writer */
};

/* How many commands one writer types: as equal shares as can be. */
unsigned workload_share(const struct workload *workload, unsigned writer);

/* Command `number` (from 1) of `writer` (from 0). */
struct workload_command workload_command(const struct workload *workload, unsigned writer, unsigned number);

/* The same as a line, with its line break, behind what `out` holds. */
void workload_line(const struct workload *workload, unsigned writer, unsigned number, struct buffer *out);

#endif
