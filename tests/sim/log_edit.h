/* Tampering with the lines of a log. */
#ifndef ORDEM_LOG_EDIT_H
#define ORDEM_LOG_EDIT_H

#include "tests/sim/simulation.h"

#include <stddef.h>

/* The line of that event that comes after `skip` others; it must be there. */
size_t log_find_line(const struct sim_log *log, const char *event, size_t skip);

void log_drop_line(struct sim_log *log, size_t at);

/* One more copy of line `from`, at `to`. */
void log_insert_copy(struct sim_log *log, size_t from, size_t to);

/* The first `old`, which must be in the line, becomes `new`. */
void log_replace_in_line(char **line, const char *old, const char *new);

/* What a node would have written that really processed the lines as they now stand: 1, 2, 3 … */
void log_renumber(struct sim_log *log);

#endif
