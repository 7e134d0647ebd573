/* The judge against itself done naively: on thousands of small runs each count must be what looking at every pair
 * gives, and convergence must be what the stores themselves say. */
#include "tests/sim/simulation.h"

#include "common/lab/judge.h"
#include "common/memory.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define RUNS 2000

/* The first delivery of each command at each process, in order. */
struct orders {
    uint32_t *commands[SIM_NODES_MAX];
    size_t count[SIM_NODES_MAX];
};

static void line_up(const struct history *history, struct orders *orders)
{
    for (size_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        bool *seen = memory_new_zeroed(history->command_count, sizeof *seen);
        orders->commands[p] = memory_new(process->event_count * sizeof(uint32_t));
        orders->count[p] = 0;
        for (size_t i = 0; i < process->event_count; i++) {
            const struct event *event = &history->events[process->events[i]];
            if (event->kind == EVENT_DELIVER && !seen[event->command]) {
                seen[event->command] = true;
                orders->commands[p][orders->count[p]++] = event->command;
            }
        }
        free(seen);
    }
}

static void forget_orders(const struct history *history, struct orders *orders)
{
    for (size_t p = 0; p < history->process_count; p++) {
        free(orders->commands[p]);
    }
}

static size_t place_of(const struct orders *orders, size_t process, uint32_t command)
{
    for (size_t i = 0; i < orders->count[process]; i++) {
        if (orders->commands[process][i] == command) {
            return i;
        }
    }
    return SIZE_MAX;
}

static uint64_t naive_total(const struct history *history, const struct orders *orders)
{
    uint64_t count = 0;

    for (size_t p = 0; p < history->process_count; p++) {
        for (size_t q = p + 1; q < history->process_count; q++) {
            for (size_t i = 0; i < orders->count[p]; i++) {
                for (size_t j = i + 1; j < orders->count[p]; j++) {
                    size_t a = place_of(orders, q, orders->commands[p][i]);
                    size_t b = place_of(orders, q, orders->commands[p][j]);
                    count += a != SIZE_MAX && b != SIZE_MAX && a > b;
                }
            }
        }
    }
    return count;
}

static uint64_t naive_fifo(const struct history *history, const struct orders *orders)
{
    uint64_t count = 0;

    for (size_t p = 0; p < history->process_count; p++) {
        for (size_t i = 0; i < orders->count[p]; i++) {
            for (size_t j = i + 1; j < orders->count[p]; j++) {
                const struct command_record *a = &history->commands[orders->commands[p][i]];
                const struct command_record *b = &history->commands[orders->commands[p][j]];
                count += a->sender == b->sender && a->send_event > b->send_event;
            }
        }
    }
    return count;
}

/* precedes[a][b]: straight from the definition, closed transitively. */
static bool *naive_precedes(const struct history *history)
{
    size_t n = history->command_count;
    bool *precedes = memory_new_zeroed(n * n, sizeof *precedes);

    for (size_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        for (size_t j = 0; j < process->event_count; j++) {
            const struct event *effect = &history->events[process->events[j]];
            for (size_t i = 0; effect->kind == EVENT_SEND && i < j; i++) {
                const struct event *cause = &history->events[process->events[i]];
                if ((cause->kind == EVENT_SEND || cause->kind == EVENT_DELIVER) &&
                    cause->command != effect->command) {
                    precedes[cause->command * n + effect->command] = true;
                }
            }
        }
    }
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; precedes[i * n + k] && j < n; j++) {
                precedes[i * n + j] |= precedes[k * n + j];
            }
        }
    }
    return precedes;
}

/* Deliveries that stand before something that precedes them, once for each sender of such a cause. */
static uint64_t naive_causal(const struct history *history, const struct orders *orders)
{
    size_t n = history->command_count;
    bool *precedes = naive_precedes(history);
    uint64_t count = 0;

    for (size_t p = 0; p < history->process_count; p++) {
        for (size_t i = 0; i < orders->count[p]; i++) {
            bool counted[SIM_NODES_MAX] = {false};
            for (size_t j = i + 1; j < orders->count[p]; j++) {
                uint32_t cause = orders->commands[p][j];
                uint32_t sender = history->commands[cause].sender_process;
                if (precedes[cause * n + orders->commands[p][i]] && !counted[sender]) {
                    counted[sender] = true;
                    count++;
                }
            }
        }
    }
    free(precedes);
    return count;
}

static struct sim_options draw_options(struct random *random)
{
    struct sim_options options = {.nodes = 2 + (unsigned)random_below(random, 3),
                                  .operations = 1 + (unsigned)random_below(random, 24),
                                  .keys = 1 + (unsigned)random_below(random, 3),
                                  .pace_ms = (unsigned)random_below(random, 10)};
    options.writers = 1 + (unsigned)random_below(random, options.nodes);
    options.network.delay_max_ms = (uint32_t)random_below(random, 2) * (uint32_t)random_below(random, 30);
    options.network.loss = random_below(random, 2) == 0 ? 0 : 0.1;
    options.network.duplicate = random_below(random, 2) == 0 ? 0 : 0.1;
    options.network.seed = random_next(random);
    return options;
}

static void every_count_is_what_looking_at_all_pairs_gives(void **state)
{
    struct random random = {2026};
    unsigned compared = 0;

    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        struct sim_options options = draw_options(&random);
        struct sim sim;
        struct history history;
        struct judgement judgement;
        struct orders orders;
        sim_run(&sim, &options);
        sim_read_logs(&sim, &history);
        judge(&history, &judgement);
        line_up(&history, &orders);
        assert_int_equal(judgement.verdicts[GUARANTEE_TOTAL].count, naive_total(&history, &orders));
        assert_int_equal(judgement.verdicts[GUARANTEE_FIFO].count, naive_fifo(&history, &orders));
        assert_int_equal(judgement.verdicts[GUARANTEE_CAUSAL].count, naive_causal(&history, &orders));
        if (judgement.verdicts[GUARANTEE_CONVERGENCE].outcome !=
            OUTCOME_UNKNOWN) { /* a node may have got nothing */
            assert_int_equal(judgement.verdicts[GUARANTEE_CONVERGENCE].count == 0, sim_stores_equal(&sim));
            compared++;
        }
        forget_orders(&history, &orders);
        judgement_free(&judgement);
        history_free(&history);
        sim_free(&sim);
    }
    assert_in_range(compared, RUNS * 3 / 4, RUNS);
}

UNIT_MAIN(cmocka_unit_test(every_count_is_what_looking_at_all_pairs_gives))
