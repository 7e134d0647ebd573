/* How clients fared: how many of their operations ended how, how long those took that were done, and for how long nobody
 * was answered. */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <stdlib.h>

static int compare_latencies(const void *a, const void *b)
{
    const int64_t *first = a;
    const int64_t *second = b;
    return *first < *second ? -1 : *first > *second;
}

/* The smallest that at least so many of a hundred do not exceed. */
static int64_t percentile(const int64_t *sorted, size_t count, size_t percent)
{
    return count > 0 ? sorted[(count * percent + 99) / 100 - 1] : -1;
}

/* ---- the time without service ---- */

static bool is_answer(const struct history *history, const struct event *event)
{
    const struct operation *operation = event->kind == EVENT_COMPLETE && event->command != HISTORY_NONE
                                            ? history_operation_of(history, event->command)
                                            : NULL;
    return operation != NULL && operation->status == OPERATION_OK;
}

static void lengthen(struct silence *silence, int64_t us, uint32_t before, uint32_t after)
{
    if (us > silence->longest_us) {
        *silence = (struct silence){us, before, after};
    }
}

struct silence history_find_silence(const struct history *history, int64_t from_us, int64_t to_us)
{
    struct silence silence = {-1, HISTORY_NONE, HISTORY_NONE};
    int64_t last_us = from_us;
    uint32_t last = HISTORY_NONE;

    if (history->operations_unclear) {
        return silence;
    }
    for (uint32_t number = 0; number < history->event_count; number++) {
        const struct event *event = &history->events[number];
        if (!is_answer(history, event) || event->wall_us > to_us) {
            continue;
        }
        if (event->wall_us >= from_us) {
            lengthen(&silence, event->wall_us - last_us, last, number);
            last_us = event->wall_us;
        }
        last = number;
    }
    lengthen(&silence, to_us - last_us, last, HISTORY_NONE);
    return silence;
}

static int64_t first_intervention_us(const struct history *history)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < history->intervention_count; i++) {
        int64_t here = history->events[history->interventions[i].event].wall_us;
        first = here < first ? here : first;
    }
    return first;
}

static int64_t last_completion_us(const struct history *history)
{
    int64_t last = INT64_MIN;

    for (size_t i = 0; i < history->operation_count; i++) {
        uint32_t complete = history->operations[i].complete;
        if (complete != HISTORY_NONE && history->events[complete].wall_us > last) {
            last = history->events[complete].wall_us;
        }
    }
    return last;
}

/* What comes after the last completion is nobody's silence: nobody asks any more. */
static struct silence find_silence(const struct history *history)
{
    int64_t from_us = first_intervention_us(history);
    int64_t to_us = last_completion_us(history);

    return from_us < to_us ? history_find_silence(history, from_us, to_us)
                           : (struct silence){-1, HISTORY_NONE, HISTORY_NONE};
}

void judge_clients(struct judging *judging)
{
    const struct history *history = judging->history;
    struct clients_summary *clients = &judging->judgement->clients;
    int64_t *latencies = memory_new(history->operation_count * sizeof *latencies);
    size_t count = 0;

    for (size_t i = 0; i < history->operation_count; i++) {
        const struct operation *operation = &history->operations[i];
        clients->operations++;
        clients->ok += operation->status == OPERATION_OK;
        clients->errors += operation->status == OPERATION_ERROR;
        clients->unknown += operation->status == OPERATION_UNKNOWN;
        if (operation->status == OPERATION_OK && operation->latency_us != LOG_RECORD_NO_NUMBER) {
            latencies[count++] = operation->latency_us;
        }
    }
    qsort(latencies, count, sizeof *latencies, compare_latencies);
    clients->p50_us = percentile(latencies, count, 50);
    clients->p99_us = percentile(latencies, count, 99);
    clients->silence = find_silence(history);
    free(latencies);
}
