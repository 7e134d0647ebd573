/* Where lines of a log go: a file or a screen. Gathers them, writes many at once, and never hides that some are
 * missing: once a full disk takes lines again, the first one says how many it did not take. */
#ifndef ORDEM_LOG_SINK_H
#define ORDEM_LOG_SINK_H

#include "common/buffer.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct log_sink {
    struct buffer pending; /* whole lines that are not written yet */
    int descriptor;        /* -1 where there is none */
    bool failed;           /* the last write failed */
    bool torn;             /* the last write stopped in the middle of a line */
    uint64_t lost_lines;   /* since it failed */
};

/* Opens a file for appending; a last line that a crash cut is closed first. Errors: ERROR_FILE. */
int log_sink_open(struct log_sink *sink, const char *path, struct error *error);

/* One more line; `end` is its line break, with what must stand before it. */
void log_sink_add(struct log_sink *sink, const struct buffer *line, const char *end);

/* Writes what is pending; false, with errno, when it begins to fail. After that, lines are counted, and a later call
 * tries again with a line that tells of the gap in the name of `node`. */
bool log_sink_flush(struct log_sink *sink, const char *node);

/* Frees the memory; the descriptor stays as it is. */
void log_sink_free(struct log_sink *sink);

#endif
