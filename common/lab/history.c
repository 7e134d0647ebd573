#include "common/lab/history.h"

#include "common/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- processes, commands, events ---- */

static struct process *find_process(struct history *history, struct text name, struct line_place place)
{
    uint32_t number = names_number(&history->process_names, name);

    if (number == history->process_count) {
        history->processes = memory_grow(history->processes, &history->process_capacity,
                                         history->process_count + 1, sizeof *history->processes);
        history->processes[history->process_count++] =
            (struct process){.name = names_number(&history->texts, name),
                             .part = NAMES_NONE,
                             .source = place.source};
    }
    return &history->processes[number];
}

static uint32_t add_event(struct history *history, struct process *process, enum event_kind kind,
                          uint32_t command, const struct log_record *record, struct line_place place)
{
    uint32_t number = (uint32_t)history->event_count;

    history->events = memory_grow(history->events, &history->event_capacity, history->event_count + 1,
                                  sizeof *history->events);
    history->events[history->event_count++] =
        (struct event){.kind = kind,
                       .process = (uint32_t)(process - history->processes),
                       .command = command,
                       .wall_us = record->wall_us,
                       .ordem_local = record->ordem_local,
                       .place = place};
    process->events = memory_grow(process->events, &process->event_capacity, process->event_count + 1,
                                  sizeof *process->events);
    process->events[process->event_count++] = number;
    return number;
}

static uint32_t number_or_none(struct names *names, struct text text)
{
    return text.bytes != NULL ? names_number(names, text) : NAMES_NONE;
}

static int8_t type_of(struct text name)
{
    for (int type = COMMAND_SET; type <= COMMAND_PRINT; type++) {
        if (text_equal(name, text_of(command_type_name((enum command_type)type)))) {
            return (int8_t)type;
        }
    }
    return -1;
}

/* The command that a line is about; the first line that mentions it makes it known. The line's event comes next. */
static uint32_t find_command(struct history *history, const struct log_record *record)
{
    uint32_t uuid = names_number(&history->uuids, record->message_uuid);
    struct command_record told = {.uuid = uuid,
                                  .sender = number_or_none(&history->texts, record->sender_id),
                                  .key = number_or_none(&history->texts, record->key),
                                  .value = number_or_none(&history->texts, record->value),
                                  .first_event = (uint32_t)history->event_count,
                                  .sender_process = HISTORY_NONE,
                                  .send_event = HISTORY_NONE,
                                  .type = type_of(record->command_type)};

    if (uuid == history->command_count) {
        history->commands = memory_grow(history->commands, &history->command_capacity,
                                        history->command_count + 1, sizeof *history->commands);
        history->commands[history->command_count++] = told;
        return uuid;
    }
    const struct command_record *known = &history->commands[uuid];
    if (known->sender != told.sender || known->key != told.key || known->value != told.value ||
        known->type != told.type) {
        history->contradictions =
            memory_grow(history->contradictions, &history->contradiction_capacity,
                        history->contradiction_count + 1, sizeof *history->contradictions);
        history->contradictions[history->contradiction_count++] =
            (struct contradiction){uuid, known->first_event, told.first_event};
    }
    return uuid;
}

/* ---- problems ---- */

void history_add_problem(struct history *history, uint32_t process, bool missing_deliveries,
                         const char *format, ...)
{
    struct problem problem = {.process = process, .missing_deliveries = missing_deliveries};
    va_list arguments;

    if (missing_deliveries && process != HISTORY_NONE) {
        history->processes[process].cut = true;
    }
    if (history->problem_count == HISTORY_PROBLEMS_MAX) {
        history->further_problems++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(problem.text, sizeof problem.text, format, arguments);
    va_end(arguments);
    text_make_printable(problem.text);
    history->problems = memory_grow(history->problems, &history->problem_capacity, history->problem_count + 1,
                                    sizeof *history->problems);
    history->problems[history->problem_count++] = problem;
}

void history_distrust_source(struct history *history, uint32_t source)
{
    for (size_t p = 0; p < history->process_count; p++) {
        history->processes[p].cut |= history->processes[p].source == source;
    }
}

static void process_problem(struct history *history, const struct process *process, bool missing_deliveries,
                            const char *what, int64_t from, int64_t to, struct line_place place)
{
    struct text name = names_text(&history->texts, process->name);
    history_add_problem(history, (uint32_t)(process - history->processes), missing_deliveries,
                        "%.*s's log %s: ordem_local goes from %" PRId64 " to %" PRId64 " at line %" PRIu32,
                        (int)name.length, name.bytes, what, from, to, place.number);
}

/* A node counts its deliveries 1, 2, 3 …: lines that are gone leave a gap. */
static void check_ordem_local(struct history *history, struct process *process, int64_t ordem_local,
                              struct line_place place)
{
    int64_t last = process->last_ordem_local;

    if (ordem_local == LOG_RECORD_NO_NUMBER) {
        process_problem(history, process, false, "has a delivery without its number", last, 0, place);
        return;
    }
    if (ordem_local > last + 1) {
        process_problem(history, process, true, "is cut", last, ordem_local, place);
    } else if (ordem_local <= last) {
        process_problem(history, process, false, "was altered or holds a line twice", last, ordem_local,
                        place);
    }
    process->last_ordem_local = ordem_local;
}

/* ---- lines ---- */

static void add_send(struct history *history, struct process *process, uint32_t command, uint32_t event)
{
    struct command_record *record = &history->commands[command];

    if (record->send_event == HISTORY_NONE) { /* a command is sent once; what repeats it says nothing new */
        record->send_event = event;
        record->send_index = ++process->send_count;
    }
}

static void add_deliver(struct history *history, struct process *process, const struct log_record *record,
                        struct line_place place)
{
    process->delivery_count++;
    check_ordem_local(history, process, record->ordem_local, place);
}

static void add_fault(struct history *history, const struct log_record *record, uint32_t event)
{
    history->faults = memory_grow(history->faults, &history->fault_capacity, history->fault_count + 1,
                                  sizeof *history->faults);
    history->faults[history->fault_count++] =
        (struct fault_record){event, names_number(&history->texts, record->fault), record->delay_ms};
}

static void add_start(struct history *history, struct process *process, const struct log_record *record)
{
    process->starts++;
    process->stopped = process->ready = false;
    process->last_ordem_local = 0;
    process->part = number_or_none(&history->texts, record->part);
}

static void add_stop(struct history *history, struct process *process, const struct log_record *record,
                     struct line_place place)
{
    process->stopped = true;
    process->stopped_us = record->wall_us;
    if (record->ordem_local != LOG_RECORD_NO_NUMBER && record->ordem_local > process->last_ordem_local) {
        process_problem(history, process, true, "is cut before its end", process->last_ordem_local,
                        record->ordem_local, place);
    }
}

static void add_discard(struct process *process, const struct log_record *record, struct line_place place)
{
    if (text_equal(record->reason, text_of("receive_buffer_full")) && record->count > 0) {
        process->dropped += (uint64_t)record->count;
        process->dropped_place = place;
    }
}

const char *event_kind_name(enum event_kind kind)
{
    static const char *const names[] = {"start", "ready", "send", "receive", "deliver", "fault", "stop"};
    return names[kind];
}

static enum event_kind kind_of(struct text event)
{
    for (int kind = EVENT_START; kind <= EVENT_STOP; kind++) {
        if (text_equal(event, text_of(event_kind_name((enum event_kind)kind)))) {
            return (enum event_kind)kind;
        }
    }
    return (enum event_kind) - 1;
}

static bool is_about_command(enum event_kind kind)
{
    return kind == EVENT_SEND || kind == EVENT_RECEIVE || kind == EVENT_DELIVER || kind == EVENT_FAULT;
}

void history_add(struct history *history, const struct log_record *record, struct line_place place)
{
    struct process *process = find_process(history, record->node, place);
    enum event_kind kind = kind_of(record->event);
    uint32_t command = HISTORY_NONE;

    history->lines++;
    process->last_us = record->wall_us;
    if (process->source != place.source) {
        if (process->source != HISTORY_NONE) { /* once */
            history_add_problem(history, (uint32_t)(process - history->processes), true,
                                "%.*s's lines stand in two files: give one of them", (int)record->node.length,
                                record->node.bytes);
            process->source = HISTORY_NONE;
        }
        return;
    }
    if (text_equal(record->event, text_of("discard"))) {
        add_discard(process, record, place);
    }
    if (text_equal(record->fault, text_of("log_gap"))) {
        history_add_problem(history, (uint32_t)(process - history->processes), true,
                            "%.*s's log has a gap at line %" PRIu32 ": its disk was full",
                            (int)record->node.length, record->node.bytes, place.number);
    }
    if ((int)kind < 0 || (is_about_command(kind) && record->message_uuid.bytes == NULL)) {
        return; /* an event that no verdict needs */
    }
    if (is_about_command(kind)) {
        command = find_command(history, record);
    }
    uint32_t event = add_event(history, process, kind, command, record, place);
    switch (kind) {
    case EVENT_START:
        add_start(history, process, record);
        break;
    case EVENT_READY:
        process->ready = true;
        process->ready_us = record->wall_us;
        break;
    case EVENT_SEND:
        add_send(history, process, command, event);
        break;
    case EVENT_DELIVER:
        add_deliver(history, process, record, place);
        break;
    case EVENT_FAULT:
        add_fault(history, record, event);
        break;
    case EVENT_STOP:
        add_stop(history, process, record, place);
        break;
    case EVENT_RECEIVE:
        break;
    }
}

/* ---- the whole ---- */

void history_complete(struct history *history)
{
    for (size_t c = 0; c < history->command_count; c++) {
        struct command_record *command = &history->commands[c];
        if (command->send_event != HISTORY_NONE) {
            command->sender_process = history->events[command->send_event].process;
        } else if (command->sender != NAMES_NONE) {
            uint32_t process =
                names_find(&history->process_names, names_text(&history->texts, command->sender));
            command->sender_process = process == NAMES_NONE ? HISTORY_NONE : process;
        }
    }
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        struct text name = history_process_name(history, p);
        if (process->starts == 0) {
            history_add_problem(
                history, p, true,
                "%.*s's log lacks its beginning (no start event): cut, or LOG_LEVEL quieter than info",
                (int)name.length, name.bytes);
        }
    }
}

const struct fault_record *history_find_fault(const struct history *history, uint32_t process,
                                              uint32_t command, const char *kind)
{
    for (size_t i = 0; i < history->fault_count; i++) {
        const struct fault_record *fault = &history->faults[i];
        const struct event *event = &history->events[fault->event];
        if (event->process == process && event->command == command &&
            (kind == NULL || text_equal(names_text(&history->texts, fault->name), text_of(kind)))) {
            return fault;
        }
    }
    return NULL;
}

struct text history_process_name(const struct history *history, uint32_t process)
{
    return names_text(&history->texts, history->processes[process].name);
}

void history_free(struct history *history)
{
    for (size_t i = 0; i < history->process_count; i++) {
        free(history->processes[i].events);
    }
    free(history->processes);
    free(history->events);
    free(history->commands);
    free(history->faults);
    free(history->contradictions);
    free(history->problems);
    names_free(&history->texts);
    names_free(&history->uuids);
    names_free(&history->process_names);
    *history = (struct history){0};
}
