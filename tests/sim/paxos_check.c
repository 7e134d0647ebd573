/* What must be true of everything that leaves a member, and of every store, at every step. */
#include "tests/sim/paxos_world.h"

#include <string.h>

static bool is_majority(const struct world *world, uint32_t set)
{
    return members_count(set) >= members_majority(world->options.acceptors);
}

/* ---- proposals ---- */

static struct balloted *add_balloted(struct world *world, const struct proposal *proposal)
{
    unsigned *first = &world->balloted_first[proposal->instance % WORLD_INSTANCES];

    if (world->balloted_count == WORLD_BALLOTS) {
        return NULL;
    }
    struct balloted *item = &world->balloted[world->balloted_count++];
    *item = (struct balloted){.instance = proposal->instance,
                              .ballot = proposal->ballot,
                              .value = value_keep(proposal->value),
                              .next = *first};
    *first = world->balloted_count;
    return item;
}

/* At most one value per ballot and instance. */
static struct balloted *note(struct world *world, const struct proposal *proposal)
{
    unsigned place = world->balloted_first[proposal->instance % WORLD_INSTANCES];

    for (; place > 0; place = world->balloted[place - 1].next) {
        struct balloted *item = &world->balloted[place - 1];
        if (item->instance == proposal->instance && ballot_compare(item->ballot, proposal->ballot) == 0) {
            if (!value_equal(item->value, proposal->value)) {
                world_find(world, "one value per ballot: two in instance %llu, ballot (%llu.%u)",
                           (unsigned long long)proposal->instance, (unsigned long long)proposal->ballot.round,
                           proposal->ballot.proposer);
            }
            return item;
        }
    }
    return add_balloted(world, proposal);
}

/* Agreement: what one majority accepted in one ballot is what any other did. */
static void check_chosen(struct world *world, const struct balloted *chosen)
{
    unsigned place = world->balloted_first[chosen->instance % WORLD_INSTANCES];

    for (; place > 0; place = world->balloted[place - 1].next) {
        const struct balloted *other = &world->balloted[place - 1];
        if (other->instance == chosen->instance && is_majority(world, other->accepted) &&
            !value_equal(other->value, chosen->value)) {
            world_find(world, "agreement: two values are chosen in instance %llu",
                       (unsigned long long)chosen->instance);
        }
    }
}

static void check_accepted(struct world *world, const struct member *member,
                           const struct paxos_message *message)
{
    /* What it tells in another's time it may have accepted long ago; what it answers to an Accept it accepted now. */
    if (ballot_compare(message->ballot, world->promised[world_place(world, member)]) < 0) {
        world_find(world, "promises never go back: %s accepts in (%llu.%u), after it promised a higher one",
                   world_name(member), (unsigned long long)message->ballot.round, message->ballot.proposer);
    }
    for (size_t i = 0; i < message->count; i++) {
        const struct proposal *proposal = &message->proposals[i];
        struct balloted *item = note(world, proposal);
        if (proposal->instance < WORLD_INSTANCES) {
            struct ballot *accepted = &world->accepted[member->id][proposal->instance];
            *accepted = ballot_compare(proposal->ballot, *accepted) > 0 ? proposal->ballot : *accepted;
        }
        if (item != NULL && (item->accepted & members_bit(member->id)) == 0) {
            item->accepted |= members_bit(member->id);
            if (is_majority(world, item->accepted)) {
                check_chosen(world, item);
            }
        }
    }
}

/* What it has said that it accepted, a promise tells, unless it was accepted once more since, or is forgotten. */
static void check_promise(struct world *world, const struct member *member,
                          const struct paxos_message *message)
{
    struct ballot *promised = &world->promised[world_place(world, member)];
    size_t next = 0;

    if (ballot_compare(message->ballot, *promised) < 0) {
        world_find(world, "promises never go back: %s promises (%llu.%u), after a higher one",
                   world_name(member), (unsigned long long)message->ballot.round, message->ballot.proposer);
    }
    *promised = message->ballot;
    uint64_t first = message->instance + 1 > message->number ? message->instance + 1 : message->number;
    for (uint64_t i = first; i < WORLD_INSTANCES; i++) {
        struct ballot said = world->accepted[member->id][i];
        struct ballot tells = {0};
        while (next < message->count && message->proposals[next].instance < i) {
            next++;
        }
        if (next < message->count && message->proposals[next].instance == i) {
            tells = message->proposals[next].ballot;
        }
        if (ballot_compare(tells, said) < 0) {
            world_find(world, "accepted values never go back: %s forgets what it accepted in instance %llu",
                       world_name(member), (unsigned long long)i);
        }
    }
}

void check_send(struct world *world, const struct member *member, const struct paxos_message *message)
{
    if (message->type == PAXOS_ACCEPT) {
        for (size_t i = 0; i < message->count; i++) {
            note(world, &message->proposals[i]);
        }
    } else if (message->type == PAXOS_ACCEPTED && message->ballot.round > 0) {
        check_accepted(world, member, message);
    } else if (message->type == PAXOS_PROMISE) {
        check_promise(world, member, message);
    }
}

void check_free(struct world *world)
{
    for (size_t i = 0; i < world->balloted_count; i++) {
        value_release(world->balloted[i].value);
    }
}

/* ---- stores ---- */

/* What a store shows was written, and what it says that it has, it has. */
void check_store(struct world *world, const struct member *member)
{
    static const char *const names[WORLD_RESOURCES] = {"x", "y"};
    const struct store *store = &member->store;
    uint64_t versions[WORLD_RESOURCES] = {0};

    for (unsigned i = 0; i < WORLD_RESOURCES; i++) {
        const struct resource *resource = store_find(store, names[i]);
        if (resource != NULL) {
            const struct world_operation *operation =
                &world->operations[world->applied[resource->version - 1]];
            versions[i] = resource->version;
            if (operation->resource != i || resource->data.length != sizeof operation->judged.value ||
                memcmp(resource->data.bytes, &operation->judged.value, sizeof operation->judged.value) != 0) {
                world_find(world, "atomicity: %s shows something else as write %llu", world_name(member),
                           (unsigned long long)resource->version);
            }
        }
    }
    for (uint64_t i = 1; i <= store->complete && i <= world->applied_count; i++) {
        if (versions[world->operations[world->applied[i - 1]].resource] < i) {
            world_find(world, "complete: %s says that it has all up to write %llu, and misses %llu",
                       world_name(member), (unsigned long long)store->complete, (unsigned long long)i);
        }
    }
}

/* Write all: every live store has all that was finished. */
void check_live(struct world *world)
{
    for (uint32_t i = 1; i <= WORLD_LEARNERS; i++) {
        const struct member *learner = world_member(world, TO_LEARNERS, i);
        for (uint32_t j = 1; learner->up && j <= world->options.stores; j++) {
            const struct member *member = world_member(world, STORE_ROLE, j);
            if ((learner->coordinator.live & members_bit(j)) != 0 && member->up &&
                member->store.complete < learner->coordinator.finished) {
                world_find(world, "write all: %s takes part with all up to write %llu, %s has finished %llu",
                           world_name(member), (unsigned long long)member->store.complete,
                           world_name(learner), (unsigned long long)learner->coordinator.finished);
            }
        }
    }
}

/* ---- clients, at the end ---- */

static void check_resource(struct world *world, unsigned resource)
{
    static struct register_operation judged[WORLD_OPERATIONS];
    static unsigned number[WORLD_OPERATIONS];
    struct register_verdict verdict;
    size_t count = 0;

    for (unsigned i = 0; i < world->operations_count; i++) {
        if (world->operations[i].resource == resource) {
            number[count] = i;
            judged[count++] = world->operations[i].judged;
        }
    }
    register_judge(judged, count, 0, REGISTER_CONFIGURATIONS_MAX, &verdict);
    if (verdict.outcome == REGISTER_NOT_LINEARIZABLE) {
        world_find(world, "linearizability: client %u read %u, which fits no order",
                   world->operations[number[verdict.read]].client + 1, judged[verdict.read].value);
    }
}

void check_clients(struct world *world)
{
    for (unsigned i = 0; i < world->operations_count; i++) {
        const struct world_operation *operation = &world->operations[i];
        if (operation->owing != 0) {
            world_find(world, "answers: client %u was told nothing of its %s %u by proposers %#x",
                       operation->client + 1, operation->judged.is_write ? "write" : "read", i + 1,
                       operation->owing >> 1);
        }
        if (operation->decided && !operation->applied) {
            world_find(world, "truth: client %u was told that write %u is decided, and it is not applied",
                       operation->client + 1, operation->judged.value);
        }
    }
    for (unsigned i = 0; i < world->temper.resources; i++) {
        check_resource(world, i);
    }
}
