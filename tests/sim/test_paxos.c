/* Paxos in a bad world: 50,000 schedules (PAXOS_SCHEDULES=N for another number; PAXOS_SEED=S for that one alone, told step
 * by step) find nothing, and each bad variant is found out within 10,000. What is found is shrunk: steps are left out as
 * long as something is still found. */
#include "tests/sim/paxos_world.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCHEDULES 5000 /* as sanitizers are slow */
#else
#define SCHEDULES 50000
#endif
#define SCHEDULES_OF_BAD 10000

static struct world world;

static struct world_options options_of(uint64_t seed, enum paxos_variant variant)
{
    return (struct world_options){.seed = seed,
                                  .acceptors = seed % 2 == 0 ? 3 : 5,
                                  .variant = variant,
                                  .steps = PAXOS_STEPS};
}

static uint64_t number_of(const char *name, uint64_t standard)
{
    const char *text = getenv(name);
    char *end = NULL;

    if (text == NULL) {
        return standard;
    }
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-') {
        fail_msg("%s is not a number: %s", name, text);
    }
    return number;
}

/* The same property is violated: what is before the colon. */
static bool finds_same(const struct world_options *options, const char *finding)
{
    return world_run(&world, options) >= 0 && strncmp(world.finding, finding, strcspn(finding, ":")) == 0;
}

/* Leaves out as many steps as it can, halves first, single ones last, as long as the same property is violated. */
static unsigned shrink(struct world_options *options, bool *skipped)
{
    char finding[sizeof world.finding];
    unsigned left = 0;

    memcpy(finding, world.finding, sizeof finding);

    options->skipped = skipped;
    for (unsigned size = PAXOS_STEPS / 2; size > 0; size /= 2) {
        for (unsigned from = 0; from < PAXOS_STEPS; from += size) {
            bool before[PAXOS_STEPS];
            memcpy(before, skipped, sizeof before);
            for (unsigned i = from; i < from + size && i < PAXOS_STEPS; i++) {
                skipped[i] = true;
            }
            if (memcmp(before, skipped, sizeof before) != 0 && !finds_same(options, finding)) {
                memcpy(skipped, before, sizeof before);
            }
        }
    }
    for (unsigned i = 0; i < PAXOS_STEPS; i++) {
        left += !skipped[i];
    }
    return left;
}

static void tell_story(struct world_options options)
{
    bool skipped[PAXOS_STEPS] = {false};
    unsigned left = shrink(&options, skipped);

    print_error("the shortest schedule found has %u of %u steps:\n", left, PAXOS_STEPS);
    options.tell = true;
    world_run(&world, &options);
    print_error("seed %llu: %s\nrun it again with: PAXOS_SEED=%llu PAXOS_VARIANT=%d %s\n",
                (unsigned long long)options.seed, world.finding, (unsigned long long)options.seed,
                (int)options.variant, program_invocation_name);
}

static void a_bad_world_breaks_nothing(void **state)
{
    uint64_t count = number_of("PAXOS_SCHEDULES", SCHEDULES);
    uint64_t first = number_of("PAXOS_SEED", 0);
    uint64_t operations = 0;
    uint64_t snapshots = 0;
    struct timespec from, to;

    (void)state;
    if (first > 0) {
        uint64_t variant = number_of("PAXOS_VARIANT", PAXOS_RIGHT);
        struct world_options options = options_of(first, variant < PAXOS_VARIANTS ? variant : PAXOS_RIGHT);
        if (world_run(&world, &options) >= 0) {
            tell_story(options);
            fail();
        }
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint64_t seed = 1; seed <= count; seed++) {
        struct world_options options = options_of(seed, PAXOS_RIGHT);
        if (world_run(&world, &options) >= 0) {
            tell_story(options);
            fail();
        }
        operations += world.applied_count;
        snapshots += world.snapshots;
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    double seconds = (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9;
    print_message("# %llu schedules, %.0f a second, %.1f writes applied in each, %llu snapshots\n",
                  (unsigned long long)count, (double)count / seconds,
                  (double)operations / (double)(count > 0 ? count : 1), (unsigned long long)snapshots);
    assert_true(count < 1000 ||
                (operations > count && snapshots > 0)); /* a world in which nothing happens proves nothing */
}

/* By a property of safety: each of the variants breaks one. */
static void expect_caught(enum paxos_variant variant, const char *name)
{
    bool skipped[PAXOS_STEPS] = {false};

    for (uint64_t seed = 1; seed <= SCHEDULES_OF_BAD; seed++) {
        struct world_options options = options_of(seed, variant);
        if (world_run(&world, &options) >= 0 && strncmp(world.finding, "liveness", 8) != 0) {
            unsigned left = shrink(&options, skipped);
            world_run(&world, &options);
            print_message("# %s: caught under seed %llu, in %u steps: %s\n", name, (unsigned long long)seed,
                          left, world.finding);
            return;
        }
    }
    fail_msg("%s: not caught under %d seeds", name, SCHEDULES_OF_BAD);
}

static void bad_acceptors_are_caught(void **state)
{
    (void)state;
    expect_caught(PAXOS_ANSWERS_EARLY, "an acceptor that answers before its disk has it");
    expect_caught(PAXOS_FORGETS_PROMISE, "an acceptor that forgets its promise");
}

static void bad_proposers_are_caught(void **state)
{
    (void)state;
    expect_caught(PAXOS_COUNTS_TWICE, "a majority counted with duplicates");
    expect_caught(PAXOS_SKIPS_PREPARE, "a leader that goes on in a higher ballot without Prepare");
    expect_caught(PAXOS_IGNORES_ACCEPTED, "a proposer that ignores the highest accepted value");
    expect_caught(PAXOS_REUSES_ROUND, "a proposer that uses a round again");
    expect_caught(PAXOS_READS_AT_ONCE, "a leader that reads without asking");
}

static void bad_learners_are_caught(void **state)
{
    (void)state;
    expect_caught(PAXOS_ACROSS_BALLOTS, "a learner that counts across ballots");
}

UNIT_MAIN(cmocka_unit_test(a_bad_world_breaks_nothing), cmocka_unit_test(bad_acceptors_are_caught),
          cmocka_unit_test(bad_proposers_are_caught), cmocka_unit_test(bad_learners_are_caught))
