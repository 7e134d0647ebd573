/* What happens in a world, as its temper has it.
 *
 * Worlds differ, and leave things out: where all troubles come together, each hides the others, and what needs many of one
 * kind in a row never happens (Groce et al. 2012, "Swarm Testing"). */
#include "common/random.h"
#include "tests/sim/paxos_world.h"

#define HEAL_ROUNDS 500 /* far more than rules need */
#define HEAL_TICK   10
#define CALM_ROUNDS 3

#define ANYBODY UINT32_MAX

#define CHOOSE(draw, choices) (choices)[(draw) % (sizeof(choices) / sizeof *(choices))]

struct temper temper_of(uint64_t seed)
{
    static const unsigned syncs[] = {4, 12, 26, 40};
    static const unsigned ticks[] = {4, 12, 24};
    static const unsigned clients[] = {3, 8, 16};
    static const unsigned checkpoints[] = {0, 1, 4, 8};
    static const unsigned troubles[] = {0, 1, 3, 6, 12};
    static const unsigned losses[] = {0, 2, 4, 12};
    static const unsigned copies[] = {0, 2, 4, 12};
    static const unsigned reaches[] = {1, 3, 8, WORLD_PACKETS};
    static const unsigned paces[] = {1, 1, 3, 8};
    static const unsigned proposers[] = {1, 2, 2, 3, WORLD_PROPOSERS};
    static const unsigned targets[] = {ANYBODY, ANYBODY, TO_PROPOSERS, TO_ACCEPTORS, TO_LEARNERS, STORE_ROLE};
    static const unsigned eager[] = {0, 4, 7, 8};
    struct random random = {random_mix(seed, WORLD_STEPS)};

    return (struct temper){
        .weights = {[STEP_DELIVER] = 72,
                    [STEP_SYNC] = CHOOSE(random_next(&random), syncs),
                    [STEP_TICK] = CHOOSE(random_next(&random), ticks),
                    [STEP_CLIENT] = CHOOSE(random_next(&random), clients),
                    [STEP_CHECKPOINT] = CHOOSE(random_next(&random), checkpoints),
                    [STEP_TROUBLE] = CHOOSE(random_next(&random), troubles)},
        .loss = CHOOSE(random_next(&random), losses),
        .again = CHOOSE(random_next(&random), copies),
        .reach = CHOOSE(random_next(&random), reaches),
        .pace = CHOOSE(random_next(&random), paces),
        .proposers = CHOOSE(random_next(&random), proposers),
        .target = CHOOSE(random_next(&random), targets),
        .buries = random_next(&random) % 3 == 0,
        .eager = CHOOSE(random_next(&random), eager),
        .resources = 1 + (unsigned)(random_next(&random) % WORLD_RESOURCES),
    };
}

/* Whom trouble hurts most: who leads, who has something that is not on its disk, who is between the phases. */
static bool is_busy(const struct member *member)
{
    return member->up &&
           (member->proposer.phase != PROPOSER_FOLLOWS || member->written > member->durable ||
            member->coordinator.phase == COORDINATOR_COMMITS || member->store.pending_count > 0);
}

static bool is_target(const struct world *world, const struct member *member)
{
    return world->temper.target == ANYBODY || world->temper.target == member->role;
}

static struct member *choose_victim(struct world *world, uint64_t draw)
{
    struct member *victim = &world->members[draw % world->count];

    for (unsigned i = 0; i < world->count; i++) {
        struct member *member = &world->members[(draw + i) % world->count];
        if (is_target(world, member)) {
            victim = is_target(world, victim) ? victim : member;
            if (draw / 16 % 4 == 0 || is_busy(member)) {
                return member;
            }
        }
    }
    return victim;
}

static void start_somebody(struct world *world, uint64_t draw)
{
    for (unsigned i = 0; i < world->count; i++) {
        struct member *member = &world->members[(draw + i) % world->count];
        if (!member->up) {
            member_start(world, member);
            return;
        }
    }
}

static void abort_something(struct world *world, uint64_t draw)
{
    for (unsigned i = 0; i < world->options.stores; i++) {
        struct member *member =
            world_member(world, STORE_ROLE, 1 + (uint32_t)((draw + i) % world->options.stores));
        if (member->store.pending_count > 0) {
            site_abort(world, member, draw / WORLD_STORES);
            return;
        }
    }
}

static void make_trouble(struct world *world, uint64_t draw)
{
    struct member *member = choose_victim(world, draw / 16);
    unsigned kind = (unsigned)(draw % 16);
    uint64_t more = draw / 65536;

    if (kind < 6 && member->up) {
        member_crash(world, member, more / 8);
        if (more % 8 < world->temper.eager) {
            member_start(world, member);
        }
    } else if (kind < 11) {
        start_somebody(world, more);
    } else if (kind < 13) {
        network_trouble(world, member, more);
    } else if (kind < 14) {
        member->jump_ms = more % 2 == 0 ? 0 : (int64_t)(more / 2 % 200000) - 100000;
        world_tell(world, "the clock of %s jumps", world_name(member));
    } else if (world->options.stores > 0) {
        abort_something(world, more);
    }
}

static void sync_somebody(struct world *world, uint64_t draw)
{
    for (unsigned i = 0; i < world->count; i++) {
        struct member *member = &world->members[(draw + i) % world->count];
        if (member->durable < member->written) {
            member_sync(world, member);
            return;
        }
    }
}

/* A proposer that does not try to lead has no time, but its answers. */
static void tick_somebody(struct world *world, uint64_t draw)
{
    unsigned others = world->count - WORLD_PROPOSERS + world->temper.proposers;
    unsigned place = (unsigned)(draw % others);
    struct member *member =
        &world->members[place < world->temper.proposers ? place
                                                        : place - world->temper.proposers + WORLD_PROPOSERS];
    if (member->up) {
        member_tick(world, member, draw / WORLD_MEMBERS);
    }
}

static enum step_kind choose_kind(const struct temper *temper, uint64_t draw)
{
    unsigned sum = 0;
    unsigned kind = 0;

    for (unsigned i = 0; i < STEP_KINDS; i++) {
        sum += temper->weights[i];
    }
    for (unsigned left = (unsigned)(draw % sum); left >= temper->weights[kind]; kind++) {
        left -= temper->weights[kind];
    }
    return (enum step_kind)kind;
}

static void deliver_something(struct world *world, uint64_t draw, bool skipped)
{
    size_t reach = world->packets_count < world->temper.reach ? world->packets_count : world->temper.reach;

    if (reach > 0) {
        network_deliver(world, (draw >> 32) % reach, draw & UINT32_MAX, skipped);
    }
}

static void save_something(struct world *world, uint64_t draw)
{
    struct member *member = world_member(world, TO_LEARNERS, 1 + (uint32_t)(draw % WORLD_LEARNERS));

    if (member->up) {
        world_tell(world, "%s makes a checkpoint", world_name(member));
        member_checkpoint(world, member);
        member_perform(world, member);
    }
}

/* One that is skipped is as like to it as can be, so that what follows is, too: time passes, a packet is gone. */
void world_step(struct world *world, uint64_t draw, bool skipped)
{
    enum step_kind kind = choose_kind(&world->temper, draw);
    uint64_t more = random_mix(draw, 1);

    world->clock_ms += world->temper.pace;
    if (kind == STEP_DELIVER) {
        deliver_something(world, more, skipped);
    } else if (skipped) {
        return;
    } else if (kind == STEP_SYNC) {
        sync_somebody(world, more);
    } else if (kind == STEP_TICK) {
        tick_somebody(world, more);
    } else if (kind == STEP_CLIENT) {
        client_act(world, more);
    } else if (kind == STEP_CHECKPOINT) {
        save_something(world, more);
    } else {
        make_trouble(world, more);
    }
}
