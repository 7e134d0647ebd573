/* What members do: their roles, and what comes out of them. */
#include "tests/sim/paxos_world.h"

/* ---- carrying actions out ---- */

static void give_snapshot(struct world *world, struct member *from, uint32_t id)
{
    struct member *to = id <= WORLD_LEARNERS ? world_member(world, TO_LEARNERS, id) : NULL;

    if (to != NULL && to->up && learner_install(&to->learner, from->saved.instance, &from->saved_sessions)) {
        world_tell(world, "%s gets a snapshot up to instance %llu", world_name(to),
                   (unsigned long long)from->saved.instance);
        to->replica = from->saved;
        member_checkpoint(world, to);
        driver_start(world, to);
        world->snapshots++;
    }
}

static void tell_lead(struct world *world, const struct member *member, const struct paxos_action *action)
{
    bool leads = action->type == PAXOS_LEAD;

    world_tell(world, "%s %s, in (%llu.%u)", world_name(member), leads ? "leads" : "leads no more",
               (unsigned long long)action->ballot.round, action->ballot.proposer);
    world->leaders += leads;
}

void member_carry_out(struct world *world, struct member *member, const struct paxos_action *action)
{
    switch (action->type) {
    case PAXOS_SEND:
        network_send(world, member, action);
        break;
    case PAXOS_APPLY:
    case PAXOS_REPEATED:
        client_applied(world, member, action);
        break;
    case PAXOS_READ:
        client_told(world, member, action);
        client_may_read(world, action);
        break;
    case PAXOS_DECIDED:
    case PAXOS_UNKNOWN:
    case PAXOS_REFUSE:
    case PAXOS_REFUSE_READ:
        client_told(world, member, action); /* who is refused asks again, after a time */
        break;
    case PAXOS_LEAD:
    case PAXOS_STEP_DOWN:
        tell_lead(world, member, action);
        break;
    case PAXOS_SNAPSHOT:
        give_snapshot(world, member, action->number);
        break;
    case PAXOS_RECORD:
        break;
    }
}

/* What the role has just given: records to the disk, the rest once they are on it. */
void member_perform(struct world *world, struct member *member)
{
    struct paxos_actions actions = world->actions;

    world->actions = (struct paxos_actions){0};
    for (size_t i = 0; i < actions.count; i++) {
        struct paxos_action *action = &actions.items[i];
        distort_action(world, member, action);
        if (action->type == PAXOS_RECORD) {
            member_write(world, member, &action->record);
        } else if (member->durable == member->written || distort_sends_early(world, member)) {
            member_carry_out(world, member, action);
        } else {
            member_wait(member, &(struct waiting){.action = *action});
            *action = (struct paxos_action){0};
        }
    }
    paxos_actions_clear(&actions);
    paxos_actions_free(
        &world->actions); /* of a learner that got a snapshot: it says so again when it ticks */
    world->actions = actions;
    if (member->role == TO_LEARNERS) {
        driver_begin(world, member);
        clients_read(world, member);
    }
}

/* ---- events ---- */

void member_tick(struct world *world, struct member *member, uint64_t draw)
{
    uint64_t clock_ms = world->clock_ms + (uint64_t)member->jump_ms;

    if (member->role == TO_PROPOSERS) {
        proposer_tick(&member->proposer, clock_ms, draw, &world->actions);
    } else if (member->role == TO_LEARNERS) {
        learner_tick(&member->learner, &world->actions);
    }
    member_perform(world, member);
    if (world->options.stores > 0 && member->role == TO_LEARNERS) {
        driver_tick(world, member);
    } else if (member->role == STORE_ROLE) {
        site_tick(world, member);
    }
}

void member_receive(struct world *world, struct member *member, const struct paxos_message *message,
                    uint64_t draw)
{
    if (distort_receive(world, member, message)) {
        return;
    }
    if (member->role == TO_PROPOSERS) {
        proposer_receive(&member->proposer, message, draw, &world->actions);
        proposer_propose(&member->proposer, &world->actions);
    } else if (member->role == TO_LEARNERS) {
        learner_receive(&member->learner, message, &world->actions);
    } else {
        acceptor_receive(&member->acceptor, message, &world->actions);
    }
    member_perform(world, member);
}
