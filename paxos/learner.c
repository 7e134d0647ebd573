/* What is decided, and when is it applied?
 *
 * Rule: a value is chosen when a majority of acceptors has accepted it in one and the same ballot; it is applied when
 * everything before it was (Lamport 2001, sections 2.3 and 3).
 *
 * Guarantees: all learners apply the same commands in the same order, each once. Does not guarantee: that it knows at once
 * what is decided. It asks the acceptors for what it missed, the leader where their answers make no majority, and another
 * learner for its state where they have forgotten.
 *
 * To break it: leave the comparison of ballots in count_accepted out. */
#include "paxos/learner.h"

#include "common/memory.h"

#include <stdlib.h>

#define PATIENCE    8 /* ticks of asking acceptors, before the leader is asked */
#define TALLIES_MIN 64

void learner_init(struct learner *learner, uint32_t id, unsigned acceptors)
{
    *learner = (struct learner){.id = id, .acceptors = acceptors};
}

/* ---- the ring of tallies ---- */

static struct tally *tally_at(const struct learner *learner, uint64_t instance)
{
    return &learner->tallies[instance & (learner->capacity - 1)];
}

/* Those of the first instances, which are applied now or need not be: the ring goes on after them. */
static void drop_tallies(struct learner *learner, uint64_t count)
{
    for (uint64_t i = 1; i <= count && i <= learner->count; i++) {
        struct tally *tally = tally_at(learner, learner->applied + i);
        learner->held -= value_bytes(tally->value);
        value_release(tally->value);
        *tally = (struct tally){0};
    }
    learner->count -= count < learner->count ? (size_t)count : learner->count;
    learner->applied += count;
}

static void grow_tallies(struct learner *learner, size_t count)
{
    struct learner old = *learner;

    while (learner->capacity < count) {
        learner->capacity = learner->capacity == 0 ? TALLIES_MIN : 2 * learner->capacity;
    }
    if (learner->capacity > old.capacity) {
        learner->tallies = memory_new_zeroed(learner->capacity, sizeof *learner->tallies);
        for (uint64_t i = 1; i <= old.count; i++) {
            *tally_at(learner, old.applied + i) = *tally_at(&old, old.applied + i);
        }
        free(old.tallies);
    }
}

void learner_free(struct learner *learner)
{
    drop_tallies(learner, learner->count);
    free(learner->tallies);
    sessions_free(&learner->sessions);
}

/* ---- deciding ---- */

/* Of an instance that is not applied; NULL if it is, or is too far ahead. */
static struct tally *find_tally(struct learner *learner, uint64_t instance)
{
    if (instance <= learner->applied || instance - learner->applied > PAXOS_KEPT_MAX) {
        return NULL;
    }
    size_t ahead = (size_t)(instance - learner->applied);
    grow_tallies(learner, ahead);
    learner->count = ahead > learner->count ? ahead : learner->count;
    return tally_at(learner, instance);
}

const struct tally *learner_tally(const struct learner *learner, uint64_t instance)
{
    if (instance <= learner->applied || instance - learner->applied > learner->count) {
        return NULL;
    }
    const struct tally *tally = tally_at(learner, instance);
    return tally->accepted != 0 ? tally : NULL;
}

/* What is far ahead waits in the acceptors, which hold no more themselves, once there is much of it here. */
static bool has_room(const struct learner *learner, const struct proposal *proposal)
{
    return proposal->instance <= learner->applied + PAXOS_FETCH_MAX ||
           learner->held + value_bytes(proposal->value) <= PAXOS_KEPT_BYTES;
}

/* Section 2.1: a majority, of one ballot. Votes below the highest ballot are dropped: they might make a majority, and
 * then so will the higher one, with the same value (P2b). */
static void count_accepted(struct learner *learner, uint32_t acceptor, const struct proposal *proposal)
{
    struct tally *tally = find_tally(learner, proposal->instance);

    if (tally == NULL || !ballot_is_valid(proposal->ballot) || !has_room(learner, proposal)) {
        return;
    }
    int order = ballot_compare(proposal->ballot, tally->ballot);
    if (order > 0 && members_count(tally->accepted) < members_majority(learner->acceptors)) {
        struct value *old = tally->value;
        learner->held += value_bytes(proposal->value);
        learner->held -= value_bytes(old);
        *tally = (struct tally){.ballot = proposal->ballot, .value = value_keep(proposal->value)};
        value_release(old);
        order = 0;
    }
    if (order == 0) {
        tally->accepted |= members_bit(acceptor);
    }
}

/* ---- applying ---- */

static void apply_value(struct learner *learner, uint64_t instance, struct value *value,
                        struct paxos_actions *out)
{
    for (size_t i = 0; value != NULL && i < value->count; i++) {
        const struct client_command *command = &value->commands[i];
        bool is_new = sessions_note(&learner->sessions, command->client, command->timestamp);
        paxos_actions_add(out, (struct paxos_action){.type = is_new ? PAXOS_APPLY : PAXOS_REPEATED,
                                                     .instance = instance,
                                                     .command = i,
                                                     .value = value_keep(value)});
    }
}

/* Without gaps: an instance that is decided waits for those before it. */
static void apply_decided(struct learner *learner, struct paxos_actions *out)
{
    while (learner->count > 0) {
        const struct tally *tally = tally_at(learner, learner->applied + 1);
        if (members_count(tally->accepted) < members_majority(learner->acceptors)) {
            return;
        }
        apply_value(learner, learner->applied + 1, tally->value, out);
        drop_tallies(learner, 1);
    }
}

/* ---- what comes ---- */

/* Another learner misses what acceptors have forgotten. */
static void receive_fetch(const struct learner *learner, const struct paxos_message *message,
                          struct paxos_actions *out)
{
    if (message->from != learner->id && message->instance <= learner->checkpoint) {
        paxos_actions_add(out, (struct paxos_action){.type = PAXOS_SNAPSHOT, .number = message->from});
    }
}

void learner_receive(struct learner *learner, const struct paxos_message *message, struct paxos_actions *out)
{
    if (message->from == 0 || message->from > PAXOS_MEMBERS_MAX || message->instance > PAXOS_INSTANCE_MAX) {
        return;
    }
    if (message->type == PAXOS_ACCEPTED && message->from <= learner->acceptors) {
        for (size_t i = 0; i < message->count; i++) {
            count_accepted(learner, message->from, &message->proposals[i]);
        }
        learner->forgotten = message->instance > learner->forgotten ? message->instance : learner->forgotten;
        apply_decided(learner, out);
    } else if (message->type == PAXOS_HEARTBEAT && message->instance > learner->decided_below) {
        learner->decided_below = message->instance;
    } else if (message->type == PAXOS_FETCH) {
        receive_fetch(learner, message, out);
    }
}

/* ---- asking ---- */

static void fetch(const struct learner *learner, enum paxos_to to, struct paxos_actions *out)
{
    paxos_send(out, to, 0,
               paxos_message_create(PAXOS_FETCH, learner->id, (struct ballot){0}, learner->applied + 1));
}

void learner_tick(struct learner *learner, struct paxos_actions *out)
{
    bool behind = learner->count > 0 || learner->decided_below > learner->applied + 1;
    bool moved = learner->applied != learner->applied_at_tick;

    learner->applied_at_tick = learner->applied;
    learner->stuck_ticks = behind && !moved ? learner->stuck_ticks + 1 : 0;
    if (learner->stuck_ticks > 0) {
        fetch(learner, TO_ACCEPTORS, out);
    }
    if (learner->stuck_ticks > 0 && learner->stuck_ticks % PATIENCE == 0) {
        fetch(learner, TO_PROPOSERS, out);
    }
    if (learner->forgotten > learner->applied) {
        fetch(learner, TO_LEARNERS, out);
    }
    if (learner->checkpoint > 0) {
        paxos_send(out, TO_ACCEPTORS, 0,
                   paxos_message_create(PAXOS_CHECKPOINT, learner->id, (struct ballot){0},
                                        learner->checkpoint));
    }
}

/* ---- checkpoints ---- */

void learner_checkpointed(struct learner *learner, uint64_t instance, struct paxos_actions *out)
{
    if (instance > learner->checkpoint && instance <= learner->applied) {
        learner->checkpoint = instance;
        paxos_send(out, TO_ACCEPTORS, 0,
                   paxos_message_create(PAXOS_CHECKPOINT, learner->id, (struct ballot){0}, instance));
    }
}

bool learner_install(struct learner *learner, uint64_t instance, const struct sessions *sessions)
{
    if (instance <= learner->applied || instance > PAXOS_INSTANCE_MAX) {
        return false;
    }
    drop_tallies(learner, instance - learner->applied);
    learner->checkpoint = instance;
    sessions_copy(&learner->sessions, sessions);
    return true;
}
