/* The demonstration: the same commands on the same bad network, part after part, and what became of each guarantee. */
#ifndef ORDEM_DEMO_H
#define ORDEM_DEMO_H

#include "common/error.h"
#include "common/lab/run.h"

#include <stdbool.h>
#include <stdio.h>

/* Runs the parts, each in a folder of its own below options->directory, and prints a row of the table after each, with
 * the proof of the worst that happened. `*as_expected`: the weak parts diverged in their orders, the strong ones did not.
 * Errors: those of run_part. */
int demo_run(const struct run_options *options, FILE *out, bool colour, bool *as_expected, bool *interrupted,
             struct error *error);

#endif
