/* Loss: is what clients were told is safe at every replica in the end? What nobody was told "ok" about may be anywhere:
 * that is judged as delivery, and does not count here. */
#include "common/lab/matrix_parts.h"
#include "common/memory.h"

#include <stdlib.h>

/* By process: the highest seq up to which it has installed a state; -1 if it never has. */
static int64_t *find_installed(const struct history *history)
{
    int64_t *installed = memory_new(history->process_count * sizeof *installed);

    for (uint32_t p = 0; p < history->process_count; p++) {
        installed[p] = -1;
    }
    for (size_t i = 0; i < history->store_count; i++) {
        const struct event *event = &history->events[history->stores[i].event];
        if (event->kind == EVENT_RECOVER && event->seq > installed[event->process]) {
            installed[event->process] = event->seq;
        }
    }
    return installed;
}

/* By process and command: has it delivered it, in any of its lives? */
static bool *find_delivered(const struct history *history)
{
    bool *delivered = memory_new_zeroed(history->process_count * history->command_count, sizeof *delivered);

    for (size_t e = 0; e < history->event_count; e++) {
        const struct event *event = &history->events[e];
        if (event->kind == EVENT_DELIVER) {
            delivered[event->process * history->command_count + event->command] = true;
        }
    }
    return delivered;
}

/* Up in the end; who was killed for good owes nothing. */
static bool is_up(const struct history *history, uint32_t process)
{
    return history->processes[process].role == ROLE_REPLICA &&
           !history_last_incarnation(history, process)->crashed;
}

static bool is_promised(const struct history *history, const struct operation *operation)
{
    return operation->status == OPERATION_OK && history->commands[operation->command].type == COMMAND_SET;
}

struct loss loss_measure(const struct history *history)
{
    struct loss loss = {.operation = HISTORY_NONE};
    int64_t *installed = find_installed(history);
    bool *delivered = find_delivered(history);

    for (uint32_t p = 0; p < history->process_count; p++) {
        for (uint32_t i = 0; is_up(history, p) && i < history->operation_count; i++) {
            uint32_t number = history->operations[i].command;
            const struct command_record *command = &history->commands[number];
            bool covered = command->seq != LOG_RECORD_NO_NUMBER && command->seq <= installed[p];
            if (is_promised(history, &history->operations[i]) && !covered &&
                !delivered[p * history->command_count + number] && loss.count++ == 0) {
                loss.operation = i;
                loss.process = p;
            }
        }
    }
    free(installed);
    free(delivered);
    return loss;
}
