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
    return world->options.variant == PAXOS_ANSWERS_EARLY && member->role == TO_ACCEPTORS;
}

/* True if the role must not see the message. */
bool distort_receive(const struct world *world, struct member *member, const struct paxos_message *message)
{
    struct proposer *proposer = &member->proposer;

    if (world->options.variant != PAXOS_SKIPS_PREPARE || member->role != TO_PROPOSERS ||
        message->type != PAXOS_NACK || proposer->phase != PROPOSER_LEADS ||
        ballot_compare(message->ballot, proposer->ballot) <= 0) {
        return false;
    }
    proposer->round = message->ballot.round + 1;
    proposer->ballot.round = proposer->round;
    proposer->highest = proposer->ballot;
    for (uint64_t i = proposer->first; i < proposer->next; i++) {
        proposer->slots[i - proposer->first].accepted = 0;
    }
    return true;
}
