#include "tests/sim/broker_parte3.h"
#include "tests/sim/broker_seeds.h"

enum kind {
    SUBMIT,
    SUBMIT_AGAIN,
    CONFIRM,
    PROCESS,
    NOTE,
    TICK,
    ANNOUNCE,
    LOSE_PUBLISHER,
    LOSE_CONSUMER,
    CRASH,
    KILL_BROKER,
    DELETE_QUEUE,
    PAUSE,
    RETURN,
};

static const char *const names[] = {"submit",      "submit again", "confirm",        "process",       "note",
                                    "tick",        "announce",     "lose publisher", "lose consumer", "crash",
                                    "kill broker", "delete queue", "pause",          "return"};

const char *parte3_name(const struct parte3_world *world, unsigned number)
{
    return number < PARTE3_NODES ? world->nodes[number].name : world->sequencers[number - PARTE3_NODES].name;
}

static bool hears(const struct parte3_world *world, unsigned number)
{
    return number < PARTE3_NODES ? world->nodes[number].consuming
                                 : world->sequencers[number - PARTE3_NODES].connected;
}

static bool is_paused(const struct parte3_world *world, unsigned number)
{
    return number < PARTE3_NODES ? world->nodes[number].paused
                                 : world->sequencers[number - PARTE3_NODES].paused;
}

static void take_note(struct parte3_world *world, unsigned which, bool chaos)
{
    unsigned to = world->notes.on_their_way[which].to;
    bool again = chaos && schedule_once_in(&world->schedule, 16);

    if (is_paused(world, to)) {
        return;
    }
    struct note note = notes_take(&world->notes, which, again);
    if (!hears(world, to)) {
        return;
    }
    if (to >= PARTE3_NODES) {
        parte3_sequencer_hear(world, &note);
    } else {
        parte3_node_hear(world, &note);
    }
}

static void offer_faults(struct parte3_world *world)
{
    struct schedule *schedule = &world->schedule;

    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        if (world->nodes[i].up) {
            schedule_offer(schedule, 1, LOSE_PUBLISHER, i, 0);
            schedule_offer(schedule, 1, LOSE_CONSUMER, i, 0);
            schedule_offer(schedule, 1, CRASH, i, 0);
            schedule_offer(schedule, 1, DELETE_QUEUE, i, 0);
            schedule_offer(schedule, 1, PAUSE, i, 0);
        }
    }
    for (unsigned i = 0; i < PARTE3_SEQUENCERS; i++) {
        unsigned number = PARTE3_NODES + i;
        if (world->sequencers[i].connected) {
            schedule_offer(schedule, 1, LOSE_CONSUMER, number, 0);
            schedule_offer(schedule, 2, KILL_BROKER, number, 0);
            schedule_offer(schedule, 1, PAUSE, number, 0);
        }
        if (world->sequencers[i].up) {
            schedule_offer(schedule, 2, CRASH, number, 0);
        }
    }
}

static void offer_nodes_steps(struct parte3_world *world, unsigned number, bool chaos)
{
    const struct parte3_node *node = &world->nodes[number];
    struct schedule *schedule = &world->schedule;
    bool runs = node->up && !node->paused;
    unsigned count = world->commands.count;

    if (runs && chaos && count < world->options->commands) {
        schedule_offer(schedule, 8, SUBMIT, number, 0);
    }
    if (runs && chaos && count > 0 && world->options->log == NULL) {
        schedule_offer(schedule, 2, SUBMIT_AGAIN, number, schedule_below(schedule, count));
    }
    if (runs && publisher_has_confirm(&node->publisher)) {
        schedule_offer(schedule, 8, CONFIRM, number, 0);
    }
    if (runs && node->consuming) {
        broker_offer_deliveries(&world->broker, number, false, PROCESS);
    }
    if (chaos && runs) {
        schedule_offer(schedule, 2, TICK, number, 0);
    }
    if (!runs || !node->consuming || !node->publisher.connected) {
        schedule_offer(schedule, node->started || !chaos ? 8 : 1, RETURN, number, 0);
    }
}

static void offer_sequencers_steps(struct parte3_world *world, unsigned number, bool chaos)
{
    const struct parte3_sequencer *sequencer = &world->sequencers[number - PARTE3_NODES];
    struct schedule *schedule = &world->schedule;
    bool runs = sequencer->connected && !sequencer->paused;

    if (runs) {
        broker_offer_deliveries(&world->broker, PARTE3_INPUT, true, PROCESS);
    }
    if (runs && broker_has_confirm(&world->broker, sequencer->channel)) {
        schedule_offer(schedule, 8, CONFIRM, number, 0);
    }
    if (runs && chaos) {
        schedule_offer(schedule, 2, ANNOUNCE, number, 0);
    }
    if (!runs && (sequencer->paused || parte3_sequencer_may_connect(world, number))) {
        schedule_offer(schedule, 8, RETURN, number, 0);
    }
}

static void take_step(struct parte3_world *world, struct step step, bool chaos)
{
    if (broker_do(&world->broker, step)) {
        return;
    }
    unsigned who = step.kind == NOTE ? world->notes.on_their_way[step.a].to : step.a;
    seeds_show("%s %s %u", names[step.kind], parte3_name(world, who), step.b);
    switch ((enum kind)step.kind) {
    case SUBMIT:
        parte3_submit(world, step.a);
        break;
    case SUBMIT_AGAIN:
        parte3_submit_again(world, step.a, step.b);
        break;
    case CONFIRM:
        if (step.a >= PARTE3_NODES) {
            parte3_sequencer_confirm(world, step.a);
        } else {
            parte3_node_confirm(world, step.a);
        }
        break;
    case PROCESS:
        if (step.a == PARTE3_INPUT) {
            parte3_sequencer_process(world, step.b);
        } else {
            parte3_node_process(world, step.a, step.b);
        }
        break;
    case NOTE:
        take_note(world, step.a, chaos);
        break;
    case TICK:
        world->schedule.now_ms += schedule_below(&world->schedule, 300);
        parte3_node_tick(world, step.a);
        break;
    case ANNOUNCE:
        parte3_sequencer_announce(world, step.a);
        break;
    case LOSE_PUBLISHER:
        publisher_lose(&world->nodes[step.a].publisher);
        break;
    case LOSE_CONSUMER:
        parte3_lose_consumer(world, step.a);
        break;
    case CRASH:
        parte3_crash(world, step.a);
        break;
    case KILL_BROKER:
        parte3_kill_broker(world, step.a);
        break;
    case DELETE_QUEUE:
        parte3_delete_queue(world, step.a);
        break;
    case PAUSE:
        parte3_pause(world, step.a, true);
        break;
    case RETURN:
        parte3_come_back(world, step.a);
        break;
    }
}

void parte3_run_steps(struct parte3_world *world, bool chaos, unsigned most)
{
    for (unsigned steps = 0; !finding_exists(&world->commands.finding); steps++) {
        schedule_begin(&world->schedule);
        broker_offer_steps(&world->broker);
        notes_offer(&world->notes, &world->schedule, NOTE);
        for (unsigned i = PARTE3_NODES; i < PARTE3_PROCESSES; i++) {
            offer_sequencers_steps(world, i, chaos);
        }
        for (unsigned i = 0; i < PARTE3_NODES; i++) {
            offer_nodes_steps(world, i, chaos);
        }
        if (chaos && !world->options->calm && schedule_has_trouble(&world->schedule)) {
            offer_faults(world);
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
