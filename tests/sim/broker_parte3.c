#include "tests/sim/broker_parte3.h"

#include "common/container_of.h"
#include "tests/sim/broker_seeds.h"

#include <stdio.h>

#define CHAOS_STEPS 1200
#define STEPS_MAX   50000 /* a run that goes on longer does not end */
#define ROUND_MS    250   /* of ticks, once all is healed */
#define ROUNDS      80    /* far more than the rules' patience */
#define CALM_ROUNDS 6     /* so long nothing may change when all seems done */

/* ---- what the queues see of the total order ---- */

static void on_queued(struct broker *broker, const struct message *message)
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

/* ---- the run ---- */

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
        unsigned asks = world->asks;
        world->schedule.now_ms += ROUND_MS;
        for (unsigned i = 0; i < PARTE3_NODES && round > 0; i++) {
            parte3_node_tick(world, i);
        }
        for (unsigned i = 0; i < PARTE3_SEQUENCERS; i++) {
            if (round % 4 == 1 && world->sequencers[i].connected) {
                parte3_sequencer_announce(world, PARTE3_NODES + i);
            }
        }
        parte3_run_steps(world, false, STEPS_MAX);
        calm = is_done(world) && world->asks == asks ? calm + 1 : 0;
    }
    if (calm < CALM_ROUNDS && is_done(world)) {
        finding_add(&world->commands.finding, "quiet: nothing is missing, and still somebody asks for it");
    } else if (calm < CALM_ROUNDS) {
        finding_add(&world->commands.finding, "convergence: of %lld commands the nodes have %zu, %zu and %zu",
                    (long long)world->last_seq, world->nodes[0].store.count, world->nodes[1].store.count,
                    world->nodes[2].store.count);
    }
}

static void begin(struct parte3_world *world, const struct parte3_options *options)
{
    *world = (struct parte3_world){.options = options,
                                   .broker = {.schedule = &world->schedule, .on_queued = on_queued}};
    schedule_init(&world->schedule, options->seed);
    for (unsigned seq = 0; seq < PARTE3_SEQS; seq++) {
        world->numbered[seq] = -1;
    }
    for (unsigned i = 0; i < PARTE3_SEQUENCERS; i++) {
        world->sequencers[i].name = i == 0 ? "sequencer" : "sequencer2";
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

static void stop(struct parte3_world *world, unsigned number)
{
    bool is_node = number < PARTE3_NODES;

    if (is_node || world->sequencers[number - PARTE3_NODES].up) {
        broker_log_stop(world->options->log, parte3_name(world, number));
    }
    if (is_node) {
        parte3_node_crash(world, number);
    } else {
        parte3_sequencer_crash(world, number);
    }
}

struct finding parte3_run(const struct parte3_options *options)
{
    static struct parte3_world world;

    begin(&world, options);
    parte3_run_steps(&world, true, CHAOS_STEPS);
    heal(&world);
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        store_check(&world.nodes[i].store, world.nodes[i].name, &world.commands);
        store_check_fifo(&world.nodes[i].store, world.nodes[i].name, &world.commands);
    }
    for (unsigned i = 0; i < PARTE3_PROCESSES; i++) {
        stop(&world, i);
    }
    broker_free(&world.broker);
    notes_free(&world.notes);
    commands_free(&world.commands);
    return world.commands.finding;
}
