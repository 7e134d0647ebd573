#include "common/lab/history.h"

#include "common/lab/history_parts.h"
#include "common/memory.h"

#include <stdlib.h>

/* ---- who sent what ---- */

/* What a node takes from a client it sends in its own name; a coordinator that passes it on is not its sender. */
static bool is_better_sender(const struct history *history, uint32_t event, uint32_t than)
{
    const struct event *send = &history->events[event];
    const struct command_record *command = &history->commands[send->command];

    if (history->processes[send->process].role == ROLE_COORDINATOR) {
        return false;
    }
    if (than == HISTORY_NONE) {
        return true;
    }
    return history->processes[send->process].name == command->sender &&
           history->processes[history->events[than].process].name != command->sender;
}

/* The send that gave it its place, or would: with its number; else a coordinator's, who may not know the number yet. */
static void note_number(struct history *history, uint32_t number)
{
    const struct event *event = &history->events[number];
    struct command_record *command = &history->commands[event->command];
    bool coordinates = history->processes[event->process].role == ROLE_COORDINATOR;

    if ((event->seq != LOG_RECORD_NO_NUMBER || coordinates) && command->number_event == HISTORY_NONE) {
        command->number_event = number;
    }
}

/* A client that gives a command in its own name, and not in that of the node it asks, is its sender: it asks whoever
 * answers, and nobody of them makes the command its own. */
static void note_client(struct history *history, const struct operation *operation)
{
    struct command_record *command = &history->commands[operation->command];

    if (command->send_event == HISTORY_NONE &&
        history->processes[operation->client].name == command->sender) {
        command->send_event = operation->invoke;
    }
}

/* A command is sent once: what repeats it says nothing new. */
static void find_sends(struct history *history)
{
    for (uint32_t number = 0; number < history->event_count; number++) {
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_SEND) {
            struct command_record *command = &history->commands[event->command];
            if (is_better_sender(history, number, command->send_event)) {
                command->send_event = number;
            }
            note_number(history, number);
        }
    }
    for (size_t i = 0; i < history->operation_count; i++) {
        note_client(history, &history->operations[i]);
    }
    for (uint32_t number = 0; number < history->event_count; number++) {
        const struct event *event = &history->events[number];
        if (event->command != HISTORY_NONE && history->commands[event->command].send_event == number) {
            history->commands[event->command].send_index = ++history->processes[event->process].send_count;
        }
    }
}

static void find_senders(struct history *history)
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
}

void history_complete(struct history *history)
{
    find_sends(history);
    find_senders(history);
    history_tell_incarnations(history);
    history_check_whole(history);
}

/* ---- looking things up ---- */

bool history_is_restart(const struct history *history, const struct log_record *record)
{
    uint32_t process = names_find(&history->process_names, record->node);

    return process != NAMES_NONE && history->processes[process].starts > 0 &&
           text_equal(record->event, text_of(event_kind_name(EVENT_START)));
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

/* Lists of what single lines tell are in the order of their events, with which each record begins. */
static int compare_event(const void *wanted, const void *record)
{
    uint32_t a = *(const uint32_t *)wanted;
    uint32_t b = *(const uint32_t *)record;

    return (a > b) - (a < b);
}

const struct store_record *history_find_store(const struct history *history, uint32_t event)
{
    return history->store_count == 0 ? NULL /* bsearch() wants an array, however short */
                                     : bsearch(&event, history->stores, history->store_count,
                                               sizeof *history->stores, compare_event);
}

const struct intervention *history_find_intervention(const struct history *history, uint32_t event)
{
    return history->intervention_count == 0
               ? NULL
               : bsearch(&event, history->interventions, history->intervention_count,
                         sizeof *history->interventions, compare_event);
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
    free(history->incarnations);
    free(history->operations);
    free(history->interventions);
    free(history->stores);
    free(history->contradictions);
    free(history->renumberings);
    free(history->tears);
    free(history->talk);
    free(history->clocks);
    free(history->reigns);
    names_free(&history->messages);
    free(history->problems);
    names_free(&history->texts);
    names_free(&history->uuids);
    names_free(&history->process_names);
    *history = (struct history){0};
}
