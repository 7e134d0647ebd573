/* When may a read be answered without writing anything?
 *
 * Rule: note the last instance that may be decided; let a majority of acceptors confirm, after the read came, that they
 * have promised no higher ballot; then answer from a state that has applied all up to the noted instance (Ongaro 2014,
 * "Consensus: Bridging Theory and Practice", section 6.4; it is Lamport's phase 1 without its record).
 *
 * Guarantees: a read sees every write that was answered before it began, whatever clocks do. Does not guarantee: an
 * answer, where the noted instance is never decided; the client asks again.
 *
 * To break it: answer in proposer_read at once, and let another proposer lead that this one has not heard of. */
#include "paxos/proposer_parts.h"

#include "common/memory.h"

void proposer_read(struct proposer *proposer, uint64_t token, struct paxos_actions *out)
{
    if (proposer->phase != PROPOSER_LEADS || proposer->reads_count >= PAXOS_QUEUE_MAX) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_REFUSE_READ,
                                                     .token = token,
                                                     .number = proposer->phase != PROPOSER_LEADS &&
                                                                       proposer->leader_in_sight
                                                                   ? proposer->highest.proposer
                                                                   : 0});
        return;
    }
    proposer->reads = memory_grow(proposer->reads, &proposer->reads_capacity, proposer->reads_count + 1,
                                  sizeof *proposer->reads);
    proposer->reads[proposer->reads_count++] =
        (struct pending_read){.token = token, .instance = proposer->next - 1};
}

/* One round at a time: what comes meanwhile shares the next one. */
void reads_flush(struct proposer *proposer, struct paxos_actions *out)
{
    if (proposer->reads_count > 0 && proposer->confirm_round == 0) {
        reads_ask(proposer, out);
    }
}

/* One round for all that have come so far; or the one that is under way once more, for a message or its answer may have been
 * lost. Whichever of the two is answered, it was asked after those reads had come. (Were it a new round each time, none
 * would ever end where an answer takes longer than a heartbeat.) */
void reads_ask(struct proposer *proposer, struct paxos_actions *out)
{
    struct paxos_message *confirm =
        paxos_message_create(PAXOS_CONFIRM, proposer->options.id, proposer->ballot, 0);

    if (proposer->confirm_round == 0) {
        proposer->confirm_round = ++proposer->confirm_last;
        proposer->confirms = 0;
        for (size_t i = 0; i < proposer->reads_count; i++) {
            proposer->reads[i].round = proposer->confirm_round;
        }
    }
    confirm->number = proposer->confirm_round;
    paxos_send(out, TO_ACCEPTORS, 0, confirm);
}

static void release_reads(struct proposer *proposer, struct paxos_actions *out)
{
    size_t kept = 0;

    for (size_t i = 0; i < proposer->reads_count; i++) {
        const struct pending_read *read = &proposer->reads[i];
        if (read->round == proposer->confirm_round) {
            paxos_actions_add(out, (struct paxos_action){.type = PAXOS_READ,
                                                         .token = read->token,
                                                         .instance = read->instance});
        } else {
            proposer->reads[kept++] = *read;
        }
    }
    proposer->reads_count = kept;
    proposer->confirm_round = 0;
}

/* An answer to an earlier round says nothing about reads that came after it. */
void reads_confirmed(struct proposer *proposer, const struct paxos_message *message,
                     struct paxos_actions *out)
{
    if (proposer->phase != PROPOSER_LEADS || proposer->confirm_round == 0 ||
        message->number != proposer->confirm_round ||
        ballot_compare(message->ballot, proposer->ballot) != 0) {
        return;
    }
    proposer->confirms |= members_bit(message->from);
    if (members_count(proposer->confirms) >= members_majority(proposer->options.acceptors)) {
        proposer->confirmed_ms = proposer->now_ms;
        release_reads(proposer, out);
    }
}

void reads_refuse(struct proposer *proposer, struct paxos_actions *out)
{
    for (size_t i = 0; i < proposer->reads_count; i++) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_REFUSE_READ,
                                                     .token = proposer->reads[i].token});
    }
    proposer->reads_count = 0;
    proposer->confirm_round = 0;
}
