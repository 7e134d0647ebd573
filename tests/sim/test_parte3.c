/* Parte 3's rules on a modelled broker: one total order, the same at all nodes, without gaps and without repeats,
 * whoever crashes; and each shortcut that the rules do not take is one that some schedule punishes. */
#include "tests/sim/broker_parte3.h"

#include "tests/sim/broker_seeds.h"
#include "tests/unit/unit.h"

#define SEEDS        1000
#define SEEDS_OF_BAD 5000 /* at most */
#define SEEDS_JUDGED 50
#define COMMANDS     24

static void run(struct seeds *seeds, struct parte3_options options)
{
    options.commands = COMMANDS;
    for (; seeds_next(seeds);) {
        options.seed = seeds->seed;
        struct finding finding = parte3_run(&options);
        seeds_note(seeds, &finding);
    }
}

static void everybody_may_crash_while_the_history_has_all(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte3_options){.history = SEQUENCER_HISTORY_MAX});
    seeds_expect_none(&seeds);
}

static void a_short_history_is_enough_while_a_node_has_the_rest(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte3_options){.history = 8});
    seeds_expect_none(&seeds);
}

/* A few runs as logs, as real processes would have written them. */
static void expect_judged_well(struct parte3_options options)
{
    struct seeds seeds = seeds_of(SEEDS_JUDGED);

    options.commands = COMMANDS;
    while (seeds_next(&seeds)) {
        struct made_logs log;
        made_begin(&log);
        options.seed = seeds.seed;
        options.log = &log;
        struct finding finding = parte3_run(&options);
        seeds_note(&seeds, &finding);
        made_expect(&log, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_NO_DUPLICATES, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_TOTAL, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_GAP_FREE, OUTCOME_HOLDS);
        made_expect(&log, GUARANTEE_CONVERGENCE, OUTCOME_HOLDS);
        made_end(&log);
    }
    seeds_expect_none(&seeds);
}

static void the_judge_says_so_too(void **state)
{
    (void)state;
    expect_judged_well((struct parte3_options){.history = SEQUENCER_HISTORY_MAX, .calm = true});
    expect_judged_well((struct parte3_options){.history = SEQUENCER_HISTORY_MAX});
}

static void expect_caught_with(unsigned history, enum parte3_variant variant, const char *name)
{
    struct seeds seeds = seeds_of_bad(SEEDS_OF_BAD);

    run(&seeds, (struct parte3_options){.history = history, .variant = variant});
    seeds_expect_some(&seeds, name);
}

static void expect_caught(enum parte3_variant variant, const char *name)
{
    expect_caught_with(SEQUENCER_HISTORY_MAX, variant, name);
}

static void bad_nodes_are_caught(void **state)
{
    (void)state;
    expect_caught(PARTE3_DELIVERS_EARLY, "delivering instead of holding back");
    expect_caught(PARTE3_IGNORES_GAPS, "asking nobody for what is missing");
}

static void bad_sequencers_are_caught(void **state)
{
    (void)state;
    expect_caught(PARTE3_READS_NO_HISTORY, "a sequencer that does not read the history");
    expect_caught(PARTE3_ORDERS_REPEATS, "a sequencer that orders what comes again");
    expect_caught(PARTE3_ACKS_EARLY, "acknowledging a command before its number is safe");
    expect_caught(PARTE3_KNOWS_ONE_ASKER, "helping only a node that asks twice in a row");
    expect_caught(PARTE3_TAKES_NO_LOCK, "reading the history while a predecessor still writes it");
    expect_caught(PARTE3_NUMBERS_ANEW, "new numbers after a lost connection");
    expect_caught(PARTE3_GOES_ON_ANYWAY, "not looking whether another sequencer went on");
    expect_caught_with(8, PARTE3_TRUSTS_HISTORY, "taking what the history has for safe in all queues");
    expect_caught(PARTE3_BELIEVES_EMPTY, "taking a history without a leader for empty");
}

UNIT_MAIN(cmocka_unit_test(everybody_may_crash_while_the_history_has_all),
          cmocka_unit_test(a_short_history_is_enough_while_a_node_has_the_rest),
          cmocka_unit_test(the_judge_says_so_too), cmocka_unit_test(bad_nodes_are_caught),
          cmocka_unit_test(bad_sequencers_are_caught))
