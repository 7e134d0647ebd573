/* Parte 4's rule on a modelled broker and disk: with one leader nothing that was answered is lost and all follow it,
 * whoever crashes; of two leaders one is left; and each shortcut that the rule does not take some schedule punishes. */
#include "tests/sim/broker_parte4.h"

#include "tests/sim/broker_seeds.h"
#include "tests/unit/unit.h"

#define SEEDS        1000
#define SEEDS_OF_BAD 5000 /* at most */
#define SEEDS_JUDGED 50
#define COMMANDS     24

static void run(struct seeds *seeds, struct parte4_options options)
{
    options.commands = COMMANDS;
    for (; seeds_next(seeds);) {
        options.seed = seeds->seed;
        struct finding finding = parte4_run(&options);
        seeds_note(seeds, &finding);
    }
}

static void one_leader_loses_nothing_whoever_crashes(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte4_options){0});
    seeds_expect_none(&seeds);
}

static void of_two_leaders_one_is_left_and_all_follow_it(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte4_options){.second_leader = true});
    seeds_expect_none(&seeds);
}

static void the_first_leads_again_when_the_second_is_gone(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte4_options){.second_leader = true, .second_leaves = true});
    seeds_expect_none(&seeds);
}

static void a_second_leader_begins_with_what_the_first_has(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct parte4_options){.second_leader = true, .prompt = true});
    seeds_expect_none(&seeds);
}

/* A few runs as logs, as real processes would have written them. */
static void expect_judged_well(struct parte4_options options)
{
    struct seeds seeds = seeds_of(SEEDS_JUDGED);

    options.commands = COMMANDS;
    while (seeds_next(&seeds)) {
        struct made_logs log;
        made_begin(&log);
        options.seed = seeds.seed;
        options.log = &log;
        struct finding finding = parte4_run(&options);
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
    expect_judged_well((struct parte4_options){.prompt = true});
    expect_judged_well((struct parte4_options){0});
}

static void expect_caught(enum parte4_variant variant, struct parte4_options options, const char *name)
{
    struct seeds seeds = seeds_of_bad(SEEDS_OF_BAD);

    options.variant = variant;
    run(&seeds, options);
    seeds_expect_some(&seeds, name);
}

static void bad_leaders_are_caught(void **state)
{
    const struct parte4_options one = {0};
    const struct parte4_options two = {.second_leader = true};
    const struct parte4_options one_stays = {.second_leader = true, .second_leaves = true};

    (void)state;
    expect_caught(PARTE4_RECORDS_NOTHING, one, "a leader that records nothing");
    expect_caught(PARTE4_SENDS_UNRECORDED, one, "sending before the disk has it");
    expect_caught(PARTE4_KEEPS_ITS_EPOCH, one_stays, "going on in the old epoch");
    expect_caught(PARTE4_FORGETS_ITS_LOG, two, "a peer's state in the store and not in the log");
    expect_caught(PARTE4_TELLS_NO_EPOCH, one_stays, "telling a leader nothing of a newer epoch");
    expect_caught(PARTE4_LEADS_AGAIN, two, "stepping down and leading still");
}

static void bad_followers_are_caught(void **state)
{
    (void)state;
    expect_caught(PARTE4_IGNORES_EPOCHS, (struct parte4_options){.second_leader = true},
                  "taking updates of any epoch");
    expect_caught(PARTE4_IGNORES_GAPS, (struct parte4_options){0}, "asking nobody for what is missing");
}

UNIT_MAIN(cmocka_unit_test(one_leader_loses_nothing_whoever_crashes),
          cmocka_unit_test(of_two_leaders_one_is_left_and_all_follow_it),
          cmocka_unit_test(the_first_leads_again_when_the_second_is_gone),
          cmocka_unit_test(a_second_leader_begins_with_what_the_first_has),
          cmocka_unit_test(the_judge_says_so_too), cmocka_unit_test(bad_leaders_are_caught),
          cmocka_unit_test(bad_followers_are_caught))
