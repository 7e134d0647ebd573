/* The demonstration: every part in turn, the same commands on the same bad networks, then drills and the price: the
 * guarantee matrix (matrix.h), measured.
 *
 * Each run is a `lab run --again DIR` of its own, so that several may go at once: whoever reads the matrix can repeat
 * any of them in the same way. */
#ifndef ORDEM_DEMO_H
#define ORDEM_DEMO_H

#include "common/error.h"
#include "common/lab/demo_plan.h"

#include <stdbool.h>
#include <stdio.h>

/* Did it come out as the rules promise? */
enum demo_outcome {
    DEMO_AS_PROMISED,
    DEMO_NOT_AS_PROMISED, /* a part broke what it promises, or the weak ones did not break what they do not */
    DEMO_CANNOT_TELL,     /* something that is promised could not be measured */
    DEMO_INTERRUPTED
};

/* Runs the parts that are built, each run in a folder of its own below options->run.directory, and prints the matrix as
 * its rows become known, or in the end as JSON. Errors: those of run_host_open; ERROR_CONFIG. */
int demo_run(const struct demo_options *options, FILE *out, bool colour, bool json,
             enum demo_outcome *outcome, struct error *error);

#endif
