/* A good log with one line swapped, dropped, doubled or altered is never taken for a good one, and the guarantee that
 * it breaks is the one that is named. */
#include "tests/sim/log_edit.h"
#include "tests/sim/simulation.h"

#include "common/lab/judge.h"
#include "common/memory.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 300

/* A run without a fault: every promise kept. */
static void good_run(struct sim *sim, uint64_t seed)
{
    struct sim_options options = {.nodes = 3, .writers = 1, .operations = 30, .keys = 3, .pace_ms = 2};
    options.network.seed = seed;
    sim_run(sim, &options);
}

static void judge_logs(struct sim *sim, struct judgement *judgement)
{
    static struct history history; /* a judgement refers to it */
    history_free(&history);
    sim_read_logs(sim, &history);
    judge(&history, judgement);
}

/* Applies one mutation to node 2's log and expects the outcome of one guarantee, and of the whole. */
static void expect(struct sim *sim, struct random *random, void (*mutate)(struct sim_log *, size_t),
                   enum guarantee guarantee, enum outcome expected)
{
    struct judgement judgement;

    mutate(&sim->logs[1], random_below(random, 29));
    judge_logs(sim, &judgement);
    assert_int_equal(judgement.verdicts[guarantee].outcome, expected);
    assert_int_not_equal(judgement_outcome(&judgement), OUTCOME_HOLDS);
    judgement_free(&judgement);
}

static void expect_often(void (*mutate)(struct sim_log *, size_t), enum guarantee guarantee,
                         enum outcome expected)
{
    struct random random = {guarantee + 1};

    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct sim sim;
        struct judgement judgement;
        good_run(&sim, seed);
        judge_logs(&sim, &judgement);
        assert_int_equal(judgement_outcome(&judgement), OUTCOME_HOLDS); /* it was good before */
        judgement_free(&judgement);
        expect(&sim, &random, mutate, guarantee, expected);
        sim_free(&sim);
    }
}

/* ---- deliveries ---- */

static void swap_deliveries(struct sim_log *log, size_t skip)
{
    size_t a = log_find_line(log, "deliver", skip);
    size_t b = log_find_line(log, "deliver", skip + 1);
    char *held = log->lines[a];
    log->lines[a] = log->lines[b];
    log->lines[b] = held;
}

static void swap_and_renumber(struct sim_log *log, size_t skip)
{
    swap_deliveries(log, skip);
    log_renumber(log);
}

static void swapped_deliveries_break_total_order(void **state)
{
    (void)state;
    expect_often(swap_and_renumber, GUARANTEE_TOTAL, OUTCOME_VIOLATED);
    expect_often(swap_deliveries, GUARANTEE_TOTAL, OUTCOME_VIOLATED);
}

static void swapped_deliveries_of_one_sender_break_fifo_and_causal_order(void **state)
{
    (void)state;
    expect_often(swap_and_renumber, GUARANTEE_FIFO, OUTCOME_VIOLATED);
    expect_often(swap_and_renumber, GUARANTEE_CAUSAL, OUTCOME_VIOLATED);
}

static void drop_delivery(struct sim_log *log, size_t skip)
{
    log_drop_line(log, log_find_line(log, "deliver", skip));
}

static void drop_and_renumber(struct sim_log *log, size_t skip)
{
    drop_delivery(log, skip);
    log_renumber(log);
}

static void a_delivery_that_did_not_happen_breaks_delivery(void **state)
{
    (void)state;
    expect_often(drop_and_renumber, GUARANTEE_DELIVERY, OUTCOME_VIOLATED);
}

static void a_line_cut_out_of_a_log_is_noticed_and_nothing_is_claimed(void **state)
{
    (void)state;
    expect_often(drop_delivery, GUARANTEE_DELIVERY, OUTCOME_UNKNOWN);
    expect_often(drop_delivery, GUARANTEE_CONVERGENCE, OUTCOME_UNKNOWN);
}

static void double_delivery(struct sim_log *log, size_t skip)
{
    size_t at = log_find_line(log, "deliver", skip);
    log_insert_copy(log, at, at + 1);
}

static void double_and_renumber(struct sim_log *log, size_t skip)
{
    double_delivery(log, skip);
    log_renumber(log);
}

static void a_doubled_delivery_breaks_no_duplicates(void **state)
{
    (void)state;
    expect_often(double_delivery, GUARANTEE_NO_DUPLICATES, OUTCOME_VIOLATED);
    expect_often(double_and_renumber, GUARANTEE_NO_DUPLICATES, OUTCOME_VIOLATED);
}

/* ---- what a line says ---- */

static void alter_key(struct sim_log *log, size_t skip)
{
    log_replace_in_line(&log->lines[log_find_line(log, "deliver", skip)], "\"key\":\"k", "\"key\":\"other");
}

static void alter_sender(struct sim_log *log, size_t skip)
{
    log_replace_in_line(&log->lines[log_find_line(log, "deliver", skip)], "\"sender_id\":\"node1",
                        "\"sender_id\":\"node3");
}

static void alter_type(struct sim_log *log, size_t skip)
{
    char **line = &log->lines[log_find_line(log, "deliver", skip)];
    bool set = strstr(*line, "\"SET\"") != NULL;
    log_replace_in_line(line, set ? "\"SET\"" : "\"GET\"", set ? "\"GET\"" : "\"SET\"");
}

static void alter_uuid(struct sim_log *log, size_t skip)
{
    char **line = &log->lines[log_find_line(log, "deliver", skip)];
    char *uuid = strstr(*line, "\"message_uuid\":\"") + strlen("\"message_uuid\":\"");
    *uuid = *uuid == 'f' ? '0' : 'f';
}

static void alter_value(struct sim_log *log, size_t skip)
{
    for (size_t i = 0; i < log->count; i++) { /* a GET has none: the next SET */
        size_t at = log_find_line(log, "deliver", (skip + i) % 30);
        if (strstr(log->lines[at], "\"value\":\"n1-") != NULL) {
            log_replace_in_line(&log->lines[at], "\"value\":\"n1-", "\"value\":\"n9-");
            return;
        }
    }
    fail();
}

static void an_altered_line_breaks_no_creation(void **state)
{
    (void)state;
    expect_often(alter_key, GUARANTEE_NO_CREATION, OUTCOME_VIOLATED);
    expect_often(alter_value, GUARANTEE_NO_CREATION, OUTCOME_VIOLATED);
    expect_often(alter_type, GUARANTEE_NO_CREATION, OUTCOME_VIOLATED);
    expect_often(alter_sender, GUARANTEE_NO_CREATION, OUTCOME_VIOLATED);
    expect_often(alter_uuid, GUARANTEE_NO_CREATION, OUTCOME_VIOLATED);
}

/* ---- whole logs ---- */

static void cut_in_two(struct sim_log *log, size_t skip)
{
    char *line = log->lines[log_find_line(log, "deliver", skip)];
    line[strlen(line) / 2] = '\0';
}

static void lose_beginning(struct sim_log *log, size_t skip)
{
    for (size_t left = log_find_line(log, "deliver", skip); left > 0; left--) {
        log_drop_line(log, 0);
    }
}

static void lose_everything(struct sim_log *log, size_t skip)
{
    (void)skip;
    while (log->count > 0) {
        log_drop_line(log, 0);
    }
}

static void a_damaged_log_lets_nothing_be_claimed(void **state)
{
    (void)state;
    expect_often(cut_in_two, GUARANTEE_DELIVERY, OUTCOME_UNKNOWN);
    expect_often(lose_beginning, GUARANTEE_DELIVERY, OUTCOME_UNKNOWN);
}

static void a_missing_senders_log_lets_nothing_be_claimed_about_it(void **state)
{
    struct sim sim;
    struct judgement judgement;

    (void)state;
    good_run(&sim, 1);
    lose_everything(&sim.logs[0], 0);
    judge_logs(&sim, &judgement);
    assert_int_equal(judgement.verdicts[GUARANTEE_DELIVERY].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(judgement.verdicts[GUARANTEE_NO_CREATION].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(judgement.verdicts[GUARANTEE_FIFO].outcome, OUTCOME_UNKNOWN);
    assert_int_equal(judgement.verdicts[GUARANTEE_TOTAL].outcome, OUTCOME_HOLDS);
    assert_int_equal(judgement_outcome(&judgement), OUTCOME_UNKNOWN);
    judgement_free(&judgement);
    sim_free(&sim);
}

UNIT_MAIN(cmocka_unit_test(swapped_deliveries_break_total_order),
          cmocka_unit_test(swapped_deliveries_of_one_sender_break_fifo_and_causal_order),
          cmocka_unit_test(a_delivery_that_did_not_happen_breaks_delivery),
          cmocka_unit_test(a_line_cut_out_of_a_log_is_noticed_and_nothing_is_claimed),
          cmocka_unit_test(a_doubled_delivery_breaks_no_duplicates),
          cmocka_unit_test(an_altered_line_breaks_no_creation),
          cmocka_unit_test(a_damaged_log_lets_nothing_be_claimed),
          cmocka_unit_test(a_missing_senders_log_lets_nothing_be_claimed_about_it))
