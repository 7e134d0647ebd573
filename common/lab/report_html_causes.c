/* What comes of what, as it is drawn: arrows between processes, and on one process how long something waited. */
#include "common/lab/report_html_parts.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* What one process knows of each command while its log is walked; valid if `stamp` is the process's. */
struct seen {
    uint32_t stamp;
    uint32_t received; /* the last arrival */
    uint32_t loss;     /* a loss that no arrival has followed */
};

struct tracing {
    struct html_run *run;
    const struct history *history;
    struct seen *seen;   /* by command */
    uint32_t *delivered; /* by command: its delivery at the node that sent it; HISTORY_NONE */
};

static struct seen *seen_of(const struct tracing *tracing, const struct event *event)
{
    struct seen *seen = &tracing->seen[event->command];

    if (seen->stamp != event->process + 1) {
        *seen = (struct seen){event->process + 1, HISTORY_NONE, HISTORY_NONE};
    }
    return seen;
}

/* The send that brought what an event tells of: with its number, where it was numbered. */
static uint32_t send_behind(const struct history *history, const struct event *event)
{
    const struct command_record *command = &history->commands[event->command];
    bool numbered = event->seq != LOG_RECORD_NO_NUMBER && command->number_event != HISTORY_NONE;

    return numbered ? command->number_event : command->send_event;
}

static uint32_t cause_of_send(const struct tracing *tracing, uint32_t number, uint32_t received)
{
    const struct history *history = tracing->history;
    const struct command_record *command = &history->commands[history->events[number].command];

    if (received != HISTORY_NONE) {
        return received;
    }
    if (command->send_event != number) {
        return command->send_event;
    }
    return command->operation != HISTORY_NONE ? history->operations[command->operation].invoke : HISTORY_NONE;
}

static void trace_receive(const struct tracing *tracing, uint32_t number, struct drawn_event *drawn)
{
    struct seen *seen = seen_of(tracing, &tracing->history->events[number]);

    drawn->cause = send_behind(tracing->history, &tracing->history->events[number]);
    drawn->repeated = seen->received != HISTORY_NONE;
    seen->received = number;
    if (seen->loss != HISTORY_NONE) { /* it was only late */
        tracing->run->drawn[seen->loss].lost = false;
        seen->loss = HISTORY_NONE;
    }
}

static void trace_fault(const struct tracing *tracing, const struct text name, uint32_t number,
                        struct drawn_event *drawn)
{
    drawn->cause = send_behind(tracing->history, &tracing->history->events[number]);
    if (text_equal(name, text_of("loss")) || text_equal(name, text_of("partition"))) {
        drawn->lost = true;
        seen_of(tracing, &tracing->history->events[number])->loss = number;
    }
}

static void trace_delivery(const struct tracing *tracing, uint32_t number, struct drawn_event *drawn)
{
    const struct history *history = tracing->history;
    const struct event *event = &history->events[number];
    const struct command_record *command = &history->commands[event->command];
    const struct seen *seen = seen_of(tracing, event);

    drawn->cause = seen->received != HISTORY_NONE ? seen->received : send_behind(history, event);
    if (command->sender_process == event->process && tracing->delivered[event->command] == HISTORY_NONE) {
        tracing->delivered[event->command] = number;
    }
}

static void trace_event(const struct tracing *tracing, uint32_t number)
{
    const struct event *event = &tracing->history->events[number];
    struct drawn_event *drawn = &tracing->run->drawn[number];

    switch (event->kind) {
    case EVENT_RECEIVE:
        trace_receive(tracing, number, drawn);
        break;
    case EVENT_DELIVER:
        trace_delivery(tracing, number, drawn);
        break;
    case EVENT_HOLD:
    case EVENT_DISCARD:
        drawn->cause = seen_of(tracing, event)->received;
        break;
    case EVENT_SEND:
        drawn->cause = cause_of_send(tracing, number, seen_of(tracing, event)->received);
        break;
    default:
        break;
    }
}

/* The faults are told of in a list of their own; each belongs to a process's log, in its place there. */
static void trace_process(const struct tracing *tracing, uint32_t process, size_t *faults, size_t fault_count,
                          const uint32_t *by_process)
{
    const struct process *log = &tracing->history->processes[process];
    const struct fault_record *records = tracing->history->faults;

    for (size_t i = 0; i < log->event_count; i++) {
        uint32_t number = log->events[i];
        if (*faults < fault_count && records[by_process[*faults]].event == number) {
            struct text name = names_text(&tracing->history->texts, records[by_process[*faults]].name);
            trace_fault(tracing, name, number, &tracing->run->drawn[number]);
            ++*faults;
        } else {
            trace_event(tracing, number);
        }
    }
}

/* By process; of one process, in the order of its log. */
static int compare_faults(const void *a, const void *b, void *in)
{
    const struct history *history = in;
    uint32_t first = history->faults[*(const uint32_t *)a].event;
    uint32_t second = history->faults[*(const uint32_t *)b].event;
    uint32_t p = history->events[first].process;
    uint32_t q = history->events[second].process;

    return p != q ? (p > q) - (p < q) : (first > second) - (first < second);
}

static void trace_processes(const struct tracing *tracing)
{
    const struct history *history = tracing->history;
    uint32_t *faults = memory_new(history->fault_count * sizeof *faults);
    size_t next = 0;

    for (size_t i = 0; i < history->fault_count; i++) {
        faults[i] = (uint32_t)i;
    }
    qsort_r(faults, history->fault_count, sizeof *faults, compare_faults, (void *)history);
    for (uint32_t p = 0; p < history->process_count; p++) {
        trace_process(tracing, p, &next, history->fault_count, faults);
    }
    free(faults);
}

/* An answer comes of the delivery at the node that was asked, if that was before it, or else of its send. */
static void trace_operations(const struct tracing *tracing)
{
    const struct history *history = tracing->history;

    for (size_t i = 0; i < history->operation_count; i++) {
        const struct operation *operation = &history->operations[i];
        if (operation->complete == HISTORY_NONE) {
            continue;
        }
        uint32_t delivery = tracing->delivered[operation->command];
        bool in_time = delivery != HISTORY_NONE &&
                       history->events[delivery].wall_us <= history->events[operation->complete].wall_us;
        tracing->run->drawn[operation->complete].cause =
            in_time ? delivery : history->commands[operation->command].send_event;
    }
}

/* A start comes of the lab's last order to start that process again. */
static void trace_restarts(struct html_run *run)
{
    const struct history *history = run->history;
    uint32_t *ordered = memory_new(history->process_count * sizeof *ordered);

    memset(ordered, 0xFF, history->process_count * sizeof *ordered); /* HISTORY_NONE */
    for (size_t rank = 0; rank < history->event_count; rank++) {
        uint32_t number = run->order[rank];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_START) {
            run->drawn[number].cause = ordered[event->process];
        } else if (event->kind == EVENT_RESTART) {
            uint32_t target = history_find_intervention(history, number)->process;
            if (target != HISTORY_NONE) {
                ordered[target] = number;
            }
        }
    }
    free(ordered);
}

/* ---- the orders of delivery ---- */

static void line_up(struct html_run *run, uint32_t life)
{
    const struct history *history = run->history;
    const struct incarnation *incarnation = &history->incarnations[life];
    const struct process *process = &history->processes[incarnation->process];
    struct order_column *column = &run->columns[life];
    size_t most = incarnation->end - incarnation->first;
    uint32_t place = 0;

    column->commands = memory_new(most * sizeof *column->commands);
    column->places = memory_new(most * sizeof *column->places);
    column->numbered = true;
    for (size_t i = incarnation->first; i < incarnation->end; i++) {
        const struct event *event = &history->events[process->events[i]];
        if (event->kind != EVENT_DELIVER) {
            continue;
        }
        bool follows = event->seq > place && event->seq <= (int64_t)history->command_count;
        place = follows ? (uint32_t)event->seq : place + 1;
        column->numbered &= event->seq != LOG_RECORD_NO_NUMBER;
        column->places[column->count] = place;
        column->commands[column->count++] = event->command;
        run->drawn[process->events[i]].place = place;
        run->drawn[process->events[i]].life = life;
    }
}

void html_run_find_causes(struct html_run *run)
{
    const struct history *history = run->history;
    struct tracing tracing = {
        .run = run,
        .history = history,
        .seen = memory_new_zeroed(history->command_count, sizeof(struct seen)),
        .delivered = memory_new(history->command_count * sizeof(uint32_t)),
    };

    memset(tracing.delivered, 0xFF, history->command_count * sizeof(uint32_t)); /* HISTORY_NONE */
    for (size_t i = 0; i < history->event_count; i++) {
        run->drawn[i].cause = HISTORY_NONE;
    }
    trace_processes(&tracing);
    trace_operations(&tracing);
    trace_restarts(run);
    for (uint32_t i = 0; i < history->incarnation_count; i++) {
        line_up(run, i);
    }
    free(tracing.seen);
    free(tracing.delivered);
}
