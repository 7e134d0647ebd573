/* Clients: each writes a number that nobody else writes, or reads, and waits; asks again, another proposer, with the same
 * timestamp; and in the end gives up. What they saw must fit one register (common/lab/linearizability.h). */
#include "tests/sim/paxos_world.h"

#include <stdlib.h>
#include <string.h>

static struct member *some_proposer(struct world *world, uint64_t draw)
{
    for (unsigned i = 0; i < WORLD_PROPOSERS && draw % 4 != 0; i++) {
        struct member *member = world_member(world, TO_PROPOSERS, i + 1);
        if (member->up && member->proposer.phase == PROPOSER_LEADS && (draw >> (8 + i)) % 2 == 0) {
            return member;
        }
    }
    return world_member(world, TO_PROPOSERS, 1 + (uint32_t)(draw / 4 % WORLD_PROPOSERS));
}

static void ask(struct world *world, unsigned number, uint64_t draw)
{
    const struct world_operation *operation = &world->operations[number];
    struct member *member = some_proposer(world, draw);
    uint32_t value = operation->judged.value;

    if (!member->up) {
        return;
    }
    if (operation->judged.is_write) {
        const struct client_command command = {operation->client + 1, number + 1, (const char *)&value,
                                               sizeof value};
        world_tell(world, "client %u asks %s to write %u", operation->client + 1, world_name(member), value);
        proposer_submit(&member->proposer, &command, &world->actions);
    } else {
        world_tell(world, "client %u asks %s to read", operation->client + 1, world_name(member));
        proposer_read(&member->proposer, number, &world->actions);
        if (world->options.variant == PAXOS_READS_AT_ONCE && member->proposer.phase == PROPOSER_LEADS) {
            client_may_read(world,
                            &(struct paxos_action){.token = number, .instance = member->proposer.first - 1});
        }
    }
    member_perform(world, member);
}

static void begin(struct world *world, unsigned client, bool is_write)
{
    unsigned number = world->operations_count;

    if (number < WORLD_OPERATIONS) {
        world->operations_count++;
        world->operations[number] = (struct world_operation){.client = client,
                                                             .judged = {.invoked = ++world->moment,
                                                                        .completed = REGISTER_NEVER,
                                                                        .seq = REGISTER_NO_SEQ,
                                                                        .value = is_write ? number + 1 : 0,
                                                                        .is_write = is_write}};
        world->current[client] = number + 1;
    }
}

void client_act(struct world *world, uint64_t draw)
{
    unsigned client = (unsigned)(draw % WORLD_CLIENTS);
    uint64_t more = draw / WORLD_CLIENTS;

    if (world->current[client] == 0 || (!world->healing && more % 8 == 0)) {
        begin(world, client, more / 8 % 2 == 0);
    }
    if (world->current[client] > 0) {
        ask(world, world->current[client] - 1, more / 16);
    }
}

static void complete(struct world *world, unsigned number)
{
    struct world_operation *operation = &world->operations[number];

    operation->waits = false;
    if (operation->judged.completed == REGISTER_NEVER) {
        operation->judged.completed = ++world->moment;
        world_tell(world, "client %u: %s %u", operation->client + 1,
                   operation->judged.is_write ? "wrote" : "read", operation->judged.value);
        if (world->current[operation->client] == number + 1) {
            world->current[operation->client] = 0;
        }
    }
}

/* Validity, and one order for all learners. */
static void check_applied(struct world *world, struct member *learner, const struct client_command *command)
{
    uint64_t number = command->timestamp - 1;

    if (number >= world->operations_count || !world->operations[number].judged.is_write ||
        world->operations[number].client + 1 != command->client || command->length != sizeof(uint32_t)) {
        world_find(world, "validity: %s applies what no client asked for", world_name(learner));
        return;
    }
    if (learner->applied < world->applied_count && world->applied[learner->applied] != number) {
        world_find(world, "agreement: %s applies write %llu as number %zu, another learner write %llu",
                   world_name(learner), (unsigned long long)number + 1, learner->applied + 1,
                   (unsigned long long)world->applied[learner->applied] + 1);
    } else if (learner->applied == world->applied_count && world->applied_count < WORLD_APPLIED) {
        world->applied[world->applied_count++] = number;
    }
}

void client_applied(struct world *world, struct member *learner, const struct paxos_action *action)
{
    const struct client_command *command = &action->value->commands[action->command];

    if (action->type == PAXOS_APPLY) {
        check_applied(world, learner, command);
        learner->applied++;
        learner->state = command->timestamp;
    }
    if (command->timestamp >= 1 && command->timestamp <= world->operations_count) {
        complete(world, (unsigned)command->timestamp - 1);
    }
}

/* Any learner will do. */
void client_may_read(struct world *world, const struct paxos_action *action)
{
    struct world_operation *operation = &world->operations[action->token];

    if (operation->judged.completed == REGISTER_NEVER) {
        operation->waits = true;
        operation->learner = 1 + (uint32_t)((action->token + world->step) % WORLD_LEARNERS);
        operation->instance = action->instance;
        struct member *learner = world_member(world, TO_LEARNERS, operation->learner);
        if (learner->up) {
            clients_read(world, learner);
        }
    }
}

void clients_read(struct world *world, struct member *learner)
{
    for (unsigned client = 0; client < WORLD_CLIENTS; client++) {
        unsigned number = world->current[client] > 0 ? world->current[client] - 1 : 0;
        struct world_operation *operation = &world->operations[number];
        if (world->current[client] > 0 && operation->waits && operation->learner == learner->id &&
            operation->instance <= learner->learner.applied) {
            operation->judged.value = (uint32_t)learner->state;
            complete(world, number);
        }
    }
}

void clients_check(struct world *world)
{
    static struct register_operation judged[WORLD_OPERATIONS];
    struct register_verdict verdict;

    for (unsigned i = 0; i < world->operations_count; i++) {
        judged[i] = world->operations[i].judged;
    }
    register_judge(judged, world->operations_count, 0, REGISTER_CONFIGURATIONS_MAX, &verdict);
    if (verdict.outcome == REGISTER_NOT_LINEARIZABLE) {
        world_find(world, "linearizability: client %u read %u, which fits no order",
                   world->operations[verdict.read].client + 1, judged[verdict.read].value);
    }
}
