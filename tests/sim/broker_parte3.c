#include "tests/sim/broker_parte3.h"

#include "common/container_of.h"
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
    ANNOUNCE,
    LOSE_PUBLISHER,
    LOSE_CONSUMER,
    CRASH,
    DELETE_QUEUE,
    PAUSE,
    RETURN,
};

static const char *const names[] = {"submit",        "submit again", "confirm",      "process",
                                    "note",          "tick",         "announce",     "lose publisher",
                                    "lose consumer", "crash",        "delete queue", "pause",
                                    "return"};

/* ---- what the broker sees of the total order ---- */

static void on_arrival(struct broker *broker, const struct message *message)
{
    struct parte3_world *world = container_of(broker, struct parte3_world, broker);
    unsigned command = command_number(message);

    if (message->seq == MESSAGE_NO_SEQ) {
        return;
    }
    if (world->numbered[message->seq] >= 0 && world->numbered[message->seq] != (int)command) {
        finding_add(&world->commands.finding, "one command per number: %lld is command %d and command %u",
                    (long long)message->seq, world->numbered[message->seq], command);
    }
    if (world->seq_of[command] > 0 && world->seq_of[command] != message->seq) {
        finding_add(&world->commands.finding, "one number per command: command %u is number %lld and %lld",
                    command, (long long)world->seq_of[command], (long long)message->seq);
    }
    world->numbered[message->seq] = (int)command;
    world->seq_of[command] = message->seq;
    world->last_seq = message->seq > world->last_seq ? message->seq : world->last_seq;
}

/* ---- what may be done to it ---- */

static int64_t command_of(const struct message *message)
{
    return command_number(message);
}

static int64_t seq_of(const struct message *message)
{
    return message->seq;
}

/* Is every command that may come again, this one too, among the last that the history keeps, whatever is ordered
 * meanwhile? The sequencer promises no more than that. */
static bool history_reaches(const struct parte3_world *world, unsigned command)
{
    bool around[COMMANDS_MAX] = {false};
    int64_t oldest = world->last_seq + 1;
    int64_t newest = world->last_seq;

    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        const struct broker_publisher *publisher = &world->nodes[i].publisher;
        for (size_t at = 0; at < publisher->count; at++) {
            around[command_number(publisher->pending[at])] = true;
        }
    }
    broker_mark(&world->broker, PARTE3_INPUT, command_of, around);
    around[command] = true;
    for (unsigned i = 0; i < COMMANDS_MAX; i++) {
        if (around[i] && world->seq_of[i] > 0) {
            oldest = world->seq_of[i] < oldest ? world->seq_of[i] : oldest;
        } else if (around[i]) {
            newest++;
        }
    }
    return newest - oldest + 1 < world->options->history;
}

/* Does another node have, or get, all that there is, so that this one's memory or queue may go? */
static bool can_do_without(const struct parte3_world *world, unsigned number)
{
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        const struct parte3_node *node = &world->nodes[i];
        bool present[PARTE3_SEQS] = {false};
        bool complete = i != number && world->broker.queues[i].exists;
        int64_t seq = node->up ? node->order.next_seq : 1;

        broker_mark(&world->broker, i, seq_of, present);
        for (; complete && seq <= world->last_seq; seq++) {
            complete = present[seq] || (node->up && node->order.held.places[seq] != NULL);
        }
        if (complete) {
            return true;
        }
    }
    return world->options->history >= world->options->commands;
}

/* ---- faults, and what ends them ---- */

static void crash(struct parte3_world *world, unsigned number)
{
    if (number == PARTE3_SEQUENCER) {
        parte3_sequencer_crash(world);
    } else if (can_do_without(world, number)) {
        parte3_node_crash(world, number);
    }
}

static void lose_consumer(struct parte3_world *world, unsigned number)
{
    if (number == PARTE3_SEQUENCER) {
        parte3_sequencer_lose(world);
    } else {
        parte3_node_lose_consumer(world, number);
    }
}

static void delete_queue(struct parte3_world *world, unsigned number)
{
    if (can_do_without(world, number)) {
        world->nodes[number].consuming = false;
        broker_delete(&world->broker, number);
    }
}

static void pause_process(struct parte3_world *world, unsigned number, bool paused)
{
    if (number == PARTE3_SEQUENCER) {
        world->sequencer.paused = paused;
    } else {
        world->nodes[number].paused = paused;
    }
}

/* Whatever is not as it should be: the process, its links, or that it runs. */
static void come_back(struct parte3_world *world, unsigned number)
{
    struct parte3_node *node = &world->nodes[number];

    pause_process(world, number, false);
    if (number == PARTE3_SEQUENCER) {
        if (!world->sequencer.connected) {
            parte3_sequencer_connect(world);
        }
    } else if (!node->up) {
        parte3_node_start(world, number);
    } else if (!node->consuming) {
        parte3_node_consume(world, number);
    } else if (!node->publisher.connected) {
        publisher_connect(&node->publisher);
    }
}

/* ---- clients ---- */

static void submit(struct parte3_world *world, unsigned number)
{
    if (history_reaches(world, world->commands.count)) {
        unsigned command = world->commands.count;
        commands_add(&world->commands, number, world->nodes[number].life);
        parte3_node_request(world, number, command);
    }
}

/* A client that heard nothing gives its command to any node again. */
static void submit_again(struct parte3_world *world, unsigned number, unsigned command)
{
    if (!world->commands.all[command].answered && history_reaches(world, command)) {
        world->commands.all[command].again = true;
        parte3_node_request(world, number, command);
    }
}

/* ---- the run ---- */

static bool hears(const struct parte3_world *world, unsigned number)
{
    return number == PARTE3_SEQUENCER ? world->sequencer.connected : world->nodes[number].consuming;
}

static bool is_paused(const struct parte3_world *world, unsigned number)
{
    return number == PARTE3_SEQUENCER ? world->sequencer.paused : world->nodes[number].paused;
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
    if (to == PARTE3_SEQUENCER) {
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
    if (world->sequencer.connected) {
        schedule_offer(schedule, 2, CRASH, PARTE3_SEQUENCER, 0);
        schedule_offer(schedule, 2, LOSE_CONSUMER, PARTE3_SEQUENCER, 0);
        schedule_offer(schedule, 1, PAUSE, PARTE3_SEQUENCER, 0);
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
    if (runs && chaos && count > 0) {
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

static void offer_sequencers_steps(struct parte3_world *world, bool chaos)
{
    const struct parte3_sequencer *sequencer = &world->sequencer;
    struct schedule *schedule = &world->schedule;
    bool runs = sequencer->connected && !sequencer->paused;

    if (runs) {
        broker_offer_deliveries(&world->broker, PARTE3_INPUT, true, PROCESS);
    }
    if (runs && broker_has_confirm(&world->broker, sequencer->channel)) {
        schedule_offer(schedule, 8, CONFIRM, PARTE3_SEQUENCER, 0);
    }
    if (runs && chaos) {
        schedule_offer(schedule, 2, ANNOUNCE, PARTE3_SEQUENCER, 0);
    }
    if (!runs && (sequencer->connected || parte3_sequencer_may_connect(world))) {
        schedule_offer(schedule, 8, RETURN, PARTE3_SEQUENCER, 0);
    }
}

static void take_step(struct parte3_world *world, struct step step, bool chaos)
{
    if (step.kind >= BROKER_STEPS) {
        broker_do(&world->broker, step);
        return;
    }
    seeds_show("%s %s %u", names[step.kind], step.a < PARTE3_NODES ? world->nodes[step.a].name : "sequencer",
               step.b);
    switch ((enum kind)step.kind) {
    case SUBMIT:
        submit(world, step.a);
        break;
    case SUBMIT_AGAIN:
        submit_again(world, step.a, step.b);
        break;
    case CONFIRM:
        if (step.a == PARTE3_SEQUENCER) {
            parte3_sequencer_confirm(world);
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
        parte3_sequencer_announce(world);
        break;
    case LOSE_PUBLISHER:
        publisher_lose(&world->nodes[step.a].publisher);
        break;
    case LOSE_CONSUMER:
        lose_consumer(world, step.a);
        break;
    case CRASH:
        crash(world, step.a);
        break;
    case DELETE_QUEUE:
        delete_queue(world, step.a);
        break;
    case PAUSE:
        pause_process(world, step.a, true);
        break;
    case RETURN:
        come_back(world, step.a);
        break;
    }
}

static void run_steps(struct parte3_world *world, bool chaos, unsigned most)
{
    for (unsigned steps = 0; !finding_exists(&world->commands.finding); steps++) {
        schedule_begin(&world->schedule);
        broker_offer_steps(&world->broker);
        notes_offer(&world->notes, &world->schedule, NOTE);
        offer_sequencers_steps(world, chaos);
        for (unsigned i = 0; i < PARTE3_NODES; i++) {
            offer_nodes_steps(world, i, chaos);
        }
        if (chaos && schedule_has_trouble(&world->schedule)) {
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

static bool is_done(const struct parte3_world *world)
{
    bool done = true;

    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        const struct parte3_node *node = &world->nodes[i];
        done = done && (int64_t)node->store.count == world->last_seq &&
               store_equal(&world->nodes[0].store, &node->store);
    }
    return done;
}

static void heal(struct parte3_world *world)
{
    unsigned calm = 0;

    seeds_show("all heals");
    for (unsigned round = 0;
         round < ROUNDS && calm < CALM_ROUNDS && !finding_exists(&world->commands.finding); round++) {
        world->schedule.now_ms += ROUND_MS;
        for (unsigned i = 0; i < PARTE3_NODES && round > 0; i++) {
            parte3_node_tick(world, i);
        }
        if (round % 4 == 1) {
            parte3_sequencer_announce(world);
        }
        run_steps(world, false, STEPS_MAX);
        calm = is_done(world) ? calm + 1 : 0;
    }
    if (calm < CALM_ROUNDS) {
        finding_add(&world->commands.finding, "convergence: of %lld commands the nodes have %zu, %zu and %zu",
                    (long long)world->last_seq, world->nodes[0].store.count, world->nodes[1].store.count,
                    world->nodes[2].store.count);
    }
}

static void begin(struct parte3_world *world, const struct parte3_options *options)
{
    *world = (struct parte3_world){.options = options,
                                   .broker = {.schedule = &world->schedule, .on_arrival = on_arrival}};
    schedule_init(&world->schedule, options->seed);
    for (unsigned seq = 0; seq < PARTE3_SEQS; seq++) {
        world->numbered[seq] = -1;
    }
    broker_declare(&world->broker, PARTE3_INPUT, 0);
    broker_declare(&world->broker, PARTE3_HISTORY, options->history);
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        struct parte3_node *node = &world->nodes[i];
        snprintf(node->name, sizeof node->name, "node%u", i + 1);
        node->publisher = (struct broker_publisher){.broker = &world->broker, .to = BROKER_TO(PARTE3_INPUT)};
        if (i < 2) { /* the third starts late */
            parte3_node_start(world, i);
        }
    }
}

struct finding parte3_run(const struct parte3_options *options)
{
    static struct parte3_world world;

    begin(&world, options);
    run_steps(&world, true, CHAOS_STEPS);
    heal(&world);
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        store_check(&world.nodes[i].store, world.nodes[i].name, &world.commands);
        store_check_fifo(&world.nodes[i].store, world.nodes[i].name, &world.commands);
    }
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        parte3_node_crash(&world, i);
    }
    parte3_sequencer_crash(&world);
    broker_free(&world.broker);
    notes_free(&world.notes);
    commands_free(&world.commands);
    return world.commands.finding;
}
