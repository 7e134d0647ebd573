/* What members do: their roles, their disks and what they send. */
#include "common/memory.h"
#include "tests/sim/paxos_world.h"

#include <stdlib.h>

/* ---- carrying actions out ---- */

static void post(struct world *world, unsigned from, unsigned to, struct paxos_message *message)
{
    if (world->packets_count < WORLD_PACKETS) { /* otherwise it is lost: a network may */
        world->packets[world->packets_count++] =
            (struct packet){.message = paxos_message_keep(message), .from = from, .to = to};
    }
}

static void send_message(struct world *world, struct member *member, const struct paxos_action *action)
{
    check_send(world, member, action->message);
    for (unsigned i = 0; i < world->count; i++) {
        const struct member *to = &world->members[i];
        if (to->role == action->to && to != member && (action->number == 0 || action->number == to->id)) {
            post(world, world_place(world, member), i, action->message);
        }
    }
}

static void give_snapshot(struct world *world, struct member *from, uint32_t id)
{
    struct member *to = id <= WORLD_LEARNERS ? world_member(world, TO_LEARNERS, id) : NULL;

    if (to != NULL && to->up && learner_install(&to->learner, from->saved_instance, &from->saved_sessions)) {
        world_tell(world, "%s gets a snapshot up to instance %llu", world_name(to),
                   (unsigned long long)from->saved_instance);
        to->state = from->saved_state;
        to->applied = from->saved_applied;
        member_checkpoint(world, to);
        world->snapshots++;
    }
}

static void perform(struct world *world, struct member *member, const struct paxos_action *action)
{
    if (action->type == PAXOS_SEND) {
        send_message(world, member, action);
    } else if (action->type == PAXOS_APPLY || action->type == PAXOS_REPEATED) {
        client_applied(world, member, action);
    } else if (action->type == PAXOS_READ) {
        client_may_read(world, action);
    } else if (action->type == PAXOS_SNAPSHOT) {
        give_snapshot(world, member, action->number);
    } else if (action->type == PAXOS_LEAD) {
        world_tell(world, "%s leads in round %llu", world_name(member),
                   (unsigned long long)action->ballot.round);
    }
}

static void release_action(struct paxos_action *action)
{
    value_release(action->record.value);
    value_release(action->value);
    paxos_message_release(action->message);
}

static void write_record(struct world *world, struct member *member, struct paxos_record *record)
{
    if (distort_drops_record(world, record)) {
        return;
    }
    member->records = memory_grow(member->records, &member->records_capacity, member->records_count + 1,
                                  sizeof *member->records);
    member->records[member->records_count++] = *record;
    record->value = NULL;
}

static void wait_for_disk(struct member *member, struct paxos_action *action)
{
    member->waiting = memory_grow(member->waiting, &member->waiting_capacity, member->waiting_count + 1,
                                  sizeof *member->waiting);
    member->waiting[member->waiting_count++] = (struct waiting){*action, member->records_count};
    *action = (struct paxos_action){0};
}

/* What the role has just given: records to the disk, the rest once they are on it. */
void member_perform(struct world *world, struct member *member)
{
    struct paxos_actions actions = world->actions;

    world->actions = (struct paxos_actions){0};
    for (size_t i = 0; i < actions.count; i++) {
        struct paxos_action *action = &actions.items[i];
        if (action->type == PAXOS_RECORD) {
            write_record(world, member, &action->record);
        } else if (member->durable == member->records_count || distort_sends_early(world, member)) {
            perform(world, member, action);
        } else {
            wait_for_disk(member, action);
        }
    }
    paxos_actions_clear(&actions);
    paxos_actions_free(
        &world->actions); /* of a learner that got a snapshot: it says so again when it ticks */
    world->actions = actions;
    if (member->role == TO_LEARNERS) {
        clients_read(world, member);
    }
}

/* ---- disks ---- */

void member_sync(struct world *world, struct member *member)
{
    member->durable = member->records_count;
    for (size_t i = 0; i < member->waiting_count; i++) {
        perform(world, member, &member->waiting[i].action);
        release_action(&member->waiting[i].action);
    }
    member->waiting_count = 0;
}

static void free_roles(struct member *member)
{
    acceptor_free(&member->acceptor);
    proposer_free(&member->proposer);
    learner_free(&member->learner);
    member->acceptor = (struct acceptor){0};
    member->proposer = (struct proposer){0};
    member->learner = (struct learner){0};
}

/* Before it synchronised, after, or in between: then some of the last records are on the disk. What it had not sent, it
 * never sends. */
void member_crash(struct world *world, struct member *member, uint64_t draw)
{
    size_t kept = member->durable + draw % (member->records_count - member->durable + 1);

    world_tell(world, "%s crashes; %zu of its last %zu records are on its disk", world_name(member),
               kept - member->durable, member->records_count - member->durable);
    while (member->records_count > kept) {
        value_release(member->records[--member->records_count].value);
    }
    member->durable = kept;
    for (size_t i = 0; i < member->waiting_count; i++) {
        release_action(&member->waiting[i].action);
    }
    member->waiting_count = 0;
    for (unsigned i = 0; i < world->operations_count && member->role == TO_LEARNERS; i++) {
        if (world->operations[i].learner == member->id) {
            world->operations[i].waits = false;
        }
    }
    free_roles(member);
    member->up = false;
}

static void start_proposer(const struct world *world, struct member *member)
{
    const struct proposer_options options = {.id = member->id,
                                             .acceptors = world->options.acceptors,
                                             .window = 4,
                                             .batch = 3,
                                             .heartbeat_ms = 25,
                                             .timeout_ms = 80};

    proposer_init(&member->proposer, &options);
    for (size_t i = 0; i < member->records_count; i++) {
        proposer_restore(&member->proposer, &member->records[i]);
    }
}

static void start_learner(const struct world *world, struct member *member)
{
    learner_init(&member->learner, member->id, world->options.acceptors);
    member->state = member->saved_state;
    member->applied = member->saved_applied;
    if (member->saved_instance > 0) {
        learner_install(&member->learner, member->saved_instance, &member->saved_sessions);
    }
}

void member_start(struct world *world, struct member *member)
{
    member->up = true;
    if (member->role == TO_PROPOSERS) {
        start_proposer(world, member);
    } else if (member->role == TO_LEARNERS) {
        start_learner(world, member);
    } else {
        acceptor_init(&member->acceptor, member->id, WORLD_LEARNERS);
        member->acceptor.patience = 1; /* so that snapshots are needed */
        for (size_t i = 0; i < member->records_count; i++) {
            acceptor_restore(&member->acceptor, &member->records[i]);
        }
    }
    world_tell(world, "%s starts", world_name(member));
}

void member_checkpoint(struct world *world, struct member *member)
{
    member->saved_instance = member->learner.applied;
    member->saved_state = member->state;
    member->saved_applied = member->applied;
    sessions_copy(&member->saved_sessions, &member->learner.sessions);
    learner_checkpointed(&member->learner, member->saved_instance, &world->actions);
}

void member_free(struct member *member)
{
    free_roles(member);
    for (size_t i = 0; i < member->records_count; i++) {
        value_release(member->records[i].value);
    }
    for (size_t i = 0; i < member->waiting_count; i++) {
        release_action(&member->waiting[i].action);
    }
    free(member->records);
    free(member->waiting);
    sessions_free(&member->saved_sessions);
}

/* ---- events ---- */

void member_tick(struct world *world, struct member *member, uint64_t draw)
{
    if (member->role == TO_PROPOSERS) {
        proposer_tick(&member->proposer, world->clock_ms + world->jump_ms, draw, &world->actions);
    } else if (member->role == TO_LEARNERS) {
        learner_tick(&member->learner, &world->actions);
    }
    member_perform(world, member);
}

static void receive(struct world *world, struct member *member, const struct paxos_message *message,
                    uint64_t draw)
{
    if (distort_receive(world, member, message)) {
        return;
    }
    if (member->role == TO_PROPOSERS) {
        proposer_receive(&member->proposer, message, draw, &world->actions);
    } else if (member->role == TO_LEARNERS) {
        learner_receive(&member->learner, message, &world->actions);
    } else {
        acceptor_receive(&member->acceptor, message, &world->actions);
    }
    member_perform(world, member);
}

/* Delivers a packet, or loses it, or delivers it and keeps a copy. */
void member_deliver(struct world *world, size_t place, uint64_t draw)
{
    struct packet packet = world->packets[place];
    struct member *to = &world->members[packet.to];
    bool lost = !to->up || world->cut[packet.from][packet.to] || (!world->healing && draw % 16 == 0);

    if (!world->healing && !lost && draw % 16 == 1) {
        world->packets[place].again = true;
        paxos_message_keep(packet.message);
    } else {
        world->packets[place] = world->packets[--world->packets_count];
    }
    world_tell(world, "%s %s %s from %s, round %llu of proposer %u, %zu instances%s", world_name(to),
               lost ? "does not get" : "gets", paxos_type_name(packet.message->type),
               world_name(&world->members[packet.from]), (unsigned long long)packet.message->ballot.round,
               packet.message->ballot.proposer, packet.message->count, packet.again ? ", again" : "");
    if (!lost) {
        struct paxos_message *message = distort_message(world, to, &packet);
        receive(world, to, message, draw / 16);
        paxos_message_release(message);
    }
    paxos_message_release(packet.message);
}
