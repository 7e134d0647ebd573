/* What the writers of a run type: commands made from a seed, the same for every part. Pure. */
#ifndef ORDEM_WORKLOAD_H
#define ORDEM_WORKLOAD_H

#include "common/buffer.h"

#include <stdint.h>

struct workload {
    unsigned writers;
    unsigned operations; /* of all writers together */
    unsigned keys;       /* k1, k2, … */
    uint64_t seed;
};

void workload_init(struct workload *workload, unsigned writers, unsigned operations, unsigned keys,
                   uint64_t seed);

/* How many commands one writer types: as equal shares as can be. */
unsigned workload_share(const struct workload *workload, unsigned writer);

/* The next line that `writer` (from 0) types, with its line break, behind what `out` holds: nine SETs of ten, each
 * with a value of its own ("n1-17": node 1, its 17th line), and one GET of ten. */
void workload_line(const struct workload *workload, unsigned writer, unsigned number, struct buffer *out);

#endif
