/* The sequencer as a process: takes commands from the queue that all nodes publish to, has the rule (sequencer.c)
 * number them, and publishes them to the exchange that all nodes' queues are bound to.
 *
 * It keeps nothing on disk, and survives kill -9: a command stays in the input queue until the broker has confirmed the
 * numbered one (sequencer_send.c), and a sequencer that starts, or that lost its connection, reads from a queue of the
 * broker what was numbered last, and goes on from there (sequencer_rebuild.c). All of it goes through one channel, and
 * the lock (an exclusive queue of the same connection) is taken first: while one sequencer can still publish, no other
 * reads. open_link, below, is that order, step by step.
 *
 * A node that asks for what no peer has given it gets it from here (sequencer_replay.c). */
#include "sequencer_main.h"

#include "common/container_of.h"
#include "sequencer_process.h"

#define ANNOUNCE_MS 1000 /* how often the nodes are told how far the numbers have come */

/* ---- commands come in ---- */

static void on_delivery(struct amqp_link *link, const struct amqp_delivery *delivery)
{
    struct sequencer_process *process = container_of(link, struct sequencer_process, replica.consumer);
    struct receipt receipt = {delivery->connection, delivery->tag};
    struct error error;

    if (text_equal(delivery->queue, text_of(process->control_queue))) {
        if (recovery_receive(&process->recovery, delivery, &error) != 0) {
            replica_discard(&process->replica, &error, process->control_queue);
        }
        amqp_link_ack(link, receipt.connection, receipt.tag);
        return;
    }
    struct message *message = delivery->looked_at
                                  ? replica_decode_ordered(delivery->body, &error)
                                  : message_decode(delivery->body, MESSAGE_STREAM_MAX, &error);

    if (message == NULL) {
        replica_discard(&process->replica, &error,
                        delivery->looked_at ? process->history_queue : process->input);
        if (!delivery->looked_at) {
            amqp_link_ack(link, receipt.connection, receipt.tag);
        }
    } else if (delivery->looked_at) {
        rebuild_look(process, message);
    } else {
        fault_link_receive(&process->replica.faults, message->sender_id, message, receipt);
    }
    message_unref(message);
}

static void perform_actions(struct sequencer_process *process, struct receipt receipt)
{
    for (size_t i = 0; i < process->actions.count; i++) {
        struct action *action = &process->actions.items[i];
        if (action->type == ACTION_SEND) {
            ordering_begin(process, action->message, receipt);
        } else {
            ordering_repeat(process, action->message, receipt);
        }
    }
    actions_clear(&process->actions);
}

static void on_message(struct fault_link *faults, struct message *message, struct receipt receipt)
{
    struct sequencer_process *process = container_of(faults, struct sequencer_process, replica.faults);

    event_receive(&process->replica.log, message);
    sequencer_receive(&process->rule, message, &process->actions);
    perform_actions(process, receipt);
}

/* ---- a connection is lost, and there is one again ---- */

static void on_connected(struct replica *replica, bool queue_made)
{
    (void)queue_made;
    rebuild_finish(container_of(replica, struct sequencer_process, replica));
}

static void on_disconnected(struct replica *replica)
{
    fault_link_drop(&replica->faults); /* the broker brings these commands again */
}

static void on_tick(struct replica *replica, uint64_t now_ms)
{
    struct sequencer_process *process = container_of(replica, struct sequencer_process, replica);

    if (now_ms >= process->announce_at_ms && replica->consumer.connected) {
        process->announce_at_ms = now_ms + ANNOUNCE_MS;
        recovery_announce(&process->recovery, MESSAGE_NO_EPOCH, process->rule.next_seq - 1);
    }
}

/* ---- what nodes ask for ---- */

static void on_ask(struct recovery *recovery, const struct recovery_note *note)
{
    replay_answer(container_of(recovery, struct sequencer_process, recovery), note);
}

static void on_state(struct recovery *recovery, const struct recovery_note *note)
{
    (void)recovery; /* a sequencer asks for nothing */
    (void)note;
}

/* ---- starting ---- */

static int read_names(struct sequencer_process *process, struct error *error)
{
    int code = replica_name(process->input, "TO_SEQ_QUEUE", "kv3_to_sequencer", error);
    if (code == 0) {
        code = replica_name(process->exchange, "ORDERED_EXCHANGE", "kv3_ordered", error);
    }
    if (code == 0) {
        code = replica_name(process->control, "CONTROL_EXCHANGE", "kv3_control", error);
    }
    if (code == 0) {
        code = replica_queue(process->control_queue, process->replica.id, "_control", error);
    }
    if (code == 0) {
        code = replica_name(process->history_queue, "HISTORY_QUEUE", "kv3_history", error);
    }
    return code == 0 ? replica_name(process->lock, "SEQUENCER_LOCK", "kv3_sequencer_lock", error) : code;
}

static int open_link(struct sequencer_process *process, struct error *error)
{
    const struct amqp_step steps[] = {
        {.type = AMQP_QUEUE, .name = process->lock, .exclusive = true},
        {.type = AMQP_EXCHANGE, .name = process->exchange},
        {.type = AMQP_EXCHANGE, .name = process->control},
        {.type = AMQP_QUEUE, .name = process->control_queue, .exclusive = true},
        {.type = AMQP_BIND, .name = process->control_queue, .exchange = process->control},
        {.type = AMQP_QUEUE, .name = process->history_queue, .max_length = SEQUENCER_HISTORY_MAX},
        {.type = AMQP_BIND, .name = process->history_queue, .exchange = process->exchange},
        {.type = AMQP_QUEUE, .name = process->input},
        {.type = AMQP_LOOK, .name = process->history_queue},
        {.type = AMQP_CONSUME, .name = process->control_queue},
        {.type = AMQP_CONSUME, .name = process->input},
    };

    return replica_open_links(&process->replica, NULL, 0, steps, sizeof steps / sizeof *steps, error);
}

int sequencer_main(void)
{
    static struct sequencer_process process = {.replica = {.part = "parte3", .role = "sequencer"}};
    struct error error;

    process.replica.consumer.on_delivery = on_delivery;
    process.replica.consumer.forget = true;
    process.replica.faults.on_message = on_message;
    process.replica.on_connected = on_connected;
    process.replica.on_disconnected = on_disconnected;
    process.replica.on_tick = on_tick;
    process.recovery = (struct recovery){.link = &process.replica.consumer,
                                         .exchange = process.control,
                                         .queue = process.control_queue,
                                         .on_ask = on_ask,
                                         .on_state = on_state};
    sequencer_init(&process.rule);
    if (replica_open(&process.replica, SEQUENCER_NAME, &error) != 0 || read_names(&process, &error) != 0 ||
        open_link(&process, &error) != 0) {
        return replica_refuse_start(&process.replica, &error);
    }
    process.recovery.node = text_of(process.replica.id);
    replica_run(&process.replica);
    orderings_drop(&process);
    sequence_free(&process.sequence);
    sequencer_free(&process.rule);
    actions_free(&process.actions);
    buffer_free(&process.encoded);
    recovery_free(&process.recovery);
    return 0;
}
