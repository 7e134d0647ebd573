/* The store that a process ends with, worked out from its log: the state that it installed last, which is what all
 * commands up to that seq make, and then what it delivered one by one. */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <string.h>

static bool is_set(const struct history *history, uint32_t command)
{
    return history->commands[command].type == COMMAND_SET && history->commands[command].key != NAMES_NONE;
}

static void set_unless_later(const struct history *history, struct final_state *state, uint32_t command,
                             uint32_t event)
{
    if (!is_set(history, command)) {
        return;
    }
    uint32_t *last_set = &state->last_set[history->commands[command].key];
    if (*last_set == HISTORY_NONE) {
        *last_set = event;
        state->keys++;
    }
}

/* From the end of its last life back to its beginning, or to the state that it installed. */
static void go_back(const struct judging *judging, const struct incarnation *life, struct final_state *state)
{
    const struct history *history = judging->history;
    const struct process *process = &history->processes[life->process];

    for (size_t i = life->end; i > life->first; i--) {
        uint32_t number = process->events[i - 1];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_STOP) {
            state->keys_told = history_find_store(history, number)->keys;
        } else if (event->kind == EVENT_DELIVER) {
            set_unless_later(history, state, event->command, number);
        } else if (event->kind == EVENT_RECOVER && event->seq != LOG_RECORD_NO_NUMBER) {
            state->install = number;
            return;
        }
    }
}

/* What all commands up to `seq` make, under what came later. */
static void add_installed(const struct judging *judging, int64_t seq, struct final_state *state)
{
    int64_t wanted = seq;

    for (size_t i = judging->numbered_count; i > 0; i--) {
        const struct numbered *numbered = &judging->numbered[i - 1];
        if (numbered->seq > seq) {
            continue;
        }
        if (numbered->seq < wanted && state->unknown == 0) {
            state->unknown = wanted;
        }
        wanted = numbered->seq - 1;
        uint32_t delivery = judging->delivered[numbered->command];
        set_unless_later(judging->history, state, numbered->command,
                         delivery != HISTORY_NONE ? delivery
                                                  : judging->history->commands[numbered->command].seq_event);
    }
    if (state->unknown == 0 && wanted > 0) {
        state->unknown = wanted;
    }
}

void judging_final_state(const struct judging *judging, uint32_t process, struct final_state *state)
{
    const struct history *history = judging->history;
    const struct incarnation *life = history_last_incarnation(history, process);

    *state = (struct final_state){.last_set = memory_new(history->texts.count * sizeof *state->last_set),
                                  .install = HISTORY_NONE,
                                  .keys_told = LOG_RECORD_NO_NUMBER};
    memset(state->last_set, 0xFF, history->texts.count * sizeof *state->last_set); /* HISTORY_NONE */
    go_back(judging, life, state);
    if (state->install != HISTORY_NONE) {
        add_installed(judging, history->events[state->install].seq, state);
    }
}
