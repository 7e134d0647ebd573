/* What every check looks at: who delivered what, life by life, as the how-many-th command. */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* The range of commands that a life delivered, and how often it delivered at all. */
static size_t measure(const struct history *history, struct life *life)
{
    const struct incarnation *incarnation = life->incarnation;
    const struct process *process = &history->processes[incarnation->process];
    uint32_t last_command = 0;
    size_t count = 0;

    life->first_command = UINT32_MAX;
    for (size_t i = incarnation->first; i < incarnation->end; i++) {
        const struct event *event = &history->events[process->events[i]];
        if (event->kind == EVENT_DELIVER) {
            life->first_command = event->command < life->first_command ? event->command : life->first_command;
            last_command = event->command > last_command ? event->command : last_command;
            count++;
        }
    }
    life->span = count > 0 ? last_command - life->first_command + 1 : 0;
    return count;
}

static void line_up(struct judging *judging, struct life *life)
{
    const struct history *history = judging->history;
    const struct incarnation *incarnation = life->incarnation;
    const struct process *process = &history->processes[incarnation->process];

    life->sequence = memory_new(measure(history, life) * sizeof *life->sequence);
    life->positions = memory_new_zeroed(life->span, sizeof *life->positions);
    for (size_t i = incarnation->first; i < incarnation->end; i++) {
        uint32_t number = process->events[i];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_DELIVER && life_position(life, event->command) == NOT_DELIVERED) {
            life->sequence[life->length++] = number;
            life->positions[event->command - life->first_command] = life->length;
            if (judging->delivered[event->command] == HISTORY_NONE) {
                judging->delivered[event->command] = number;
            }
        }
    }
}

static int compare_numbered(const void *a, const void *b)
{
    const struct numbered *first = a;
    const struct numbered *second = b;

    if (first->seq != second->seq) {
        return first->seq < second->seq ? -1 : 1;
    }
    return first->command < second->command ? -1 : first->command > second->command;
}

static void sort_numbered(struct judging *judging)
{
    const struct history *history = judging->history;

    judging->numbered = memory_new(history->command_count * sizeof *judging->numbered);
    for (uint32_t c = 0; c < history->command_count; c++) {
        if (history->commands[c].seq_event != HISTORY_NONE) {
            judging->numbered[judging->numbered_count++] = (struct numbered){history->commands[c].seq, c};
        }
    }
    qsort(judging->numbered, judging->numbered_count, sizeof *judging->numbered, compare_numbered);
}

void judging_line_up(struct judging *judging)
{
    const struct history *history = judging->history;

    judging->lives = memory_new_zeroed(history->incarnation_count, sizeof *judging->lives);
    judging->delivered = memory_new(history->command_count * sizeof *judging->delivered);
    memset(judging->delivered, 0xFF, history->command_count * sizeof *judging->delivered); /* HISTORY_NONE */
    for (size_t i = 0; i < history->incarnation_count; i++) {
        judging->lives[i].incarnation = &history->incarnations[i];
        line_up(judging, &judging->lives[i]);
    }
    sort_numbered(judging);
}

void judging_free(struct judging *judging)
{
    for (size_t i = 0; i < judging->history->incarnation_count; i++) {
        free(judging->lives[i].sequence);
        free(judging->lives[i].positions);
    }
    free(judging->lives);
    free(judging->delivered);
    free(judging->numbered);
}

uint32_t judging_delivery(const struct judging *judging, uint32_t process, uint32_t command)
{
    const struct process *log = &judging->history->processes[process];

    for (uint32_t i = 0; i < log->incarnation_count; i++) {
        const struct life *life = &judging->lives[log->first_incarnation + i];
        uint32_t position = life_position(life, command);
        if (position != NOT_DELIVERED) {
            return life_event(life, position);
        }
    }
    return HISTORY_NONE;
}

int64_t judging_installed(const struct judging *judging, uint32_t process)
{
    const struct history *history = judging->history;
    int64_t highest = -1;

    for (size_t i = 0; i < history->store_count; i++) {
        const struct event *event = &history->events[history->stores[i].event];
        if (event->kind == EVENT_RECOVER && event->process == process) {
            highest = event->seq > highest ? event->seq : highest;
        }
    }
    return highest;
}

bool judging_is_correct(const struct judging *judging, uint32_t process)
{
    const struct history *history = judging->history;
    const struct process *log = &history->processes[process];
    const struct incarnation *last = history_last_incarnation(history, process);
    bool ready = false;

    for (uint32_t i = 0; i < log->incarnation_count; i++) {
        ready |= history->incarnations[log->first_incarnation + i].ready_us != INT64_MAX;
    }
    return log->role == ROLE_REPLICA && !log->cut && log->starts > 0 && ready && !last->crashed;
}

static uint64_t merge(const uint32_t *left, size_t left_count, const uint32_t *right, size_t right_count,
                      uint32_t *out)
{
    uint64_t inversions = 0;
    size_t l = 0;
    size_t r = 0;

    while (l < left_count || r < right_count) {
        bool take_left = r == right_count || (l < left_count && left[l] <= right[r]);
        if (take_left) {
            *out++ = left[l++];
        } else {
            *out++ = right[r++];
            inversions += left_count - l; /* all that is left on the left is greater */
        }
    }
    return inversions;
}

uint64_t count_inversions(uint32_t *values, uint32_t *scratch, size_t count)
{
    uint64_t inversions = 0;

    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start + width < count; start += 2 * width) {
            size_t right_count = count - start - width < width ? count - start - width : width;
            inversions += merge(values + start, width, values + start + width, right_count, scratch);
            memcpy(values + start, scratch, (width + right_count) * sizeof *values);
        }
    }
    return inversions;
}
