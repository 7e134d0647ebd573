/* ShiViz (Beschastnikh, Wang, Brun and Ernst 2016) draws space-time diagrams in a browser. It is strict: every line
 * of a host must raise the host's own entry by exactly 1, from 1, and no entry may name a host without lines.
 *
 * Whatever comes of another line takes over its clock: a delivery, or whatever else is done with a command, that of its
 * send, or where it was numbered that of the send with its number; a send that of the client's invocation; the client's
 * completion that of the send; a start that of the lab's line that ordered it. */
#include "common/lab/report.h"

#include "common/json.h"
#include "common/lab/tell.h"
#include "common/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS_MAX 12 /* more make a drawing that nobody can read: then there is none of them in it */

struct drawing {
    const struct report *report;
    FILE *out;
    bool clients;      /* are they drawn? */
    uint32_t *clocks;  /* by process: its vector clock, one row each */
    uint32_t **causes; /* by event: the clock of one that others come of, once it is drawn; owned */
    bool *is_cause;    /* by event */
    bool *drawn;       /* by event */
    size_t *next;      /* by process: of its events */
    struct buffer line;
};

/* ---- what comes of what ---- */

static bool is_drawn_at_all(const struct drawing *drawing, uint32_t process)
{
    return drawing->clients || drawing->report->history->processes[process].role != ROLE_CLIENT;
}

/* The lab's last order to start the process, before it did; HISTORY_NONE if there is none. */
static uint32_t restart_before(const struct history *history, const struct event *start)
{
    uint32_t found = HISTORY_NONE;

    for (size_t i = 0; i < history->intervention_count; i++) {
        const struct intervention *intervention = &history->interventions[i];
        const struct event *event = &history->events[intervention->event];
        if (intervention->process == start->process && event->kind == EVENT_RESTART &&
            event->wall_us <= start->wall_us) {
            found = intervention->event;
        }
    }
    return found;
}

/* What a line about a command comes of; HISTORY_NONE for nothing. */
static uint32_t cause_with_command(const struct history *history, uint32_t number)
{
    const struct event *event = &history->events[number];
    const struct command_record *command = &history->commands[event->command];
    bool numbered = event->seq != LOG_RECORD_NO_NUMBER && command->number_event != HISTORY_NONE;

    switch (event->kind) {
    case EVENT_RECEIVE:
    case EVENT_HOLD:
    case EVENT_DISCARD:
    case EVENT_DELIVER:
        return numbered ? command->number_event : command->send_event;
    case EVENT_COMPLETE:
        return command->send_event;
    case EVENT_SEND:
        if (command->send_event != number) {
            return command->send_event;
        }
        return command->operation != HISTORY_NONE ? history->operations[command->operation].invoke
                                                  : HISTORY_NONE;
    default:
        return HISTORY_NONE;
    }
}

/* The event of another process that this one comes of; HISTORY_NONE if there is none. */
static uint32_t cause_of(const struct history *history, uint32_t number)
{
    const struct event *event = &history->events[number];

    if (event->command != HISTORY_NONE) {
        return cause_with_command(history, number);
    }
    return event->kind == EVENT_START ? restart_before(history, event) : HISTORY_NONE;
}

static uint32_t drawn_cause_of(const struct drawing *drawing, uint32_t number)
{
    const struct history *history = drawing->report->history;
    uint32_t cause = cause_of(history, number);

    return cause != HISTORY_NONE && is_drawn_at_all(drawing, history->events[cause].process) ? cause
                                                                                             : HISTORY_NONE;
}

/* ---- drawing ---- */

static uint32_t *clock_of(const struct drawing *drawing, size_t process)
{
    return drawing->clocks + process * drawing->report->history->process_count;
}

static void print_event(struct drawing *drawing, uint32_t number)
{
    const struct history *history = drawing->report->history;
    const struct event *event = &history->events[number];
    const uint32_t *clock = clock_of(drawing, event->process);
    struct buffer *line = &drawing->line;
    struct text name = history_process_name(history, event->process);

    buffer_clear(line);
    buffer_add_string(line, event_kind_name(event->kind));
    buffer_add_char(line, ' ');
    if (event->command != HISTORY_NONE) {
        tell_command(line, history, event->command);
    }
    tell_intervention(line, history, number);
    if (event->seq != LOG_RECORD_NO_NUMBER) {
        buffer_add_format(line, " seq=%" PRId64, event->seq);
    }
    line->length -= line->bytes[line->length - 1] == ' ';
    buffer_add_char(line, '\n');
    buffer_add(line, name.bytes, name.length);
    buffer_add_string(line, " {");
    bool first = true;
    for (uint32_t p = 0; p < history->process_count; p++) {
        if (clock[p] > 0) {
            buffer_add_string(line, first ? "" : ", ");
            json_write_string(line, history_process_name(history, p));
            buffer_add_format(line, ":%" PRIu32, clock[p]);
            first = false;
        }
    }
    buffer_add_string(line, "}\n");
    fwrite(line->bytes, 1, line->length, drawing->out);
}

/* Draws the process's next event; false if it has none, or if that waits for one that is not drawn yet. */
static bool draw_next(struct drawing *drawing, uint32_t process, bool force)
{
    const struct history *history = drawing->report->history;
    const struct process *log = &history->processes[process];
    size_t processes = history->process_count;

    if (drawing->next[process] == log->event_count || !is_drawn_at_all(drawing, process)) {
        return false;
    }
    uint32_t number = log->events[drawing->next[process]];
    uint32_t *clock = clock_of(drawing, process);
    uint32_t cause = drawn_cause_of(drawing, number);
    if (cause != HISTORY_NONE) {
        if (!drawing->drawn[cause] && !force) {
            return false;
        }
        for (size_t p = 0; drawing->drawn[cause] && p < processes; p++) {
            uint32_t other = drawing->causes[cause][p];
            clock[p] = other > clock[p] ? other : clock[p];
        }
    }
    clock[process]++;
    drawing->drawn[number] = true;
    if (drawing->is_cause[number]) {
        drawing->causes[number] = memory_new(processes * sizeof *clock);
        memcpy(drawing->causes[number], clock, processes * sizeof *clock);
    }
    print_event(drawing, number);
    drawing->next[process]++;
    return true;
}

static void draw(struct drawing *drawing)
{
    size_t processes = drawing->report->history->process_count;
    bool drew;

    do {
        drew = false;
        for (uint32_t p = 0; p < processes; p++) {
            while (draw_next(drawing, p, false)) {
                drew = true;
            }
        }
        for (uint32_t p = 0; !drew && p < processes;
             p++) { /* logs that contradict each other wait in a circle */
            drew = draw_next(drawing, p, true);
        }
    } while (drew);
}

static void prepare(struct drawing *drawing)
{
    const struct history *history = drawing->report->history;
    size_t clients = 0;

    for (size_t p = 0; p < history->process_count; p++) {
        clients += history->processes[p].role == ROLE_CLIENT;
    }
    drawing->clients = clients <= CLIENTS_MAX;
    drawing->clocks =
        memory_new_zeroed(history->process_count * history->process_count, sizeof *drawing->clocks);
    drawing->causes = memory_new_zeroed(history->event_count, sizeof *drawing->causes);
    drawing->is_cause = memory_new_zeroed(history->event_count, sizeof *drawing->is_cause);
    drawing->drawn = memory_new_zeroed(history->event_count, sizeof *drawing->drawn);
    drawing->next = memory_new_zeroed(history->process_count, sizeof *drawing->next);
    for (uint32_t number = 0; number < history->event_count; number++) {
        uint32_t cause = drawn_cause_of(drawing, number);
        if (cause != HISTORY_NONE) {
            drawing->is_cause[cause] = true;
        }
    }
}

int report_shiviz(const struct report *report, const char *path, struct error *error)
{
    struct drawing drawing = {.report = report, .out = fopen(path, "we")};

    if (drawing.out == NULL) {
        error_set(error, ERROR_FILE, "%s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    prepare(&drawing);
    fputs("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n", drawing.out);
    draw(&drawing);
    bool failed = ferror(drawing.out) != 0;
    failed = fclose(drawing.out) != 0 || failed;
    for (size_t i = 0; i < report->history->event_count; i++) {
        free(drawing.causes[i]);
    }
    free(drawing.clocks);
    free(drawing.causes);
    free(drawing.is_cause);
    free(drawing.drawn);
    free(drawing.next);
    buffer_free(&drawing.line);
    if (failed) {
        error_set(error, ERROR_FILE, "%s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    return 0;
}
