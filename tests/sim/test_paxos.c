/* Paxos in a bad world: 50,000 schedules (PAXOS_SCHEDULES=N for another number, PAXOS_SEED=S for one alone) find nothing,
 * and each bad variant (PAXOS_VARIANT) is found out within 10,000. What is found is shrunk: steps are left out as long as
 * the same is still found. Then it is told as a story, with the line that runs it again. */
#include "tests/sim/paxos_world.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCHEDULES 5000 /* as sanitizers are slow */
#else
#define SCHEDULES 50000
#endif
#define SCHEDULES_OF_BAD 10000
#define WORKERS_MAX      64

static struct world world;

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

static bool is_of_liveness(const char *finding)
{
    return strncmp(finding, "liveness", 8) == 0;
}

static void tell_story(struct world_options options)
{
    bool skipped[WORLD_STEPS] = {false};
    unsigned left = world_shrink(&world, &options, skipped);

    print_error("the shortest schedule found has %u of %u steps, with %u acceptors and %u stores;\n"
                "(2.1) is round 2 of proposer 1, and \"3: write 7\" stands for write 7 in instance 3:\n",
                left, options.steps, options.acceptors, options.stores);
    options.tell = true;
    options.brief = is_of_liveness(world.finding);
    world_run(&world, &options);
    print_error("seed %llu: %s\nrun it again with: PAXOS_SEED=%llu PAXOS_VARIANT=%d %s\n",
                (unsigned long long)options.seed, world.finding, (unsigned long long)options.seed,
                (int)options.variant, program_invocation_name);
}

static void run_one(uint64_t seed)
{
    uint64_t variant = number_of("PAXOS_VARIANT", PAXOS_RIGHT);

    if (variant >= PAXOS_VARIANTS) {
        fail_msg("PAXOS_VARIANT is %d at most", PAXOS_VARIANTS - 1);
    }
    struct world_options options = world_options_of(seed, (enum paxos_variant)variant);
    if (world_run(&world, &options) >= 0) {
        tell_story(options);
        fail();
    }
}

/* ---- many schedules ---- */

struct share {
    uint64_t found; /* the first seed under which something was; 0: none */
    uint64_t applied, leaders, most_leaders, snapshots, finished;
};

/* Every `workers`-th seed from `first` on. */
static struct share run_share(uint64_t first, uint64_t last, unsigned workers)
{
    struct share share = {0};

    for (uint64_t seed = first; seed <= last && share.found == 0; seed += workers) {
        struct world_options options = world_options_of(seed, PAXOS_RIGHT);
        if (world_run(&world, &options) >= 0) {
            share.found = seed;
        }
        share.applied += world.applied_count;
        share.leaders += world.leaders;
        share.most_leaders = world.leaders > share.most_leaders ? world.leaders : share.most_leaders;
        share.snapshots += world.snapshots;
        share.finished += world.finished;
    }
    return share;
}

static void add_share(struct share *sum, const struct share *share)
{
    if (share->found > 0 && (sum->found == 0 || share->found < sum->found)) {
        sum->found = share->found;
    }
    sum->applied += share->applied;
    sum->leaders += share->leaders;
    sum->most_leaders = share->most_leaders > sum->most_leaders ? share->most_leaders : sum->most_leaders;
    sum->snapshots += share->snapshots;
    sum->finished += share->finished;
}

/* A process for each core; what it found comes through a pipe. */
static int start_worker(uint64_t first, uint64_t last, unsigned workers)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct share share = run_share(first, last, workers);
        bool told = write(ends[1], &share, sizeof share) == sizeof share;
        _exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    close(ends[1]);
    return ends[0];
}

static struct share run_all(uint64_t count)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned workers = cores < 1 ? 1 : cores > WORKERS_MAX ? WORKERS_MAX : (unsigned)cores;
    int from[WORKERS_MAX];
    struct share sum = {0};

    for (unsigned i = 0; i < workers; i++) {
        from[i] = start_worker(i + 1, count, workers);
    }
    for (unsigned i = 0; i < workers; i++) {
        struct share share;
        ssize_t length = read(from[i], &share, sizeof share);
        close(from[i]);
        if (length != sizeof share) {
            fail_msg("a process that ran schedules died");
        }
        add_share(&sum, &share);
    }
    while (wait(NULL) > 0) {
    }
    return sum;
}

static double seconds_since(const struct timespec *from)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - from->tv_sec) + (double)(now.tv_nsec - from->tv_nsec) / 1e9;
}

static void a_bad_world_breaks_nothing(void **state)
{
    uint64_t count = number_of("PAXOS_SCHEDULES", SCHEDULES);
    uint64_t seed = number_of("PAXOS_SEED", 0);
    struct timespec from;

    (void)state;
    if (seed > 0) {
        run_one(seed);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &from);
    struct share all = run_all(count);
    if (all.found > 0) {
        run_one(all.found);
    }
    print_message(
        "# %llu schedules, %.0f a second: %llu writes applied, %llu times a leader, in one world %llu; "
        "%llu snapshots; stores finished writes %llu times\n",
        (unsigned long long)count, (double)count / seconds_since(&from), (unsigned long long)all.applied,
        (unsigned long long)all.leaders, (unsigned long long)all.most_leaders,
        (unsigned long long)all.snapshots, (unsigned long long)all.finished);
    if (count >= 1000) { /* worlds in which nothing happens prove nothing */
        assert_true(all.applied > count && all.leaders > count && all.most_leaders > 10);
        assert_true(all.snapshots > count / 100 && all.finished > count);
    }
}

/* ---- bad variants ---- */

/* By a property of safety, which each of the variants but one breaks. */
static void expect_caught(enum paxos_variant variant, const char *name)
{
    bool skipped[WORLD_STEPS] = {false};

    if (number_of("PAXOS_SEED", 0) > 0) {
        return;
    }
    for (uint64_t seed = 1; seed <= SCHEDULES_OF_BAD; seed++) {
        struct world_options options = world_options_of(seed, variant);
        if (world_run(&world, &options) >= 0 &&
            is_of_liveness(world.finding) == (variant == STORE_SHUT_OUT)) {
            unsigned left = world_shrink(&world, &options, skipped);
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
    expect_caught(PAXOS_DECIDES_ALONE, "a leader that tells what one acceptor has accepted");
    expect_caught(PAXOS_KEEPS_SILENT, "a leader that ends and tells nobody");
    expect_caught(PAXOS_REFUSES_LATE, "a leader that refuses what it has proposed");
}

static void bad_learners_are_caught(void **state)
{
    (void)state;
    expect_caught(PAXOS_ACROSS_BALLOTS, "a learner that counts across ballots");
    expect_caught(PAXOS_APPLIES_TWICE, "a learner that takes a repetition for a new command");
}

static void bad_stores_are_caught(void **state)
{
    (void)state;
    expect_caught(STORE_ANSWERS_EARLY, "a store that answers before its disk has it");
    expect_caught(STORE_REJOINS_UNSEEN, "a coordinator that does not compare what a store has");
    expect_caught(STORE_SHUT_OUT, "a coordinator that lets no store take part again while it commits");
    expect_caught(STORE_READS_ANYHOW, "a read at a store that has not synchronised");
    expect_caught(STORE_COUNTS_GAPS, "a store that takes its last write for all of them");
}

UNIT_MAIN(cmocka_unit_test(a_bad_world_breaks_nothing), cmocka_unit_test(bad_acceptors_are_caught),
          cmocka_unit_test(bad_proposers_are_caught), cmocka_unit_test(bad_learners_are_caught),
          cmocka_unit_test(bad_stores_are_caught))
