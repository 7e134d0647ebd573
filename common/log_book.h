/* A log that others can read over HTTP: lines of JSON in a file of a bounded size, the last of them in memory too.
 *
 * When the file has grown to LOG_BOOK_BYTES it becomes FILE.1, in place of the one before, and a new one begins. */
#ifndef ORDEM_LOG_BOOK_H
#define ORDEM_LOG_BOOK_H

#include "common/error.h"
#include "common/log_sink.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_BOOK_BYTES (8 * 1024 * 1024)
#define LOG_BOOK_KEPT  256  /* lines in memory */
#define LOG_BOOK_LINE  4096 /* bytes of a line; a longer one is only in the file */

/* Zeroed to start with: then it takes nothing. */
struct log_book {
    bool open;
    char path[4096];
    struct log_sink sink;
    uint64_t size;                      /* of the file, with what is on its way */
    struct buffer lines[LOG_BOOK_KEPT]; /* a ring */
    size_t next, count;
};

/* Opens or makes the file; the last lines of an earlier run are the first ones to be told. ERROR_FILE. */
int log_book_open(struct log_book *book, const char *path, struct error *error);

/* One more line, without its end. */
void log_book_add(struct log_book *book, struct text line);

/* Writes what was added. A full disk is the business of whoever watches `book->sink`: lines are then only in memory. */
void log_book_flush(struct log_book *book, const char *node);

/* Writes the lines in memory as a JSON array, each on a line of its own, the oldest first: only those that are later than
 * `after`, a time as in "ts", unless it is empty. */
void log_book_write(const struct log_book *book, struct text after, struct buffer *out);

void log_book_close(struct log_book *book);

#endif
