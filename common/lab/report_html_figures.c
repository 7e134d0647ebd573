/* The figures of a run: how much happened when, what the replicas ended with, where their orders part, how long things
 * took, and how many messages they cost. Members of the JSON object that report_html_head.c writes. */
#include "common/json.h"
#include "common/lab/report_html_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define OVERVIEW_BINS      1200
#define OVERVIEW_NUMBERS   120000 /* bins of all processes together */
#define OVERVIEW_BINS_FEW  60
#define COLUMNS_SHOWN      200
#define LATENCY_LONGEST_US 100000000

static void add_list_start(struct buffer *out, const char *name)
{
    html_add_name(out, name);
    buffer_add_char(out, '[');
}

static void add_item(struct buffer *out, int64_t number)
{
    if (out->bytes[out->length - 1] != '[') {
        buffer_add_char(out, ',');
    }
    buffer_add_int(out, number);
}

/* ---- how much happened when ---- */

static void write_overview(const struct html_run *run, struct buffer *out)
{
    const struct history *history = run->history;
    size_t processes = history->process_count;
    size_t bins = processes * OVERVIEW_BINS <= OVERVIEW_NUMBERS ? OVERVIEW_BINS : OVERVIEW_BINS_FEW;
    uint32_t *counts = memory_new_zeroed(processes * bins, sizeof *counts);
    double width = (double)(run->end_us - run->start_us) + 1;

    for (size_t i = 0; i < history->event_count; i++) {
        const struct event *event = &history->events[i];
        size_t bin = (size_t)((double)(event->wall_us - run->start_us) / width * (double)bins);
        counts[event->process * bins + (bin < bins ? bin : bins - 1)]++;
    }
    add_list_start(out, "overview");
    for (size_t p = 0; p < processes; p++) {
        buffer_add_string(out, p > 0 ? ",[" : "[");
        for (size_t bin = 0; bin < bins; bin++) {
            add_item(out, counts[p * bins + bin]);
        }
        buffer_add_char(out, ']');
    }
    buffer_add_char(out, ']');
    free(counts);
}

/* Where each block begins and ends in time, and which places of each column it holds: what to load for what is shown. */
static void write_blocks(const struct html_run *run, struct buffer *out)
{
    const struct history *history = run->history;

    add_list_start(out, "blocks");
    for (size_t first = 0; first < history->event_count; first += BLOCK_EVENTS) {
        size_t end =
            first + BLOCK_EVENTS < history->event_count ? first + BLOCK_EVENTS : history->event_count;
        uint32_t lowest = UINT32_MAX;
        uint32_t highest = 0;
        for (size_t rank = first; rank < end; rank++) {
            uint32_t place = run->drawn[run->order[rank]].place;
            lowest = place > 0 && place < lowest ? place : lowest;
            highest = place > highest ? place : highest;
        }
        buffer_add_string(out, first > 0 ? ",[" : "[");
        add_item(out, history->events[run->order[first]].wall_us - run->start_us);
        add_item(out, history->events[run->order[end - 1]].wall_us - run->start_us);
        add_item(out, lowest);
        add_item(out, highest);
        buffer_add_char(out, ']');
    }
    buffer_add_char(out, ']');
}

/* ---- the states in the end ---- */

static void write_keys(const struct html_run *run, const char *name, const struct difference *keys,
                       size_t count, struct buffer *out)
{
    const struct history *history = run->history;

    add_list_start(out, name);
    for (size_t i = 0; i < count && i < KEYS_SHOWN; i++) {
        struct text key = names_text(&history->texts, keys[i].key);
        key.length = html_shown_length(key, TEXT_SHOWN);
        buffer_add_string(out, i > 0 ? ",[" : "[");
        json_write_string(out, key);
        for (size_t r = 0; r < run->report->judgement->replica_count; r++) {
            uint32_t event = keys[i].last_set[r];
            buffer_add_char(out, ',');
            if (event == HISTORY_NONE) {
                buffer_add_string(out, "null");
                continue;
            }
            struct text value =
                names_text(&history->texts, history->commands[history->events[event].command].value);
            value.length = html_shown_length(value, TEXT_SHOWN);
            buffer_add_char(out, '[');
            json_write_string(out, value);
            buffer_add_format(out, ",%" PRIu32 "]", run->rank[event]);
        }
        buffer_add_char(out, ']');
    }
    buffer_add_char(out, ']');
}

static void write_states(const struct html_run *run, struct buffer *out)
{
    const struct judgement *judgement = run->report->judgement;

    add_list_start(out, "replicas");
    for (size_t r = 0; r < judgement->replica_count; r++) {
        add_item(out, judgement->replicas[r]);
    }
    buffer_add_char(out, ']');
    write_keys(run, "differing", judgement->differences, judgement->difference_count, out);
    write_keys(run, "agreed", judgement->agreements, judgement->agreement_count, out);
    html_add_name(out, "keys");
    buffer_add_format(out, "[%zu,%zu]", judgement->difference_count, judgement->agreement_count);
}

/* ---- the orders of delivery ---- */

/* Places count from one beginning: in first lives, and where numbers tell how much came before. */
static bool is_comparable(const struct html_run *run, size_t life)
{
    return run->columns[life].count > 0 &&
           (run->history->incarnations[life].number == 1 || run->columns[life].numbered);
}

/* Places only grow. */
static uint32_t last_place(const struct order_column *column)
{
    return column->count > 0 ? column->places[column->count - 1] : 0;
}

/* The first place, from 1, at which one column differs from another; 0 if there is none. */
static uint32_t find_parting(const struct html_run *run)
{
    uint32_t last = 0;

    for (size_t i = 0; i < run->history->incarnation_count; i++) {
        uint32_t end = last_place(&run->columns[i]);
        last = is_comparable(run, i) && end > last ? end : last;
    }
    uint32_t *first_at = memory_new((size_t)last * sizeof *first_at); /* by place: a command; HISTORY_NONE */
    uint32_t parting = last + 1;
    for (uint32_t place = 0; place < last; place++) {
        first_at[place] = HISTORY_NONE;
    }
    for (size_t i = 0; i < run->history->incarnation_count; i++) {
        const struct order_column *column = &run->columns[i];
        for (uint32_t k = 0; is_comparable(run, i) && k < column->count; k++) {
            uint32_t place = column->places[k];
            uint32_t *known = &first_at[place - 1];
            if (*known == HISTORY_NONE) {
                *known = column->commands[k];
            } else if (*known != column->commands[k] && place < parting) {
                parting = place;
            }
        }
    }
    free(first_at);
    return parting <= last ? parting : 0;
}

static void write_orders(const struct html_run *run, struct buffer *out)
{
    size_t shown = 0;

    html_add_name(out, "parting");
    buffer_add_int(out, find_parting(run));
    add_list_start(out, "columns");
    for (size_t i = 0; i < run->history->incarnation_count && shown < COLUMNS_SHOWN; i++) {
        const struct incarnation *life = &run->history->incarnations[i];
        if (run->history->processes[life->process].role == ROLE_REPLICA && run->columns[i].count > 0) {
            buffer_add_string(out, shown++ > 0 ? ",[" : "[");
            add_item(out, (int64_t)i);
            add_item(out, life->process);
            add_item(out, life->number);
            add_item(out, last_place(&run->columns[i]));
            buffer_add_char(out, ']');
        }
    }
    buffer_add_char(out, ']');
}

/* ---- latency ---- */

struct latencies {
    uint32_t bins[LATENCY_BINS]; /* of equal width in the logarithm, from 1 us */
    uint64_t count;
    int64_t highest_us;
};

static void add_latency(struct latencies *latencies, int64_t us)
{
    double at = us > 1 ? log10((double)us) * LATENCY_BINS / LATENCY_DECADES : 0;
    size_t bin = at < LATENCY_BINS ? (size_t)at : LATENCY_BINS - 1;

    latencies->bins[bin]++;
    latencies->count++;
    latencies->highest_us = us > latencies->highest_us ? us : latencies->highest_us;
}

/* The bins that hold anything, each with its number. */
static void write_latencies(const struct latencies *latencies, const char *name, struct buffer *out)
{
    html_add_name(out, name);
    buffer_add_format(out, "{\"count\":%" PRIu64 ",\"highest\":%" PRId64, latencies->count,
                      latencies->highest_us);
    add_list_start(out, "bins");
    for (size_t bin = 0; bin < LATENCY_BINS; bin++) {
        if (latencies->bins[bin] > 0) {
            buffer_add_string(out, out->bytes[out->length - 1] == '[' ? "[" : ",[");
            add_item(out, (int64_t)bin);
            add_item(out, latencies->bins[bin]);
            buffer_add_char(out, ']');
        }
    }
    buffer_add_string(out, "]}");
}

static void write_all_latencies(const struct html_run *run, struct buffer *out)
{
    const struct history *history = run->history;
    struct latencies *answers = memory_new_zeroed(1, sizeof *answers);
    struct latencies *deliveries = memory_new_zeroed(1, sizeof *deliveries);

    for (size_t i = 0; i < history->operation_count; i++) {
        const struct operation *operation = &history->operations[i];
        if (operation->status == OPERATION_OK && operation->latency_us >= 0 &&
            operation->complete != HISTORY_NONE) {
            add_latency(answers, operation->latency_us);
        }
    }
    for (size_t i = 0; i < history->event_count; i++) {
        const struct event *event = &history->events[i];
        if (event->kind == EVENT_DELIVER && history->commands[event->command].send_event != HISTORY_NONE) {
            int64_t us =
                event->wall_us - history->events[history->commands[event->command].send_event].wall_us;
            add_latency(deliveries, us > 0 ? us : 0); /* clocks of two machines may disagree */
        }
    }
    write_latencies(answers, "answers", out);
    write_latencies(deliveries, "arrivals", out);
    free(answers);
    free(deliveries);
}

/* ---- messages ---- */

/* What was sent and what came, by the kind of process that tells of it, without the lab. */
static void write_traffic(const struct html_run *run, struct buffer *out)
{
    static const char *const names[] = {"replicas", "coordinators", "clients"};
    const struct history *history = run->history;
    uint64_t counts[3][EVENT_KIND_COUNT] = {0};
    uint64_t lost = 0;
    uint64_t repeated = 0;

    for (size_t i = 0; i < history->event_count; i++) {
        const struct event *event = &history->events[i];
        enum process_role role = history->processes[event->process].role;
        if (role != ROLE_LAB) {
            counts[role][event->kind]++;
        }
        lost += run->drawn[i].lost;
        repeated += run->drawn[i].repeated;
    }
    html_add_name(out, "traffic");
    buffer_add_format(out, "{\"lost\":%" PRIu64 ",\"repeated\":%" PRIu64, lost, repeated);
    for (size_t role = 0; role < 3; role++) {
        add_list_start(out, names[role]);
        for (size_t kind = 0; kind < EVENT_KIND_COUNT; kind++) {
            add_item(out, (int64_t)counts[role][kind]);
        }
        buffer_add_char(out, ']');
    }
    buffer_add_char(out, '}');
}

void html_run_write_figures(const struct html_run *run, struct buffer *out)
{
    write_overview(run, out);
    write_blocks(run, out);
    write_states(run, out);
    write_orders(run, out);
    write_all_latencies(run, out);
    write_traffic(run, out);
}
