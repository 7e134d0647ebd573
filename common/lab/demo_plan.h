/* The runs that a demonstration consists of. Pure. */
#ifndef ORDEM_DEMO_PLAN_H
#define ORDEM_DEMO_PLAN_H

#include "common/error.h"
#include "common/lab/run.h"

#include <stdbool.h>
#include <stddef.h>

struct demo_options {
    struct run_options run; /* of the runs on a bad network; its seed is the first one's */
    unsigned seeds;         /* so many of these runs for each part; 0: the standard */
    bool quick;
};

/* Runs of one stage wait for the end of those before it. Who is timed at an easy pace bears others that are; who is timed at
 * full speed bears nobody. */
enum demo_stage { STAGE_JUDGED, STAGE_PACED, STAGE_ALONE };

struct demo_run {
    struct run_options options;
    size_t row; /* of the matrix */
    enum demo_stage stage;
    bool own_broker; /* it kills its broker */
};

#define DEMO_RUNS_MAX  120
#define DEMO_SEEDS_MAX 15

/* How many runs on a bad network each part gets. */
unsigned demo_plan_seeds(const struct demo_options *options);

/* Adds the runs of one part behind the `*count` that there are: first those that may share the machine. Errors:
 * ERROR_CONFIG: the directories' names become too long. */
int demo_plan_part(const struct demo_options *options, const char *part, size_t row, struct demo_run *runs,
                   size_t *count, struct error *error);

#endif
