/* Parte 5, replicated: elections, a reference server, a primary and its backups, under many bad schedules; and each
 * shortcut that the rules do not take is one that some schedule punishes. */
#include "tests/sim/chat_world.h"

#include "tests/sim/broker_seeds.h"
#include "tests/unit/unit.h"

#define SEEDS        200
#define SEEDS_OF_BAD 5000 /* at most */

static void run(struct seeds *seeds, struct chat_options options)
{
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

static void three_servers_lose_nothing(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct chat_options){.servers = 3});
    seeds_expect_none(&seeds);
}

static void five_servers_lose_nothing(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    run(&seeds, (struct chat_options){.servers = 5});
    seeds_expect_none(&seeds);
}

/* What bully.c and the README say that this composition does not survive. */
static void a_primary_that_is_cut_off_makes_two(void **state)
{
    struct seeds seeds = seeds_of_bad(SEEDS_OF_BAD);
    struct chat_options options = {.servers = 3, .split = true};
    bool two_primaries = false;

    (void)state;
    while (seeds_next(&seeds)) {
        options.seed = seeds.seed;
        struct finding finding = chat_world_run(&options, &two_primaries);
        seeds_note(&seeds, two_primaries ? &finding : &(struct finding){""});
    }
    seeds_expect_some(&seeds, "two primaries at once, one of them cut off from the reference server");
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
    expect_caught(CHAT_ANSWERS_EARLY, "OK before the backups");
    expect_caught(CHAT_FORGETS_REQUESTS, "a retry without the request's id");
    expect_caught(CHAT_CLOCK_STAYS, "a receipt that leaves Lamport's clock alone");
    expect_caught(CHAT_ASKS_NOBODY, "taking over without asking how far the others are");
    expect_caught(CHAT_TRUSTS_PINGS, "a read at a backup that counts from when it heard that it counts");
}

UNIT_MAIN(cmocka_unit_test(nothing_fails), cmocka_unit_test(three_servers_lose_nothing),
          cmocka_unit_test(five_servers_lose_nothing), cmocka_unit_test(a_primary_that_is_cut_off_makes_two),
          cmocka_unit_test(bad_rules_are_caught))
