/* How clients fared: how many of their operations ended how, and how long those took that were done. */
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
    free(latencies);
}
