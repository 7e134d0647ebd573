#include "tests/sim/broker_parte4.h"
#include "tests/sim/broker_seeds.h"

/* Of an epoch that it has heard of only, it has nothing. */
static void recover(struct parte4_world *world, struct parte4_node *node)
{
    bool tells = world->options->variant != PARTE4_TELLS_NO_EPOCH;
    bool lags = tells && node->order.known_epoch > node->order.epoch;
    struct note note = {.type = NOTE_ASK,
                        .from = node->number,
                        .epoch = lags ? node->order.known_epoch : node->order.epoch,
                        .seq = lags ? 0 : node->order.next_seq};

    if (world->options->variant != PARTE4_IGNORES_GAPS) {
        seeds_show("%s asks from %lld, epoch %lld", node->name, (long long)note.seq, (long long)note.epoch);
        world->asks++;
        notes_broadcast(&world->notes, note, PARTE4_NODES);
    }
}

void parte4_node_send(struct parte4_world *world, struct parte4_node *node, struct message *update)
{
    broker_log_send(world->options->log, node->name, update);
    publisher_send(&node->publisher, update);
}

/* With one leader each store is at every moment a beginning of what is on its disk. */
void parte4_node_deliver(struct parte4_world *world, struct parte4_node *node, struct message *update)
{
    const struct store *recorded = &world->nodes[0].disk.updates;
    unsigned command = command_number(update);

    seeds_show("%s delivers %lld of epoch %lld: command %u", node->name, (long long)update->seq,
               (long long)update->epoch, command);
    broker_log_deliver(world->options->log, node->name, update);
    node->applied_seq = update->seq;
    node->applied[command] = true;
    store_apply(&node->store, update, &world->commands.finding);
    if (!node->starts_leading && update->epoch != node->order.epoch) {
        finding_add(&world->commands.finding, "epochs: %s applies an update of epoch %lld to a state of %lld",
                    node->name, (long long)update->epoch, (long long)node->order.epoch);
    }
    if ((int64_t)node->store.count != update->seq) {
        finding_add(&world->commands.finding, "gap-free: %s's update %zu is number %lld", node->name,
                    node->store.count, (long long)update->seq);
    } else if (!world->options->second_leader && (node->store.count > recorded->count ||
                                                  recorded->commands[node->store.count - 1] != command)) {
        finding_add(&world->commands.finding, "total order: %s's update %lld, %u, is not the leader's",
                    node->name, (long long)update->seq, command);
    }
}

void parte4_node_perform(struct parte4_world *world, struct parte4_node *node, struct actions *actions)
{
    bool recording = false;

    for (size_t i = 0; i < actions->count; i++) {
        struct action *action = &actions->items[i];
        bool sends_now = action->type == ACTION_SEND && world->options->variant == PARTE4_SENDS_UNRECORDED;
        if (recording && !sends_now) {
            actions_add(&node->waiting, action->type, action->message);
            continue;
        }
        switch (action->type) {
        case ACTION_RECORD:
            if (world->options->variant != PARTE4_RECORDS_NOTHING) {
                recording = true;
                parte4_leader_record(node, action->message);
            }
            break;
        case ACTION_SEND:
            parte4_node_send(world, node, action->message);
            break;
        case ACTION_DELIVER:
            parte4_node_deliver(world, node, action->message);
            break;
        case ACTION_HOLD:
        case ACTION_DISCARD:
            break;
        case ACTION_REFUSE:
            if (!parte4_leader_keep(node, action->message)) {
                node->requested[command_number(action->message)] = false;
            }
            break;
        case ACTION_RECOVER:
            recover(world, node);
            break;
        case ACTION_STEP_DOWN:
            parte4_leader_step_down(world, node);
            break;
        }
    }
    actions_free(actions);
}

/* ---- its life ---- */

void parte4_node_start(struct parte4_world *world, struct parte4_node *node)
{
    node->started = node->up = true;
    node->life++;
    broker_log_start(world->options->log, node->name, "parte4", node->starts_leading ? "leader" : "follower");
    node->store.count = 0;
    node->applied_seq = 0;
    for (unsigned command = 0; command < COMMANDS_MAX; command++) {
        node->applied[command] = node->requested[command] = false;
    }
    order_init(&node->order, &(struct order_options){.node_id = text_of(node->name)});
    parte4_leader_open(world, node);
    if (node->starts_leading) {
        publisher_connect(&node->publisher);
    }
    parte4_node_consume(world, node);
}

void parte4_node_crash(struct parte4_world *world, struct parte4_node *node)
{
    publisher_die(&node->publisher);
    parte4_node_lose_consumer(world, node);
    parte4_leader_crash(world, node);
    order_free(&node->order);
    node->up = node->paused = false;
}

void parte4_node_consume(struct parte4_world *world, struct parte4_node *node)
{
    bool queue_made = !node->starts_leading && broker_declare(&world->broker, node->number, 0);

    node->consuming = true;
    if (!node->starts_leading) {
        broker_consume(&world->broker, node->number);
    }
    if (queue_made || node->order.next_seq == 1 || node->starts_leading) {
        recover(world, node);
    }
    parte4_leader_connected(world, node);
}

void parte4_node_lose_consumer(struct parte4_world *world, struct parte4_node *node)
{
    node->consuming = false;
    if (!node->starts_leading) {
        broker_cancel(&world->broker, node->number);
    }
}

/* ---- from clients ---- */

void parte4_node_request(struct parte4_world *world, struct parte4_node *node, unsigned command)
{
    struct actions actions = {0};

    if (node->requested[command]) {
        return;
    }
    if (node->applied[command]) {
        world->commands.all[command].answered = true;
        return;
    }
    node->requested[command] = true;
    order_submit(&node->order, world->commands.all[command].message, &actions);
    parte4_node_perform(world, node, &actions);
}

void parte4_node_confirm(struct parte4_world *world, struct parte4_node *node)
{
    struct message *update = publisher_confirm(&node->publisher);
    unsigned command = command_number(update);

    if (node->requested[command] && node->order.leading) {
        seeds_show("%s answers command %u: ok", node->name, command);
        world->commands.all[command].answered = true;
    }
    node->requested[command] = false;
    message_unref(update);
}

/* ---- from the group ---- */

void parte4_node_process(struct parte4_world *world, struct parte4_node *node, unsigned delivery)
{
    struct actions actions = {0};
    uint64_t tag;
    struct message *update = broker_take(&world->broker, node->number, delivery, &tag);
    bool ignores = world->options->variant == PARTE4_IGNORES_EPOCHS;
    struct message *heard =
        ignores ? message_number(update, update->seq, node->order.known_epoch) : message_ref(update);

    order_receive(&node->order, heard, &actions);
    parte4_node_perform(world, node, &actions);
    broker_ack(&world->broker, node->number, tag);
    message_unref(heard);
}

static void answer(struct parte4_world *world, struct parte4_node *node, const struct note *ask)
{
    bool newer = node->order.epoch > ask->epoch;
    struct actions actions = {0};

    if (world->options->variant != PARTE4_TELLS_NO_EPOCH) {
        order_hear(&node->order, ask->epoch, 0, &actions);
        parte4_node_perform(world, node, &actions);
        if (node->order.known_epoch > node->order.epoch && node->order.known_epoch > ask->epoch) {
            recover(world, node); /* so that the other hears of it */
        }
    }
    if (newer || (node->order.epoch == ask->epoch && node->applied_seq >= ask->seq)) {
        notes_send(&world->notes, &(struct note){.type = NOTE_STATE,
                                                 .from = ask->to,
                                                 .to = ask->from,
                                                 .epoch = node->order.epoch,
                                                 .seq = node->applied_seq,
                                                 .state = node->store});
    }
}

static void install(struct parte4_world *world, struct parte4_node *node, const struct note *note)
{
    int64_t before = node->order.epoch;
    struct actions actions = {0};

    if (order_install(&node->order, note->epoch, note->seq, &actions)) {
        seeds_show("%s installs the state of %lld, epoch %lld", node->name, (long long)note->seq,
                   (long long)note->epoch);
        broker_log_install(world->options->log, node->name, note->seq, world->nodes[note->from].name);
        node->applied_seq = note->seq;
        node->store = note->state;
        parte4_leader_install(world, node);
        parte4_node_perform(world, node, &actions);
    }
    if (node->order.epoch < before) {
        finding_add(&world->commands.finding, "epochs: %s goes back from %lld to %lld", node->name,
                    (long long)before, (long long)node->order.epoch);
    }
}

void parte4_node_hear(struct parte4_world *world, const struct note *note)
{
    struct parte4_node *node = &world->nodes[note->to];
    bool ignores = world->options->variant == PARTE4_IGNORES_EPOCHS && !node->starts_leading;
    int64_t epoch = ignores ? node->order.known_epoch : note->epoch;
    struct actions actions = {0};

    switch (note->type) {
    case NOTE_ASK:
        answer(world, node, note);
        break;
    case NOTE_STATE:
        install(world, node, note);
        break;
    case NOTE_LEADER:
        parte4_leader_hear(node, note);
        order_hear(&node->order, epoch, note->seq, &actions);
        parte4_node_perform(world, node, &actions);
        if (note->epoch < node->order.known_epoch && world->options->variant != PARTE4_TELLS_NO_EPOCH) {
            recover(world, node); /* so that this leader hears of it */
        }
        break;
    }
}

void parte4_node_tick(struct parte4_world *world, struct parte4_node *node)
{
    struct actions actions = {0};

    parte4_leader_tick(world, node);
    order_tick(&node->order, world->schedule.now_ms, &actions);
    parte4_node_perform(world, node, &actions);
}
