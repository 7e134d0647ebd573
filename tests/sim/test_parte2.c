/* Parte 2's rule on a modelled broker: nothing is lost or doubled and each sender's order holds, whatever breaks; and
 * still two replicas end up with two orders. */
#include "tests/sim/broker_parte2.h"

#include "tests/sim/broker_seeds.h"
#include "tests/unit/unit.h"

#define SEEDS        2000
#define SEEDS_OF_BAD 5000 /* at most */
#define SEEDS_JUDGED 50
#define COMMANDS     24

/* Under how many of these seeds do the replicas agree on one order? */
static unsigned run(struct seeds *seeds, struct parte2_options options)
{
    unsigned same_order = 0;

    options.commands = COMMANDS;
    for (; seeds_next(seeds);) {
        options.seed = seeds->seed;
        struct parte2_result result = parte2_run(&options);
        same_order += result.same_order;
        seeds_note(seeds, &result.finding);
    }
    return same_order;
}

static void quiet_links_keep_all_but_the_total_order(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);
    unsigned same_order = run(&seeds, (struct parte2_options){0});

    (void)state;
    seeds_expect_none(&seeds);
    print_message("# two orders under %u of %u seeds\n", seeds.done - same_order, seeds.done);
    if (!seeds.one_alone) {
        assert_in_range(same_order, 0, SEEDS / 100);
    }
}

static void lost_links_and_pauses_lose_and_double_nothing(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte2_options){.disturbed = true});
    seeds_expect_none(&seeds);
}

static void a_node_that_crashes_gets_the_rest_when_it_is_back(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte2_options){.disturbed = true, .crashes = true});
    seeds_expect_none(&seeds);
}

/* A few runs as logs, as real nodes would have written them. */
static void the_judge_says_so_too(void **state)
{
    struct seeds seeds = seeds_of(SEEDS_JUDGED);

    (void)state;
    while (seeds_next(&seeds)) {
        struct made_logs log;
        made_begin(&log);
        struct parte2_options options = {.seed = seeds.seed, .commands = COMMANDS, .log = &log};
        struct parte2_result result = parte2_run(&options);
        seeds_note(&seeds, &result.finding);
        made_expect(&log, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_NO_DUPLICATES, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_FIFO, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_TOTAL, result.same_order ? OUTCOME_HOLDS : OUTCOME_VIOLATED);
        made_end(&log);
    }
    seeds_expect_none(&seeds);
}

static void bad_variants_are_caught(void **state)
{
    struct seeds repeats = seeds_of_bad(SEEDS_OF_BAD);
    struct seeds drops = seeds_of_bad(SEEDS_OF_BAD);

    (void)state;
    run(&repeats, (struct parte2_options){.disturbed = true, .variant = PARTE2_APPLIES_REPEATS});
    seeds_expect_some(&repeats, "applying what comes again");
    run(&drops, (struct parte2_options){.variant = PARTE2_DROPS_EVERY_SECOND});
    seeds_expect_some(&drops, "dropping every second command of others");
}

UNIT_MAIN(cmocka_unit_test(quiet_links_keep_all_but_the_total_order),
          cmocka_unit_test(lost_links_and_pauses_lose_and_double_nothing),
          cmocka_unit_test(a_node_that_crashes_gets_the_rest_when_it_is_back),
          cmocka_unit_test(the_judge_says_so_too), cmocka_unit_test(bad_variants_are_caught))
