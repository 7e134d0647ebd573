/* A log whose screen is a file without a name, so that a test can read what was shown. */
#ifndef ORDEM_UNIT_LOG_H
#define ORDEM_UNIT_LOG_H

#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct unit_log {
    struct log log;
    FILE *screen;
    char *shown; /* what unit_log_shown gave last */
};

/* `options.screen` is set here. */
static inline void unit_log_open(struct unit_log *unit, struct log_options options)
{
    struct error error = {0};

    unit->screen = tmpfile();
    unit->shown = NULL;
    assert_non_null(unit->screen);
    options.screen = fileno(unit->screen);
    assert_int_equal(log_open(&unit->log, &options, &error), 0);
}

/* Puts TIME in place of every time, which no test knows beforehand. */
static inline void unit_hide_times(char *string)
{
    const char *end = string + strlen(string);
    const char *at = string;
    char *out = string;
    int64_t ignored;

    while (at < end) {
        if (end - at >= CLOCK_TEXT_LENGTH && clock_parse((struct text){at, CLOCK_TEXT_LENGTH}, &ignored)) {
            memcpy(out, "TIME", 4);
            out += 4;
            at += CLOCK_TEXT_LENGTH;
        } else {
            *out++ = *at++;
        }
    }
    *out = '\0';
}

/* All that a descriptor's file holds, as a string; the caller frees it. */
static inline char *unit_read_all(int descriptor)
{
    off_t length = lseek(descriptor, 0, SEEK_END);
    char *content = memory_new((size_t)length + 1);

    assert_int_equal(pread(descriptor, content, (size_t)length, 0), length);
    content[length] = '\0';
    return content;
}

/* What has been written to the screen so far without anybody asking for a flush; valid until the next call. */
static inline const char *unit_log_shown(struct unit_log *unit)
{
    free(unit->shown);
    unit->shown = unit_read_all(fileno(unit->screen));
    unit_hide_times(unit->shown);
    return unit->shown;
}

/* The same after a flush. */
static inline const char *unit_log_flushed(struct unit_log *unit)
{
    log_flush(&unit->log);
    return unit_log_shown(unit);
}

static inline void unit_log_close(struct unit_log *unit)
{
    log_close(&unit->log);
    fclose(unit->screen);
    free(unit->shown);
}

#endif
