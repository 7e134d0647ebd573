/* Parte 5, highly available: a lease on a shared volume and fencing numbers, under many bad schedules; and each shortcut
 * that the rules do not take is one that some schedule punishes. */
#include "tests/sim/chat_world.h"

#include "tests/sim/broker_seeds.h"
#include "tests/unit/unit.h"

#define SEEDS        400
#define SEEDS_OF_BAD 2000 /* at most */

static void run(struct seeds *seeds, struct chat_options options)
{
    options.leased = true;
    while (seeds_next(seeds)) {
        options.seed = seeds->seed;
        struct finding finding = chat_world_run(&options, NULL);
        seeds_note(seeds, &finding);
    }
}

static void nothing_fails(void **state)
{
    struct seeds seeds = seeds_of(20);

    (void)state;
    run(&seeds, (struct chat_options){.servers = 3, .calm = true});
    seeds_expect_none(&seeds);
}

static void one_leader_at_any_instant(void **state)
{
    struct seeds three = seeds_of(SEEDS);
    struct seeds five = seeds_of(SEEDS);

    (void)state;
    run(&three, (struct chat_options){.servers = 3});
    seeds_expect_none(&three);
    run(&five, (struct chat_options){.servers = 5});
    seeds_expect_none(&five);
}

static void expect_caught(enum chat_variant variant, const char *name)
{
    struct seeds seeds = seeds_of_bad(SEEDS_OF_BAD);

    run(&seeds, (struct chat_options){.servers = 3, .variant = variant});
    seeds_expect_some(&seeds, name);
}

static void bad_rules_are_caught(void **state)
{
    (void)state;
    expect_caught(CHAT_NO_FENCING, "a volume that takes every write");
    expect_caught(CHAT_CHECKS_LEASE_LATE, "a lease that is looked at after the write");
    expect_caught(CHAT_IMPATIENT_LEASE, "a follower that forgets that clocks run differently");
    expect_caught(CHAT_ANSWERS_EARLY, "OK before the volume");
    expect_caught(CHAT_FORGETS_REQUESTS, "a retry without the request's id");
}

UNIT_MAIN(cmocka_unit_test(nothing_fails), cmocka_unit_test(one_leader_at_any_instant),
          cmocka_unit_test(bad_rules_are_caught))
