/* Parte 5's clocks: Berkeley's rounds over slow messages, with clocks that are wrong, run differently, or are broken.
 * After each round the clocks that took part are within the promised bound, and stay so until the next one. */
#include "parte5-chat/berkeley.h"

#include "tests/sim/broker_schedule.h"
#include "tests/sim/broker_seeds.h"
#include "tests/unit/unit.h"

#define SERVERS      5
#define SEEDS        2000
#define SEEDS_OF_BAD 2000 /* at most */
#define ROUNDS       8
#define RTT_MAX_MS   40
#define SPREAD_MS    500
#define DRIFT_PPM    2000
#define BROKEN_MS    1000000

enum variant {
    AS_IT_IS,
    TRUSTS_EVERYBODY, /* what is far off has a say */
    TRUSTS_SLOW,      /* an answer counts, however long it took */
    CORRECTS_TWICE,   /* a correction that comes again is added again */
};

struct world {
    struct schedule schedule;
    enum variant variant;
    double now_ms; /* the true time */
    double rate[SERVERS + 1], offset_ms[SERVERS + 1];
    struct berkeley_member members[SERVERS + 1];
    struct berkeley berkeley;
    struct finding finding;
};

/* A server's corrected clock at that moment. */
static int64_t show(const struct world *world, unsigned server, double now_ms)
{
    return (int64_t)(now_ms * world->rate[server] + world->offset_ms[server]) +
           world->members[server].correction_ms;
}

/* A message takes some time, and now and then far too long. */
static double take_time(struct world *world)
{
    return schedule_once_in(&world->schedule, 20) ? 500
                                                  : 0.1 + schedule_below(&world->schedule, RTT_MAX_MS / 2);
}

static void begin(struct world *world, uint64_t seed, enum variant variant)
{
    struct berkeley_options options = {.self = 1, .rtt_max_ms = RTT_MAX_MS, .spread_max_ms = SPREAD_MS};

    *world = (struct world){.variant = variant, .now_ms = 1e6};
    schedule_init(&world->schedule, seed);
    options.spread_max_ms = variant == TRUSTS_EVERYBODY ? 2 * BROKEN_MS : SPREAD_MS;
    options.rtt_max_ms = variant == TRUSTS_SLOW ? 100 * RTT_MAX_MS : RTT_MAX_MS;
    for (unsigned i = 1; i <= SERVERS; i++) {
        world->rate[i] = 1 + ((double)schedule_below(&world->schedule, 2 * DRIFT_PPM + 1) - DRIFT_PPM) * 1e-6;
        world->offset_ms[i] = schedule_below(&world->schedule, SPREAD_MS) - 1e6 * world->rate[i];
    }
    world->offset_ms[SERVERS] += schedule_once_in(&world->schedule, 2) ? BROKEN_MS : 0;
    berkeley_init(&world->berkeley, &options, 1);
}

/* Everybody is asked at once; the answers come as they come. */
static void poll(struct world *world)
{
    double latest_ms = 0;

    berkeley_poll(&world->berkeley, SERVER_BIT(SERVERS + 1) - 2, show(world, 1, world->now_ms));
    berkeley_asked(&world->members[1], 1, world->berkeley.round);
    for (unsigned i = 2; i <= SERVERS; i++) {
        double there_ms = take_time(world);
        double back_ms = there_ms + take_time(world);
        berkeley_asked(&world->members[i], 1, world->berkeley.round);
        berkeley_hear(&world->berkeley, i, world->berkeley.round, show(world, i, world->now_ms + there_ms),
                      show(world, 1, world->now_ms + back_ms));
        latest_ms = back_ms > latest_ms ? back_ms : latest_ms;
    }
    world->now_ms += latest_ms;
}

static void correct(struct world *world, const struct berkeley_clock *by)
{
    unsigned times = schedule_once_in(&world->schedule, 3) ? 2 : 1; /* it comes again */
    int64_t round = world->berkeley.round;

    while (times-- > 0) {
        if (world->variant == CORRECTS_TWICE) {
            berkeley_asked(&world->members[by->server], 1, round);
        }
        berkeley_correct(&world->members[by->server], 1, round, by->ahead_ms);
    }
}

/* All that were corrected are near each other, and within what the good clocks showed before. */
static void check(struct world *world, const struct berkeley_corrections *corrections, uint64_t since_ms)
{
    uint64_t rtt_ms = corrections->rtt_ms < RTT_MAX_MS ? corrections->rtt_ms : RTT_MAX_MS;
    int64_t bound_ms = berkeley_bound_ms(rtt_ms, DRIFT_PPM, since_ms);
    int64_t first = INT64_MAX;
    int64_t last = INT64_MIN;

    for (unsigned i = 0; i < corrections->count; i++) {
        int64_t shown = show(world, corrections->by[i].server, world->now_ms);
        first = shown < first ? shown : first;
        last = shown > last ? shown : last;
    }
    if (last - first > bound_ms) {
        finding_add(&world->finding, "berkeley: the clocks are %lld ms apart, promised are %lld",
                    (long long)(last - first), (long long)bound_ms);
    }
    if (first > world->now_ms - 1e6 + 4 * SPREAD_MS) {
        finding_add(&world->finding, "berkeley: one broken clock moved all, by %lld ms", (long long)first);
    }
}

static struct finding run(uint64_t seed, enum variant variant)
{
    static struct world world;
    struct berkeley_corrections corrections = {0};

    begin(&world, seed, variant);
    for (unsigned round = 0; round < ROUNDS && !finding_exists(&world.finding); round++) {
        double began_ms = world.now_ms;
        poll(&world);
        if (!berkeley_finish(&world.berkeley, show(&world, 1, world.now_ms + 5000), &corrections)) {
            finding_add(&world.finding, "berkeley: the round does not end");
        }
        for (unsigned i = 0; i < corrections.count; i++) {
            correct(&world, &corrections.by[i]);
        }
        check(&world, &corrections, (uint64_t)(world.now_ms - began_ms));
        world.now_ms += schedule_below(&world.schedule, 10000);
        check(&world, &corrections, (uint64_t)(world.now_ms - began_ms));
    }
    return world.finding;
}

static void clocks_stay_within_the_bound(void **state)
{
    struct seeds seeds = seeds_of(SEEDS);

    (void)state;
    while (seeds_next(&seeds)) {
        struct finding finding = run(seeds.seed, AS_IT_IS);
        seeds_note(&seeds, &finding);
    }
    seeds_expect_none(&seeds);
}

static void expect_caught(enum variant variant, const char *name)
{
    struct seeds seeds = seeds_of_bad(SEEDS_OF_BAD);

    while (seeds_next(&seeds)) {
        struct finding finding = run(seeds.seed, variant);
        seeds_note(&seeds, &finding);
    }
    seeds_expect_some(&seeds, name);
}

static void bad_rules_are_caught(void **state)
{
    (void)state;
    expect_caught(TRUSTS_EVERYBODY, "averaging a clock that is far off");
    expect_caught(TRUSTS_SLOW, "believing an answer that took too long");
    expect_caught(CORRECTS_TWICE, "a correction that counts twice");
}

UNIT_MAIN(cmocka_unit_test(clocks_stay_within_the_bound), cmocka_unit_test(bad_rules_are_caught))
