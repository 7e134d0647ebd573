/* The learner's side of the stores: what its process does with coordinator.h. Write n is what it applied as number n. */
#include "tests/sim/paxos_world.h"

void driver_start(const struct world *world, struct member *learner)
{
    coordinator_init(&learner->coordinator, world->options.stores, learner->replica.applied,
                     WORLD_TIMEOUT / 2);
}

static void say(struct world *world, struct member *learner, uint32_t store, const struct talk *talk)
{
    network_talk(world, learner, world_member(world, STORE_ROLE, store), talk);
}

/* What the phase asks, to all that have not answered: also again. */
static void say_phase(struct world *world, struct member *learner)
{
    const struct coordinator *coordinator = &learner->coordinator;
    uint32_t unanswered = coordinator_unanswered(coordinator);

    for (uint32_t i = 1; i <= world->options.stores; i++) {
        if ((unanswered & members_bit(i)) != 0) {
            say(world, learner, i,
                &(struct talk){.type =
                                   coordinator->phase == COORDINATOR_PREPARES ? TALK_PREPARE : TALK_COMMIT,
                               .first = coordinator->finished + 1,
                               .last = coordinator->number});
        }
    }
}

/* Begins with what it has applied and not yet taken to the stores, a few writes at a time. */
void driver_begin(struct world *world, struct member *learner)
{
    struct coordinator *coordinator = &learner->coordinator;
    uint64_t last = coordinator->finished + 1 + (world->step + learner->id) % 3;

    last = last < learner->replica.applied ? last : learner->replica.applied;
    if (world->options.stores > 0 && coordinator_begin(coordinator, last, world->clock_ms)) {
        say_phase(world, learner);
    }
}

static void go_on(struct world *world, struct member *learner)
{
    const struct coordinator *coordinator = &learner->coordinator;

    if (coordinator->phase == COORDINATOR_IDLE) {
        world_tell(world, "%s has finished all up to write %llu at stores %#x", world_name(learner),
                   (unsigned long long)coordinator->finished, coordinator->live >> 1);
        world->finished++;
        driver_begin(world, learner);
    } else {
        say_phase(world, learner);
    }
}

void driver_tick(struct world *world, struct member *learner)
{
    struct coordinator *coordinator = &learner->coordinator;

    if (coordinator_tick(coordinator, world->clock_ms)) {
        go_on(world, learner);
    } else {
        say_phase(world, learner);
        driver_begin(world, learner);
    }
    for (uint32_t i = 1; i <= world->options.stores; i++) {
        say(world, learner, i, &(struct talk){.type = TALK_COMPARE, .last = coordinator->finished});
    }
}

/* Its own state, or that of another store. */
static void send_state(struct world *world, struct member *learner, uint32_t store)
{
    struct talk state = {.type = TALK_STATE, .last = learner->replica.applied};

    for (unsigned i = 0; i < WORLD_RESOURCES; i++) {
        state.cells[i] = learner->replica.cells[i];
    }
    if (world->step % 3 == 0 && !world->healing) {
        state = (struct talk){.type = TALK_COPY, .last = 1 + store % world->options.stores};
    }
    say(world, learner, store, &state);
}

/* A store that is not live says what it has: it takes part again, or gets what it misses; but not twice in a row, without
 * a tick. */
static void meet(struct world *world, struct member *learner, uint32_t store, const struct talk *has)
{
    struct coordinator *coordinator = &learner->coordinator;
    bool trusts = world->options.variant == STORE_REJOINS_UNSEEN;

    if (world->options.variant == STORE_SHUT_OUT && coordinator->phase == COORDINATOR_COMMITS) {
        return;
    }
    if (coordinator_rejoin(coordinator, store, trusts ? UINT64_MAX : has->last)) {
        world_tell(world, "at %s store %u takes part again, with all up to write %llu", world_name(learner),
                   store, (unsigned long long)has->last);
        say(world, learner, store, &(struct talk){.type = TALK_COMPARE, .last = coordinator->finished});
        say_phase(world, learner);
    } else if (has->first == 0) {
        coordinator_hold(coordinator, world->clock_ms);
        send_state(world, learner, store);
    }
}

void driver_hear(struct world *world, struct member *learner, uint32_t store, const struct talk *talk)
{
    struct coordinator *coordinator = &learner->coordinator;

    if (talk->type == TALK_ANSWER) {
        if (coordinator_answer(coordinator, store, talk->last, talk->answer, world->clock_ms)) {
            go_on(world, learner);
        }
    } else if (talk->type == TALK_HAS && (coordinator->live & members_bit(store)) == 0) {
        meet(world, learner, store, talk);
    } else if (talk->type == TALK_DOUBT && coordinator_is_committed(coordinator, talk->last)) {
        say(world, learner, store, &(struct talk){.type = TALK_OUTCOME, .last = talk->last});
    } else if (talk->type == TALK_VALUE && talk->answer == STORE_DONE) {
        client_read(world, talk->token, (uint32_t)talk->cells[0].value);
    }
}

/* At a store that is live for this learner; what the read must see is what the learner has applied by now. */
void driver_read(struct world *world, struct member *learner, unsigned token)
{
    for (uint32_t i = 0; i < world->options.stores; i++) {
        uint32_t store = 1 + (uint32_t)(i + world->clock_ms) % world->options.stores;
        if ((learner->coordinator.live & members_bit(store)) != 0 ||
            world->options.variant == STORE_READS_ANYHOW) {
            say(world, learner, store,
                &(struct talk){.type = TALK_READ,
                               .token = token,
                               .resource = world->operations[token].resource,
                               .last = learner->replica.applied});
            return;
        }
    }
}
