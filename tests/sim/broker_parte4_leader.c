#include "tests/sim/broker_parte4.h"
#include "tests/sim/broker_seeds.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

/* ---- what waits for the disk ---- */

static void do_waiting(struct parte4_world *world, struct parte4_node *node)
{
    struct actions still = {0};

    for (size_t i = 0; i < node->waiting.count; i++) {
        struct action *action = &node->waiting.items[i];
        if (still.count > 0 || action->message->seq > (int64_t)node->disk.updates.count) {
            actions_add(&still, action->type, action->message);
        } else if (action->type == ACTION_SEND) {
            parte4_node_send(world, node, action->message);
        } else {
            parte4_node_deliver(world, node, action->message);
        }
    }
    actions_free(&node->waiting);
    node->waiting = still;
}

static void drop_waiting(struct parte4_node *node)
{
    for (size_t i = 0; i < node->waiting.count; i++) {
        node->requested[command_number(node->waiting.items[i].message)] = false;
    }
    actions_free(&node->waiting);
}

/* ---- the log ---- */

static void append(struct parte4_node *node, struct parte4_entry entry)
{
    struct parte4_disk *disk = &node->disk;

    disk->writing = memory_grow(disk->writing, &disk->capacity, disk->count + 1, sizeof *disk->writing);
    disk->writing[disk->count++] = entry;
}

void parte4_leader_record(struct parte4_node *node, struct message *update)
{
    append(node, (struct parte4_entry){message_ref(update), update->epoch});
}

/* The oldest entry is on disk. */
static void write_one(struct parte4_world *world, struct parte4_node *node)
{
    struct parte4_disk *disk = &node->disk;
    struct parte4_entry entry = disk->writing[0];

    disk->count--;
    memmove(disk->writing, disk->writing + 1, disk->count * sizeof entry);
    if (entry.update == NULL) {
        disk->epoch = entry.epoch;
        return;
    }
    seeds_show("%s records %lld of epoch %lld", node->name, (long long)entry.update->seq,
               (long long)entry.epoch);
    if (entry.update->seq != (int64_t)disk->updates.count + 1) {
        finding_add(&world->commands.finding, "log: %s records %lld after %zu", node->name,
                    (long long)entry.update->seq, disk->updates.count);
    }
    store_apply(&disk->updates, entry.update, &world->commands.finding);
    message_unref(entry.update);
}

/* ---- what waits for it to lead ---- */

bool parte4_leader_keep(struct parte4_node *node, struct message *command)
{
    bool will_lead = node->starts_leading && !node->has_led_once;

    if (will_lead) {
        actions_add(&node->early, ACTION_REFUSE, command);
    }
    return will_lead;
}

static void submit_early(struct parte4_world *world, struct parte4_node *node)
{
    struct actions actions = {0};

    for (size_t i = 0; i < node->early.count; i++) {
        order_submit(&node->order, node->early.items[i].message, &actions);
        parte4_node_perform(world, node, &actions);
    }
    actions_free(&node->early);
}

/* ---- beginning and ending an epoch ---- */

void parte4_leader_announce(struct parte4_world *world, struct parte4_node *node)
{
    struct note note = {.type = NOTE_LEADER,
                        .from = node->number,
                        .epoch = node->order.epoch,
                        .seq = node->applied_seq};

    if (node->order.leading && node->consuming) {
        notes_broadcast(&world->notes, note, PARTE4_NODES);
    }
}

static void begin_epoch(struct parte4_node *node, int64_t epoch)
{
    node->wanted_epoch = epoch;
    append(node, (struct parte4_entry){NULL, epoch});
}

static void lead(struct parte4_world *world, struct parte4_node *node)
{
    order_lead(&node->order, node->wanted_epoch);
    node->wanted_epoch = MESSAGE_NO_EPOCH;
    seeds_show("%s leads in epoch %lld from %lld on", node->name, (long long)node->order.epoch,
               (long long)node->order.next_seq);
    if (node->order.epoch <= node->led_epoch && world->options->variant != PARTE4_KEEPS_ITS_EPOCH) {
        finding_add(&world->commands.finding, "epochs: %s leads in %lld, after %lld", node->name,
                    (long long)node->order.epoch, (long long)node->led_epoch);
    }
    node->led_epoch = node->order.epoch;
    parte4_leader_announce(world, node);
    node->has_led_once = true;
    submit_early(world, node);
}

/* It has not led yet, and hears more than it knew: it listens on. */
static void listen(struct parte4_world *world, struct parte4_node *node)
{
    node->wanted_epoch = MESSAGE_NO_EPOCH;
    node->has_led = false;
    node->lead_at_ms = world->schedule.now_ms + PARTE4_LISTEN_MS;
}

/* A peer knew more than this node's log: then so must the log, once nothing is being written to it. */
static void catch_up(struct parte4_node *node)
{
    if (node->log_is_behind && node->disk.count == 0) {
        node->log_is_behind = false;
        node->disk.updates = node->store;
        node->disk.epoch = node->order.epoch;
    }
}

void parte4_leader_write(struct parte4_world *world, struct parte4_node *node)
{
    bool goes_on = world->options->variant == PARTE4_KEEPS_ITS_EPOCH;

    for (unsigned more = 1 + schedule_below(&world->schedule, (unsigned)node->disk.count); more > 0; more--) {
        write_one(world, node);
    }
    catch_up(node);
    if (node->wanted_epoch != MESSAGE_NO_EPOCH && node->disk.epoch >= node->wanted_epoch) {
        if (node->wanted_epoch > node->order.known_epoch || goes_on) {
            lead(world, node);
        } else if (world->options->variant == PARTE4_LEADS_AGAIN) {
            begin_epoch(node, node->order.known_epoch + 1);
        } else {
            listen(world, node);
        }
    }
    if (node->order.leading) {
        do_waiting(world, node);
    }
}

void parte4_leader_hear(struct parte4_node *node, const struct note *note)
{
    if (node->order.leading && note->epoch == node->order.epoch && node->wanted_epoch == MESSAGE_NO_EPOCH) {
        begin_epoch(node, node->order.epoch + 1 + (node->number > note->from));
    }
}

void parte4_leader_step_down(const struct parte4_world *world, struct parte4_node *node)
{
    seeds_show("%s steps down for epoch %lld", node->name, (long long)node->order.known_epoch);
    if (world->options->variant != PARTE4_LEADS_AGAIN) {
        node->wanted_epoch = MESSAGE_NO_EPOCH;
    }
    drop_waiting(node);
}

/* ---- events ---- */

void parte4_leader_connected(struct parte4_world *world, struct parte4_node *node)
{
    if (node->starts_leading && !node->has_led) {
        node->lead_at_ms = world->schedule.now_ms + PARTE4_LISTEN_MS;
    }
}

void parte4_leader_tick(struct parte4_world *world, struct parte4_node *node)
{
    bool listened = node->lead_at_ms != 0 && world->schedule.now_ms >= node->lead_at_ms;
    bool goes_on = world->options->variant == PARTE4_KEEPS_ITS_EPOCH && node->disk.epoch > 0;

    if (listened && !node->has_led && !node->log_is_behind && node->consuming) {
        node->has_led = true;
        begin_epoch(node, goes_on ? node->disk.epoch : node->order.known_epoch + 1);
    }
}

void parte4_leader_install(struct parte4_world *world, struct parte4_node *node)
{
    bool forgets = world->options->variant == PARTE4_FORGETS_ITS_LOG && node->has_led;

    if (!node->starts_leading || forgets) {
        return;
    }
    if (node->wanted_epoch != MESSAGE_NO_EPOCH) {
        listen(world, node);
    }
    node->log_is_behind = true;
    catch_up(node);
}

/* ---- its life ---- */

void parte4_leader_open(struct parte4_world *world, struct parte4_node *node)
{
    struct actions actions = {0};

    if (!node->starts_leading) {
        return;
    }
    node->has_led = node->has_led_once = node->log_is_behind = false;
    node->lead_at_ms = 0;
    node->wanted_epoch = MESSAGE_NO_EPOCH;
    node->store = node->disk.updates;
    node->applied_seq = (int64_t)node->store.count;
    for (size_t i = 0; i < node->store.count; i++) {
        node->applied[node->store.commands[i]] = true;
    }
    if (node->applied_seq > 0) {
        broker_log_install(world->options->log, node->name, node->applied_seq, "disk");
    }
    order_install(&node->order, node->disk.epoch, node->applied_seq, &actions);
    parte4_node_perform(world, node, &actions);
}

void parte4_leader_crash(struct parte4_world *world, struct parte4_node *node)
{
    struct parte4_disk *disk = &node->disk;
    unsigned more = schedule_below(&world->schedule, (unsigned)disk->count + 1);

    for (; more > 0; more--) { /* these were written, and nobody was told */
        write_one(world, node);
    }
    while (disk->count > 0) {
        message_unref(disk->writing[--disk->count].update);
    }
    free(disk->writing);
    disk->writing = NULL;
    disk->capacity = 0;
    actions_free(&node->early);
    drop_waiting(node);
}
