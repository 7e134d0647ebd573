/* Bad variants, made of the same sources: between the world and a right role stands something that distorts what the role
 * hears, what it keeps, or when it speaks. */
#include "tests/sim/paxos_world.h"

static struct paxos_message *copy(const struct paxos_message *message, bool with_proposals)
{
    struct paxos_message *made =
        paxos_message_create(message->type, message->from, message->ballot, message->instance);

    made->number = message->number;
    for (size_t i = 0; i < message->count && with_proposals; i++) {
        const struct proposal *proposal = &message->proposals[i];
        paxos_message_add(made, proposal->instance, proposal->ballot, proposal->value);
    }
    return made;
}

struct paxos_message *distort_message(const struct world *world, struct member *member,
                                      const struct packet *packet)
{
    enum paxos_variant variant = world->options.variant;
    enum paxos_type type = packet->message->type;
    bool is_answer = type == PAXOS_PROMISE || type == PAXOS_ACCEPTED;

    if (variant == PAXOS_IGNORES_ACCEPTED && type == PAXOS_PROMISE) {
        return copy(packet->message, false);
    }
    if (variant == PAXOS_COUNTS_TWICE && is_answer && packet->again) {
        struct paxos_message *made = copy(packet->message, true);
        made->from = 1 + made->from % world->options.acceptors;
        return made;
    }
    if (variant == PAXOS_ACROSS_BALLOTS && type == PAXOS_ACCEPTED && member->role == TO_LEARNERS) {
        struct paxos_message *made = copy(packet->message, true);
        for (size_t i = 0; i < made->count; i++) {
            made->proposals[i].ballot = (struct ballot){1, 1};
        }
        return made;
    }
    return paxos_message_keep(packet->message);
}

bool distort_drops_record(const struct world *world, const struct paxos_record *record)
{
    return (world->options.variant == PAXOS_FORGETS_PROMISE && record->type == RECORD_PROMISE) ||
           (world->options.variant == PAXOS_REUSES_ROUND && record->type == RECORD_ROUND);
}

bool distort_sends_early(const struct world *world, const struct member *member)
{
    return (world->options.variant == PAXOS_ANSWERS_EARLY && member->role == TO_ACCEPTORS) ||
           (world->options.variant == STORE_ANSWERS_EARLY && member->role == STORE_ROLE);
}

/* It goes on in a ballot that nobody has promised it. */
static void skip_prepare(struct proposer *proposer, struct ballot lost_to)
{
    proposer->round = lost_to.round + 1;
    proposer->ballot.round = proposer->round;
    proposer->highest = proposer->ballot;
    for (uint64_t i = proposer->first; i < proposer->next; i++) {
        proposer_slot(proposer, i)->accepted = 0;
    }
}

static void tell_decided(struct world *world, const struct member *member,
                         const struct paxos_message *message)
{
    for (size_t i = 0; i < message->count; i++) {
        client_told(world, member,
                    &(struct paxos_action){.type = PAXOS_DECIDED, .value = message->proposals[i].value});
    }
}

/* True if the role must not see the message. */
bool distort_receive(struct world *world, struct member *member, const struct paxos_message *message)
{
    struct proposer *proposer = &member->proposer;
    enum paxos_variant variant = world->options.variant;

    if (member->role != TO_PROPOSERS || proposer->phase != PROPOSER_LEADS) {
        return false;
    }
    if (variant == PAXOS_DECIDES_ALONE && message->type == PAXOS_ACCEPTED &&
        ballot_compare(message->ballot, proposer->ballot) == 0) {
        tell_decided(world, member, message);
    } else if (variant == PAXOS_SKIPS_PREPARE && message->type == PAXOS_NACK &&
               ballot_compare(message->ballot, proposer->ballot) > 0) {
        skip_prepare(proposer, message->ballot);
        return true;
    }
    return false;
}

static void tell_refused(struct world *world, const struct member *member, const struct value *value)
{
    for (size_t i = 0; value != NULL && i < value->count; i++) {
        client_told(world, member,
                    &(struct paxos_action){.type = PAXOS_REFUSE,
                                           .client = value->commands[i].client,
                                           .token = value->commands[i].timestamp});
    }
}

void distort_action(struct world *world, const struct member *member, struct paxos_action *action)
{
    enum paxos_variant variant = world->options.variant;

    if (variant == PAXOS_APPLIES_TWICE && action->type == PAXOS_REPEATED) {
        action->type = PAXOS_APPLY;
    } else if (variant == PAXOS_REFUSES_LATE && action->type == PAXOS_UNKNOWN) {
        tell_refused(world, member, action->value);
    } else if (variant == PAXOS_KEEPS_SILENT && action->type == PAXOS_UNKNOWN) {
        value_release(action->value);
        action->value = NULL;
    }
}
