/* Parte 1's rule on simulated networks: it diverges under reordering and loses under loss, the judge says so and is
 * right, and it says nothing is wrong where nothing is. */
#include "tests/sim/simulation.h"

#include "common/lab/judge.h"
#include "tests/unit/unit.h"

#define SEEDS          200
#define OPERATIONS     60
#define ALL_DELIVERIES (3 * OPERATIONS) /* of three nodes */

static struct sim_options group(uint64_t seed)
{
    return (struct sim_options){.nodes = 3,
                                .writers = 3,
                                .operations = OPERATIONS,
                                .keys = 3,
                                .network = {.seed = seed},
                                .pace_ms = 5};
}

/* Runs a group that `prepare` has changed under each of many seeds, and has `check` look at each judgement. */
static void under_many_seeds(void (*prepare)(struct sim_options *),
                             void (*check)(struct sim *, const struct judgement *))
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_options options = group(seed);
        struct sim sim;
        struct history history;
        struct judgement judgement;
        prepare(&options);
        sim_run(&sim, &options);
        sim_read_logs(&sim, &history);
        judge(&history, &judgement);
        check(&sim, &judgement);
        judgement_free(&judgement);
        history_free(&history);
        sim_free(&sim);
    }
}

static enum outcome outcome(const struct judgement *judgement, enum guarantee guarantee)
{
    return judgement->verdicts[guarantee].outcome;
}

/* ---- nothing is wrong ---- */

static void let_one_write(struct sim_options *options)
{
    options->writers = 1;
}

static void expect_all_to_hold(struct sim *sim, const struct judgement *judgement)
{
    assert_int_equal(judgement_outcome(judgement), OUTCOME_HOLDS);
    assert_int_equal(judgement->deliveries, ALL_DELIVERIES);
    assert_true(sim_stores_equal(sim));
}

static void one_writer_without_faults_keeps_every_promise(void **state)
{
    (void)state;
    under_many_seeds(let_one_write, expect_all_to_hold);
}

/* ---- reordering ---- */

static unsigned diverged;

static void delay(struct sim_options *options)
{
    options->network.delay_max_ms = 30;
}

static void expect_disorder(struct sim *sim, const struct judgement *judgement)
{
    (void)sim;
    assert_int_equal(outcome(judgement, GUARANTEE_DELIVERY), OUTCOME_HOLDS);
    assert_int_equal(outcome(judgement, GUARANTEE_NO_DUPLICATES), OUTCOME_HOLDS);
    assert_int_equal(outcome(judgement, GUARANTEE_NO_CREATION), OUTCOME_HOLDS);
    assert_int_equal(outcome(judgement, GUARANTEE_FIFO), OUTCOME_VIOLATED);
    assert_int_equal(outcome(judgement, GUARANTEE_CAUSAL), OUTCOME_VIOLATED);
    assert_int_equal(outcome(judgement, GUARANTEE_TOTAL), OUTCOME_VIOLATED);
    diverged += outcome(judgement, GUARANTEE_CONVERGENCE) == OUTCOME_VIOLATED;
}

static void reordering_makes_replicas_diverge(void **state)
{
    (void)state;
    diverged = 0;
    under_many_seeds(delay, expect_disorder);
    assert_in_range(diverged, SEEDS * 9 / 10, SEEDS);
}

/* ---- loss and duplication ---- */

static void lose(struct sim_options *options)
{
    options->network.loss = 0.1;
}

static void expect_what_is_missing_to_be_counted(struct sim *sim, const struct judgement *judgement)
{
    uint64_t missing = ALL_DELIVERIES - judgement->deliveries;

    (void)sim;
    assert_int_equal(judgement->verdicts[GUARANTEE_DELIVERY].count, missing);
    assert_int_equal(outcome(judgement, GUARANTEE_DELIVERY), missing > 0 ? OUTCOME_VIOLATED : OUTCOME_HOLDS);
    assert_int_equal(outcome(judgement, GUARANTEE_FIFO), OUTCOME_HOLDS);
}

static void loss_loses_and_the_judge_counts_it(void **state)
{
    (void)state;
    under_many_seeds(lose, expect_what_is_missing_to_be_counted);
}

static void duplicate(struct sim_options *options)
{
    options->network.duplicate = 0.1;
}

static void expect_what_is_repeated_to_be_counted(struct sim *sim, const struct judgement *judgement)
{
    (void)sim;
    assert_int_equal(judgement->verdicts[GUARANTEE_NO_DUPLICATES].count,
                     judgement->deliveries - ALL_DELIVERIES);
    assert_int_equal(outcome(judgement, GUARANTEE_DELIVERY), OUTCOME_HOLDS);
}

static void duplication_doubles_and_the_judge_counts_it(void **state)
{
    (void)state;
    under_many_seeds(duplicate, expect_what_is_repeated_to_be_counted);
}

/* ---- a partition ---- */

static void partition(struct sim_options *options)
{
    assert_int_equal(fault_settings_set(&options->network, "NET_PARTITION", text_of("node1,node2|node3"),
                                        NULL),
                     0);
}

/* node3 misses the other two writers' forty commands, they miss its twenty. */
static void expect_two_halves(struct sim *sim, const struct judgement *judgement)
{
    (void)sim;
    assert_int_equal(judgement->verdicts[GUARANTEE_DELIVERY].count, 40 + 20 + 20);
    assert_int_equal(outcome(judgement, GUARANTEE_CONVERGENCE), OUTCOME_VIOLATED);
}

static void a_partition_cuts_the_group_in_two(void **state)
{
    (void)state;
    under_many_seeds(partition, expect_two_halves);
}

static void the_same_seed_makes_the_same_run(void **state)
{
    struct sim_options options = group(42);
    struct sim first;
    struct sim second;

    (void)state;
    options.network.delay_max_ms = 30;
    options.network.loss = 0.05;
    sim_run(&first, &options);
    sim_run(&second, &options);
    for (unsigned node = 0; node < options.nodes; node++) {
        assert_int_equal(first.logs[node].count, second.logs[node].count);
        for (size_t i = 0; i < first.logs[node].count; i++) {
            assert_string_equal(first.logs[node].lines[i], second.logs[node].lines[i]);
        }
    }
    sim_free(&first);
    sim_free(&second);
}

UNIT_MAIN(cmocka_unit_test(one_writer_without_faults_keeps_every_promise),
          cmocka_unit_test(reordering_makes_replicas_diverge),
          cmocka_unit_test(loss_loses_and_the_judge_counts_it),
          cmocka_unit_test(duplication_doubles_and_the_judge_counts_it),
          cmocka_unit_test(a_partition_cuts_the_group_in_two),
          cmocka_unit_test(the_same_seed_makes_the_same_run))
