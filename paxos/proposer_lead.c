/* Which value may a leader propose in an instance?
 *
 * Rule: the value of the highest ballot that its majority of promises told for that instance; where they told none, its
 * own: a batch of clients' commands, or a no-op where a gap must be filled (Lamport 2001, P2c and section 3).
 *
 * Guarantees: once a majority has accepted a value in one ballot, every later leader proposes that value. Many instances
 * may be under way, and one holds many commands. Does not guarantee: that a command is decided only once (a client may ask
 * two leaders; the learner counts it once), nor that what it proposed is decided at all.
 *
 * To break it: give add_slot NULL instead of what leader_begin found. */
#include "paxos/proposer_parts.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- sending ---- */

static void send_slots(const struct proposer *proposer, uint64_t from, struct paxos_actions *out)
{
    while (from < proposer->next) {
        struct paxos_message *accept =
            paxos_message_create(PAXOS_ACCEPT, proposer->options.id, proposer->ballot, 0);
        for (; from < proposer->next && accept->count < PAXOS_FETCH_MAX; from++) {
            paxos_message_add(accept, from, proposer->ballot, proposer->slots[from - proposer->first].value);
        }
        paxos_send(out, TO_ACCEPTORS, 0, accept);
    }
}

/* Takes over the reference to the value. */
static void add_slot(struct proposer *proposer, struct value *value)
{
    size_t place = (size_t)(proposer->next - proposer->first);

    proposer->slots =
        memory_grow(proposer->slots, &proposer->slots_capacity, place + 1, sizeof *proposer->slots);
    proposer->slots[place] = (struct slot){.value = value};
    proposer->next++;
}

/* That it leads, and again what nobody answered: the message, or the answer, was lost. */
void leader_beat(struct proposer *proposer, struct paxos_actions *out)
{
    struct paxos_message *beat =
        paxos_message_create(PAXOS_HEARTBEAT, proposer->options.id, proposer->ballot, proposer->first);

    proposer->heartbeat_at_ms = proposer->now_ms + proposer->options.heartbeat_ms;
    paxos_send(out, TO_PROPOSERS, 0, paxos_message_keep(beat));
    paxos_send(out, TO_LEARNERS, 0, beat);
    send_slots(proposer, proposer->first, out);
    reads_again(proposer, out);
}

/* ---- beginning and ending ---- */

/* Section 3: the new leader proposes again what may have been chosen, and fills gaps with a command that changes nothing,
 * so that what stands behind them need not wait. */
void leader_begin(struct proposer *proposer, struct paxos_actions *out)
{
    proposer->phase = PROPOSER_LEADS;
    proposer->leader_in_sight = true;
    proposer->first = proposer->found.forgotten + 1;
    proposer->next = proposer->first;
    for (uint64_t i = proposer->first; i <= kept_last(&proposer->found); i++) {
        const struct proposal *found = kept_find(&proposer->found, i);
        add_slot(proposer, found != NULL ? value_keep(found->value) : NULL);
    }
    kept_free(&proposer->found);
    paxos_actions_add(out, (struct paxos_action){.type = PAXOS_LEAD, .ballot = proposer->ballot});
    leader_beat(proposer, out);
}

/* What is under way may or may not be decided: the next leader finds out. What only waited is given back. */
void leader_end(struct proposer *proposer, struct paxos_actions *out)
{
    for (size_t i = 0; i < proposer->next - proposer->first; i++) {
        value_release(proposer->slots[i].value);
    }
    proposer->next = proposer->first;
    for (size_t i = proposer->queue_first; i < proposer->queue_count; i++) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_REFUSE,
                                                     .client = proposer->queue[i].client,
                                                     .token = proposer->queue[i].timestamp});
        free((char *)proposer->queue[i].bytes);
    }
    proposer->queue_first = 0;
    proposer->queue_count = 0;
    reads_refuse(proposer, out);
}

/* ---- clients' commands ---- */

/* Phase 2a, for an instance in which no acceptor of the majority had accepted anything: "any value". */
void leader_propose(struct proposer *proposer, struct paxos_actions *out)
{
    uint64_t from = proposer->next;

    while (proposer->queue_first < proposer->queue_count &&
           proposer->next - proposer->first < proposer->options.window) {
        size_t waiting = proposer->queue_count - proposer->queue_first;
        size_t count = waiting < proposer->options.batch ? waiting : proposer->options.batch;
        struct client_command *commands = &proposer->queue[proposer->queue_first];
        add_slot(proposer, value_create(commands, count));
        for (size_t i = 0; i < count; i++) {
            free((char *)commands[i].bytes);
        }
        proposer->queue_first += count;
    }
    if (proposer->queue_first == proposer->queue_count) {
        proposer->queue_first = 0;
        proposer->queue_count = 0;
    }
    send_slots(proposer, from, out);
}

static void enqueue(struct proposer *proposer, const struct client_command *command)
{
    if (proposer->queue_first > PAXOS_QUEUE_MAX) {
        proposer->queue_count -= proposer->queue_first;
        memmove(proposer->queue, proposer->queue + proposer->queue_first,
                proposer->queue_count * sizeof *proposer->queue);
        proposer->queue_first = 0;
    }
    proposer->queue = memory_grow(proposer->queue, &proposer->queue_capacity, proposer->queue_count + 1,
                                  sizeof *proposer->queue);
    struct client_command *copy = &proposer->queue[proposer->queue_count++];
    *copy = *command;
    copy->bytes = memory_copy_text(command->length > 0 ? command->bytes : "", command->length);
}

void proposer_submit(struct proposer *proposer, const struct client_command *command,
                     struct paxos_actions *out)
{
    bool full = proposer->queue_count - proposer->queue_first >= PAXOS_QUEUE_MAX;

    if (proposer->phase != PROPOSER_LEADS || full) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_REFUSE,
                                                     .client = command->client,
                                                     .token = command->timestamp,
                                                     .number = proposer->leader_in_sight && !full
                                                                   ? proposer->highest.proposer
                                                                   : 0});
        return;
    }
    enqueue(proposer, command);
    leader_propose(proposer, out);
}

/* ---- what acceptors answer ---- */

/* The first instances, as far as a majority has accepted them in this ballot: those are chosen, for ever. */
static void pass_decided(struct proposer *proposer)
{
    size_t count = (size_t)(proposer->next - proposer->first);
    size_t decided = 0;

    while (decided < count && members_count(proposer->slots[decided].accepted) >=
                                  members_majority(proposer->options.acceptors)) {
        value_release(proposer->slots[decided++].value);
    }
    if (decided > 0) {
        memmove(proposer->slots, proposer->slots + decided, (count - decided) * sizeof *proposer->slots);
        proposer->first += decided;
    }
}

/* A value is chosen when a majority of acceptors has accepted it in the same ballot (section 2.1): sets, not numbers, are
 * counted, as an answer may come twice. Answers in the leader's own ballot only. */
void leader_accepted(struct proposer *proposer, const struct paxos_message *message,
                     struct paxos_actions *out)
{
    if (proposer->phase != PROPOSER_LEADS) {
        return;
    }
    for (size_t i = 0; i < message->count; i++) {
        const struct proposal *proposal = &message->proposals[i];
        if (proposal->instance >= proposer->first && proposal->instance < proposer->next &&
            ballot_compare(proposal->ballot, proposer->ballot) == 0) {
            proposer->slots[proposal->instance - proposer->first].accepted |= members_bit(message->from);
        }
    }
    /* What an acceptor has forgotten is decided too. */
    for (uint64_t i = proposer->first; i <= message->instance && i < proposer->next; i++) {
        proposer->slots[i - proposer->first].accepted = UINT32_MAX;
    }
    pass_decided(proposer);
    leader_propose(proposer, out);
}
