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

static void send_accept(struct paxos_message *accept, struct paxos_actions *out)
{
    if (accept->count > 0) {
        paxos_send(out, TO_ACCEPTORS, 0, accept);
    } else {
        paxos_message_release(accept);
    }
}

static struct paxos_message *new_accept(const struct proposer *proposer)
{
    return paxos_message_create(PAXOS_ACCEPT, proposer->options.id, proposer->ballot, 0);
}

/* Phase 2a: what is under way from one instance to before another, in as many messages as keep each of them small. */
static void send_slots(const struct proposer *proposer, uint64_t from, uint64_t to, struct paxos_actions *out)
{
    struct paxos_message *accept = new_accept(proposer);
    size_t bytes = 0;

    for (uint64_t i = from; i < to; i++) {
        const struct slot *slot = proposer_slot(proposer, i);
        if (accept->count == PAXOS_FETCH_MAX || bytes > PAXOS_BATCH_BYTES) {
            send_accept(accept, out);
            accept = new_accept(proposer);
            bytes = 0;
        }
        if (!slot->decided) {
            paxos_message_add(accept, i, proposer->ballot, slot->value);
            bytes += value_bytes(slot->value);
        }
    }
    send_accept(accept, out);
}

/* Takes over the reference to the value. */
static void add_slot(struct proposer *proposer, struct value *value)
{
    size_t place = proposer->slots_gone + (size_t)(proposer->next - proposer->first);

    proposer->slots =
        memory_grow(proposer->slots, &proposer->slots_capacity, place + 1, sizeof *proposer->slots);
    proposer->slots[place] = (struct slot){.value = value};
    proposer->next++;
}

/* That it leads, and again what was not decided since the last time: the message, or the answer, was lost. Acceptors are
 * asked whether it does: where no majority says so, clients had better be told (proposer_tick). */
void leader_beat(struct proposer *proposer, struct paxos_actions *out)
{
    struct paxos_message *beat =
        paxos_message_create(PAXOS_HEARTBEAT, proposer->options.id, proposer->ballot, proposer->first);

    proposer->heartbeat_at_ms = proposer->now_ms + proposer->options.heartbeat_ms;
    paxos_send(out, TO_PROPOSERS, 0, paxos_message_keep(beat));
    paxos_send(out, TO_LEARNERS, 0, beat);
    if (proposer->sent_before > proposer->first) {
        send_slots(proposer, proposer->first, proposer->sent_before, out);
    }
    proposer->sent_before = proposer->next;
    reads_ask(proposer, out);
}

/* ---- beginning and ending ---- */

/* Section 3: the new leader proposes again what may have been chosen, and fills gaps with a command that changes nothing,
 * so that what stands behind them need not wait. */
void leader_begin(struct proposer *proposer, struct paxos_actions *out)
{
    proposer->phase = PROPOSER_LEADS;
    proposer->leader_in_sight = true;
    proposer->confirmed_ms = proposer->now_ms;
    proposer->first = proposer->found.forgotten + 1;
    proposer->next = proposer->first;
    for (uint64_t i = proposer->first; i <= kept_last(&proposer->found); i++) {
        const struct proposal *found = kept_find(&proposer->found, i);
        add_slot(proposer, found != NULL ? value_keep(found->value) : NULL);
    }
    kept_free(&proposer->found);
    proposer->sent_before = proposer->next;
    paxos_actions_add(out, (struct paxos_action){.type = PAXOS_LEAD, .ballot = proposer->ballot});
    leader_beat(proposer, out);
}

/* What is under way may or may not be decided: the next leader finds out. */
static void give_up_slots(struct proposer *proposer, struct paxos_actions *out)
{
    for (uint64_t i = proposer->first; i < proposer->next; i++) {
        const struct slot *slot = proposer_slot(proposer, i);
        if (!slot->decided) {
            paxos_actions_add(out, (struct paxos_action){.type = PAXOS_UNKNOWN,
                                                         .instance = i,
                                                         .value = slot->value});
        }
    }
    proposer->next = proposer->first;
    proposer->slots_gone = 0;
}

/* What only waited is given back. */
void leader_end(struct proposer *proposer, struct paxos_actions *out)
{
    give_up_slots(proposer, out);
    for (size_t i = proposer->queue_first; i < proposer->queue_count; i++) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_REFUSE,
                                                     .client = proposer->queue[i].client,
                                                     .token = proposer->queue[i].timestamp});
        free((char *)proposer->queue[i].bytes);
    }
    proposer->queue_first = 0;
    proposer->queue_count = 0;
    proposer->queue_bytes = 0;
    reads_refuse(proposer, out);
}

/* ---- clients' commands ---- */

/* As many of those that wait as one instance takes: at least one. */
static struct value *take_batch(struct proposer *proposer)
{
    struct client_command *commands = &proposer->queue[proposer->queue_first];
    size_t waiting = proposer->queue_count - proposer->queue_first;
    size_t count = 1;
    size_t bytes = commands[0].length;

    while (count < waiting && count < proposer->options.batch &&
           bytes + commands[count].length <= PAXOS_BATCH_BYTES) {
        bytes += commands[count++].length;
    }
    struct value *value = value_create(commands, count);
    for (size_t i = 0; i < count; i++) {
        free((char *)commands[i].bytes);
    }
    proposer->queue_first += count;
    proposer->queue_bytes -= bytes;
    return value;
}

/* While an instance is under way, what comes gathers for the next one, unless it fills that (as small segments do in TCP;
 * Nagle 1984, RFC 896). So on a fast network a few full instances carry what many small ones would, at a cost for each;
 * and on a slow one the window fills. */
static bool may_propose(const struct proposer *proposer)
{
    size_t waiting = proposer->queue_count - proposer->queue_first;
    uint64_t under_way = proposer->next - proposer->first;
    bool fills = waiting >= proposer->options.batch || proposer->queue_bytes >= PAXOS_BATCH_BYTES;

    return waiting > 0 && under_way < proposer->options.window && (under_way == 0 || fills);
}

/* For instances in which no acceptor of the majority had accepted anything: "any value". */
void proposer_propose(struct proposer *proposer, struct paxos_actions *out)
{
    uint64_t from = proposer->next;

    while (may_propose(proposer)) {
        add_slot(proposer, take_batch(proposer));
    }
    if (proposer->queue_first == proposer->queue_count) {
        proposer->queue_first = 0;
        proposer->queue_count = 0;
    }
    if (from < proposer->next) {
        send_slots(proposer, from, proposer->next, out);
    }
    reads_flush(proposer, out);
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
    proposer->queue_bytes += command->length;
}

void proposer_submit(struct proposer *proposer, const struct client_command *command,
                     struct paxos_actions *out)
{
    bool full = proposer->queue_count - proposer->queue_first >= PAXOS_QUEUE_MAX ||
                command->length > PAXOS_QUEUE_BYTES - proposer->queue_bytes;

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
}

/* ---- what acceptors answer ---- */

/* A value is chosen when a majority of acceptors has accepted it in the same ballot (section 2.1): sets, not numbers, are
 * counted, as an answer may come twice. */
static void count_accepted(struct proposer *proposer, uint64_t instance, uint32_t acceptor,
                           struct paxos_actions *out)
{
    struct slot *slot = proposer_slot(proposer, instance);

    slot->accepted |= members_bit(acceptor);
    if (!slot->decided && members_count(slot->accepted) >= members_majority(proposer->options.acceptors)) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_DECIDED,
                                                     .instance = instance,
                                                     .value = slot->value});
        slot->decided = true;
        slot->value = NULL;
    }
}

/* The first instances, as far as they are decided, make room. The array moves only when more of it is behind than ahead. */
static void pass_decided(struct proposer *proposer)
{
    while (proposer->first < proposer->next && proposer_slot(proposer, proposer->first)->decided) {
        proposer->first++;
        proposer->slots_gone++;
    }
    size_t count = (size_t)(proposer->next - proposer->first);
    if (proposer->slots_gone > count) {
        if (count > 0) {
            memmove(proposer->slots, proposer->slots + proposer->slots_gone, count * sizeof *proposer->slots);
        }
        proposer->slots_gone = 0;
    }
}

/* Answers in the leader's own ballot only. What an acceptor has forgotten it would accept, if it still could: it is
 * decided, and where a majority that is still in this ballot says so, no higher one decided it. */
void leader_accepted(struct proposer *proposer, const struct paxos_message *message,
                     struct paxos_actions *out)
{
    if (proposer->phase != PROPOSER_LEADS || ballot_compare(message->ballot, proposer->ballot) != 0) {
        return;
    }
    for (uint64_t i = proposer->first; i <= message->instance && i < proposer->next; i++) {
        count_accepted(proposer, i, message->from, out);
    }
    for (size_t i = 0; i < message->count; i++) {
        const struct proposal *proposal = &message->proposals[i];
        if (proposal->instance >= proposer->first && proposal->instance < proposer->next &&
            ballot_compare(proposal->ballot, proposer->ballot) == 0) {
            count_accepted(proposer, proposal->instance, message->from, out);
        }
    }
    pass_decided(proposer);
}
