/* The files that logs come from: opened, read once from front to back into a history, and asked again for the few
 * lines that a verdict quotes. Standard input is kept in a temporary file for that. */
#ifndef ORDEM_LOG_SOURCE_H
#define ORDEM_LOG_SOURCE_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/lab/history.h"

#include <stddef.h>
#include <stdint.h>

#define LOG_LINE_MAX (16 * 1024 * 1024) /* bytes; a longer line is not one of ours */

struct log_source {
    char *path; /* as given, fit to be shown; "-" for standard input; owned */
    int descriptor;
};

/* Zeroed to start with. */
struct log_sources {
    struct log_source *items;
    size_t count, capacity;
};

/* Adds what `argument` names: a file, "-", a directory (its *.jsonl), or a pattern that the shell did not expand.
 * Errors: ERROR_FILE (nothing there, not readable). */
int log_sources_add(struct log_sources *sources, const char *argument, struct error *error);

/* Reads every source into `history` and completes it. Lines that are damaged become problems of the history.
 * Errors: ERROR_FILE. */
int log_sources_read(struct log_sources *sources, struct history *history, struct error *error);

/* The line at `place`, without its line break, in place of what `out` held; empty if it cannot be read again. */
void log_sources_line(const struct log_sources *sources, struct line_place place, struct buffer *out);

/* The file's name without its directories, "standard input" for "-"; owned by the source. */
const char *log_sources_name(const struct log_sources *sources, uint32_t source);

void log_sources_free(struct log_sources *sources);

#endif
