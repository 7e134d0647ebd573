/* What happened in a history, in words, added to what is being told. */
#ifndef ORDEM_TELL_H
#define ORDEM_TELL_H

#include "common/buffer.h"
#include "common/lab/history.h"

#include <stdint.h>

/* What a sentence tells of. */
struct thing {
    enum { THING_PROCESS, THING_COMMAND, THING_VALUE, THING_PLACE, THING_COUNT, THING_TEXT } kind;
    uint32_t
        number; /* of a process, a command, a value, or of the line that tells of a place in the total order */
    int64_t count;
    struct text text;
};

static inline struct thing the_process(uint32_t process)
{
    return (struct thing){.kind = THING_PROCESS, .number = process};
}

static inline struct thing the_command(uint32_t command)
{
    return (struct thing){.kind = THING_COMMAND, .number = command};
}

static inline struct thing the_value(uint32_t value)
{
    return (struct thing){.kind = THING_VALUE, .number = value};
}

/* "number 7 (SET x="1")" */
static inline struct thing the_place(uint32_t event)
{
    return (struct thing){.kind = THING_PLACE, .number = event};
}

static inline struct thing the_count(int64_t count)
{
    return (struct thing){.kind = THING_COUNT, .count = count};
}

static inline struct thing the_text(struct text text)
{
    return (struct thing){.kind = THING_TEXT, .text = text};
}

/* Tells a clause of a story: tell_that(story, history, "{1} delivered {2}", the_process(p), the_command(c)). The clause
 * is English, its translation is looked up, and may name the things in another order. */
#define tell_that(story, history, clause, ...)                                                               \
    tell_things(story, history, clause, (const struct thing[]){__VA_ARGS__})
void tell_things(struct buffer *story, const struct history *history, const char *clause,
                 const struct thing *things);

void tell_process(struct buffer *story, const struct history *history, uint32_t process);

/* "SET x="1"", "GET x", "PRINT"; a long value is cut. */
void tell_command(struct buffer *story, const struct history *history, uint32_t command);

/* A value as JSON text, cut where it is long. */
void tell_value(struct buffer *story, const struct history *history, uint32_t value);

/* Of a line of the lab whom it concerns, of one that installs a state whose that was; nothing of any other line. */
void tell_intervention(struct buffer *story, const struct history *history, uint32_t event);

#endif
