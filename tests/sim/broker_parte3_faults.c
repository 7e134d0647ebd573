#include "tests/sim/broker_parte3.h"

/* ---- what may be done to it ---- */

static int64_t command_of(const struct message *message)
{
    return command_number(message);
}

static int64_t seq_of(const struct message *message)
{
    return message->seq;
}

/* Marks the commands that are at a publisher or in the input queue: they may come again. */
static void mark_around(const struct parte3_world *world, bool *around)
{
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        const struct broker_publisher *publisher = &world->nodes[i].publisher;
        for (size_t at = 0; at < publisher->count; at++) {
            around[command_number(publisher->pending[at])] = true;
        }
    }
    broker_mark(&world->broker, PARTE3_INPUT, command_of, around);
}

bool parte3_history_tells(const struct parte3_world *world)
{
    bool around[COMMANDS_MAX] = {false};
    bool numbered[COMMANDS_MAX] = {false}; /* a node has its number, or will */
    bool kept[COMMANDS_MAX] = {false};
    bool tells = true;

    mark_around(world, around);
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        broker_mark(&world->broker, i, command_of, numbered);
    }
    broker_mark_kept(&world->broker, PARTE3_HISTORY, command_of, kept);
    for (unsigned i = 0; i < COMMANDS_MAX; i++) {
        tells = tells && (kept[i] || !around[i] || (world->seq_of[i] == 0 && !numbered[i]));
    }
    return tells;
}

/* Is every command that may come again, this one too, among the last that the history keeps, whatever is ordered
 * meanwhile? The sequencer promises no more than that. */
static bool history_reaches(const struct parte3_world *world, unsigned command)
{
    bool around[COMMANDS_MAX] = {false};
    int64_t oldest = world->last_seq + 1;
    int64_t newest = world->last_seq;

    mark_around(world, around);
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

/* A sequencer may go whenever the history tells the next one all; or that one has begun already. */
static bool sequencer_can_go(const struct parte3_world *world, unsigned number)
{
    return &world->sequencers[number - PARTE3_NODES] != world->latest || parte3_history_tells(world);
}

/* ---- faults, and what ends them ---- */

void parte3_crash(struct parte3_world *world, unsigned number)
{
    if (number >= PARTE3_NODES && sequencer_can_go(world, number)) {
        broker_log_kill(world->options->log, parte3_name(world, number));
        parte3_sequencer_crash(world, number);
    } else if (number < PARTE3_NODES && can_do_without(world, number)) {
        broker_log_kill(world->options->log, parte3_name(world, number));
        parte3_node_crash(world, number);
    }
}

void parte3_lose_consumer(struct parte3_world *world, unsigned number)
{
    if (number >= PARTE3_NODES) {
        parte3_sequencer_lose(world, number, false);
    } else {
        parte3_node_lose_consumer(world, number);
    }
}

void parte3_kill_broker(struct parte3_world *world, unsigned number)
{
    parte3_sequencer_lose(world, number, true);
    for (unsigned i = 0; i < PARTE3_NODES; i++) {
        if (world->nodes[i].up && schedule_once_in(&world->schedule, PARTE3_NODES)) {
            publisher_lose(&world->nodes[i].publisher);
            parte3_node_lose_consumer(world, i);
        }
    }
}

void parte3_delete_queue(struct parte3_world *world, unsigned number)
{
    if (can_do_without(world, number)) {
        world->nodes[number].consuming = false;
        broker_delete(&world->broker, number);
    }
}

void parte3_pause(struct parte3_world *world, unsigned number, bool paused)
{
    if (number >= PARTE3_NODES) {
        world->sequencers[number - PARTE3_NODES].paused = paused;
    } else {
        world->nodes[number].paused = paused;
    }
}

void parte3_come_back(struct parte3_world *world, unsigned number)
{
    struct parte3_node *node = &world->nodes[number % PARTE3_NODES];

    parte3_pause(world, number, false);
    if (number >= PARTE3_NODES) {
        if (parte3_sequencer_may_connect(world, number)) {
            parte3_sequencer_connect(world, number);
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

/* Would a sequencer that starts now know the command's number? What is published again may have pushed it out. */
static bool is_kept(const struct parte3_world *world, unsigned command)
{
    bool kept[COMMANDS_MAX] = {false};

    broker_mark_kept(&world->broker, PARTE3_HISTORY, command_of, kept);
    return world->seq_of[command] == 0 || kept[command];
}

void parte3_submit(struct parte3_world *world, unsigned number)
{
    if (history_reaches(world, world->commands.count)) {
        unsigned command = world->commands.count;
        commands_add(&world->commands, number, world->nodes[number].life);
        parte3_node_request(world, number, command);
    }
}

void parte3_submit_again(struct parte3_world *world, unsigned number, unsigned command)
{
    if (!world->commands.all[command].answered && history_reaches(world, command) &&
        is_kept(world, command)) {
        world->commands.all[command].again = true;
        parte3_node_request(world, number, command);
    }
}
