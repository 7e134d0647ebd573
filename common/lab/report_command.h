/* `lab report`: what happened in runs, as one HTML file. */
#ifndef ORDEM_REPORT_COMMAND_H
#define ORDEM_REPORT_COMMAND_H

#include "common/error.h"
#include "common/lab/options.h"

/* Reads and judges the runs, one for each argument, and writes the file that --out names (or else report.html); prints
 * its path. ERROR_FILE: a run has no logs, or the file cannot be written. */
int report_command(const struct lab_options *options, struct error *error);

#endif
