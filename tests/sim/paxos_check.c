/* What must be true of everything that leaves a member, at every step. */
#include "tests/sim/paxos_world.h"

static bool is_majority(const struct world *world, uint32_t set)
{
    return members_count(set) >= members_majority(world->options.acceptors);
}

/* At most one value per ballot and instance. */
static struct balloted *note(struct world *world, const struct proposal *proposal)
{
    for (size_t i = 0; i < world->balloted_count; i++) {
        struct balloted *item = &world->balloted[i];
        if (item->instance == proposal->instance && ballot_compare(item->ballot, proposal->ballot) == 0) {
            if (!value_equal(item->value, proposal->value)) {
                world_find(world, "one value per ballot: two in instance %llu, round %llu of proposer %u",
                           (unsigned long long)proposal->instance, (unsigned long long)proposal->ballot.round,
                           proposal->ballot.proposer);
            }
            return item;
        }
    }
    if (world->balloted_count == WORLD_BALLOTS) {
        return NULL;
    }
    struct balloted *item = &world->balloted[world->balloted_count++];
    *item = (struct balloted){proposal->instance, proposal->ballot, value_keep(proposal->value), 0};
    return item;
}

/* Agreement: what one majority accepted in one ballot is what any other did. */
static void check_chosen(struct world *world, const struct balloted *chosen)
{
    for (size_t i = 0; i < world->balloted_count; i++) {
        const struct balloted *other = &world->balloted[i];
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
    if (ballot_compare(message->ballot, world->told[world_place(world, member)]) < 0) {
        world_find(world, "promises never go back: %s accepts in round %llu, after it promised a higher one",
                   world_name(member), (unsigned long long)message->ballot.round);
    }
    for (size_t i = 0; i < message->count; i++) {
        struct balloted *item = note(world, &message->proposals[i]);
        if (item != NULL && (item->accepted & members_bit(member->id)) == 0) {
            item->accepted |= members_bit(member->id);
            if (is_majority(world, item->accepted)) {
                check_chosen(world, item);
            }
        }
    }
}

void check_send(struct world *world, const struct member *member, const struct paxos_message *message)
{
    struct ballot *told = &world->told[world_place(world, member)];

    if (message->type == PAXOS_ACCEPT) {
        for (size_t i = 0; i < message->count; i++) {
            note(world, &message->proposals[i]);
        }
    } else if (message->type == PAXOS_ACCEPTED && message->ballot.round > 0) {
        check_accepted(world, member, message);
    } else if (message->type == PAXOS_PROMISE && ballot_compare(message->ballot, *told) < 0) {
        world_find(world, "promises never go back: %s promises round %llu, after a higher one",
                   world_name(member), (unsigned long long)message->ballot.round);
    } else if (message->type == PAXOS_PROMISE) {
        *told = message->ballot;
    }
}

void check_free(struct world *world)
{
    for (size_t i = 0; i < world->balloted_count; i++) {
        value_release(world->balloted[i].value);
    }
}
