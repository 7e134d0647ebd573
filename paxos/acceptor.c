/* May this proposal be accepted?
 *
 * Rule: promise never to accept below the highest ballot seen in a Prepare, tell what was accepted so far, and accept
 * whatever is not below the promise (Lamport 2001, "Paxos Made Simple", section 2.2, P1a; van Renesse and Altinbuken
 * 2015, "Paxos Made Moderately Complex", figure 4: one promise for all instances).
 *
 * Guarantees: its promise never goes down, also over a crash, and it accepts at most one value per ballot and instance,
 * as the ballot's owner proposes only one. Does not guarantee: that anything is decided, for it counts nobody but itself.
 *
 * To break it: drop the paxos_record in hold_promise, and restart an acceptor between a Prepare and an older Accept. */
#include "paxos/acceptor.h"

void acceptor_init(struct acceptor *acceptor, uint32_t id, unsigned learners)
{
    *acceptor = (struct acceptor){.id = id,
                                  .learners = learners,
                                  .patience = ACCEPTOR_PATIENCE,
                                  .patience_bytes = ACCEPTOR_PATIENCE_BYTES};
}

void acceptor_restore(struct acceptor *acceptor, const struct paxos_record *record)
{
    if (record->type == RECORD_PROMISE) {
        acceptor->promised = record->ballot;
    } else if (record->type == RECORD_ACCEPTED) {
        acceptor->promised = record->ballot;
        kept_put(&acceptor->accepted, record->instance, record->ballot, record->value);
    } else if (record->type == RECORD_FORGET) {
        kept_forget(&acceptor->accepted, record->instance);
    }
}

void acceptor_free(struct acceptor *acceptor)
{
    kept_free(&acceptor->accepted);
}

/* "I have promised a higher one": what lets a proposer that is too late know it (section 2.2, the optimisation of P1a). */
static void refuse(const struct acceptor *acceptor, const struct paxos_message *message,
                   struct paxos_actions *out)
{
    paxos_send(out, TO_PROPOSERS, message->ballot.proposer,
               paxos_message_create(PAXOS_NACK, acceptor->id, acceptor->promised, 0));
}

static void hold_promise(struct acceptor *acceptor, struct ballot ballot, struct paxos_actions *out)
{
    if (ballot_compare(ballot, acceptor->promised) > 0) {
        acceptor->promised = ballot;
        paxos_record(out, RECORD_PROMISE, ballot, 0, NULL);
    }
}

static void add_accepted(const struct acceptor *acceptor, uint64_t from, size_t most,
                         struct paxos_message *answer)
{
    uint64_t first = from > acceptor->accepted.forgotten ? from : acceptor->accepted.forgotten + 1;

    for (uint64_t i = first; i <= kept_last(&acceptor->accepted) && answer->count < most; i++) {
        const struct proposal *proposal = kept_find(&acceptor->accepted, i);
        if (proposal != NULL) {
            paxos_message_add(answer, i, proposal->ballot, proposal->value);
        }
    }
}

/* Phase 1b: "If an acceptor receives a prepare request with number n greater than that of any prepare request to which it
 * has already responded, then it responds to the request with a promise not to accept any more proposals numbered less
 * than n and with the highest-numbered proposal (if any) that it has accepted." Here for all instances from the first
 * one asked for; an equal n is the same request once more. */
static void receive_prepare(struct acceptor *acceptor, const struct paxos_message *message,
                            struct paxos_actions *out)
{
    if (ballot_compare(message->ballot, acceptor->promised) < 0) {
        refuse(acceptor, message, out);
        return;
    }
    hold_promise(acceptor, message->ballot, out);
    struct paxos_message *promise =
        paxos_message_create(PAXOS_PROMISE, acceptor->id, message->ballot, acceptor->accepted.forgotten);
    promise->number = message->instance;
    add_accepted(acceptor, message->instance, SIZE_MAX, promise);
    paxos_send(out, TO_PROPOSERS, message->ballot.proposer, promise);
}

/* Is there room? What cannot go into one Promise must not be accepted: no proposer could lead any more. Learners make room
 * when they come back and checkpoint; so that they can, whatever stands before the last instance that is held may always
 * be proposed again, or filled. */
static bool has_room(const struct acceptor *acceptor, const struct proposal *proposal)
{
    return proposal->instance <= kept_last(&acceptor->accepted) ||
           acceptor->accepted.bytes + value_bytes(proposal->value) <= PAXOS_KEPT_BYTES;
}

/* Phase 2b: "If an acceptor receives an accept request for a proposal numbered n, it accepts the proposal unless it has
 * already responded to a prepare request having a number greater than n" (P1a). It takes n as its promise, which a
 * Prepare that was lost on the way would have brought: with a record of its own, as there may be no other, where all the
 * instances are forgotten. */
static void receive_accept(struct acceptor *acceptor, const struct paxos_message *message,
                           struct paxos_actions *out)
{
    if (ballot_compare(message->ballot, acceptor->promised) < 0) {
        refuse(acceptor, message, out);
        return;
    }
    struct paxos_message *accepted =
        paxos_message_create(PAXOS_ACCEPTED, acceptor->id, message->ballot, acceptor->accepted.forgotten);
    hold_promise(acceptor, message->ballot, out);
    for (size_t i = 0; i < message->count; i++) {
        const struct proposal *proposal = &message->proposals[i];
        const struct proposal *had = kept_find(&acceptor->accepted, proposal->instance);
        bool again = had != NULL && ballot_compare(had->ballot, message->ballot) == 0;
        if (!again && has_room(acceptor, proposal) &&
            kept_put(&acceptor->accepted, proposal->instance, message->ballot, proposal->value)) {
            paxos_record(out, RECORD_ACCEPTED, message->ballot, proposal->instance, proposal->value);
        }
        had = kept_find(&acceptor->accepted, proposal->instance);
        if (had != NULL && ballot_compare(had->ballot, message->ballot) == 0) {
            paxos_message_add(accepted, proposal->instance, had->ballot, had->value);
        }
    }
    paxos_send(out, TO_LEARNERS, 0, paxos_message_keep(accepted));
    paxos_send(out, TO_PROPOSERS, message->ballot.proposer, accepted);
}

/* Is nobody ahead of this leader here? Its reads may then be answered: whoever leads after it needs this acceptor's or
 * another's promise of this majority, which none has given by now. */
static void receive_confirm(struct acceptor *acceptor, const struct paxos_message *message,
                            struct paxos_actions *out)
{
    if (ballot_compare(message->ballot, acceptor->promised) < 0) {
        refuse(acceptor, message, out);
        return;
    }
    struct paxos_message *answer = paxos_message_create(PAXOS_CONFIRMED, acceptor->id, message->ballot, 0);
    answer->number = message->number;
    paxos_send(out, TO_PROPOSERS, message->ballot.proposer, answer);
}

/* Section 2.3: learners find out what was chosen by asking acceptors what they have accepted. */
static void receive_fetch(const struct acceptor *acceptor, const struct paxos_message *message,
                          struct paxos_actions *out)
{
    struct paxos_message *answer =
        paxos_message_create(PAXOS_ACCEPTED, acceptor->id, acceptor->promised, acceptor->accepted.forgotten);
    add_accepted(acceptor, message->instance, PAXOS_FETCH_MAX, answer);
    paxos_send(out, TO_LEARNERS, message->from, answer);
}

/* What every learner has applied and on its disk is decided for good, and nobody will ask for it (van Renesse and
 * Altinbuken 2015, section 4.2). One learner that stays away for long must not fill the disks: it gets a snapshot. */
static void receive_checkpoint(struct acceptor *acceptor, const struct paxos_message *message,
                               struct paxos_actions *out)
{
    uint64_t least = UINT64_MAX;
    uint64_t most = 0;

    if (message->from > acceptor->learners) {
        return;
    }
    if (message->instance > acceptor->checkpoints[message->from]) {
        acceptor->checkpoints[message->from] = message->instance;
    }
    for (uint32_t i = 1; i <= acceptor->learners; i++) {
        least = acceptor->checkpoints[i] < least ? acceptor->checkpoints[i] : least;
        most = acceptor->checkpoints[i] > most ? acceptor->checkpoints[i] : most;
    }
    if (most > acceptor->patience && least < most - acceptor->patience) {
        least = most - acceptor->patience;
    }
    if (acceptor->accepted.bytes > acceptor->patience_bytes) {
        least = most;
    }
    if (least > acceptor->accepted.forgotten) {
        kept_forget(&acceptor->accepted, least);
        paxos_record(out, RECORD_FORGET, (struct ballot){0}, least, NULL);
    }
}

void acceptor_receive(struct acceptor *acceptor, const struct paxos_message *message,
                      struct paxos_actions *out)
{
    bool has_ballot = ballot_may_follow(message->ballot, acceptor->promised.round);

    if (message->from == 0 || message->from > PAXOS_MEMBERS_MAX || message->instance > PAXOS_INSTANCE_MAX) {
        return;
    }
    if (message->type == PAXOS_PREPARE && has_ballot) {
        receive_prepare(acceptor, message, out);
    } else if (message->type == PAXOS_ACCEPT && has_ballot) {
        receive_accept(acceptor, message, out);
    } else if (message->type == PAXOS_CONFIRM && has_ballot) {
        receive_confirm(acceptor, message, out);
    } else if (message->type == PAXOS_FETCH) {
        receive_fetch(acceptor, message, out);
    } else if (message->type == PAXOS_CHECKPOINT) {
        receive_checkpoint(acceptor, message, out);
    }
}
