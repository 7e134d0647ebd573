/* What a command costs: counted and timed in the logs of a run in which nothing was wrong.
 *
 * Messages are those that the network carried so that the command took effect everywhere, copies to each receiver
 * counted: every one that a node or a sequencer received, and where there is a broker every one that it was sent,
 * as it receives those. The processes of Paxos, which put many commands into one message, count them and say how many as
 * they stop: every call and every answer. What carries the call and its answer between a client and its node is not among them: there
 * parts do not differ. */
#include "common/lab/matrix_parts.h"
#include "common/lab/part_plan.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>

static bool has_broker(const struct history *history, uint32_t process)
{
    uint32_t part = history->processes[process].part;
    char name[32];

    if (part == NAMES_NONE) {
        return false;
    }
    struct text text = names_text(&history->texts, part);
    snprintf(name, sizeof name, "%.*s", (int)(text.length < sizeof name ? text.length : 0), text.bytes);
    const struct part_plan *plan = part_plan_find(name);
    return plan != NULL && plan->has_broker;
}

static double count_messages(const struct history *history)
{
    uint64_t messages = 0;
    uint64_t commands = 0;

    for (size_t e = 0; e < history->event_count; e++) {
        const struct event *event = &history->events[e];
        if (event->kind == EVENT_RECEIVE ||
            (event->kind == EVENT_SEND && has_broker(history, event->process))) {
            messages++;
        }
    }
    for (size_t i = 0; i < history->store_count; i++) {
        int64_t told = history->stores[i].messages;
        messages += told != LOG_RECORD_NO_NUMBER ? (uint64_t)told : 0;
    }
    for (size_t c = 0; c < history->command_count; c++) {
        commands += history->commands[c].send_event != HISTORY_NONE;
    }
    return commands > 0 ? (double)messages / (double)commands : -1;
}

/* ---- where nobody is told "ok": from the send to the delivery at its sender ---- */

static int compare_times(const void *a, const void *b)
{
    const int64_t *first = a;
    const int64_t *second = b;
    return *first < *second ? -1 : *first > *second;
}

struct span {
    int64_t first_us, last_us;
};

static void widen(struct span *span, int64_t from_us, int64_t to_us)
{
    span->first_us = from_us < span->first_us ? from_us : span->first_us;
    span->last_us = to_us > span->last_us ? to_us : span->last_us;
}

static double rate_of(const struct span *span, size_t count)
{
    return span->last_us > span->first_us ? (double)count * 1e6 / (double)(span->last_us - span->first_us)
                                          : -1;
}

static void time_typed(const struct history *history, struct matrix_price *price)
{
    int64_t *times = memory_new(history->event_count * sizeof *times);
    struct span span = {INT64_MAX, INT64_MIN};
    size_t count = 0;

    for (size_t e = 0; e < history->event_count; e++) {
        const struct event *event = &history->events[e];
        const struct command_record *command =
            event->kind == EVENT_DELIVER ? &history->commands[event->command] : NULL;
        if (command != NULL && command->send_event != HISTORY_NONE &&
            command->sender_process == event->process) {
            int64_t sent_us = history->events[command->send_event].wall_us;
            widen(&span, sent_us, event->wall_us);
            times[count++] = event->wall_us - sent_us;
        }
    }
    if (count > 0) {
        qsort(times, count, sizeof *times, compare_times);
        price->p50_us = times[(count * 50 + 99) / 100 - 1];
        price->p99_us = times[(count * 99 + 99) / 100 - 1];
        price->rate = rate_of(&span, count);
    }
    free(times);
}

/* ---- where clients are ---- */

static void time_operations(const struct history *history, const struct clients_summary *clients,
                            struct matrix_price *price)
{
    struct span span = {INT64_MAX, INT64_MIN};

    for (size_t i = 0; i < history->operation_count; i++) {
        const struct operation *operation = &history->operations[i];
        if (operation->status == OPERATION_OK && operation->complete != HISTORY_NONE) {
            widen(&span, history->events[operation->invoke].wall_us,
                  history->events[operation->complete].wall_us);
        }
    }
    price->p50_us = clients->p50_us;
    price->p99_us = clients->p99_us;
    price->rate = rate_of(&span, clients->ok);
}

struct matrix_price price_measure(const struct history *history, const struct clients_summary *clients)
{
    struct matrix_price price = {count_messages(history), -1, -1, -1};

    if (history->operation_count > 0) {
        time_operations(history, clients, &price);
    } else {
        time_typed(history, &price);
    }
    return price;
}
