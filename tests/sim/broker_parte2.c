#include "tests/sim/broker_parte2.h"

#include "parte2-multipub/order.h"
#include "tests/sim/broker_model.h"
#include "tests/sim/broker_publisher.h"
#include "tests/sim/broker_seeds.h"

#include <stdio.h>

#define ALL_QUEUES  (BROKER_TO(PARTE2_NODES) - 1) /* node n's queue is n */
#define CHAOS_STEPS 1500
#define STEPS_MAX   20000 /* a run that goes on longer does not end */

enum kind { SUBMIT, CONFIRM, PROCESS, LOSE, CRASH, PAUSE, RETURN };

struct node {
    char name[8];
    bool up, consuming, paused;
    unsigned life;
    struct order order;
    struct store store;
    struct store ever;          /* what was delivered for the first time in any of its lives */
    bool applied[COMMANDS_MAX]; /* in this life */
    unsigned others;            /* commands of others that were to be delivered */
    struct broker_publisher publisher;
};

struct world {
    const struct parte2_options *options;
    struct schedule schedule;
    struct broker broker;
    struct commands commands;
    struct node nodes[PARTE2_NODES];
};

/* ---- a node ---- */

static void deliver(struct world *world, struct node *node, const struct message *message)
{
    unsigned command = command_number(message);
    bool own = text_equal(message->sender_id, text_of(node->name));

    if (world->options->variant == PARTE2_DROPS_EVERY_SECOND && !own && node->others++ % 2 == 1) {
        return;
    }
    node->applied[command] = true;
    broker_log_deliver(world->options->log, node->name, message);
    store_apply(&node->store, message, &world->commands.finding);
    if (store_count(&node->ever, command) == 0) {
        store_apply(&node->ever, message, &world->commands.finding);
    }
}

static void perform(struct world *world, struct node *node, struct actions *actions)
{
    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->items[i];
        if (action->type == ACTION_SEND) {
            broker_log_send(world->options->log, node->name, action->message);
            publisher_send(&node->publisher, action->message);
        } else if (action->type == ACTION_DELIVER) {
            deliver(world, node, action->message);
        }
    }
    actions_free(actions);
}

static void submit(struct world *world, unsigned number)
{
    struct node *node = &world->nodes[number];
    struct actions actions = {0};

    order_submit(&node->order, commands_add(&world->commands, number, node->life), &actions);
    perform(world, node, &actions);
}

static void process(struct world *world, unsigned number, unsigned delivery)
{
    struct node *node = &world->nodes[number];
    struct actions actions = {0};
    uint64_t tag;
    struct message *message = broker_take(&world->broker, number, delivery, &tag);
    bool known = node->applied[command_number(message)];

    if (!known || world->options->variant == PARTE2_APPLIES_REPEATS) {
        order_receive(&node->order, message, &actions);
        perform(world, node, &actions);
    }
    broker_ack(&world->broker, number, tag);
}

static void confirm(struct world *world, unsigned number)
{
    struct message *message = publisher_confirm(&world->nodes[number].publisher);

    world->commands.all[command_number(message)].answered = true;
    message_unref(message);
}

/* ---- faults, and what ends them ---- */

static void lose(struct world *world, unsigned number)
{
    if (schedule_once_in(&world->schedule, 2)) {
        publisher_lose(&world->nodes[number].publisher);
    } else {
        world->nodes[number].consuming = false;
        broker_cancel(&world->broker, number);
    }
}

static void crash(struct world *world, unsigned number)
{
    struct node *node = &world->nodes[number];

    publisher_die(&node->publisher);
    broker_cancel(&world->broker, number);
    order_free(&node->order);
    node->up = node->consuming = node->paused = false;
}

/* Whatever is not as it should be: the process, its links, or that it runs. */
static void come_back(struct world *world, unsigned number)
{
    struct node *node = &world->nodes[number];

    if (!node->up) {
        node->up = true;
        node->life++;
        broker_log_start(world->options->log, node->name, "parte2", "node");
        node->store.count = 0;
        for (unsigned command = 0; command < COMMANDS_MAX; command++) {
            node->applied[command] = false;
        }
        order_init(&node->order, &(struct order_options){.node_id = text_of(node->name)});
    }
    node->paused = false;
    if (!node->consuming) {
        node->consuming = true;
        broker_consume(&world->broker, number);
    }
    if (!node->publisher.connected) {
        publisher_connect(&node->publisher);
    }
}

/* ---- the run ---- */

static void offer_steps(struct world *world, bool chaos)
{
    const struct parte2_options *options = world->options;
    struct schedule *schedule = &world->schedule;
    bool faults = chaos && schedule_has_trouble(schedule);

    schedule_begin(schedule);
    broker_offer_steps(&world->broker);
    for (unsigned i = 0; i < PARTE2_NODES; i++) {
        struct node *node = &world->nodes[i];
        bool runs = node->up && !node->paused;
        if (runs && chaos && world->commands.count < options->commands) {
            schedule_offer(schedule, 6, SUBMIT, i, 0);
        }
        if (runs && publisher_has_confirm(&node->publisher)) {
            schedule_offer(schedule, 8, CONFIRM, i, 0);
        }
        if (runs && node->consuming) {
            broker_offer_deliveries(&world->broker, i, true, PROCESS);
        }
        if (faults && options->disturbed && node->up) {
            schedule_offer(schedule, 1, LOSE, i, 0);
            schedule_offer(schedule, 1, PAUSE, i, 0);
        }
        if (faults && options->crashes && node->up) {
            schedule_offer(schedule, 1, CRASH, i, 0);
        }
        if (chaos && (!runs || !node->consuming || !node->publisher.connected)) {
            schedule_offer(schedule, 3, RETURN, i, 0);
        }
    }
}

static void take_step(struct world *world, struct step step)
{
    static const char *const names[] = {"submit", "confirm", "process", "lose", "crash", "pause", "return"};

    if (broker_do(&world->broker, step)) {
        return;
    }
    seeds_show("%s node%u", names[step.kind], step.a + 1);
    switch ((enum kind)step.kind) {
    case SUBMIT:
        submit(world, step.a);
        break;
    case CONFIRM:
        confirm(world, step.a);
        break;
    case PROCESS:
        process(world, step.a, step.b);
        break;
    case LOSE:
        lose(world, step.a);
        break;
    case CRASH:
        broker_log_kill(world->options->log, world->nodes[step.a].name);
        crash(world, step.a);
        break;
    case PAUSE:
        world->nodes[step.a].paused = true;
        break;
    case RETURN:
        come_back(world, step.a);
        break;
    }
}

static void run_steps(struct world *world, bool chaos, unsigned most)
{
    for (unsigned steps = 0;; steps++) {
        offer_steps(world, chaos);
        if (!schedule_choose(&world->schedule)) {
            return;
        }
        if (steps == most) {
            if (!chaos) {
                finding_add(&world->commands.finding, "quiet: the run does not end");
            }
            return;
        }
        take_step(world, world->schedule.chosen);
    }
}

/* What waits in a queue when its node has lost its memory is all that it gets; the rest it had in an earlier life. */
static void check_all_lives(struct world *world, const struct node *node)
{
    for (unsigned command = 0; command < world->commands.count; command++) {
        if (world->commands.all[command].answered && store_count(&node->ever, command) == 0) {
            finding_add(&world->commands.finding, "delivery: command %u was answered ok and never came to %s",
                        command, node->name);
        }
    }
    store_check_fifo(&node->ever, node->name, &world->commands);
}

static void check(struct world *world, struct parte2_result *result)
{
    struct commands *commands = &world->commands;
    const struct node *first = &world->nodes[0];

    result->same_order = true;
    for (unsigned i = 0; i < PARTE2_NODES; i++) {
        const struct node *node = &world->nodes[i];
        check_all_lives(world, node);
        result->same_order = result->same_order && store_equal(&first->store, &node->store);
        if (world->options->crashes) {
            continue;
        }
        store_check(&node->store, node->name, commands);
        for (unsigned command = 0; command < commands->count; command++) {
            if (store_count(&node->store, command) != store_count(&first->store, command)) {
                finding_add(&commands->finding, "agreement: %s and %s differ in command %u", first->name,
                            node->name, command);
            }
        }
    }
    result->finding = commands->finding;
}

struct parte2_result parte2_run(const struct parte2_options *options)
{
    static struct world world;
    struct parte2_result result = {0};

    world = (struct world){.options = options, .broker = {.schedule = &world.schedule}};
    schedule_init(&world.schedule, options->seed);
    for (unsigned i = 0; i < PARTE2_NODES; i++) {
        struct node *node = &world.nodes[i];
        snprintf(node->name, sizeof node->name, "node%u", i + 1);
        node->publisher = (struct broker_publisher){.broker = &world.broker, .to = ALL_QUEUES};
        broker_declare(&world.broker, i, 0);
        come_back(&world, i);
    }
    run_steps(&world, true, CHAOS_STEPS);
    for (unsigned i = 0; i < PARTE2_NODES; i++) {
        come_back(&world, i);
    }
    run_steps(&world, false, STEPS_MAX);
    check(&world, &result);
    for (unsigned i = 0; i < PARTE2_NODES; i++) {
        broker_log_stop(options->log, world.nodes[i].name);
    }
    for (unsigned i = 0; i < PARTE2_NODES; i++) {
        crash(&world, i);
    }
    broker_free(&world.broker);
    commands_free(&world.commands);
    return result;
}
