/* The sequencer as a process: takes commands from the queue that all nodes publish to, has the rule (sequencer.c)
 * number them, and publishes them to the exchange that all nodes' queues are bound to.
 *
 * A command stays in the input queue until the broker has confirmed the numbered one, and the broker keeps the last
 * SEQUENCER_HISTORY_MAX numbered ones in a queue of their own: a sequencer that starts, or that lost its connection,
 * reads them and goes on from there. All of it goes through one channel, and the lock (an exclusive queue of the same
 * connection) is taken first: while one sequencer can still publish, no other reads.
 *
 * A broker that dies may have put a numbered command into some queues and not into others, the history among them. So
 * one that lost its connection remembers what it knew, unless the history says that another went on meanwhile, and
 * publishes what was not confirmed again, under the same numbers. Only where broker and sequencer die together can a
 * command still get a second number.
 *
 * A node that asks twice for what no peer has given it gets the same numbered ones again, if they reach that far. */
#include "sequencer_main.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/replica.h"
#include "common/random.h"
#include "sequencer.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#define ASKERS_MAX  64   /* nodes told apart; two that share a place only ask more often */
#define ANNOUNCE_MS 1000 /* how often the nodes are told how far the numbers have come */

/* Who asked last, and for what. */
struct asker {
    char name[65];
    int64_t seq;
};

struct ordering;

struct node {
    struct replica replica;
    struct sequencer sequencer;
    int64_t confirmed_seq;                       /* the highest number that the broker has */
    struct message *last[SEQUENCER_HISTORY_MAX]; /* what it has, at seq modulo their number; references */
    struct actions actions;
    struct ordering *by_uuid; /* numbered, and not confirmed: uthash, owned */
    struct ordering *waiting; /* those that the link does not have, by number: a list */
    int64_t known_seq;        /* the last number that this sequencer gave, or found when it connected */
    struct buffer encoded;
    struct recovery recovery;
    uint64_t announce_at_ms;         /* clock_monotonic_ms */
    struct asker askers[ASKERS_MAX]; /* by the hash of their names */

    char control[REPLICA_NAME_MAX], control_queue[REPLICA_NAME_MAX];
    char input[REPLICA_NAME_MAX], exchange[REPLICA_NAME_MAX], history[REPLICA_NAME_MAX],
        lock[REPLICA_NAME_MAX];
};

/* A numbered command on its way to the exchange. */
struct ordering {
    struct amqp_publish publish;
    struct node *node;
    struct message *message; /* numbered; a reference of its own */
    struct receipt receipt;  /* of the command in the input queue */
    struct ordering *prev, *next;
    UT_hash_handle hh;
};

/* ---- numbered commands go out ---- */

static void end(struct ordering *ordering)
{
    message_unref(ordering->message);
    free(ordering);
}

/* False if the link has no room now. */
static bool publish(struct ordering *ordering)
{
    struct node *node = ordering->node;
    struct error error;

    buffer_clear(&node->encoded);
    message_encode(ordering->message, &node->encoded);
    return amqp_link_publish(&node->replica.consumer, &ordering->publish, node->exchange, "",
                             (struct text){0}, buffer_text(&node->encoded), &error) == 0;
}

/* In the order of their numbers, as far as there is room. */
static void publish_waiting(struct node *node)
{
    while (node->waiting != NULL && node->replica.consumer.connected && publish(node->waiting)) {
        struct ordering *published = node->waiting;
        DL_DELETE(node->waiting, published);
    }
}

/* The broker has it. */
static void remember(struct node *node, struct message *message)
{
    struct message **place = &node->last[message->seq % SEQUENCER_HISTORY_MAX];

    if (*place == NULL || (*place)->seq < message->seq) {
        message_unref(*place);
        *place = message_ref(message);
    }
    node->confirmed_seq = message->seq > node->confirmed_seq ? message->seq : node->confirmed_seq;
}

static int compare_numbers(const struct ordering *first, const struct ordering *second)
{
    return first->message->seq < second->message->seq ? -1 : first->message->seq > second->message->seq;
}

static void on_done(struct amqp_publish *publish_done, int code)
{
    struct ordering *ordering = container_of(publish_done, struct ordering, publish);
    struct node *node = ordering->node;

    if (code == 0) {
        remember(node, ordering->message);
        amqp_link_ack(&node->replica.consumer, ordering->receipt.connection, ordering->receipt.tag);
        HASH_DEL(node->by_uuid, ordering);
        end(ordering);
    } else { /* a queue refused it, or the connection was lost: the number is given, so it must get there */
        DL_INSERT_INORDER(node->waiting, ordering, compare_numbers);
    }
    publish_waiting(node);
}

static void send_ordered(struct node *node, struct message *message, struct receipt receipt)
{
    struct ordering *ordering = memory_new_zeroed(1, sizeof *ordering);

    ordering->publish.on_done = on_done;
    ordering->node = node;
    ordering->message = message_ref(message);
    ordering->receipt = receipt;
    HASH_ADD_KEYPTR(hh, node->by_uuid, ordering->message->message_uuid.bytes,
                    (unsigned)ordering->message->message_uuid.length, ordering);
    node->known_seq = message->seq;
    event_send(&node->replica.log, message);
    DL_APPEND(node->waiting, ordering);
    publish_waiting(node);
}

/* The command came again. While its number is not safe, one of its deliveries stays in the input queue: this one. */
static void repeat(struct node *node, struct message *command, struct receipt receipt)
{
    struct receipt done = receipt;
    struct ordering *ordering;

    HASH_FIND(hh, node->by_uuid, command->message_uuid.bytes, command->message_uuid.length, ordering);
    if (ordering != NULL) {
        done = ordering->receipt;
        ordering->receipt = receipt;
    }
    event_repeat(&node->replica.log, command);
    amqp_link_ack(&node->replica.consumer, done.connection, done.tag);
}

static void perform_actions(struct node *node, struct receipt receipt)
{
    for (size_t i = 0; i < node->actions.count; i++) {
        struct action *action = &node->actions.items[i];
        if (action->type == ACTION_SEND) {
            send_ordered(node, action->message, receipt);
        } else {
            repeat(node, action->message, receipt);
        }
    }
    actions_clear(&node->actions);
}

/* ---- numbered commands go out again ---- */

static void on_sent_again(struct amqp_publish *publish_done, int code)
{
    (void)code; /* whoever still lacks it asks again */
    end(container_of(publish_done, struct ordering, publish));
}

static void send_again(struct node *node, struct message *message, const char *queue)
{
    struct ordering *ordering = memory_new_zeroed(1, sizeof *ordering);
    struct error error;

    ordering->publish.on_done = on_sent_again;
    ordering->node = node;
    ordering->message = message_ref(message);
    buffer_clear(&node->encoded);
    message_encode(message, &node->encoded);
    if (amqp_link_publish(&node->replica.consumer, &ordering->publish, "", queue, (struct text){0},
                          buffer_text(&node->encoded), &error) != 0) {
        end(ordering);
    }
}

/* Did the same node ask for the same before? */
static bool asks_again(struct node *node, const struct recovery_note *note)
{
    struct asker *asker = &node->askers[random_hash(note->node) % ASKERS_MAX];
    bool again = asker->seq == note->seq && text_equal(note->node, text_of(asker->name));

    asker->seq = again ? 0 : note->seq;
    snprintf(asker->name, sizeof asker->name, "%.*s", (int)note->node.length, note->node.bytes);
    return again;
}

/* A peer's state is cheaper, and reaches further back: only who asks for the same again gets it from here. */
static void on_ask(struct recovery *recovery, const struct recovery_note *note)
{
    struct node *node = container_of(recovery, struct node, recovery);
    const struct message *first = node->last[note->seq % SEQUENCER_HISTORY_MAX];
    char name[65];
    char queue[REPLICA_NAME_MAX];
    struct error error;

    snprintf(name, sizeof name, "%.*s", (int)note->node.length, note->node.bytes);
    if (!asks_again(node, note) || first == NULL || first->seq != note->seq ||
        replica_queue(queue, name, "_ordered", &error) != 0) {
        return;
    }
    log_say(&node->replica.log, LOG_INFO, "recover", "%s gets again what was ordered from %lld on", name,
            (long long)note->seq);
    for (int64_t seq = note->seq; seq <= node->confirmed_seq; seq++) {
        struct message *message = node->last[seq % SEQUENCER_HISTORY_MAX];
        if (message != NULL && message->seq == seq) {
            send_again(node, message, queue);
        }
    }
}

static void on_state(struct recovery *recovery, const struct recovery_note *note)
{
    (void)recovery; /* a sequencer asks for nothing */
    (void)note;
}

/* ---- commands come in ---- */

static void on_delivery(struct amqp_link *link, const struct amqp_delivery *delivery)
{
    struct node *node = container_of(link, struct node, replica.consumer);
    struct receipt receipt = {delivery->connection, delivery->tag};
    struct error error;

    if (text_equal(delivery->queue, text_of(node->control_queue))) {
        if (recovery_receive(&node->recovery, delivery, &error) != 0) {
            replica_discard(&node->replica, &error, node->control_queue);
        }
        amqp_link_ack(link, receipt.connection, receipt.tag);
        return;
    }
    struct message *message = delivery->looked_at
                                  ? replica_decode_ordered(delivery->body, &error)
                                  : message_decode(delivery->body, MESSAGE_STREAM_MAX, &error);

    if (message == NULL) {
        replica_discard(&node->replica, &error, delivery->looked_at ? node->history : node->input);
        if (!delivery->looked_at) {
            amqp_link_ack(link, receipt.connection, receipt.tag);
        }
    } else if (delivery->looked_at) {
        sequencer_remember(&node->sequencer, message);
        remember(node, message);
    } else {
        fault_link_receive(&node->replica.faults, message->sender_id, message, receipt);
    }
    message_unref(message);
}

static void on_message(struct fault_link *faults, struct message *message, struct receipt receipt)
{
    struct node *node = container_of(faults, struct node, replica.faults);

    event_receive(&node->replica.log, message);
    sequencer_receive(&node->sequencer, message, &node->actions);
    perform_actions(node, receipt);
}

/* ---- a connection is lost, and there is one again ---- */

/* Does the history hold a number that this sequencer does not know, or has given to another command? */
static bool another_went_on(const struct node *node)
{
    bool another = node->sequencer.next_seq - 1 > node->known_seq;
    int64_t seq;

    for (const struct ordering *own = node->waiting; own != NULL && !another; own = own->next) {
        const struct message *there = node->last[own->message->seq % SEQUENCER_HISTORY_MAX];
        another = there != NULL && there->seq == own->message->seq &&
                  !text_equal(there->message_uuid, own->message->message_uuid);
        another = another || !recent_find(&node->sequencer.ordered, own->message->message_uuid, &seq) ||
                  seq != own->message->seq;
    }
    return another;
}

static void drop_waiting(struct node *node)
{
    while (node->waiting != NULL && node->by_uuid != NULL) { /* what waits is in both */
        struct ordering *ordering = node->waiting;
        DL_DELETE(node->waiting, ordering);
        HASH_DEL(node->by_uuid, ordering);
        end(ordering);
    }
}

/* What this sequencer knew is old: it starts anew, from the history. */
static void start_anew(struct node *node)
{
    drop_waiting(node); /* the broker brings these commands again */
    sequencer_free(&node->sequencer);
    sequencer_init(&node->sequencer);
    for (size_t i = 0; i < SEQUENCER_HISTORY_MAX; i++) {
        if (node->last[i] != NULL) {
            sequencer_remember(&node->sequencer, node->last[i]);
        }
    }
}

static void on_connected(struct replica *replica, bool queue_made)
{
    struct node *node = container_of(replica, struct node, replica);

    (void)queue_made;
    if (another_went_on(node)) {
        start_anew(node);
    }
    node->known_seq = node->sequencer.next_seq - 1;
    publish_waiting(node);
    if (log_begin(&replica->log, LOG_INFO, "recover")) {
        log_int(&replica->log, "next_seq", node->sequencer.next_seq);
        log_end(&replica->log);
    }
}

static void on_disconnected(struct replica *replica)
{
    fault_link_drop(&replica->faults); /* the broker brings these commands again */
}

static void on_tick(struct replica *replica, uint64_t now_ms)
{
    struct node *node = container_of(replica, struct node, replica);

    if (now_ms >= node->announce_at_ms && replica->consumer.connected) {
        node->announce_at_ms = now_ms + ANNOUNCE_MS;
        recovery_announce(&node->recovery, MESSAGE_NO_EPOCH, node->sequencer.next_seq - 1);
    }
}

/* ---- starting ---- */

static int read_names(struct node *node, struct error *error)
{
    int code = replica_name(node->input, "TO_SEQ_QUEUE", "kv3_to_sequencer", error);
    if (code == 0) {
        code = replica_name(node->exchange, "ORDERED_EXCHANGE", "kv3_ordered", error);
    }
    if (code == 0) {
        code = replica_name(node->control, "CONTROL_EXCHANGE", "kv3_control", error);
    }
    if (code == 0) {
        code = replica_queue(node->control_queue, node->replica.id, "_control", error);
    }
    if (code == 0) {
        code = replica_name(node->history, "HISTORY_QUEUE", "kv3_history", error);
    }
    return code == 0 ? replica_name(node->lock, "SEQUENCER_LOCK", "kv3_sequencer_lock", error) : code;
}

static int open_link(struct node *node, struct error *error)
{
    const struct amqp_step steps[] = {
        {.type = AMQP_QUEUE, .name = node->lock, .exclusive = true},
        {.type = AMQP_EXCHANGE, .name = node->exchange},
        {.type = AMQP_EXCHANGE, .name = node->control},
        {.type = AMQP_QUEUE, .name = node->control_queue, .exclusive = true},
        {.type = AMQP_BIND, .name = node->control_queue, .exchange = node->control},
        {.type = AMQP_QUEUE, .name = node->history, .max_length = SEQUENCER_HISTORY_MAX},
        {.type = AMQP_BIND, .name = node->history, .exchange = node->exchange},
        {.type = AMQP_QUEUE, .name = node->input},
        {.type = AMQP_LOOK, .name = node->history},
        {.type = AMQP_CONSUME, .name = node->control_queue},
        {.type = AMQP_CONSUME, .name = node->input},
    };

    return replica_open_links(&node->replica, NULL, 0, steps, sizeof steps / sizeof *steps, error);
}

int sequencer_main(void)
{
    static struct node node = {.replica = {.part = "parte3", .role = "sequencer"}};
    struct error error;

    node.replica.consumer.on_delivery = on_delivery;
    node.replica.consumer.forget = true;
    node.replica.faults.on_message = on_message;
    node.replica.on_connected = on_connected;
    node.replica.on_disconnected = on_disconnected;
    node.replica.on_tick = on_tick;
    node.recovery = (struct recovery){.link = &node.replica.consumer,
                                      .exchange = node.control,
                                      .queue = node.control_queue,
                                      .on_ask = on_ask,
                                      .on_state = on_state};
    sequencer_init(&node.sequencer);
    if (replica_open(&node.replica, SEQUENCER_NAME, &error) != 0 || read_names(&node, &error) != 0 ||
        open_link(&node, &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    node.recovery.node = text_of(node.replica.id);
    replica_run(&node.replica);
    drop_waiting(&node);
    sequencer_free(&node.sequencer);
    actions_free(&node.actions);
    buffer_free(&node.encoded);
    recovery_free(&node.recovery);
    for (size_t i = 0; i < SEQUENCER_HISTORY_MAX; i++) {
        message_unref(node.last[i]);
    }
    return 0;
}
