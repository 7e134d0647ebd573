/* parte2: a replica of the key-value store behind a broker, with many publishers and without total order.
 *
 * What a client asks for becomes a command, the rule (order.c) says what to do with it, and this file does it: publish
 * to the exchange, or apply to the store. What comes from this node's queue goes the same way. */
#include "common/config.h"
#include "common/container_of.h"
#include "common/net/kv_client.h"
#include "common/net/replica.h"
#include "common/words.h"
#include "order.h"

#include <stdio.h>
#include <string.h>

#define PORT 50051

struct node {
    struct replica replica;
    struct order order;
    struct actions actions; /* what the rule asked for last */
    struct buffer encoded;  /* the message being published */

    char exchange[REPLICA_NAME_MAX], queue[REPLICA_NAME_MAX], lock[REPLICA_NAME_MAX];
};

/* ---- carrying out what the rule asks for ---- */

static void send_to_group(struct node *node, struct message *message)
{
    struct request *request = requests_find(&node->replica.requests, message);
    struct error error;

    buffer_clear(&node->encoded);
    message_encode(message, &node->encoded);
    event_send(&node->replica.log, message); /* first, so that in no log a delivery is older than its send */
    if (amqp_link_publish(&node->replica.publisher, &request->publish, node->exchange, "", (struct text){0},
                          buffer_text(&node->encoded), &error) != 0) {
        request_fail(request, error.text);
    }
}

static void perform_actions(struct node *node)
{
    for (size_t i = 0; i < node->actions.count; i++) {
        struct action *action = &node->actions.items[i];
        switch (action->type) {
        case ACTION_SEND:
            send_to_group(node, action->message);
            break;
        case ACTION_DELIVER:
            replica_deliver(&node->replica, action->message);
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
    struct kv_reply reply = {.ok = true, .message = "read here, and published", .seq = MESSAGE_NO_SEQ};
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
        request_reply(request, &(struct kv_reply){.ok = true, .message = "published", .seq = MESSAGE_NO_SEQ});
    }
}

/* ---- from the group ---- */

static void on_delivery(struct amqp_link *link, const struct amqp_delivery *delivery)
{
    struct node *node = container_of(link, struct node, replica.consumer);
    struct receipt receipt = {delivery->connection, delivery->tag};
    struct error error;
    struct message *message = message_decode(delivery->body, MESSAGE_STREAM_MAX, &error);

    if (message == NULL) {
        replica_discard(&node->replica, &error, node->queue);
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
    if (recent_find(&node->replica.applied, message->message_uuid,
                    NULL)) { /* brokers promise "at least once" */
        event_repeat(&node->replica.log, message);
    } else {
        order_receive(&node->order, message, &node->actions);
        perform_actions(node);
    }
    amqp_link_ack(&node->replica.consumer, receipt.connection, receipt.tag);
}

static void on_tick(struct replica *replica, uint64_t now_ms)
{
    struct node *node = container_of(replica, struct node, replica);

    order_tick(&node->order, now_ms, &node->actions);
    perform_actions(node);
}

/* ---- starting ---- */

static int open_links(struct node *node, struct error *error)
{
    const struct amqp_step publisher[] = {{.type = AMQP_EXCHANGE, .name = node->exchange}};
    const struct amqp_step consumer[] = {
        {.type = AMQP_QUEUE, .name = node->lock, .exclusive = true}, /* two nodes cannot have one name */
        {.type = AMQP_EXCHANGE, .name = node->exchange},
        {.type = AMQP_QUEUE, .name = node->queue},
        {.type = AMQP_BIND, .name = node->queue, .exchange = node->exchange},
        {.type = AMQP_CONSUME, .name = node->queue},
    };

    return replica_open_links(&node->replica, publisher, sizeof publisher / sizeof *publisher, consumer,
                              sizeof consumer / sizeof *consumer, error);
}

static int usage(FILE *out, int status)
{
    fputs(
        _("usage: parte2 [node]                       a replica; commands come from clients\n"
          "       parte2 client --target HOST:PORT     a prompt at a replica\n"
          "A replica of the key-value store behind RabbitMQ, with many publishers and without total order.\n"
          "Settings: NODE_ID, RPC_PORT, RPC_HOST, AMQP_URL, AMQP_DURABLE, AMQP_QUEUE_TYPE, AMQP_WINDOW, "
          "AMQP_PREFETCH,\n"
          "AMQP_HEARTBEAT, AMQP_CA_FILE, EXCHANGE_NAME, QUEUE_SUFFIX, LOG_LEVEL, LOG_FORMAT, LOG_FILE, "
          "NET_DELAY_MS,\n"
          "NET_LOSS, NET_PARTITION, NET_SEED, NET_FAULTS_FILE (see README.md).\n"),
        out);
    return status;
}

static int run_node(void)
{
    static struct node node = {.replica = {.part = "parte2", .role = "node", .port = PORT}};
    struct error error;

    node.replica.consumer.on_delivery = on_delivery;
    node.replica.service.on_request = on_request;
    node.replica.requests.on_confirmed = on_confirmed;
    node.replica.faults.on_message = on_message;
    node.replica.on_tick = on_tick;
    if (replica_open(&node.replica, NULL, &error) != 0 ||
        replica_name(node.exchange, "EXCHANGE_NAME", "kv_commands", &error) != 0 ||
        replica_queue(node.queue, node.replica.id, "", &error) != 0 ||
        replica_queue(node.lock, node.replica.id, "_lock", &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    order_init(&node.order, &(struct order_options){.node_id = text_of(node.replica.id)});
    if (open_links(&node, &error) != 0) {
        return replica_refuse_start(&node.replica, &error);
    }
    replica_run(&node.replica);
    order_free(&node.order);
    actions_free(&node.actions);
    buffer_free(&node.encoded);
    return 0;
}

int main(int argc, char **argv)
{
    const char *role = argc > 1 ? argv[1] : config_text("ROLE", "node");

    words_open();
    if (strcmp(role, "client") == 0) {
        return kv_client_main("parte2", argc, argv);
    }
    if (strcmp(role, "--help") == 0) {
        return usage(stdout, 0);
    }
    return argc > 2 || strcmp(role, "node") != 0 ? usage(stderr, 2) : run_node();
}
