#include "tests/sim/broker_parte4.h"

#include "tests/sim/broker_seeds.h"

#include <stdio.h>

#define CHAOS_STEPS 1200
#define STEPS_MAX   50000 /* a run that goes on longer does not end */
#define ROUND_MS    250   /* of ticks, once all is healed */
#define ROUNDS      80    /* far more than the rules' patience */
#define CALM_ROUNDS 6     /* so long nothing may change when all seems done */

enum kind {
    SUBMIT,
    SUBMIT_AGAIN,
    CONFIRM,
    PROCESS,
    NOTE,
    TICK,
    WRITE,
    ANNOUNCE,
    LOSE_PUBLISHER,
    LOSE_CONSUMER,
    CRASH,
    DELETE_QUEUE,
    PAUSE,
    RETURN,
};

static const char *const names[] = {"submit", "submit again", "confirm",  "process",        "note",
                                    "tick",   "write",        "announce", "lose publisher", "lose consumer",
                                    "crash",  "delete queue", "pause",    "return"};

/* ---- faults, and what ends them ---- */

static void delete_queue(struct parte4_world *world, struct parte4_node *node)
{
    node->consuming = false;
    broker_delete(&world->broker, node->number);
}

/* Whatever is not as it should be: the process, its links, or that it runs. */
static void come_back(struct parte4_world *world, struct parte4_node *node)
{
    node->paused = false;
    if (!node->started && node->starts_leading) {
        for (unsigned command = 0; command < world->commands.count; command++) {
            world->answered_first[command] = world->commands.all[command].answered;
        }
    }
    if (!node->up) {
        parte4_node_start(world, node);
    } else if (!node->consuming) {
        parte4_node_consume(world, node);
    } else if (node->starts_leading && !node->publisher.connected) {
        publisher_connect(&node->publisher);
    }
}

/* ---- clients ---- */

static void submit(struct parte4_world *world, struct parte4_node *node)
{
    unsigned command = world->commands.count;

    commands_add(&world->commands, node->number, node->life);
    parte4_node_request(world, node, command);
}

/* A client that heard nothing, or that was refused, gives its command to any node again. */
static void submit_again(struct parte4_world *world, struct parte4_node *node, unsigned command)
{
    if (!world->commands.all[command].answered) {
        world->commands.all[command].again = true;
        parte4_node_request(world, node, command);
    }
}

/* ---- the run ---- */

static void take_note(struct parte4_world *world, unsigned which, bool chaos)
{
    const struct parte4_node *node = &world->nodes[world->notes.on_their_way[which].to];
    bool again = chaos && !world->options->prompt && schedule_once_in(&world->schedule, 16);

    if (node->paused) {
        return;
    }
    struct note note = notes_take(&world->notes, which, again);
    if (node->consuming) {
        parte4_node_hear(world, &note);
    }
}

static void offer_faults(struct parte4_world *world, const struct parte4_node *node)
{
    struct schedule *schedule = &world->schedule;

    if (node->up) {
        schedule_offer(schedule, 1, LOSE_CONSUMER, node->number, 0);
        schedule_offer(schedule, 1, CRASH, node->number, 0);
        schedule_offer(schedule, 1, PAUSE, node->number, 0);
        schedule_offer(schedule, 1, node->starts_leading ? LOSE_PUBLISHER : DELETE_QUEUE, node->number, 0);
    }
}

static void offer_chaos(struct parte4_world *world, const struct parte4_node *node)
{
    struct schedule *schedule = &world->schedule;
    unsigned count = world->commands.count;
    bool waits = world->options->prompt && world->notes.count > 0;

    if (count < world->options->commands) {
        schedule_offer(schedule, node->order.leading ? 12 : 1, SUBMIT, node->number, 0);
    }
    if (count > 0 && !world->options->prompt) {
        schedule_offer(schedule, 2, SUBMIT_AGAIN, node->number, schedule_below(schedule, count));
    }
    if (node->order.leading) {
        schedule_offer(schedule, 1, ANNOUNCE, node->number, 0);
    }
    if (!waits) {
        schedule_offer(schedule, 3, TICK, node->number, 0);
    }
}

static void offer_nodes_steps(struct parte4_world *world, const struct parte4_node *node, bool chaos)
{
    struct schedule *schedule = &world->schedule;
    bool runs = node->up && !node->paused;
    bool lacks = !node->consuming || (node->starts_leading && !node->publisher.connected);

    if (runs && publisher_has_confirm(&node->publisher)) {
        schedule_offer(schedule, 8, CONFIRM, node->number, 0);
    }
    if (runs && node->consuming) {
        broker_offer_deliveries(&world->broker, node->number, false, PROCESS);
    }
    if (runs && node->disk.count > 0) {
        schedule_offer(schedule, 8, WRITE, node->number, 0);
    }
    if (runs && chaos) {
        offer_chaos(world, node);
    }
    if (!node->gone && (!runs || lacks)) {
        schedule_offer(schedule, node->started || !chaos ? 8 : 1, RETURN, node->number, 0);
    }
}

static void take_step(struct parte4_world *world, struct step step, bool chaos)
{
    struct parte4_node *node = &world->nodes[step.kind == NOTE ? 0 : step.a % PARTE4_NODES];

    if (step.kind >= BROKER_STEPS) {
        broker_do(&world->broker, step);
        return;
    }
    if (step.kind != NOTE) {
        seeds_show("%s %s %u", names[step.kind], node->name, step.b);
    }
    switch ((enum kind)step.kind) {
    case SUBMIT:
        submit(world, node);
        break;
    case SUBMIT_AGAIN:
        submit_again(world, node, step.b);
        break;
    case CONFIRM:
        parte4_node_confirm(world, node);
        break;
    case PROCESS:
        parte4_node_process(world, node, step.b);
        break;
    case NOTE:
        take_note(world, step.a, chaos);
        break;
    case TICK:
        world->schedule.now_ms += schedule_below(&world->schedule, 300);
        parte4_node_tick(world, node);
        break;
    case WRITE:
        parte4_leader_write(world, node);
        break;
    case ANNOUNCE:
        parte4_leader_announce(world, node);
        break;
    case LOSE_PUBLISHER:
        publisher_lose(&node->publisher);
        break;
    case LOSE_CONSUMER:
        parte4_node_lose_consumer(world, node);
        break;
    case CRASH:
        parte4_node_crash(world, node);
        break;
    case DELETE_QUEUE:
        delete_queue(world, node);
        break;
    case PAUSE:
        node->paused = true;
        break;
    case RETURN:
        come_back(world, node);
        break;
    }
}

static void run_steps(struct parte4_world *world, bool chaos, unsigned most)
{
    for (unsigned steps = 0; !finding_exists(&world->commands.finding); steps++) {
        bool faults = chaos && !world->options->prompt && schedule_has_trouble(&world->schedule);
        schedule_begin(&world->schedule);
        broker_offer_steps(&world->broker);
        notes_offer(&world->notes, &world->schedule, NOTE);
        for (unsigned i = 0; i < PARTE4_NODES; i++) {
            offer_nodes_steps(world, &world->nodes[i], chaos);
            if (faults) {
                offer_faults(world, &world->nodes[i]);
            }
        }
        if (!schedule_choose(&world->schedule)) {
            return;
        }
        if (steps == most) {
            if (!chaos) {
                finding_add(&world->commands.finding, "quiet: the run does not end");
            }
            return;
        }
        take_step(world, world->schedule.chosen, chaos);
    }
}

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
        run_steps(world, false, STEPS_MAX);
        start_again(world);
        run_steps(world, false, STEPS_MAX);
        calm = is_done(world) ? calm + 1 : 0;
    }
    if (calm < CALM_ROUNDS) {
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
        if (!world->nodes[i].gone) {
            submit(world, &world->nodes[i]);
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
    run_steps(&world, true, CHAOS_STEPS);
    if (options->second_leaves) {
        parte4_node_crash(&world, &world.nodes[0]);
        parte4_node_crash(&world, &world.nodes[1]);
        world.nodes[1].gone = true;
    }
    heal(&world);
    expect_service(&world);
    check(&world);
    for (unsigned i = 0; i < PARTE4_NODES; i++) {
        parte4_node_crash(&world, &world.nodes[i]);
    }
    broker_free(&world.broker);
    notes_free(&world.notes);
    commands_free(&world.commands);
    return world.commands.finding;
}
