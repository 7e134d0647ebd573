#include "tests/sim/paxos_world.h"

#include "common/random.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHRINK_WORK 10000000 /* steps and packets */

/* ---- names and findings ---- */

void world_tell(const struct world *world, const char *format, ...)
{
    va_list arguments;

    if (world->options.tell) {
        if (world->healing) {
            fprintf(stderr, "  heal  ");
        } else {
            fprintf(stderr, "  %4u  ", world->step);
        }
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
        world->options.tell = false; /* the story ends here */
    }
}

unsigned world_place(const struct world *world, const struct member *member)
{
    return (unsigned)(member - world->members);
}

/* How many members stand before those of a role. */
static unsigned members_before(const struct world *world, unsigned role)
{
    const unsigned before[] = {
        [TO_PROPOSERS] = 0,
        [TO_ACCEPTORS] = WORLD_PROPOSERS,
        [TO_LEARNERS] = WORLD_PROPOSERS + world->options.acceptors,
        [STORE_ROLE] = WORLD_PROPOSERS + world->options.acceptors + WORLD_LEARNERS,
    };
    return before[role];
}

struct member *world_member(struct world *world, unsigned role, uint32_t id)
{
    return &world->members[members_before(world, role) + id - 1];
}

const char *world_name(const struct member *member)
{
    static char names[4][24];
    static unsigned last;
    static const char *const roles[] = {"proposer", "acceptor", "learner", "store"};

    last = (last + 1) % 4;
    snprintf(names[last], sizeof names[last], "%s %u", roles[member->role], member->id);
    return names[last];
}

/* ---- a schedule ---- */

/* Most are short, as most bugs need little; some are long, for leaders that change many times, and for what is forgotten. */
struct world_options world_options_of(uint64_t seed, enum paxos_variant variant)
{
    static const unsigned steps[] = {600, 600, 600, 600, 600, 1500, 1500, 2500};
    uint64_t draw = random_mix(seed, WORLD_STEPS + 1);
    bool has_stores = variant >= STORE_ANSWERS_EARLY || draw % 3 == 0;

    return (struct world_options){.seed = seed,
                                  .acceptors = draw / 4 % 2 == 0 ? 3 : WORLD_ACCEPTORS,
                                  .stores = has_stores ? WORLD_STORES : 0,
                                  .variant = variant,
                                  .steps = draw / 8 % 32 == 0 ? 5000 + (unsigned)(draw / 256 % 1000)
                                                              : steps[draw / 256 % 8]};
}

static void begin(struct world *world, const struct world_options *options)
{
    memset(world, 0, offsetof(struct world, operations));
    world->operations_count = 0;
    memset(world->current, 0, sizeof world->current);
    world->moment = 0;
    world->balloted_count = 0;
    memset(world->balloted_first, 0, sizeof world->balloted_first);
    memset(world->promised, 0, sizeof world->promised);
    memset(world->accepted, 0, sizeof world->accepted);
    world->applied_count = 0;
    world->finding[0] = '\0';
    world->options = *options;
    world->options.tell = false; /* that all start needs no telling */
    world->temper = temper_of(options->seed);
    world->count = WORLD_PROPOSERS + options->acceptors + WORLD_LEARNERS + options->stores;
    for (unsigned i = 0; i < world->count; i++) {
        struct member *member = &world->members[i];
        member->role = STORE_ROLE;
        while (members_before(world, member->role) > i) {
            member->role--;
        }
        member->id = 1 + i - members_before(world, member->role);
        member_start(world, member);
    }
    world->options.tell = options->tell;
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
        world->step = i;
        world->work++;
        world_step(world, random_mix(options->seed, i), options->skipped != NULL && options->skipped[i]);
        check_live(world);
        found = world->finding[0] != '\0' ? (int)i : -1;
    }
    if (found < 0) {
        world->step = options->steps;
        world_heal(world);
        check_clients(world);
        found = world->finding[0] != '\0' ? (int)options->steps : -1;
    }
    end(world);
    return found;
}

/* ---- shrinking ---- */

/* The same property is violated: what is before the colon. */
static bool finds_same(struct world *world, const struct world_options *options, const char *finding)
{
    return world_run(world, options) >= 0 && strncmp(world->finding, finding, strcspn(finding, ":") + 1) == 0;
}

static bool leave_out(struct world *world, const struct world_options *options, bool *skipped, unsigned from,
                      unsigned size, const char *finding, uint64_t *work)
{
    bool before[WORLD_STEPS];
    unsigned to = from + size < options->steps ? from + size : options->steps;

    memcpy(before, skipped, sizeof before);
    for (unsigned i = from; i < to; i++) {
        skipped[i] = true;
    }
    if (memcmp(before, skipped, sizeof before) == 0) {
        return false;
    }
    bool finds = finds_same(world, options, finding);
    *work += world->work;
    if (!finds) {
        memcpy(skipped, before, sizeof before);
    }
    return finds;
}

/* Halves first, single ones last, and again as long as single ones can go; but not for ever. */
unsigned world_shrink(struct world *world, struct world_options *options, bool *skipped)
{
    char finding[sizeof world->finding];
    unsigned left = 0;
    uint64_t work = 0;
    bool goes_on = true;
    int found = world_run(world, options);

    memcpy(finding, world->finding, sizeof finding);
    options->skipped = skipped;
    for (unsigned i = (unsigned)found + 1; found >= 0 && i < options->steps; i++) {
        skipped[i] = true; /* it was found before */
    }
    for (unsigned size = options->steps / 2;
         size > 0 && goes_on && work<SHRINK_WORK; size = size> 1 ? size / 2 : 1) {
        goes_on = size > 1;
        for (unsigned from = 0; from < options->steps && work < SHRINK_WORK; from += size) {
            goes_on = leave_out(world, options, skipped, from, size, finding, &work) || goes_on;
        }
    }
    for (unsigned i = 0; i < options->steps; i++) {
        left += !skipped[i];
    }
    world_run(world, options);
    return left;
}
