/* Parte 1's rule on simulated networks: it diverges under reordering and loses under loss, the judge says so and is
 * right, and it says nothing is wrong where nothing is. */
#include "tests/sim/simulation.h"

#include "common/lab/judge.h"
#include "tests/unit/unit.h"

#define SEEDS 200

static struct sim_options group(uint64_t seed)
{
    return (struct sim_options){
        .nodes = 3, .writers = 3, .operations = 60, .keys = 3, .network = {.seed = seed}, .pace_ms = 5};
}

static void run_and_judge(const struct sim_options *options, struct sim *sim, struct history *history,
                          struct judgement *judgement)
{
    sim_run(sim, options);
    sim_read_logs(sim, history);
    judge(history, judgement);
}

static void forget(struct sim *sim, struct history *history, struct judgement *judgement)
{
    judgement_free(judgement);
    history_free(history);
    sim_free(sim);
}

static void one_writer_without_faults_keeps_every_promise(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_options options = group(seed);
        struct sim sim;
        struct history history;
        struct judgement judgement;
        options.writers = 1;
        run_and_judge(&options, &sim, &history, &judgement);
        assert_int_equal(judgement_outcome(&judgement), OUTCOME_HOLDS);
        assert_int_equal(judgement.deliveries, 3 * 60);
        assert_true(sim_stores_equal(&sim));
        forget(&sim, &history, &judgement);
    }
}

static void reordering_makes_replicas_diverge(void **state)
{
    unsigned diverged = 0;

    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_options options = group(seed);
        struct sim sim;
        struct history history;
        struct judgement judgement;
        options.network.delay_max_ms = 30;
        run_and_judge(&options, &sim, &history, &judgement);
        assert_int_equal(judgement.verdicts[GUARANTEE_DELIVERY].outcome, OUTCOME_HOLDS);
        assert_int_equal(judgement.verdicts[GUARANTEE_NO_DUPLICATES].outcome, OUTCOME_HOLDS);
        assert_int_equal(judgement.verdicts[GUARANTEE_NO_CREATION].outcome, OUTCOME_HOLDS);
        assert_int_equal(judgement.verdicts[GUARANTEE_FIFO].outcome, OUTCOME_VIOLATED);
        assert_int_equal(judgement.verdicts[GUARANTEE_CAUSAL].outcome, OUTCOME_VIOLATED);
        assert_int_equal(judgement.verdicts[GUARANTEE_TOTAL].outcome, OUTCOME_VIOLATED);
        diverged += judgement.verdicts[GUARANTEE_CONVERGENCE].outcome == OUTCOME_VIOLATED;
        forget(&sim, &history, &judgement);
    }
    assert_in_range(diverged, SEEDS * 9 / 10, SEEDS);
}

static void loss_loses_and_the_judge_counts_it(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_options options = group(seed);
        struct sim sim;
        struct history history;
        struct judgement judgement;
        options.network.loss = 0.1;
        run_and_judge(&options, &sim, &history, &judgement);
        uint64_t missing = 3 * 60 - judgement.deliveries;
        assert_int_equal(judgement.verdicts[GUARANTEE_DELIVERY].count, missing);
        assert_int_equal(judgement.verdicts[GUARANTEE_DELIVERY].outcome,
                         missing > 0 ? OUTCOME_VIOLATED : OUTCOME_HOLDS);
        assert_int_equal(judgement.verdicts[GUARANTEE_FIFO].outcome, OUTCOME_HOLDS);
        forget(&sim, &history, &judgement);
    }
}

static void duplication_doubles_and_the_judge_counts_it(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct sim_options options = group(seed);
        struct sim sim;
        struct history history;
        struct judgement judgement;
        options.network.duplicate = 0.1;
        run_and_judge(&options, &sim, &history, &judgement);
        assert_int_equal(judgement.verdicts[GUARANTEE_NO_DUPLICATES].count, judgement.deliveries - 3 * 60);
        assert_int_equal(judgement.verdicts[GUARANTEE_DELIVERY].outcome, OUTCOME_HOLDS);
        forget(&sim, &history, &judgement);
    }
}

static void a_partition_cuts_the_group_in_two(void **state)
{
    struct sim_options options = group(7);
    struct sim sim;
    struct history history;
    struct judgement judgement;

    (void)state;
    assert_int_equal(fault_settings_set(&options.network, "NET_PARTITION", text_of("node1,node2|node3"),
                                        NULL),
                     0);
    run_and_judge(&options, &sim, &history, &judgement);
    /* node3 misses the other two writers' forty commands, they miss its twenty. */
    assert_int_equal(judgement.verdicts[GUARANTEE_DELIVERY].count, 40 + 20 + 20);
    assert_int_equal(judgement.verdicts[GUARANTEE_CONVERGENCE].outcome, OUTCOME_VIOLATED);
    forget(&sim, &history, &judgement);
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
