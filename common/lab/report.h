/* A judgement, told: on the terminal, as JSON for scripts, and as a log that ShiViz draws. */
#ifndef ORDEM_REPORT_H
#define ORDEM_REPORT_H

#include "common/lab/history.h"
#include "common/lab/judge.h"
#include "common/lab/log_source.h"

#include <stdbool.h>
#include <stdio.h>

/* All that there is to tell of a run. */
struct report {
    const struct history *history;
    const struct judgement *judgement;
    const struct log_sources *sources;
};

/* For people: a line for each guarantee, then for each one that is broken its counterexample, the keys that differ
 * and the place where the delivery orders part. */
void report_text(const struct report *report, FILE *out, bool colour);

/* One of these counterexamples, of a guarantee that is violated. */
void report_counterexample(const struct report *report, enum guarantee guarantee, FILE *out, bool colour);

/* The line of an event in few words, behind what `out` holds: "06:14:26.708732  node2    deliver  SET x="1"". */
void report_event(const struct report *report, uint32_t event, struct buffer *out);

/* For scripts: one JSON object on one line. Returns 0 or ERROR_FILE if `out` takes no more. */
int report_json(const struct report *report, FILE *out);

/* A log for ShiViz: its regular expression, a blank line for the delimiter, then every event with its vector clock.
 * Errors: ERROR_FILE. */
int report_shiviz(const struct report *report, const char *path, struct error *error);

#endif
