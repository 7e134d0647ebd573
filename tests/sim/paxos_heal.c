/* After the steps all heals, or all that is needed; and then it must decide, and nobody may wait for ever. */
#include "common/random.h"
#include "tests/sim/paxos_world.h"

#include <string.h>

#define HEAL_ROUNDS  250 /* far more than rules need */
#define HEAL_TICK    10
#define CALM_ROUNDS  3
#define TOLD_ROUNDS  40 /* of those that a story tells */
#define TOLD_BRIEFLY 5

static void sync_all(struct world *world)
{
    for (unsigned i = 0; i < world->count; i++) {
        if (world->members[i].durable < world->members[i].written) {
            member_sync(world, &world->members[i]);
        }
    }
}

static void settle(struct world *world, struct random *random)
{
    sync_all(world);
    for (unsigned budget = 20000; world->packets_count > 0 && budget > 0 && world->finding[0] == '\0';
         budget--) {
        network_deliver(world, random_below(random, world->packets_count), random_next(random), false);
        sync_all(world);
    }
}

static bool takes_part(const struct member *learner, uint32_t id, const struct store *store)
{
    const struct coordinator *coordinator = &learner->coordinator;

    return coordinator->phase == COORDINATOR_IDLE && coordinator->finished == learner->replica.applied &&
           store->complete == learner->replica.applied && (coordinator->live & members_bit(id)) != 0;
}

/* Every store that is there takes part with every learner that is, and has what it has. */
static bool stores_are_done(struct world *world)
{
    bool done = true;

    for (uint32_t i = 1; i <= world->options.stores; i++) {
        const struct store *store = &world_member(world, STORE_ROLE, i)->store;
        bool is_up = world_member(world, STORE_ROLE, i)->up;
        for (uint32_t j = 1; j <= WORLD_LEARNERS && is_up; j++) {
            const struct member *learner = world_member(world, TO_LEARNERS, j);
            done = done && (!learner->up || takes_part(learner, i, store));
        }
        done = done && (!is_up || (store->serves && store->pending_count == 0));
    }
    return done;
}

/* All clients have their answers, and both learners applied the same. */
static bool is_done(struct world *world)
{
    const struct member *first = world_member(world, TO_LEARNERS, 1);
    const struct member *second = world_member(world, TO_LEARNERS, 2);
    bool done = !first->up || !second->up ||
                (first->learner.applied == second->learner.applied &&
                 first->replica.applied == second->replica.applied &&
                 memcmp(first->replica.cells, second->replica.cells, sizeof first->replica.cells) == 0);

    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        done = done && world->current[i] == 0;
    }
    return done && stores_are_done(world);
}

static void heal_round(struct world *world, struct random *random, unsigned round)
{
    world->clock_ms += HEAL_TICK;
    for (unsigned i = 0; i < world->count; i++) {
        uint64_t draw = random_next(random);
        if (world->members[i].up) {
            member_tick(world, &world->members[i], draw);
        }
    }
    settle(world, random);
    for (unsigned i = 0; i < WORLD_CLIENTS && round % 4 == 3; i++) {
        if (world->current[i] > 0) {
            client_act(world, i + WORLD_CLIENTS * random_below(random, UINT64_MAX / 16));
        }
    }
}

/* Does a learner that is there have, or find at the acceptors, all that was decided? An acceptor forgets what one learner
 * has, and the others are too far behind for its patience: then that one must come back. */
static bool somebody_knows(struct world *world)
{
    uint64_t forgotten = 0;
    bool knows = false;

    for (unsigned i = 0; i < world->count; i++) {
        uint64_t gone = world->members[i].acceptor.accepted.forgotten;
        forgotten = gone > forgotten ? gone : forgotten;
    }
    for (uint32_t i = 1; i <= WORLD_LEARNERS; i++) {
        const struct member *learner = world_member(world, TO_LEARNERS, i);
        knows = knows || (learner->up && learner->learner.applied >= forgotten);
    }
    return knows;
}

/* Of the dead, all return; or, where the world buries them, as many as are needed: one proposer, a majority of the
 * acceptors, one store, and of the learners who knows what nobody else does. */
static void bring_back(struct world *world)
{
    const unsigned needed[] = {
        [TO_PROPOSERS] = 1,
        [TO_ACCEPTORS] = members_majority(world->options.acceptors),
        [STORE_ROLE] = world->options.stores > 0 ? 1 : 0,
    };
    unsigned up[STORE_ROLE + 1] = {0};

    for (unsigned i = 0; i < world->count; i++) {
        up[world->members[i].role] += world->members[i].up;
    }
    for (unsigned i = 0; i < world->count; i++) {
        struct member *member = &world->members[i];
        bool is_needed =
            member->role == TO_LEARNERS ? !somebody_knows(world) : up[member->role] < needed[member->role];
        if (!member->up && (is_needed || !world->temper.buries)) {
            member_start(world, member);
            up[member->role]++;
        }
    }
}

/* Who waits for what, or differs from whom: the end of a story about what never came. */
static void tell_state(struct world *world)
{
    for (unsigned i = 0; i < WORLD_CLIENTS; i++) {
        if (world->current[i] > 0) {
            world_tell(world, "client %u waits for its %s %u", i + 1,
                       world->operations[world->current[i] - 1].judged.is_write ? "write" : "read",
                       world->current[i]);
        }
    }
    for (unsigned i = 0; i < world->count; i++) {
        const struct member *member = &world->members[i];
        if (member->up && member->role == TO_LEARNERS) {
            world_tell(world,
                       "%s has applied %zu writes, up to instance %llu, and finished %llu at stores %#x",
                       world_name(member), member->replica.applied,
                       (unsigned long long)member->learner.applied,
                       (unsigned long long)member->coordinator.finished, member->coordinator.live >> 1);
        } else if (member->up && member->role == STORE_ROLE) {
            world_tell(world, "%s %s, is complete up to write %llu, and %zu are pending", world_name(member),
                       member->store.serves ? "serves" : "does not serve",
                       (unsigned long long)member->store.complete, member->store.pending_count);
        } else if (member->up && member->proposer.phase == PROPOSER_LEADS) {
            world_tell(world, "%s leads, first undecided is %llu", world_name(member),
                       (unsigned long long)member->proposer.first);
        }
    }
}

void world_heal(struct world *world)
{
    bool tells = world->options.tell;
    struct random random = {random_mix(world->options.seed, UINT64_MAX)};
    unsigned calm = 0;

    world->healing = true;
    world_tell(world, "all heals%s", world->temper.buries ? ", but who is not needed stays away" : "");
    memset(world->cut_until, 0, sizeof world->cut_until);
    bring_back(world);
    for (unsigned i = 0; i < HEAL_ROUNDS && calm < CALM_ROUNDS && world->finding[0] == '\0'; i++) {
        world->options.tell = tells && i < (world->options.brief ? TOLD_BRIEFLY : TOLD_ROUNDS);
        heal_round(world, &random, i);
        calm = i > 30 && is_done(world) ? calm + 1 : 0;
    }
    if (calm < CALM_ROUNDS && world->finding[0] == '\0') {
        world->options.tell = tells;
        world_tell(world, "…and so on; in the end:");
        tell_state(world);
        world_find(world, "liveness: all is well again, and clients wait, or learners or stores differ");
    }
}
