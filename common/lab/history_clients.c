/* What clients asked for, and how it ended. */
#include "common/lab/history_parts.h"
#include "common/memory.h"
#include "common/words.h"

#include <inttypes.h>

static void client_problem(struct history *history, uint32_t event, const char *what)
{
    const struct event *line = &history->events[event];
    struct text name = history_process_name(history, line->process);

    history->operations_unclear = true;
    history_add_problem(history, line->process, false, "%.*s's line %" PRIu32 " %s", (int)name.length,
                        name.bytes, line->place.number, _(what));
}

void history_add_invocation(struct history *history, uint32_t command, uint32_t event)
{
    if (history->commands[command].operation != HISTORY_NONE) {
        client_problem(history, event, N_("asks for a command that was asked for before"));
        return;
    }
    history->commands[command].operation = (uint32_t)history->operation_count;
    history->operations = memory_grow(history->operations, &history->operation_capacity,
                                      history->operation_count + 1, sizeof *history->operations);
    history->operations[history->operation_count++] =
        (struct operation){.client = history->events[event].process,
                           .command = command,
                           .invoke = event,
                           .complete = HISTORY_NONE,
                           .status = OPERATION_UNKNOWN,
                           .value = NAMES_NONE,
                           .latency_us = LOG_RECORD_NO_NUMBER};
}

static enum operation_status status_of(struct text name)
{
    if (text_equal(name, text_of("ok"))) {
        return OPERATION_OK;
    }
    return text_equal(name, text_of("error")) ? OPERATION_ERROR : OPERATION_UNKNOWN;
}

void history_add_completion(struct history *history, const struct log_record *record, uint32_t command,
                            uint32_t event)
{
    uint32_t number = command != HISTORY_NONE ? history->commands[command].operation : HISTORY_NONE;
    struct operation *operation = number != HISTORY_NONE ? &history->operations[number] : NULL;

    if (operation == NULL || operation->client != history->events[event].process ||
        operation->complete != HISTORY_NONE) {
        client_problem(history, event, N_("ends what was not asked for, or has ended before"));
        return;
    }
    operation->complete = event;
    operation->status = status_of(record->status);
    operation->latency_us = record->latency_us;
    if (record->value.bytes != NULL) {
        operation->value = names_number(&history->texts, record->value);
    }
}
