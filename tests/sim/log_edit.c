#include "tests/sim/log_edit.h"

#include "common/buffer.h"
#include "common/memory.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t log_find_line(const struct sim_log *log, const char *event, size_t skip)
{
    char needle[64];
    size_t i = 0;

    snprintf(needle, sizeof needle, "\"event\":\"%s\"", event);
    for (;; i++) {
        assert_true(i < log->count);
        if (strstr(log->lines[i], needle) != NULL && skip-- == 0) {
            return i;
        }
    }
}

void log_drop_line(struct sim_log *log, size_t at)
{
    free(log->lines[at]);
    memmove(log->lines + at, log->lines + at + 1, (log->count - at - 1) * sizeof *log->lines);
    log->count--;
}

void log_insert_copy(struct sim_log *log, size_t from, size_t to)
{
    char *copy = memory_copy_text(log->lines[from], strlen(log->lines[from]));
    log->lines = memory_grow(log->lines, &log->capacity, log->count + 1, sizeof *log->lines);
    memmove(log->lines + to + 1, log->lines + to, (log->count - to) * sizeof *log->lines);
    log->lines[to] = copy;
    log->count++;
}

void log_replace_in_line(char **line, const char *old, const char *new)
{
    char *at = strstr(*line, old);
    struct buffer changed = {0};

    assert_non_null(at);
    buffer_add(&changed, *line, (size_t)(at - *line));
    buffer_add_string(&changed, new);
    buffer_add_string(&changed, at + strlen(old));
    free(*line);
    *line = memory_copy_text(changed.bytes, changed.length);
    buffer_free(&changed);
}

void log_renumber(struct sim_log *log)
{
    unsigned number = 0;

    for (size_t i = 0; i < log->count; i++) {
        char *at = strstr(log->lines[i], "\"ordem_local\":");
        bool stop = strstr(log->lines[i], "\"event\":\"stop\"") != NULL;
        if (at != NULL) {
            char old[64];
            char new[64];
            snprintf(old, sizeof old, "%s", at);
            snprintf(new, sizeof new, "\"ordem_local\":%u}", stop ? number : ++number);
            log_replace_in_line(&log->lines[i], old, new);
        }
    }
}
