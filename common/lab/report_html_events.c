/* A block of events, as columns of numbers: what is alike stands together, and deflates well.
 *
 *   counts      events, commands, texts
 *   columns     kind (bytes), process, time since the event before, command, cause (how many events ago), flags (bytes),
 *               file, line, seq, epoch, ordem_local, place and life of a delivery, and three whose meaning depends on the
 *               kind: a fault's name and delay; a completion's status, latency and value; a lab line's target; of a line
 *               about no command, the line itself
 *   commands    type (byte; 3 for one that has only a name), number, sender, key, value, that name; then the UUIDs
 *   texts       lengths, then bytes
 *
 * Numbers are LEB128: seven bits a byte, the lowest first. Where there may be none, 0 says so and n + 1 says n; what may
 * be negative is folded (0, -1, 1, -2, …). Line, seq, epoch, ordem_local and place are told by their distance from the
 * same process's one before. */
#include "common/lab/report_html_parts.h"
#include "common/memory.h"
#include "common/uuid.h"

#include <stdlib.h>
#include <string.h>

#define FLAG_REPEATED 1
#define FLAG_LOST     2
#define OTHER_TYPE    3

enum column {
    COLUMN_KIND,
    COLUMN_PROCESS,
    COLUMN_TIME,
    COLUMN_COMMAND,
    COLUMN_CAUSE,
    COLUMN_FLAGS,
    COLUMN_FILE,
    COLUMN_LINE,
    COLUMN_SEQ,
    COLUMN_EPOCH,
    COLUMN_ORDEM_LOCAL,
    COLUMN_PLACE,
    COLUMN_LIFE,
    COLUMN_A,
    COLUMN_B,
    COLUMN_C,
    COLUMN_COUNT
};

/* What the numbers of a process's event are told by their distance from. */
struct previous {
    int64_t line, seq, epoch, ordem_local, place;
};

struct block {
    struct html_run *run;
    uint32_t number; /* from 1 */
    struct buffer columns[COLUMN_COUNT];
    struct buffer commands, uuids, lengths, texts;
    uint32_t command_count, text_count;
    int64_t last_command; /* the number of the one before */
    struct previous *previous;
};

/* ---- numbers ---- */

static void add_number(struct buffer *out, uint64_t number)
{
    char *room = buffer_reserve(out, 10);

    while (number >= 0x80) {
        *room++ = (char)(number | 0x80);
        out->length++;
        number >>= 7;
    }
    *room = (char)number;
    out->length++;
}

static uint64_t folded(int64_t number)
{
    return number < 0 ? ((uint64_t) - (number + 1) << 1) + 1 : (uint64_t)number << 1;
}

/* A number that may be missing, or too large for a browser, by its distance from `*previous`. */
static void add_distance(struct buffer *out, int64_t number, int64_t *previous)
{
    if (number <= -EXACT_MAX / 4 || number >= EXACT_MAX / 4) {
        add_number(out, 0);
        return;
    }
    add_number(out, folded(number - *previous) + 1);
    *previous = number;
}

/* One that is not negative, and may be missing. */
static void add_optional(struct buffer *out, int64_t number)
{
    add_number(out, number < 0 || number >= EXACT_MAX ? 0 : (uint64_t)number + 1);
}

/* ---- texts and commands ---- */

/* Adds a text that is not in the run's list; returns its number in the block. */
static uint32_t add_text(struct block *block, struct text text, size_t most)
{
    size_t length = html_shown_length(text, most);
    const char *more = length < text.length ? "…" : "";

    add_number(&block->lengths, length + strlen(more));
    buffer_add(&block->texts, text.bytes, length);
    buffer_add_string(&block->texts, more);
    return block->text_count++;
}

/* Its number in the block and 1, 0 for none. */
static uint32_t text_number(struct block *block, uint32_t text)
{
    if (text == NAMES_NONE) {
        return 0;
    }
    struct short_number *known = &block->run->short_texts[text];
    if (known->block != block->number) {
        *known =
            (struct short_number){block->number,
                                  add_text(block, names_text(&block->run->history->texts, text), TEXT_SHOWN)};
    }
    return known->number + 1;
}

/* 16 bytes, if they give the same text again. */
static void add_uuid(struct block *block, struct text text)
{
    uint8_t bytes[16];
    bool lower_case = true;

    for (size_t i = 0; i < text.length; i++) {
        lower_case &= text.bytes[i] < 'A' || text.bytes[i] > 'Z';
    }
    if (lower_case && uuid_is_valid(text)) {
        uuid_to_bytes(text, bytes);
        buffer_add_char(&block->uuids, 1);
        buffer_add(&block->uuids, (const char *)bytes, sizeof bytes);
    } else {
        buffer_add_char(&block->uuids, 0);
        add_number(&block->uuids, add_text(block, text, TEXT_SHOWN));
    }
}

static uint32_t command_number(struct block *block, uint32_t number)
{
    if (number == HISTORY_NONE) {
        return 0;
    }
    struct short_number *known = &block->run->short_commands[number];
    if (known->block != block->number) {
        const struct history *history = block->run->history;
        const struct command_record *command = &history->commands[number];
        *known = (struct short_number){block->number, block->command_count++};
        buffer_add_char(&block->commands, command->type >= 0 ? command->type : OTHER_TYPE);
        add_number(&block->commands, folded((int64_t)number - block->last_command));
        block->last_command = number;
        add_number(&block->commands, text_number(block, command->sender));
        add_number(&block->commands, text_number(block, command->key));
        add_number(&block->commands, text_number(block, command->value));
        if (command->type < 0) {
            add_number(&block->commands, text_number(block, command->type_name));
        }
        add_uuid(block, names_text(&history->uuids, command->uuid));
    }
    return known->number + 1;
}

/* ---- what depends on the kind ---- */

struct extra {
    uint64_t a, b, c;
};

static int compare_event(const void *wanted, const void *record)
{
    uint32_t a = *(const uint32_t *)wanted;
    uint32_t b = *(const uint32_t *)record; /* the records begin with it */

    return (a > b) - (a < b);
}

static void add_fault(struct block *block, uint32_t event, struct extra *extra)
{
    const struct history *history = block->run->history;
    const struct fault_record *fault =
        bsearch(&event, history->faults, history->fault_count, sizeof *fault, compare_event);

    if (fault != NULL) {
        extra->a = text_number(block, fault->name);
        extra->b = fault->delay_ms >= 0 && fault->delay_ms < EXACT_MAX ? (uint64_t)fault->delay_ms + 1 : 0;
    }
}

static void add_completion(struct block *block, const struct event *event, struct extra *extra)
{
    const struct history *history = block->run->history;
    const struct operation *operation =
        event->command != HISTORY_NONE && history->commands[event->command].operation != HISTORY_NONE
            ? &history->operations[history->commands[event->command].operation]
            : NULL;

    if (operation != NULL) {
        extra->a = (uint64_t)operation->status + 1;
        extra->b = operation->latency_us >= 0 && operation->latency_us < EXACT_MAX
                       ? (uint64_t)operation->latency_us + 1
                       : 0;
        extra->c = text_number(block, operation->value);
    }
}

static struct extra extra_of(struct block *block, uint32_t number)
{
    const struct history *history = block->run->history;
    const struct event *event = &history->events[number];
    const struct intervention *intervention;
    struct extra extra = {0};

    if (event->kind == EVENT_FAULT) {
        add_fault(block, number, &extra);
    } else if (event->kind == EVENT_COMPLETE) {
        add_completion(block, event, &extra);
    } else if (event->command == HISTORY_NONE) {
        intervention = history_find_intervention(history, number);
        extra.a = intervention != NULL ? text_number(block, intervention->target) : 0;
        if (block->run->lines_shown < LINES_SHOWN) {
            block->run->lines_shown++;
            extra.c = add_text(block, html_run_line(block->run, number), LINE_SHOWN) + 1;
        }
    }
    return extra;
}

/* ---- the block ---- */

static void add_event(struct block *block, size_t rank, int64_t previous_us)
{
    const struct html_run *run = block->run;
    uint32_t number = run->order[rank];
    const struct event *event = &run->history->events[number];
    const struct drawn_event *drawn = &run->drawn[number];
    struct previous *previous = &block->previous[event->process];
    struct extra extra = extra_of(block, number);

    buffer_add_char(&block->columns[COLUMN_KIND], (char)event->kind);
    add_number(&block->columns[COLUMN_PROCESS], event->process);
    add_number(&block->columns[COLUMN_TIME], (uint64_t)event->wall_us - (uint64_t)previous_us);
    add_number(&block->columns[COLUMN_COMMAND], command_number(block, event->command));
    add_number(&block->columns[COLUMN_CAUSE],
               drawn->cause == HISTORY_NONE ? 0 : folded((int64_t)rank - run->rank[drawn->cause]) + 1);
    buffer_add_char(&block->columns[COLUMN_FLAGS],
                    (char)((drawn->repeated ? FLAG_REPEATED : 0) | (drawn->lost ? FLAG_LOST : 0)));
    add_number(&block->columns[COLUMN_FILE], event->place.source);
    add_distance(&block->columns[COLUMN_LINE], event->place.number, &previous->line);
    add_distance(&block->columns[COLUMN_SEQ], event->seq, &previous->seq);
    add_distance(&block->columns[COLUMN_EPOCH], event->epoch, &previous->epoch);
    add_distance(&block->columns[COLUMN_ORDEM_LOCAL], event->ordem_local, &previous->ordem_local);
    if (drawn->place > 0) {
        add_distance(&block->columns[COLUMN_PLACE], drawn->place, &previous->place);
        add_optional(&block->columns[COLUMN_LIFE], drawn->life);
    } else {
        add_number(&block->columns[COLUMN_PLACE], 0);
        add_number(&block->columns[COLUMN_LIFE], 0);
    }
    add_number(&block->columns[COLUMN_A], extra.a);
    add_number(&block->columns[COLUMN_B], extra.b);
    add_number(&block->columns[COLUMN_C], extra.c);
}

static void add_part(struct buffer *out, struct buffer *part)
{
    buffer_add(out, part->bytes, part->length);
    buffer_free(part);
}

static void put_together(struct block *block, size_t events, struct buffer *out)
{
    add_number(out, events);
    add_number(out, block->command_count);
    add_number(out, block->text_count);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        add_part(out, &block->columns[i]);
    }
    add_part(out, &block->commands);
    add_part(out, &block->uuids);
    add_part(out, &block->lengths);
    add_part(out, &block->texts);
}

void html_run_write_block(struct html_run *run, size_t number, struct buffer *out)
{
    const struct history *history = run->history;
    struct block block = {.run = run, .number = (uint32_t)number + 1};
    size_t first = number * BLOCK_EVENTS;
    size_t end = first + BLOCK_EVENTS < history->event_count ? first + BLOCK_EVENTS : history->event_count;
    int64_t previous_us = run->start_us;

    block.previous = memory_new_zeroed(history->process_count, sizeof *block.previous);
    for (size_t rank = first; rank < end; rank++) {
        add_event(&block, rank, previous_us);
        previous_us = history->events[run->order[rank]].wall_us;
    }
    put_together(&block, end - first, out);
    free(block.previous);
}
