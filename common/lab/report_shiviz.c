/* ShiViz (Beschastnikh, Wang, Brun and Ernst 2016) draws space-time diagrams in a browser. It is strict: every line
 * of a host must raise the host's own entry by exactly 1, from 1, and no entry may name a host without lines.
 *
 * A delivery takes over the sender's clock at the send; so does a receive, where the log holds receives. */
#include "common/lab/report.h"

#include "common/json.h"
#include "common/lab/tell.h"
#include "common/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct drawing {
    const struct report *report;
    FILE *out;
    uint32_t *clocks;  /* by process: its vector clock, one row each */
    uint32_t *at_send; /* by command: the sender's clock when it sent it, one row each */
    bool *sent;        /* by command */
    size_t *next;      /* by process: of its events */
    struct buffer line;
};

static uint32_t *row(uint32_t *matrix, const struct drawing *drawing, size_t number)
{
    return matrix + number * drawing->report->history->process_count;
}

static void print_event(struct drawing *drawing, const struct event *event)
{
    const struct history *history = drawing->report->history;
    const uint32_t *clock = row(drawing->clocks, drawing, event->process);
    struct buffer *line = &drawing->line;
    struct text name = history_process_name(history, event->process);

    buffer_clear(line);
    buffer_add_string(line, event_kind_name(event->kind));
    if (event->command != HISTORY_NONE) {
        buffer_add_char(line, ' ');
        tell_command(line, history, event->command);
    }
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

static bool takes_over(const struct event *event)
{
    return event->kind == EVENT_DELIVER || event->kind == EVENT_RECEIVE;
}

/* Draws the process's next event; false if it has none, or if that waits for a send that is not drawn yet. */
static bool draw_next(struct drawing *drawing, uint32_t process, bool force)
{
    const struct history *history = drawing->report->history;
    const struct process *log = &history->processes[process];
    size_t processes = history->process_count;

    if (drawing->next[process] == log->event_count) {
        return false;
    }
    uint32_t number = log->events[drawing->next[process]];
    const struct event *event = &history->events[number];
    uint32_t *clock = row(drawing->clocks, drawing, process);
    if (takes_over(event) && history->commands[event->command].send_event != HISTORY_NONE) {
        if (!drawing->sent[event->command] && !force) {
            return false;
        }
        const uint32_t *sender = row(drawing->at_send, drawing, event->command);
        for (size_t p = 0; p < processes; p++) {
            clock[p] = sender[p] > clock[p] ? sender[p] : clock[p];
        }
    }
    clock[process]++;
    if (event->kind == EVENT_SEND && history->commands[event->command].send_event == number) {
        memcpy(row(drawing->at_send, drawing, event->command), clock, processes * sizeof *clock);
        drawing->sent[event->command] = true;
    }
    print_event(drawing, event);
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

int report_shiviz(const struct report *report, const char *path, struct error *error)
{
    const struct history *history = report->history;
    size_t processes = history->process_count;
    struct drawing drawing = {.report = report, .out = fopen(path, "we")};

    if (drawing.out == NULL) {
        return error_set(error, ERROR_FILE, "%s: %s", path, strerror(errno));
    }
    drawing.clocks = memory_new_zeroed(processes * processes, sizeof *drawing.clocks);
    drawing.at_send = memory_new_zeroed(history->command_count * processes, sizeof *drawing.at_send);
    drawing.sent = memory_new_zeroed(history->command_count, sizeof *drawing.sent);
    drawing.next = memory_new_zeroed(processes, sizeof *drawing.next);
    fputs("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n", drawing.out);
    draw(&drawing);
    bool failed = ferror(drawing.out) != 0;
    failed = fclose(drawing.out) != 0 || failed;
    free(drawing.clocks);
    free(drawing.at_send);
    free(drawing.sent);
    free(drawing.next);
    buffer_free(&drawing.line);
    return failed ? error_set(error, ERROR_FILE, "%s: %s", path, strerror(errno)) : 0;
}
