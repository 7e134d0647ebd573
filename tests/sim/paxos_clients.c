/* Clients: each writes a number that nobody else writes, or reads, and waits; asks again, another proposer, with the same
 * timestamp; and in the end gives up. What they saw must fit one register for each resource (common/lab/linearizability.h),
 * and what proposers told them must be true. */
#include "tests/sim/paxos_world.h"

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

static void ask_write(struct world *world, struct member *member, unsigned number)
{
    struct world_operation *operation = &world->operations[number];
    uint32_t value = operation->judged.value;
    const struct client_command command = {operation->client + 1, number + 1, (const char *)&value,
                                           sizeof value};

    world_tell(world, "client %u asks %s for write %u", operation->client + 1, world_name(member), value);
    operation->asked++;
    operation->owing |= members_bit(member->id);
    proposer_submit(&member->proposer, &command, &world->actions);
    if (world->step % 4 != 0 || world->healing) { /* else it shares an instance with what comes next */
        proposer_propose(&member->proposer, &world->actions);
    }
}

static void ask_read(struct world *world, struct member *member, unsigned number)
{
    struct world_operation *operation = &world->operations[number];

    world_tell(world, "client %u asks %s to read %c", operation->client + 1, world_name(member),
               'x' + (int)operation->resource);
    operation->asked++;
    operation->owing |= members_bit(member->id);
    proposer_read(&member->proposer, number, &world->actions);
    proposer_propose(&member->proposer, &world->actions);
    if (world->options.variant == PAXOS_READS_AT_ONCE && member->proposer.phase == PROPOSER_LEADS) {
        client_may_read(world,
                        &(struct paxos_action){.token = number, .instance = member->proposer.first - 1});
    }
}

static void ask(struct world *world, unsigned number, uint64_t draw)
{
    struct member *member = some_proposer(world, draw);

    if (member->up) {
        if (world->operations[number].judged.is_write) {
            ask_write(world, member, number);
        } else {
            ask_read(world, member, number);
        }
        member_perform(world, member);
    }
}

static void begin(struct world *world, unsigned client, uint64_t draw)
{
    unsigned number = world->operations_count;
    bool is_write = draw % 2 == 0;

    if (number < WORLD_OPERATIONS) {
        world->operations_count++;
        world->operations[number] =
            (struct world_operation){.client = client,
                                     .resource = (unsigned)(draw / 2 % world->temper.resources),
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
        begin(world, client, more / 8);
    }
    if (world->current[client] > 0) {
        ask(world, world->current[client] - 1, more / 64);
    }
}

static void complete(struct world *world, unsigned number)
{
    struct world_operation *operation = &world->operations[number];

    operation->waits = false;
    if (operation->judged.completed == REGISTER_NEVER) {
        operation->judged.completed = ++world->moment;
        if (operation->judged.is_write) {
            world_tell(world, "client %u: write %u is done", operation->client + 1, operation->judged.value);
        } else {
            world_tell(world, "client %u read %u", operation->client + 1, operation->judged.value);
        }
        if (world->current[operation->client] == number + 1) {
            world->current[operation->client] = 0;
        }
    }
}

/* ---- what proposers tell ---- */

static struct world_operation *operation_of(struct world *world, uint64_t client, uint64_t timestamp)
{
    struct world_operation *operation =
        timestamp >= 1 && timestamp <= world->operations_count ? &world->operations[timestamp - 1] : NULL;

    return operation != NULL && operation->judged.is_write && operation->client + 1 == client ? operation
                                                                                              : NULL;
}

static void check_refused(struct world *world, const struct world_operation *operation)
{
    if (operation->applied && operation->refused == operation->asked) {
        world_find(world, "truth: client %u was told that write %u is refused, and it is applied",
                   operation->client + 1, operation->judged.value);
    }
}

/* Of each command of a value: decided, or not known. */
static void told_value(struct world *world, const struct member *proposer, const struct value *value,
                       bool is_decided)
{
    for (size_t i = 0; value != NULL && i < value->count; i++) {
        struct world_operation *operation =
            operation_of(world, value->commands[i].client, value->commands[i].timestamp);
        if (operation != NULL) {
            operation->owing &= ~members_bit(proposer->id);
            operation->decided = operation->decided || is_decided;
            if (is_decided) {
                complete(world, (unsigned)(operation - world->operations));
            }
        }
    }
}

static void told_refused(struct world *world, const struct member *proposer,
                         const struct paxos_action *action)
{
    struct world_operation *operation = operation_of(world, action->client, action->token);

    if (operation != NULL) {
        operation->owing &= ~members_bit(proposer->id);
        operation->refused++;
        world_tell(world, "client %u: write %u is refused", operation->client + 1, operation->judged.value);
        check_refused(world, operation);
    }
}

void client_told(struct world *world, const struct member *proposer, const struct paxos_action *action)
{
    if (action->type == PAXOS_DECIDED || action->type == PAXOS_UNKNOWN) {
        told_value(world, proposer, action->value, action->type == PAXOS_DECIDED);
    } else if (action->type == PAXOS_REFUSE) {
        told_refused(world, proposer, action);
    } else if (action->token < world->operations_count) { /* a read: it may go on, or not */
        world->operations[action->token].owing &= ~members_bit(proposer->id);
    }
}

/* A member crashed: what its clients waited for is lost. */
void clients_lose(struct world *world, const struct member *member)
{
    for (unsigned i = 0; i < world->operations_count; i++) {
        struct world_operation *operation = &world->operations[i];
        if (member->role == TO_PROPOSERS) {
            operation->owing &= ~members_bit(member->id);
        } else if (member->role == TO_LEARNERS && operation->learner == member->id) {
            operation->waits = false;
        }
    }
}

/* ---- what learners apply ---- */

/* Validity, each once, and one order for all learners: the next of this learner is the same as any other's. */
static void check_applied(struct world *world, struct member *learner, struct world_operation *operation)
{
    size_t place = learner->replica.applied;
    unsigned number = (unsigned)(operation - world->operations);

    if (place < world->applied_count && world->applied[place] != number) {
        world_find(world, "agreement: %s applies write %u as number %zu, another learner write %u",
                   world_name(learner), number + 1, place + 1, world->applied[place] + 1);
    } else if (place == world->applied_count && operation->applied) {
        world_find(world, "once: %s applies write %u again", world_name(learner), number + 1);
    } else if (place == world->applied_count && place < WORLD_OPERATIONS) {
        world->applied[world->applied_count++] = number;
        operation->applied = true;
        check_refused(world, operation);
    }
}

static void apply(struct world *world, struct member *learner, const struct client_command *command)
{
    struct world_operation *operation = operation_of(world, command->client, command->timestamp);

    if (operation == NULL || operation->asked == 0 || command->length != sizeof operation->judged.value) {
        world_find(world, "validity: %s applies what no client asked for", world_name(learner));
        return;
    }
    check_applied(world, learner, operation);
    learner->replica.applied++;
    learner->replica.cells[operation->resource] =
        (struct cell){learner->replica.applied, operation->judged.value};
    world_tell(world, "%s applies write %u", world_name(learner), operation->judged.value);
}

void client_applied(struct world *world, struct member *learner, const struct paxos_action *action)
{
    const struct client_command *command = &action->value->commands[action->command];
    const struct world_operation *operation = NULL;

    if (action->type == PAXOS_APPLY) {
        apply(world, learner, command);
    }
    operation = operation_of(world, command->client, command->timestamp);
    if (operation != NULL) {
        complete(world, (unsigned)(operation - world->operations));
    }
}

/* ---- reads ---- */

/* Any learner will do that is there. */
void client_may_read(struct world *world, const struct paxos_action *action)
{
    struct world_operation *operation = &world->operations[action->token];

    if (operation->judged.completed == REGISTER_NEVER) {
        operation->waits = true;
        operation->learner = 1 + (uint32_t)((action->token + world->step) % WORLD_LEARNERS);
        operation->instance = action->instance;
        struct member *learner = world_member(world, TO_LEARNERS, operation->learner);
        if (!learner->up) {
            operation->learner = 1 + operation->learner % WORLD_LEARNERS;
            learner = world_member(world, TO_LEARNERS, operation->learner);
        }
        if (learner->up) {
            clients_read(world, learner);
        }
    }
}

void client_read(struct world *world, unsigned token, uint32_t value)
{
    struct world_operation *operation = &world->operations[token];

    if (operation->judged.completed == REGISTER_NEVER) {
        operation->judged.value = value;
        complete(world, token);
    }
}

void clients_read(struct world *world, struct member *learner)
{
    for (unsigned client = 0; client < WORLD_CLIENTS; client++) {
        unsigned token = world->current[client] > 0 ? world->current[client] - 1 : 0;
        struct world_operation *operation = &world->operations[token];
        if (world->current[client] > 0 && operation->waits && operation->learner == learner->id &&
            operation->instance <= learner->learner.applied) {
            operation->waits = false;
            if (world->options.stores > 0) {
                driver_read(world, learner, token);
            } else {
                client_read(world, token, (uint32_t)learner->replica.cells[operation->resource].value);
            }
        }
    }
}
