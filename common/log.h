/* One log for every part: what happened, as events with named fields.
 *
 * A file (LOG_FILE) receives JSON Lines. The screen (standard error) shows the same facts on one aligned line, or
 * JSON Lines too (LOG_FORMAT=json):
 *
 *     {"ts":"2026-11-21T09:30:00.123456Z","level":"info","node":"node1","event":"deliver","key":"x",…}
 *     2026-11-21T09:30:00.123456Z [INFO]    [node=node1] deliver    command_type=SET key=x value="1" …
 *
 * An event is written by beginning it, adding its fields in order, and ending it:
 *
 *     if (log_begin(log, LOG_INFO, "deliver")) {
 *         log_text(log, "key", key);
 *         log_end(log);
 *     }
 *
 * Lines are gathered in memory and written by log_flush, once per turn of the event loop: one system call for many
 * lines. Errors and the end of the program flush at once. */
#ifndef ORDEM_LOG_H
#define ORDEM_LOG_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/log_sink.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log_options {
    const char *node;     /* not owned, lives as long as the log */
    enum log_level level; /* quieter events are not written */
    bool screen_json;     /* LOG_FORMAT=json */
    bool colour;          /* the screen is a terminal that shows colours */
    int screen;           /* a file descriptor, not owned; -1 for none */
    const char *file;     /* a path to append to, or NULL; not owned */
};

/* Somebody else who reads along: every event that it wants, as a line of JSON, whatever the level of the rest is. */
struct log_watcher {
    bool (*wants)(struct log_watcher *, enum log_level level, const char *event);
    void (*take)(struct log_watcher *, enum log_level level, const char *event, struct text line);
    void (*flush)(struct log_watcher *); /* whenever the log is flushed */
};

struct log {
    struct log_options options;
    struct log_sink screen, file;
    struct log_watcher *watcher; /* NULL for none; not owned */
    struct buffer json, line;    /* the event being written, in both forms */
    struct buffer line_end;      /* what is to stand last on the screen */
    enum log_level level;        /* of that event, */
    const char *event;           /* and its name */
    bool told, watched;          /* it is for the screen and the file; for the watcher */
    void (*hide_prompt)(void);   /* called around writes to the screen; NULL where nobody is typing */
    void (*show_prompt)(void);
};

/* Reads LOG_LEVEL (debug, info, warning, error), LOG_FORMAT (text, json) and LOG_FILE. */
int log_options_read(struct log_options *options, const char *node, struct error *error);

/* Opens the file. Errors: ERROR_FILE; the log can then still be used for the screen. */
int log_open(struct log *log, const struct log_options *options, struct error *error);

/* Writes what is left and closes the file. */
void log_close(struct log *log);

/* Would the screen or the file show an event of that level? For events whose fields cost something to make. */
bool log_wants(const struct log *log, enum log_level level);

/* Starts an event, a static name; false if nobody would read it, and then no field may be added. */
bool log_begin(struct log *log, enum log_level level, const char *event);

/* Fields, in the order in which they are to stand. Names are static and need no escapes; texts are UTF-8. */
void log_text(struct log *log, const char *name, struct text text);
void log_id(struct log *log, const char *name, struct text text); /* long: on the screen it stands last */
void log_int(struct log *log, const char *name, int64_t number);
void log_double(struct log *log, const char *name, double number);
void log_json(struct log *log, const char *name, struct text json); /* a value that is JSON text already */

/* Ends the event. */
void log_end(struct log *log);

/* Writes everything gathered so far. A full disk is reported on the screen once, lines are dropped (and counted)
 * until writing works again, and the node goes on. */
void log_flush(struct log *log);

/* An event that has a sentence and nothing else: `message`. */
void log_say(struct log *log, enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
