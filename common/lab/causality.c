#include "common/lab/causality.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* One process while its log is replayed: an event waits until what it depends on has been replayed. */
struct replay {
    size_t next;             /* of its events */
    uint32_t *knows;         /* by column: how many of the process's commands */
    uint32_t waiting_behind; /* the next process that waits for the same command, HISTORY_NONE at the end */
};

struct replaying {
    struct causality *causality;
    struct replay *processes;
    uint32_t *waiting_for; /* by command: the first process that waits until it is sent */
    uint32_t *setters;     /* by value: the SET that gave it; HISTORY_NONE if none did, or several */
    bool *sent;            /* by command */
    uint32_t *ready;       /* a stack of processes that can go on */
    size_t ready_count;
};

static uint32_t *known_row(const struct causality *causality, uint32_t command)
{
    return causality->known + (size_t)command * causality->column_count;
}

static void take_maximum(uint32_t *into, const uint32_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        into[i] = from[i] > into[i] ? from[i] : into[i];
    }
}

static void replay_send(struct replaying *replaying, uint32_t process, uint32_t command)
{
    const struct causality *causality = replaying->causality;
    const struct history *history = causality->history;
    struct replay *replay = &replaying->processes[process];

    memcpy(known_row(causality, command), replay->knows, causality->column_count * sizeof *replay->knows);
    replay->knows[causality->columns[process]] = history->commands[command].send_index;
    replaying->sent[command] = true;
    for (uint32_t p = replaying->waiting_for[command]; p != HISTORY_NONE;) {
        uint32_t behind = replaying->processes[p].waiting_behind;
        replaying->ready[replaying->ready_count++] = p;
        p = behind;
    }
    replaying->waiting_for[command] = HISTORY_NONE;
}

static void replay_delivery(struct replaying *replaying, uint32_t process, uint32_t command)
{
    const struct causality *causality = replaying->causality;
    const struct command_record *record = &causality->history->commands[command];
    uint32_t *knows = replaying->processes[process].knows;

    take_maximum(knows, known_row(causality, command), causality->column_count);
    if (record->send_index > 0) {
        uint32_t *of_sender = &knows[causality->columns[record->sender_process]];
        *of_sender = record->send_index > *of_sender ? record->send_index : *of_sender;
    }
}

/* It has forgotten everything, but what it sent before still came first. */
static void replay_start(struct replaying *replaying, uint32_t process)
{
    const struct causality *causality = replaying->causality;
    uint32_t *knows = replaying->processes[process].knows;
    uint32_t own = causality->columns[process];
    uint32_t sent = own != HISTORY_NONE ? knows[own] : 0;

    memset(knows, 0, causality->column_count * sizeof *knows);
    if (own != HISTORY_NONE) {
        knows[own] = sent;
    }
}

/* ---- what an event makes known ---- */

static void find_setters(struct replaying *replaying)
{
    const struct history *history = replaying->causality->history;
    bool *several = memory_new_zeroed(history->texts.count, sizeof *several);

    replaying->setters = memory_new(history->texts.count * sizeof *replaying->setters);
    memset(replaying->setters, 0xFF, history->texts.count * sizeof *replaying->setters); /* HISTORY_NONE */
    for (uint32_t c = 0; c < history->command_count; c++) {
        const struct command_record *command = &history->commands[c];
        if (command->type == COMMAND_SET && command->value != NAMES_NONE) {
            several[command->value] |= replaying->setters[command->value] != HISTORY_NONE;
            replaying->setters[command->value] = several[command->value] ? HISTORY_NONE : c;
        }
    }
    free(several);
}

/* The SET whose value a client was told; HISTORY_NONE if that was no read, or does not tell. */
static uint32_t command_read(const struct replaying *replaying, const struct event *event)
{
    const struct history *history = replaying->causality->history;
    const struct command_record *asked = &history->commands[event->command];
    const struct operation *operation =
        asked->operation != HISTORY_NONE ? &history->operations[asked->operation] : NULL;

    if (asked->type != COMMAND_GET || operation == NULL || operation->value == NAMES_NONE) {
        return HISTORY_NONE;
    }
    uint32_t setter = replaying->setters[operation->value];
    return setter != HISTORY_NONE && history->commands[setter].key == asked->key ? setter : HISTORY_NONE;
}

/* The command that the process knows of after that event; HISTORY_NONE if it is none that anybody sent. */
static uint32_t command_learnt(const struct replaying *replaying, const struct event *event)
{
    uint32_t command = HISTORY_NONE;

    if (event->kind == EVENT_DELIVER) {
        command = event->command;
    } else if (event->kind == EVENT_COMPLETE && event->command != HISTORY_NONE) {
        command = command_read(replaying, event);
    }
    return command;
}

/* ---- one process ---- */

/* Goes on with one process until its log ends, or until it delivers what is not sent yet. */
static void replay_process(struct replaying *replaying, uint32_t process)
{
    const struct history *history = replaying->causality->history;
    const struct command_record *commands = history->commands;
    const struct process *log = &history->processes[process];
    struct replay *replay = &replaying->processes[process];

    for (; replay->next < log->event_count; replay->next++) {
        uint32_t number = log->events[replay->next];
        const struct event *event = &history->events[number];
        uint32_t learnt = command_learnt(replaying, event);
        if (event->command != HISTORY_NONE && commands[event->command].send_event == number) {
            replay_send(replaying, process, event->command);
        } else if (learnt != HISTORY_NONE) {
            if (commands[learnt].send_event != HISTORY_NONE && !replaying->sent[learnt]) {
                replay->waiting_behind = replaying->waiting_for[learnt];
                replaying->waiting_for[learnt] = process;
                return;
            }
            replay_delivery(replaying, process, learnt);
        } else if (event->kind == EVENT_START) {
            replay_start(replaying, process);
        }
    }
}

/* Logs that contradict each other can wait in a circle. One of them then goes on as if the command had been sent. */
static bool break_circle(struct replaying *replaying)
{
    const struct history *history = replaying->causality->history;

    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct replay *replay = &replaying->processes[p];
        if (replay->next < history->processes[p].event_count) {
            const struct event *event = &history->events[history->processes[p].events[replay->next]];
            uint32_t command = command_learnt(replaying, event);
            for (uint32_t w = replaying->waiting_for[command]; w != HISTORY_NONE;
                 w = replaying->processes[w].waiting_behind) {
                replaying->ready[replaying->ready_count++] = w;
            }
            replaying->waiting_for[command] = HISTORY_NONE;
            replaying->sent[command] = true;
            return true;
        }
    }
    return false;
}

static void list_commands_by_sender(struct causality *causality)
{
    const struct history *history = causality->history;

    causality->columns = memory_new(history->process_count * sizeof *causality->columns);
    for (size_t p = 0; p < history->process_count; p++) {
        bool sends = history->processes[p].send_count > 0;
        causality->columns[p] = sends ? (uint32_t)causality->column_count++ : HISTORY_NONE;
    }
    causality->sent_by = memory_new_zeroed(history->process_count, sizeof *causality->sent_by);
    for (size_t p = 0; p < history->process_count; p++) {
        size_t size = (history->processes[p].send_count + 1) * sizeof(uint32_t);
        causality->sent_by[p] = memory_new(size);
    }
    for (uint32_t c = 0; c < history->command_count; c++) {
        const struct command_record *command = &history->commands[c];
        if (command->send_event != HISTORY_NONE) {
            uint32_t process = history->events[command->send_event].process;
            causality->sent_by[process][command->send_index] = c;
        }
    }
}

void causality_init(struct causality *causality, const struct history *history)
{
    size_t processes = history->process_count;
    struct replaying replaying = {.causality = causality};

    *causality = (struct causality){.history = history};
    list_commands_by_sender(causality);
    causality->known =
        memory_new_zeroed(history->command_count * causality->column_count, sizeof *causality->known);
    replaying.processes = memory_new_zeroed(processes, sizeof *replaying.processes);
    replaying.sent = memory_new_zeroed(history->command_count, sizeof *replaying.sent);
    replaying.ready = memory_new(processes * sizeof *replaying.ready);
    replaying.waiting_for = memory_new(history->command_count * sizeof *replaying.waiting_for);
    find_setters(&replaying);
    memset(replaying.waiting_for, 0xFF, history->command_count * sizeof *replaying.waiting_for);
    for (uint32_t p = 0; p < processes; p++) {
        replaying.processes[p].knows = memory_new_zeroed(causality->column_count, sizeof(uint32_t));
        replaying.ready[replaying.ready_count++] = p;
    }
    do {
        while (replaying.ready_count > 0) {
            replay_process(&replaying, replaying.ready[--replaying.ready_count]);
        }
    } while (break_circle(&replaying));
    for (size_t p = 0; p < processes; p++) {
        free(replaying.processes[p].knows);
    }
    free(replaying.processes);
    free(replaying.sent);
    free(replaying.ready);
    free(replaying.waiting_for);
    free(replaying.setters);
}

void causality_free(struct causality *causality)
{
    for (size_t p = 0; p < causality->history->process_count; p++) {
        free(causality->sent_by[p]);
    }
    free(causality->sent_by);
    free(causality->columns);
    free(causality->known);
}

uint32_t causality_known(const struct causality *causality, uint32_t command, uint32_t sender)
{
    return known_row(causality, command)[causality->columns[sender]];
}
