/* What the parts of the linearizability check share; nobody else includes it. */
#ifndef ORDEM_LINEARIZABILITY_PARTS_H
#define ORDEM_LINEARIZABILITY_PARTS_H

#include "common/lab/linearizability.h"

#define VALUE_INITIAL 0

/* An operation as the checks see it. */
struct step {
    uint32_t invoked, completed; /* as in struct register_operation */
    uint32_t value;              /* from 0 without gaps; VALUE_INITIAL is the initial one */
    bool is_write;
    int64_t seq;
    size_t number; /* of the operation that it is */
};

/* A prefix of a history: what began before some moment. What had not ended by then is as good as without an end. Reads
 * without an end are left out, and writes without an end that no read saw. */
struct steps {
    struct step *items; /* by `invoked` */
    size_t count;
    uint32_t values; /* the number of different values */
};

/* Is their order by seq a linearization? False also if some lack a seq. */
bool steps_fit_seq(const struct steps *steps);

/* Is every value written at most once, and the initial one never? Only then may the next two be asked. */
bool steps_have_unique_writes(const struct steps *steps);

/* Is it linearizable? */
bool steps_fit_zones(const struct steps *steps);

/* The contradiction that the last read to end is part of, into the verdict. */
void steps_explain(const struct steps *steps, size_t read, struct register_verdict *verdict);

/* By search: fills in the outcome, the configurations and, where it fails, the read. */
void steps_search(const struct steps *steps, uint64_t configurations_max, struct register_verdict *verdict);

#endif
