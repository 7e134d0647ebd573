/* parte4: a replica of the key-value store behind a leader, with total order.
 *
 * What a client asks for becomes a command, the rule (order.c) says what to do with it, and this file does it: record
 * and publish to the exchange (the leader), or apply to the store. What comes from this node's queue goes the same way.
 * What only a leader does stands in leader.c. */
#include "common/config.h"
#include "common/container_of.h"
#include "common/net/kv_client.h"
#include "common/words.h"
#include "node.h"

#include <stdio.h>
#include <string.h>

#define PORT 50071

/* ---- recovering what is missing ---- */

/* Of an epoch that this node has heard of only, it has nothing. */
static void recover(struct node *node)
{
    bool lags = node->order.known_epoch > node->order.epoch;
    int64_t epoch = lags ? node->order.known_epoch : node->order.epoch;
    int64_t from_seq = lags ? 0 : node->order.next_seq;

    if (log_begin(&node->replica.log, LOG_INFO, "recover")) {
        log_int(&node->replica.log, "from_seq", from_seq);
        log_int(&node->replica.log, "epoch", epoch);
        log_end(&node->replica.log);
    }
    recovery_ask(&node->recovery, epoch, from_seq);
}

static void on_ask(struct recovery *recovery, const struct recovery_note *note)
{
    struct node *node = container_of(recovery, struct node, recovery);
    bool newer = node->order.epoch > note->epoch;

    order_hear(&node->order, note->epoch, 0, &node->actions);
    perform_actions(node);
    if (node->order.known_epoch > node->order.epoch && node->order.known_epoch > note->epoch) {
        recover(node); /* so that the other hears of it */
    }
    if (newer || (node->order.epoch == note->epoch && node->applied_seq >= note->seq)) {
        buffer_clear(&node->replica.snapshot);
        kv_store_snapshot(&node->replica.store, &node->replica.snapshot);
        recovery_answer(recovery, note->reply_to, node->order.epoch, node->applied_seq,
                        buffer_text(&node->replica.snapshot));
    }
}

static void on_state(struct recovery *recovery, const struct recovery_note *note)
{
    struct node *node = container_of(recovery, struct node, recovery);

    if (order_install(&node->order, note->epoch, note->seq, &node->actions)) {
        node->applied_seq = note->seq;
        replica_install(&node->replica, note);
        leader_install(node);
        perform_actions(node);
    }
}

static void on_echo(struct recovery *recovery)
{
    leader_listen(container_of(recovery, struct node, recovery));
}

/* By whatever an active leader says, so that clients can be told its name. */
static void note_leader(struct node *node, int64_t epoch, struct text name)
{
    if (epoch >= node->order.known_epoch) {
        snprintf(node->leader_name, sizeof node->leader_name, "%.*s", (int)name.length, name.bytes);
    }
}

static void on_leader(struct recovery *recovery, const struct recovery_note *note)
{
    struct node *node = container_of(recovery, struct node, recovery);

    leader_hear(node, note);
    note_leader(node, note->epoch, note->node);
    order_hear(&node->order, note->epoch, note->seq, &node->actions);
    perform_actions(node);
    if (note->epoch < node->order.known_epoch) {
        recover(node); /* so that this leader hears of it */
    }
}

/* ---- carrying out what the rule asks for ---- */

void send_to_group(struct node *node, struct message *message)
{
    struct request *request = requests_find(&node->replica.requests, message);
    struct error error;

    buffer_clear(&node->encoded);
    message_encode(message, &node->encoded);
    event_send(&node->replica.log, message); /* first, so that in no log a delivery is older than its send */
    request->seq = message->seq;
    request->epoch = message->epoch;
    if (amqp_link_publish(&node->replica.publisher, &request->publish, node->exchange, "", (struct text){0},
                          buffer_text(&node->encoded), &error) != 0) {
        request_fail(request, error.text);
    }
}

void deliver(struct node *node, struct message *message)
{
    node->applied_seq = message->seq;
    replica_deliver(&node->replica, message);
}

static void refuse(struct node *node, struct message *command)
{
    struct request *request = requests_find(&node->replica.requests, command);
    const char *leader = node->leader_name[0] != '\0' ? node->leader_name : NULL;
    char sentence[160];

    if (leader_keep(node, command)) {
        return;
    }
    snprintf(sentence, sizeof sentence, "only the leader takes SET: %s",
             leader != NULL ? leader : "it has not been heard of yet");
    request->confirmed = true; /* there is nothing to confirm */
    request_reply(request, &(struct kv_reply){.message = sentence, .seq = MESSAGE_NO_SEQ, .leader = leader});
}

void perform_actions(struct node *node)
{
    bool recording = false;

    for (size_t i = 0; i < node->actions.count; i++) {
        struct action *action = &node->actions.items[i];
        if (recording) { /* everything else waits until the disk has it */
            leader_do_later(node, action);
            continue;
        }
        switch (action->type) {
        case ACTION_RECORD:
            recording = true;
            leader_record(node, action->message);
            break;
        case ACTION_SEND:
            send_to_group(node, action->message);
            break;
        case ACTION_DELIVER:
            deliver(node, action->message);
            break;
        case ACTION_HOLD:
            event_hold(&node->replica.log, action->message);
            break;
        case ACTION_DISCARD:
            event_repeat(&node->replica.log, action->message);
            break;
        case ACTION_REFUSE:
            refuse(node, action->message);
            break;
        case ACTION_RECOVER:
            recover(node);
            break;
        case ACTION_STEP_DOWN:
            leader_step_down(node);
            break;
        }
    }
    actions_clear(&node->actions);
}

/* ---- from clients ---- */

static void on_request(struct kv_service *service, struct kv_call *call, struct message *message, bool wait)
{
    struct node *node = container_of(service, struct node, replica.service);
    struct kv_reply reply = {.ok = true, .message = "read here", .seq = MESSAGE_NO_SEQ};
    struct request *request = requests_find(&node->replica.requests, message);
    struct error error;

    if (replica_answer_known(&node->replica, call, message)) {
        return;
    }
    if (request != NULL) {
        request_take_over(request, call, wait);
        return;
    }
    if (message->command_type != COMMAND_SET) { /* what this replica has now: no message is needed */
        replica_read(&node->replica, message, &reply);
        kv_call_reply(call, &reply);
        return;
    }
    request = requests_add(&node->replica.requests, call, message, wait, &error);
    if (request == NULL) {
        kv_call_reply(call, &(struct kv_reply){.message = error.text, .seq = MESSAGE_NO_SEQ});
        return;
    }
    order_submit(&node->order, message, &node->actions);
    perform_actions(node);
}

static void on_confirmed(struct request *request, int code)
{
    struct node *node = container_of(request->requests, struct node, replica.requests);

    if (code != 0 || !node->order.leading) {
        request_fail(request, "the update was not confirmed by the broker: it may or may not be done");
    } else {
        request_reply(request,
                      &(struct kv_reply){.ok = true,
                                         .message = "applied by the leader, and sent to its followers",
                                         .seq = request->seq,
                                         .epoch = request->epoch});
    }
}

/* ---- from the group ---- */

static void on_delivery(struct amqp_link *link, const struct amqp_delivery *delivery)
{
    struct node *node = container_of(link, struct node, replica.consumer);
    struct receipt receipt = {delivery->connection, delivery->tag};
    struct message *message = NULL;
    struct error error;
    int code = 0;

    if (text_equal(delivery->queue, text_of(node->control_queue))) {
        code = recovery_receive(&node->recovery, delivery, &error);
    } else {
        message = replica_decode_ordered(delivery->body, &error);
        code = message == NULL ? (int)error.code : 0;
    }
    if (code != 0) {
        replica_discard(&node->replica, &error, node->queue);
    }
    if (message == NULL) {
        amqp_link_ack(link, receipt.connection, receipt.tag);
        return;
    }
    fault_link_receive(&node->replica.faults, message->sender_id, message, receipt);
    message_unref(message);
}

static void on_message(struct fault_link *faults, struct message *message, struct receipt receipt)
{
    struct node *node = container_of(faults, struct node, replica.faults);

    event_receive(&node->replica.log, message);
    note_leader(node, message->epoch, message->sender_id);
    order_receive(&node->order, message, &node->actions);
    perform_actions(node);
    amqp_link_ack(&node->replica.consumer, receipt.connection, receipt.tag);
}

static void on_connected(struct replica *replica, bool queue_made)
{
    struct node *node = container_of(replica, struct node, replica);

    if (queue_made || node->order.next_seq == 1 ||
        node->starts_leading) { /* what was sent until now did not wait for this node */
        recover(node);
    }
}

static void on_tick(struct replica *replica, uint64_t now_ms)
{
    struct node *node = container_of(replica, struct node, replica);

    leader_tick(node, now_ms);
    order_tick(&node->order, now_ms, &node->actions);
    perform_actions(node);
}

/* ---- starting ---- */

static int open_links(struct node *node, struct error *error)
{
    const struct amqp_step publisher[] = {{.type = AMQP_EXCHANGE, .name = node->exchange}};
    const struct amqp_step consumer[] = {
        {.type = AMQP_QUEUE,
         .name = node->control_queue,
         .exclusive = true}, /* two nodes cannot have one name */
        {.type = AMQP_EXCHANGE, .name = node->control_exchange},
        {.type = AMQP_BIND, .name = node->control_queue, .exchange = node->control_exchange},
        {.type = AMQP_CONSUME, .name = node->control_queue},
        {.type = AMQP_EXCHANGE, .name = node->exchange}, /* from here on: a follower's only */
        {.type = AMQP_QUEUE, .name = node->queue},
        {.type = AMQP_BIND, .name = node->queue, .exchange = node->exchange},
        {.type = AMQP_CONSUME, .name = node->queue},
    };
    size_t publishes = sizeof publisher / sizeof *publisher;
    size_t consumes = sizeof consumer / sizeof *consumer;

    return replica_open_links(&node->replica, publisher, node->starts_leading ? publishes : 0, consumer,
                              node->starts_leading ? 4 : consumes, error);
}

static int usage(FILE *out, int status)
{
    fputs(
        _("usage: parte4 leader                       the one replica that takes SET\n"
          "       parte4 follower                      any other\n"
          "       parte4 client --target HOST:PORT     a prompt at a replica\n"
          "A replica of the key-value store behind a leader, on RabbitMQ, with total order.\n"
          "Settings: ROLE, NODE_ID, DATA_DIR, RPC_PORT, RPC_HOST, AMQP_URL, AMQP_DURABLE, AMQP_QUEUE_TYPE,\n"
          "AMQP_WINDOW, AMQP_PREFETCH, AMQP_HEARTBEAT, AMQP_CA_FILE, UPDATES_EXCHANGE, CONTROL_EXCHANGE,\n"
          "QUEUE_SUFFIX, LOG_LEVEL, LOG_FORMAT, LOG_FILE, NET_DELAY_MS, NET_LOSS, NET_PARTITION, NET_SEED,\n"
          "NET_FAULTS_FILE (see README.md).\n"),
        out);
    return status;
}

static int read_names(struct node *node, struct error *error)
{
    int code = replica_name(node->exchange, "UPDATES_EXCHANGE", "kv4_updates", error);
    if (code == 0) {
        code = replica_name(node->control_exchange, "CONTROL_EXCHANGE", "kv4_control", error);
    }
    if (code == 0) {
        code = replica_queue(node->queue, node->replica.id, "_updates", error);
    }
    return code == 0 ? replica_queue(node->control_queue, node->replica.id, "_control", error) : code;
}

static int run_node(const char *role)
{
    static struct node node = {.replica = {.part = "parte4", .port = PORT}};
    struct error error;

    node.replica.role = role;
    node.starts_leading = node.replica.not_ready_yet = strcmp(role, "leader") == 0;
    node.replica.consumer.on_delivery = on_delivery;
    node.replica.service.on_request = on_request;
    node.replica.requests.on_confirmed = on_confirmed;
    node.replica.faults.on_message = on_message;
    node.replica.on_connected = on_connected;
    node.replica.on_tick = on_tick;
    node.recovery = (struct recovery){.link = &node.replica.consumer,
                                      .exchange = node.control_exchange,
                                      .queue = node.control_queue,
                                      .on_ask = on_ask,
                                      .on_state = on_state,
                                      .on_leader = on_leader,
                                      .on_echo = on_echo};
    if (replica_open(&node.replica, NULL, &error) != 0 || read_names(&node, &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    node.recovery.node = text_of(node.replica.id);
    order_init(&node.order, &(struct order_options){.node_id = text_of(node.replica.id)});
    if (leader_open(&node, &error) != 0 || open_links(&node, &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    replica_run(&node.replica);
    leader_close(&node);
    order_free(&node.order);
    actions_free(&node.actions);
    buffer_free(&node.encoded);
    recovery_free(&node.recovery);
    return 0;
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 && strcmp(argv[1], "node") != 0 ? argv[1] : config_text("ROLE", "follower");

    words_open();
    if (strcmp(role, "client") == 0) {
        return kv_client_main("parte4", argc, argv);
    }
    if (strcmp(role, "--help") == 0) {
        return usage(stdout, 0);
    }
    if (argc > 2 || (strcmp(role, "leader") != 0 && strcmp(role, "follower") != 0)) {
        return usage(stderr, 2);
    }
    return run_node(role);
}
