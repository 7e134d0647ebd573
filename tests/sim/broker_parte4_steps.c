#include "tests/sim/broker_parte4.h"
#include "tests/sim/broker_seeds.h"

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

void parte4_submit(struct parte4_world *world, struct parte4_node *node)
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
    const struct parte4_options *options = world->options;
    struct schedule *schedule = &world->schedule;
    unsigned count = world->commands.count;
    bool waits = options->prompt && world->notes.count > 0;

    if (count < options->commands && (node->order.leading || options->log == NULL)) {
        schedule_offer(schedule, node->order.leading ? 12 : 1, SUBMIT, node->number, 0);
    }
    if (count > 0 && !options->prompt && options->log == NULL) {
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

    if (broker_do(&world->broker, step)) {
        return;
    }
    if (step.kind != NOTE) {
        seeds_show("%s %s %u", names[step.kind], node->name, step.b);
    }
    switch ((enum kind)step.kind) {
    case SUBMIT:
        parte4_submit(world, node);
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
        broker_log_kill(world->options->log, node->name);
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

void parte4_run_steps(struct parte4_world *world, bool chaos, unsigned most)
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
