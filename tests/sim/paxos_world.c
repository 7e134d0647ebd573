#include "tests/sim/paxos_world.h"

#include "common/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAL_ROUNDS 400 /* far more than rules need */
#define HEAL_TICK   10
#define CALM_ROUNDS 3

/* ---- names and findings ---- */

void world_tell(const struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->options.tell) {
        fprintf(stderr, "  %4u  ", world->step);
        va_start(arguments, format);
        vfprintf(stderr, format, arguments);
        va_end(arguments);
        fputc('\n', stderr);
    }
}

void world_find(struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->finding[0] == '\0') {
        va_start(arguments, format);
        vsnprintf(world->finding, sizeof world->finding, format, arguments);
        va_end(arguments);
        world_tell(world, "found: %s", world->finding);
    }
}

unsigned world_place(const struct world *world, const struct member *member)
{
    return (unsigned)(member - world->members);
}

struct member *world_member(struct world *world, enum paxos_to role, uint32_t id)
{
    unsigned before = role == TO_PROPOSERS   ? 0
                      : role == TO_ACCEPTORS ? WORLD_PROPOSERS
                                             : WORLD_PROPOSERS + world->options.acceptors;
    return &world->members[before + id - 1];
}

const char *world_name(const struct member *member)
{
    static char names[4][24];
    static unsigned last;
    static const char *const roles[] = {"proposer", "acceptor", "learner"};

    last = (last + 1) % 4;
    snprintf(names[last], sizeof names[last], "%s %u", roles[member->role], member->id);
    return names[last];
}

/* ---- the first phase: whatever may happen ---- */

/* A crash hurts most where somebody leads. */
static struct member *choose_victim(struct world *world, uint64_t draw)
{
    unsigned place = (unsigned)(draw % WORLD_MEMBERS);
    struct member *member = &world->members[place < world->count ? place : 0];

    for (unsigned i = 0; i < WORLD_PROPOSERS && draw / 16 % 2 == 0; i++) {
        if (world->members[i].up && world->members[i].proposer.phase == PROPOSER_LEADS) {
            member = &world->members[i];
        }
    }
    return member;
}

static void make_trouble(struct world *world, uint64_t draw)
{
    struct member *member = choose_victim(world, draw / 8);
    unsigned other = (unsigned)(draw / 512 % WORLD_MEMBERS); /* perhaps nobody */

    if (draw % 8 < 3 && member->up) {
        member_crash(world, member, draw / 65536);
    } else if (draw % 8 < 6) {
        for (unsigned i = other; i < other + WORLD_MEMBERS; i++) {
            member = &world->members[i % WORLD_MEMBERS];
            if (i % WORLD_MEMBERS < world->count && !member->up) {
                member_start(world, member);
                break;
            }
        }
    } else if (draw % 8 == 6) {
        bool *cut = &world->cut[world_place(world, member)][other];
        *cut = !*cut;
        world_tell(world, "from %s to %s nothing passes: %s", world_name(member),
                   world_name(&world->members[other]), *cut ? "true" : "false");
    } else if (draw % 8 == 7) {
        world->jump_ms = draw / 64 % 2 == 0 ? draw % 100000 : 0;
        world_tell(world, "the clock jumps");
    }
}

static void take_step(struct world *world, uint64_t draw)
{
    unsigned kind = (unsigned)(draw % 128);
    uint64_t more = draw / 128;
    unsigned place = (unsigned)(more % WORLD_MEMBERS);
    struct member *member = &world->members[place < world->count ? place : 0];

    world->clock_ms++;
    if (kind < 72) {
        if (world->packets_count > 0) {
            member_deliver(world, (more >> 32) % world->packets_count, more & UINT32_MAX);
        }
    } else if (kind < 98) {
        for (unsigned i = 0; i < world->count; i++, member++) {
            member = member == &world->members[world->count] ? world->members : member;
            if (member->durable < member->records_count) {
                world_tell(world, "%s synchronises its disk", world_name(member));
                member_sync(world, member);
                break;
            }
        }
    } else if (kind < 110) {
        if (member->up) {
            member_tick(world, member, more / 64);
        }
    } else if (kind < 122) {
        client_act(world, more);
    } else if (kind < 123) {
        member = world_member(world, TO_LEARNERS, 1 + (uint32_t)(more % WORLD_LEARNERS));
        if (member->up) {
            member_checkpoint(world, member);
            member_perform(world, member);
        }
    } else if (world->options.seed / 2 % 4 != 0 || more % 8 == 0) { /* some worlds are calm */
        make_trouble(world, more / 8);
    }
}

/* ---- the second phase: all heals, and it must decide ---- */

static void sync_all(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++) {
        if (world->members[i].durable < world->members[i].records_count) {
            member_sync(world, &world->members[i]);
        }
    }
}

static void settle(struct world *world, struct random *random)
{
    sync_all(world);
    for (unsigned budget = 20000; world->packets_count > 0 && budget > 0; budget--) {
        member_deliver(world, random_below(random, world->packets_count), random_next(random));
        sync_all(world);
    }
}

/* All clients have their answers and both learners applied the same. */
static bool is_done(struct world *world)
{
    const struct member *first = world_member(world, TO_LEARNERS, 1);
    const struct member *second = world_member(world, TO_LEARNERS, 2);
    bool done = first->learner.applied == second->learner.applied && first->state == second->state &&
                first->applied == second->applied;

    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        done = done && world->current[i] == 0;
    }
    return done;
}

static void heal(struct world *world)
{
    struct random random = {random_mix(world->options.seed, UINT64_MAX)};
    unsigned calm = 0;

    world->healing = true;
    world_tell(world, "all heals");
    memset(world->cut, 0, sizeof world->cut);
    for (unsigned i = 0; i < world->count; i++) {
        if (!world->members[i].up) {
            member_start(world, &world->members[i]);
        }
    }
    for (unsigned round = 0; round < HEAL_ROUNDS && calm < CALM_ROUNDS && world->finding[0] == '\0';
         round++) {
        world->clock_ms += HEAL_TICK;
        for (unsigned i = 0; i < world->count; i++) {
            member_tick(world, &world->members[i], random_next(&random));
        }
        settle(world, &random);
        for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
            if (world->current[i] > 0 && round % 4 == 3) {
                client_act(world, i + WORLD_CLIENTS * random_below(&random, UINT64_MAX / 16));
            }
        }
        calm = round > 30 && is_done(world) ? calm + 1 : 0;
    }
    if (calm < CALM_ROUNDS && world->finding[0] == '\0') {
        world_find(world, "liveness: all is well again, and clients wait or learners differ");
    }
}

/* ---- a schedule ---- */

static void begin(struct world *world, const struct world_options *options)
{
    memset(world, 0, offsetof(struct world, operations));
    world->operations_count = 0;
    memset(world->current, 0, sizeof world->current);
    world->moment = 0;
    world->balloted_count = 0;
    memset(world->told, 0, sizeof world->told);
    world->applied_count = 0;
    world->finding[0] = '\0';
    world->options = *options;
    world->count = WORLD_PROPOSERS + options->acceptors + WORLD_LEARNERS;
    for (unsigned i = 0; i < world->count; i++) {
        struct member *member = &world->members[i];
        bool proposes = i < WORLD_PROPOSERS;
        bool accepts = !proposes && i < WORLD_PROPOSERS + options->acceptors;
        member->role = proposes ? TO_PROPOSERS : accepts ? TO_ACCEPTORS : TO_LEARNERS;
        member->id = 1 + i -
                     (proposes  ? 0
                      : accepts ? WORLD_PROPOSERS
                                : WORLD_PROPOSERS + options->acceptors);
        member_start(world, member);
    }
}

static void end(struct world *world)
{
    while (world->packets_count > 0) {
        paxos_message_release(world->packets[--world->packets_count].message);
    }
    for (unsigned i = 0; i < world->count; i++) {
        member_free(&world->members[i]);
    }
    paxos_actions_free(&world->actions);
    check_free(world);
}

int world_run(struct world *world, const struct world_options *options)
{
    int found = -1;

    begin(world, options);
    for (unsigned i = 0; i < options->steps && found < 0; i++) {
        if (options->skipped == NULL || !options->skipped[i]) {
            world->step = i;
            take_step(world, random_mix(options->seed, i));
            found = world->finding[0] != '\0' ? (int)i : -1;
        }
    }
    if (found < 0) {
        world->step = PAXOS_STEPS;
        heal(world);
        clients_check(world);
        found = world->finding[0] != '\0' ? PAXOS_STEPS : -1;
    }
    end(world);
    return found;
}
