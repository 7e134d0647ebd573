#include "tests/sim/broker_parte3.h"
#include "tests/sim/broker_seeds.h"

static void recover(struct parte3_world *world, unsigned number)
{
    int64_t first = world->nodes[number].order.next_seq;
    struct note note = {.type = NOTE_ASK, .from = number, .seq = first};

    if (world->options->variant != PARTE3_IGNORES_GAPS) {
        seeds_show("node%u asks from %lld", number + 1, (long long)first);
        world->asks++;
        notes_broadcast(&world->notes, note, PARTE3_PROCESSES);
    }
}

/* At every moment each store is a beginning of the total order. */
static void deliver(struct parte3_world *world, struct parte3_node *node, const struct message *message)
{
    unsigned command = command_number(message);

    seeds_show("%s delivers %lld: command %u", node->name, (long long)message->seq, command);
    node->applied[command] = true;
    broker_log_deliver(world->options->log, node->name, message);
    store_apply(&node->store, message, &world->commands.finding);
    if ((int64_t)node->store.count != message->seq || world->numbered[message->seq] != (int)command) {
        finding_add(&world->commands.finding, "total order: %s's command %zu is number %lld, %u", node->name,
                    node->store.count, (long long)message->seq, command);
    }
}

static void perform(struct parte3_world *world, unsigned number, struct actions *actions)
{
    struct parte3_node *node = &world->nodes[number];

    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->items[i];
        switch (action->type) {
        case ACTION_SEND:
            broker_log_send(world->options->log, node->name, action->message);
            publisher_send(&node->publisher, action->message);
            break;
        case ACTION_DELIVER:
            deliver(world, node, action->message);
            break;
        case ACTION_HOLD:
            if (world->options->variant == PARTE3_DELIVERS_EARLY) {
                deliver(world, node, action->message);
            }
            break;
        case ACTION_RECOVER:
            recover(world, number);
            break;
        default:
            break;
        }
    }
    actions_free(actions);
}

/* ---- its life ---- */

void parte3_node_start(struct parte3_world *world, unsigned number)
{
    struct parte3_node *node = &world->nodes[number];

    node->started = node->up = true;
    node->life++;
    broker_log_start(world->options->log, node->name, "parte3", "node");
    node->store.count = 0;
    for (unsigned command = 0; command < COMMANDS_MAX; command++) {
        node->applied[command] = false;
    }
    order_init(&node->order, &(struct order_options){.node_id = text_of(node->name)});
    parte3_node_consume(world, number);
    publisher_connect(&node->publisher);
}

void parte3_node_crash(struct parte3_world *world, unsigned number)
{
    struct parte3_node *node = &world->nodes[number];

    publisher_die(&node->publisher);
    parte3_node_lose_consumer(world, number);
    order_free(&node->order);
    node->up = node->paused = false;
}

void parte3_node_consume(struct parte3_world *world, unsigned number)
{
    struct parte3_node *node = &world->nodes[number];
    bool queue_made = broker_declare(&world->broker, number, 0);

    node->consuming = true;
    broker_consume(&world->broker, number);
    if (queue_made || node->order.next_seq == 1) {
        recover(world, number);
    }
}

void parte3_node_lose_consumer(struct parte3_world *world, unsigned number)
{
    world->nodes[number].consuming = false;
    broker_cancel(&world->broker, number);
}

/* ---- events ---- */

void parte3_node_request(struct parte3_world *world, unsigned number, unsigned command)
{
    struct parte3_node *node = &world->nodes[number];
    struct message *message = world->commands.all[command].message;
    struct actions actions = {0};

    if (publisher_waits(&node->publisher, message)) {
        return;
    }
    if (node->applied[command]) {
        world->commands.all[command].answered = true;
        return;
    }
    order_submit(&node->order, message, &actions);
    perform(world, number, &actions);
}

void parte3_node_confirm(struct parte3_world *world, unsigned number)
{
    struct message *message = publisher_confirm(&world->nodes[number].publisher);

    world->commands.all[command_number(message)].answered = true;
    message_unref(message);
}

void parte3_node_process(struct parte3_world *world, unsigned number, unsigned delivery)
{
    struct actions actions = {0};
    uint64_t tag;
    struct message *message = broker_take(&world->broker, number, delivery, &tag);

    order_receive(&world->nodes[number].order, message, &actions);
    perform(world, number, &actions);
    broker_ack(&world->broker, number, tag);
}

static void answer(struct parte3_world *world, const struct parte3_node *node, const struct note *ask)
{
    if (node->order.next_seq > ask->seq) {
        notes_send(&world->notes, &(struct note){.type = NOTE_STATE,
                                                 .from = ask->to,
                                                 .to = ask->from,
                                                 .seq = node->order.next_seq - 1,
                                                 .state = node->store});
    }
}

void parte3_node_hear(struct parte3_world *world, const struct note *note)
{
    struct parte3_node *node = &world->nodes[note->to];
    struct actions actions = {0};

    switch (note->type) {
    case NOTE_ASK:
        answer(world, node, note);
        break;
    case NOTE_STATE:
        if (order_install(&node->order, note->seq, &actions)) {
            seeds_show("%s installs the state of %lld", node->name, (long long)note->seq);
            broker_log_install(world->options->log, node->name, note->seq, world->nodes[note->from].name);
            node->store = note->state;
            perform(world, note->to, &actions);
        }
        break;
    case NOTE_LEADER:
        order_hear(&node->order, note->seq);
        break;
    }
}

void parte3_node_tick(struct parte3_world *world, unsigned number)
{
    struct actions actions = {0};

    order_tick(&world->nodes[number].order, world->schedule.now_ms, &actions);
    perform(world, number, &actions);
}
