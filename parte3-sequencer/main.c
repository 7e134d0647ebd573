/* parte3: a replica of the key-value store behind a sequencer, with total order.
 *
 * What a client asks for becomes a command, the rule (order.c) says what to do with it, and this file does it: publish
 * to the sequencer's queue, or apply to the store. What comes from this node's queue goes the same way. */
#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/net/kv_client.h"
#include "common/net/recovery.h"
#include "common/net/replica.h"
#include "common/words.h"
#include "order.h"
#include "sequencer_main.h"

#include <stdio.h>
#include <string.h>

#define PORT 50081
#define GIVE_UP_MS                                                                                           \
    30000 /* a gap that nobody fills for so long will not be filled: longer than a dead peer's heartbeat */

struct node {
    struct replica replica;
    struct order order;
    struct actions actions; /* what the rule asked for last */
    struct buffer encoded;  /* the message being published */

    struct recovery recovery;
    uint64_t asking_since_ms; /* 0 while nothing is missing */
    bool incomplete;          /* commands are missing here for good, unless a peer turns up that has them */

    char to_sequencer[REPLICA_NAME_MAX], exchange[REPLICA_NAME_MAX], queue[REPLICA_NAME_MAX];
    char control_exchange[REPLICA_NAME_MAX], control_queue[REPLICA_NAME_MAX];
};

/* ---- recovering what is missing ---- */

static void perform_actions(struct node *node);

static void recover(struct node *node)
{
    uint64_t now_ms = clock_monotonic_ms();
    int64_t first = node->order.next_seq;

    if (node->asking_since_ms == 0) {
        node->asking_since_ms = now_ms;
    }
    if (now_ms - node->asking_since_ms >= GIVE_UP_MS) {
        node->asking_since_ms = 0;
        node->incomplete = true;
        order_give_up(&node->order, &node->actions);
        log_say(&node->replica.log, LOG_ERROR, "recover",
                "nobody has the commands from %lld on: going on with %lld, without them", (long long)first,
                (long long)node->order.next_seq);
        return;
    }
    if (log_begin(&node->replica.log, LOG_INFO, "recover")) {
        log_int(&node->replica.log, "from_seq", first);
        log_end(&node->replica.log);
    }
    recovery_ask(&node->recovery, MESSAGE_NO_EPOCH, node->incomplete ? 1 : first);
}

static void on_ask(struct recovery *recovery, const struct recovery_note *note)
{
    struct node *node = container_of(recovery, struct node, recovery);

    if (!node->incomplete && node->order.next_seq > note->seq) {
        buffer_clear(&node->replica.snapshot);
        kv_store_snapshot(&node->replica.store, &node->replica.snapshot);
        recovery_answer(recovery, note->reply_to, MESSAGE_NO_EPOCH, node->order.next_seq - 1,
                        buffer_text(&node->replica.snapshot));
    }
}

static void on_state(struct recovery *recovery, const struct recovery_note *note)
{
    struct node *node = container_of(recovery, struct node, recovery);
    bool completes = node->incomplete && note->seq == node->order.next_seq - 1;

    if (completes || order_install(&node->order, note->seq, &node->actions)) {
        node->incomplete = false;
        node->asking_since_ms = 0;
        replica_install(&node->replica, note);
        replica_answer_installed(&node->replica, note->seq);
        perform_actions(node);
    }
}

static void on_leader(struct recovery *recovery, const struct recovery_note *note)
{
    order_hear(&container_of(recovery, struct node, recovery)->order, note->seq);
}

/* ---- carrying out what the rule asks for ---- */

static void send_to_sequencer(struct node *node, struct message *message)
{
    struct request *request = requests_find(&node->replica.requests, message);
    struct error error;

    buffer_clear(&node->encoded);
    message_encode(message, &node->encoded);
    event_send(&node->replica.log, message); /* first, so that in no log a delivery is older than its send */
    if (amqp_link_publish(&node->replica.publisher, &request->publish, "", node->to_sequencer,
                          (struct text){0}, buffer_text(&node->encoded), &error) != 0) {
        request_fail(request, error.text);
    }
}

static void perform_actions(struct node *node)
{
    for (size_t i = 0; i < node->actions.count; i++) {
        struct action *action = &node->actions.items[i];
        switch (action->type) {
        case ACTION_SEND:
            send_to_sequencer(node, action->message);
            break;
        case ACTION_DELIVER:
            replica_deliver(&node->replica, action->message);
            break;
        case ACTION_HOLD:
            event_hold(&node->replica.log, action->message);
            replica_note_place(&node->replica, action->message, node->order.next_seq - 1);
            break;
        case ACTION_DISCARD:
            event_repeat(&node->replica.log, action->message);
            replica_note_place(&node->replica, action->message, node->order.next_seq - 1);
            break;
        case ACTION_RECOVER:
            recover(node);
            break;
        default: /* this part's rule asks for nothing else */
            break;
        }
    }
    actions_clear(&node->actions);
}

/* ---- from clients ---- */

static void on_request(struct kv_service *service, struct kv_call *call, struct message *message, bool wait)
{
    struct node *node = container_of(service, struct node, replica.service);
    struct kv_reply reply = {.ok = true,
                             .message = "read here, and sent to the sequencer",
                             .seq = MESSAGE_NO_SEQ};
    struct request *request = requests_find(&node->replica.requests, message);
    struct error error;

    if (replica_answer_known(&node->replica, call, message)) {
        return;
    }
    if (request != NULL) {
        request_take_over(request, call, wait);
        return;
    }
    request = requests_add(&node->replica.requests, call, message, wait, &error);
    if (request == NULL) {
        kv_call_reply(call, &(struct kv_reply){.message = error.text, .seq = MESSAGE_NO_SEQ});
        return;
    }
    if (message->command_type != COMMAND_SET && !wait) { /* what this replica has now */
        replica_read(&node->replica, message, &reply);
        request_reply(request, &reply);
    }
    order_submit(&node->order, message, &node->actions);
    perform_actions(node);
}

static void on_confirmed(struct request *request, int code)
{
    if (code != 0) {
        request_fail(request, "the broker did not confirm the command: it may or may not be done");
    } else if (request->wait) {
        request_settle(request);
    } else {
        request_reply(request, &(struct kv_reply){.ok = true,
                                                  .message = "sent to the sequencer",
                                                  .seq = MESSAGE_NO_SEQ});
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
    fault_link_receive(&node->replica.faults, text_of(SEQUENCER_NAME), message, receipt);
    message_unref(message);
}

static void on_message(struct fault_link *faults, struct message *message, struct receipt receipt)
{
    struct node *node = container_of(faults, struct node, replica.faults);

    event_receive(&node->replica.log, message);
    order_receive(&node->order, message, &node->actions);
    perform_actions(node);
    amqp_link_ack(&node->replica.consumer, receipt.connection, receipt.tag);
}

static void on_connected(struct replica *replica, bool queue_made)
{
    struct node *node = container_of(replica, struct node, replica);

    if (queue_made || node->order.next_seq == 1) { /* what was sent until now did not wait for this node */
        recover(node);
        perform_actions(node);
    }
    node->asking_since_ms = 0; /* perhaps nothing is missing, and nobody heard what was asked meanwhile */
}

static void on_tick(struct replica *replica, uint64_t now_ms)
{
    struct node *node = container_of(replica, struct node, replica);

    if (node->order.known_seq < node->order.next_seq || !node->replica.consumer.connected) {
        node->asking_since_ms = 0;
    }
    order_tick(&node->order, now_ms, &node->actions);
    perform_actions(node);
}

/* ---- starting ---- */

static int open_links(struct node *node, struct error *error)
{
    const struct amqp_step publisher[] = {{.type = AMQP_QUEUE, .name = node->to_sequencer}};
    const struct amqp_step consumer[] = {
        {.type = AMQP_QUEUE,
         .name = node->control_queue,
         .exclusive = true}, /* two nodes cannot have one name */
        {.type = AMQP_EXCHANGE, .name = node->control_exchange},
        {.type = AMQP_BIND, .name = node->control_queue, .exchange = node->control_exchange},
        {.type = AMQP_EXCHANGE, .name = node->exchange},
        {.type = AMQP_QUEUE, .name = node->queue},
        {.type = AMQP_BIND, .name = node->queue, .exchange = node->exchange},
        {.type = AMQP_CONSUME, .name = node->control_queue},
        {.type = AMQP_CONSUME, .name = node->queue},
    };

    return replica_open_links(&node->replica, publisher, sizeof publisher / sizeof *publisher, consumer,
                              sizeof consumer / sizeof *consumer, error);
}

static int usage(FILE *out, int status)
{
    fputs(_("usage: parte3 [node]                       a replica; commands come from clients\n"
            "       parte3 sequencer                     gives each command its place in the total order\n"
            "       parte3 client --target HOST:PORT     a prompt at a replica\n"
            "A replica of the key-value store behind a sequencer, on RabbitMQ, with total order.\n"
            "Settings: ROLE, NODE_ID, RPC_PORT, RPC_HOST, AMQP_URL, AMQP_DURABLE, AMQP_QUEUE_TYPE, "
            "AMQP_WINDOW,\n"
            "AMQP_PREFETCH, AMQP_HEARTBEAT, AMQP_CA_FILE, TO_SEQ_QUEUE, ORDERED_EXCHANGE, CONTROL_EXCHANGE,\n"
            "HISTORY_QUEUE, QUEUE_SUFFIX, LOG_LEVEL, LOG_FORMAT, LOG_FILE, NET_DELAY_MS, NET_LOSS, "
            "NET_PARTITION,\n"
            "NET_SEED, NET_FAULTS_FILE (see README.md).\n"),
          out);
    return status;
}

static int read_names(struct node *node, struct error *error)
{
    int code = replica_name(node->to_sequencer, "TO_SEQ_QUEUE", "kv3_to_sequencer", error);
    if (code == 0) {
        code = replica_name(node->exchange, "ORDERED_EXCHANGE", "kv3_ordered", error);
    }
    if (code == 0) {
        code = replica_name(node->control_exchange, "CONTROL_EXCHANGE", "kv3_control", error);
    }
    if (code == 0) {
        code = replica_queue(node->queue, node->replica.id, "_ordered", error);
    }
    return code == 0 ? replica_queue(node->control_queue, node->replica.id, "_control", error) : code;
}

static int run_node(void)
{
    static struct node node = {.replica = {.part = "parte3", .role = "node", .port = PORT}};
    struct error error;

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
                                      .on_leader = on_leader};
    if (replica_open(&node.replica, NULL, &error) != 0 || read_names(&node, &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    node.recovery.node = text_of(node.replica.id);
    order_init(&node.order, &(struct order_options){.node_id = text_of(node.replica.id)});
    if (open_links(&node, &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    replica_run(&node.replica);
    order_free(&node.order);
    actions_free(&node.actions);
    buffer_free(&node.encoded);
    recovery_free(&node.recovery);
    return 0;
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : config_text("ROLE", "node");

    words_open();
    if (strcmp(role, "client") == 0) {
        return kv_client_main("parte3", argc, argv);
    }
    if (strcmp(role, "--help") == 0) {
        return usage(stdout, 0);
    }
    if (argc > 2 || (strcmp(role, "node") != 0 && strcmp(role, "sequencer") != 0)) {
        return usage(stderr, 2);
    }
    return strcmp(role, "sequencer") == 0 ? sequencer_main() : run_node();
}
