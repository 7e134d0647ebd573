#include "tests/sim/broker_parte4.h"

#include "tests/sim/broker_seeds.h"

#include <stdio.h>

#define CHAOS_STEPS 1200
#define STEPS_MAX   50000 /* a run that goes on longer does not end */
#define ROUND_MS    250   /* of ticks, once all is healed */
#define ROUNDS      80    /* far more than the rules' patience */
#define CALM_ROUNDS 6     /* so long nothing may change when all seems done */

/* ---- what must be true in the end ---- */

/* The one that leads; NULL if none does, or more than one. */
static struct parte4_node *find_leader(struct parte4_world *world)
{
    struct parte4_node *leader = NULL;

    for (unsigned i = 0; i < PARTE4_NODES; i++) {
        struct parte4_node *node = &world->nodes[i];
        if (node->gone) {
            continue;
        }
        if (node->order.leading && leader != NULL) {
            return NULL;
        }
        leader = node->order.leading ? node : leader;
    }
    return leader;
}

static bool is_done(struct parte4_world *world)
{
    const struct parte4_node *leader = find_leader(world);

    for (unsigned i = 0; i < PARTE4_NODES && leader != NULL; i++) {
        const struct parte4_node *node = &world->nodes[i];
        if (!node->gone &&
            (node->order.epoch != leader->order.epoch || node->order.known_epoch != leader->order.epoch ||
             !store_equal(&node->store, &leader->store))) {
            return false;
        }
    }
    return leader != NULL && leader->disk.epoch == leader->order.epoch &&
           store_equal(&leader->store, &leader->disk.updates);
}

/* The first leader takes no writes, and says that it should be started again. */
static void start_again(struct parte4_world *world)
{
    struct parte4_node *first = &world->nodes[0];

    if (world->options->second_leaves && first->up && first->has_led && !first->order.leading &&
        first->wanted_epoch == MESSAGE_NO_EPOCH) {
        parte4_node_crash(world, first);
    }
}

static void heal(struct parte4_world *world)
{
    unsigned calm = 0;

    seeds_show("all heals");
    for (unsigned round = 0;
         round < ROUNDS && calm < CALM_ROUNDS && !finding_exists(&world->commands.finding); round++) {
        unsigned asks = world->asks;
        world->schedule.now_ms += ROUND_MS;
        for (unsigned i = 0; i < PARTE4_NODES && round > 0; i++) {
            struct parte4_node *node = &world->nodes[i];
            if (!node->gone) {
                parte4_node_tick(world, node);
            }
            if (!node->gone && round % 4 == 1) {
                parte4_leader_announce(world, node);
            }
        }
        parte4_run_steps(world, false, STEPS_MAX);
        start_again(world);
        parte4_run_steps(world, false, STEPS_MAX);
        calm = is_done(world) && world->asks == asks ? calm + 1 : 0;
    }
    if (calm < CALM_ROUNDS && is_done(world)) {
        finding_add(&world->commands.finding, "quiet: nothing is missing, and still somebody asks for it");
    } else if (calm < CALM_ROUNDS) {
        const struct parte4_node *leader = find_leader(world);
        finding_add(&world->commands.finding,
                    "convergence: %s leads; the nodes have %zu, %zu, %zu and %zu updates",
                    leader == NULL ? "not exactly one" : leader->name, world->nodes[0].store.count,
                    world->nodes[1].store.count, world->nodes[2].store.count, world->nodes[3].store.count);
    }
}

/* Everybody is asked once more: one node takes it, and answers. */
static void expect_service(struct parte4_world *world)
{
    unsigned asked = world->commands.count;
    unsigned answered = 0;

    for (unsigned i = 0; i < PARTE4_NODES && !finding_exists(&world->commands.finding); i++) {
        if (!world->nodes[i].gone && (world->options->log == NULL || world->nodes[i].order.leading)) {
            parte4_submit(world, &world->nodes[i]);
        }
    }
    heal(world);
    for (; asked < world->commands.count; asked++) {
        answered += world->commands.all[asked].answered;
    }
    if (answered != 1) { /* kept only if nothing was found before */
        finding_add(&world->commands.finding, "one leader: %u of %d nodes took an update", answered,
                    PARTE4_NODES);
    }
}

static void check(struct parte4_world *world)
{
    struct commands *commands = &world->commands;

    for (unsigned command = 0; command < commands->count && world->options->second_leader; command++) {
        commands->all[command].answered = world->options->prompt && world->answered_first[command];
    }
    for (unsigned i = 0; i < PARTE4_NODES; i++) {
        const struct parte4_node *node = &world->nodes[i];
        if (!world->options->second_leader || world->options->prompt) {
            store_check(&node->store, node->name, commands);
        }
    }
}

static void begin(struct parte4_world *world, const struct parte4_options *options)
{
    *world = (struct parte4_world){.options = options, .broker = {.schedule = &world->schedule}};
    schedule_init(&world->schedule, options->seed);
    for (unsigned i = 0; i < PARTE4_NODES; i++) {
        struct parte4_node *node = &world->nodes[i];
        node->number = i;
        snprintf(node->name, sizeof node->name, "node%u", i + 1);
        node->starts_leading = i == 0 || (i == 1 && options->second_leader);
        node->publisher =
            (struct broker_publisher){.broker = &world->broker, .to = BROKER_TO(PARTE4_NODES) - 1};
        if (i != 1) { /* the second starts late */
            parte4_node_start(world, node);
        }
    }
}

struct finding parte4_run(const struct parte4_options *options)
{
    static struct parte4_world world;

    begin(&world, options);
    parte4_run_steps(&world, true, CHAOS_STEPS);
    if (options->second_leaves) {
        parte4_node_crash(&world, &world.nodes[0]);
        parte4_node_crash(&world, &world.nodes[1]);
        world.nodes[1].gone = true;
    }
    heal(&world);
    expect_service(&world);
    check(&world);
    for (unsigned i = 0; i < PARTE4_NODES; i++) {
        broker_log_stop(options->log, world.nodes[i].name);
    }
    for (unsigned i = 0; i < PARTE4_NODES; i++) {
        parte4_node_crash(&world, &world.nodes[i]);
    }
    broker_free(&world.broker);
    notes_free(&world.notes);
    commands_free(&world.commands);
    return world.commands.finding;
}
