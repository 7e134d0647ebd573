/* What members keep: records that are on the disk once it was synchronised, and what must wait for them. */
#include "common/memory.h"
#include "tests/sim/paxos_world.h"

#include <stdio.h>
#include <stdlib.h>

void member_write(struct world *world, struct member *member, struct paxos_record *record)
{
    if (distort_drops_record(world, record)) {
        return;
    }
    member->records =
        memory_grow(member->records, &member->records_capacity, member->written + 1, sizeof *member->records);
    member->records[member->written++] = *record;
    record->value = NULL;
}

void member_wait(struct member *member, const struct waiting *waiting)
{
    member->waiting = memory_grow(member->waiting, &member->waiting_capacity, member->waiting_count + 1,
                                  sizeof *member->waiting);
    member->waiting[member->waiting_count++] = *waiting;
}

static void drop_waiting(struct member *member)
{
    for (size_t i = 0; i < member->waiting_count; i++) {
        struct paxos_action *action = &member->waiting[i].action;
        value_release(action->record.value);
        value_release(action->value);
        paxos_message_release(action->message);
    }
    member->waiting_count = 0;
}

static int describe_record(char *text, size_t size, const struct paxos_record *record)
{
    static const char *const types[] = {[RECORD_ROUND] = "round",
                                        [RECORD_PROMISE] = "promise",
                                        [RECORD_ACCEPTED] = "accepted",
                                        [RECORD_FORGET] = "forgotten"};

    if (record->type == RECORD_FORGET) {
        return snprintf(text, size, "%s up to %llu", types[record->type],
                        (unsigned long long)record->instance);
    }
    int length = snprintf(text, size, "%s (%llu.%u)", types[record->type],
                          (unsigned long long)record->ballot.round, record->ballot.proposer);
    return record->type == RECORD_ACCEPTED && (size_t)length < size
               ? length + snprintf(text + length, size - (size_t)length, " in %llu",
                                   (unsigned long long)record->instance)
               : length;
}

static int describe_call(char *text, size_t size, const struct store_call *call)
{
    static const char *const types[] = {[CALL_PREPARE] = "ready for write",
                                        [CALL_COMMIT] = "committed write",
                                        [CALL_ABORT] = "aborted write",
                                        [CALL_FETCH] = "synchronised with write",
                                        [CALL_COMPLETED] = "complete up to write"};

    return snprintf(text, size, "%s %llu", types[call->type], (unsigned long long)call->number);
}

/* "on the disk of acceptor 2: promise (2.1), accepted (2.1) in 3" */
static void tell_records(const struct world *world, const struct member *member)
{
    char text[160];
    size_t length = 0;

    for (size_t i = member->durable; i < member->written && length < sizeof text; i++) {
        if (i > member->durable) {
            length += (size_t)snprintf(text + length, sizeof text - length, ", ");
        }
        if (length < sizeof text) {
            length +=
                (size_t)(member->role == STORE_ROLE
                             ? describe_call(text + length, sizeof text - length, &member->calls[i])
                             : describe_record(text + length, sizeof text - length, &member->records[i]));
        }
    }
    world_tell(world, "on the disk of %s: %s", world_name(member), length > 0 ? text : "nothing new");
}

void member_sync(struct world *world, struct member *member)
{
    if (world->options.tell && member->durable < member->written) {
        tell_records(world, member);
    }
    member->durable = member->written;
    if (member->role == TO_PROPOSERS) {
        member->saved.instance = member->proposer.first - 1;
    }
    for (size_t i = 0; i < member->waiting_count; i++) {
        const struct waiting *waiting = &member->waiting[i];
        if (waiting->talks) {
            network_talk(world, member, &world->members[waiting->to], &waiting->talk);
        } else {
            member_carry_out(world, member, &waiting->action);
        }
    }
    drop_waiting(member);
}

static void free_roles(struct member *member)
{
    acceptor_free(&member->acceptor);
    proposer_free(&member->proposer);
    learner_free(&member->learner);
    store_free(&member->store);
    member->acceptor = (struct acceptor){0};
    member->proposer = (struct proposer){0};
    member->learner = (struct learner){0};
    member->coordinator = (struct coordinator){0};
}

/* Before it synchronised, after, or in between: then some of the last records are on the disk. What it had not sent, it
 * never sends. */
void member_crash(struct world *world, struct member *member, uint64_t draw)
{
    size_t kept = member->durable + draw % (member->written - member->durable + 1);

    if (member->written > member->durable) {
        world_tell(world, "%s crashes; of its last %zu records %zu are on its disk", world_name(member),
                   member->written - member->durable, kept - member->durable);
    } else {
        world_tell(world, "%s crashes", world_name(member));
    }
    for (size_t i = kept; i < member->written && member->role != STORE_ROLE; i++) {
        value_release(member->records[i].value);
    }
    member->written = kept;
    member->durable = kept;
    drop_waiting(member);
    clients_lose(world, member);
    free_roles(member);
    member->up = false;
}

/* ---- starting ---- */

static void start_proposer(const struct world *world, struct member *member)
{
    const struct proposer_options options = {.id = member->id,
                                             .acceptors = world->options.acceptors,
                                             .window = 4,
                                             .batch = 3,
                                             .heartbeat_ms = WORLD_TIMEOUT / 3,
                                             .timeout_ms = WORLD_TIMEOUT};

    proposer_init(&member->proposer, &options);
    for (size_t i = 0; i < member->written; i++) {
        proposer_restore(&member->proposer, &member->records[i]);
    }
    proposer_resume(&member->proposer, member->saved.instance + 1);
}

static void start_acceptor(struct member *member)
{
    acceptor_init(&member->acceptor, member->id, WORLD_LEARNERS);
    member->acceptor.patience = 1; /* so that snapshots are needed */
    for (size_t i = 0; i < member->written; i++) {
        acceptor_restore(&member->acceptor, &member->records[i]);
    }
}

static void start_learner(const struct world *world, struct member *member)
{
    learner_init(&member->learner, member->id, world->options.acceptors);
    member->replica = member->saved;
    if (member->saved.instance > 0) {
        learner_install(&member->learner, member->saved.instance, &member->saved_sessions);
    }
    driver_start(world, member);
}

void member_start(struct world *world, struct member *member)
{
    member->up = true;
    world_tell(world, "%s starts", world_name(member));
    if (member->role == TO_PROPOSERS) {
        start_proposer(world, member);
    } else if (member->role == TO_ACCEPTORS) {
        start_acceptor(member);
    } else if (member->role == TO_LEARNERS) {
        start_learner(world, member);
    } else {
        site_start(world, member);
    }
}

void member_checkpoint(struct world *world, struct member *member)
{
    member->replica.instance = member->learner.applied;
    member->saved = member->replica;
    sessions_copy(&member->saved_sessions, &member->learner.sessions);
    learner_checkpointed(&member->learner, member->saved.instance, &world->actions);
}

void member_free(struct member *member)
{
    free_roles(member);
    for (size_t i = 0; i < member->written && member->role != STORE_ROLE; i++) {
        value_release(member->records[i].value);
    }
    drop_waiting(member);
    free(member->records);
    free(member->calls);
    free(member->waiting);
    sessions_free(&member->saved_sessions);
}
