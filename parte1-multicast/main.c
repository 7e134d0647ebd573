/* parte1: a replica of the key-value store over UDP multicast, without any ordering.
 *
 * What a user types becomes a command, the rule (order.c) says what to do with it, and this file does it: send to the
 * group, or apply to the store. What comes back from the group goes the same way. */
#include "common/clock.h"
#include "common/command.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/event.h"
#include "common/json.h"
#include "common/kv_store.h"
#include "common/log.h"
#include "common/net/fault_link.h"
#include "common/net/multicast.h"
#include "common/net/runtime.h"
#include "common/term/prompt.h"
#include "common/words.h"
#include "order.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LEAVE_WAIT_MS 1000 /* how long a node that leaves waits for its last command to come back */

struct node {
    char id[65];
    struct runtime runtime;
    struct log log;
    struct multicast multicast;
    struct fault_link faults; /* between multicast and the rule; off by default */
    struct prompt prompt;
    struct order order;
    struct kv_store store;

    struct actions actions; /* what the rule asked for last */
    struct buffer encoded;  /* the datagram being sent */
    struct buffer snapshot;
    struct discards discards;

    struct uuid last_sent; /* of this node's commands */
    bool awaiting_own;     /* it has not come back yet */
    bool leaving, left;
    bool leaves_next;     /* time is up, and the next tick is the end */
    uint64_t leave_by_ms; /* clock_monotonic_ms */
};

/* ---- leaving ---- */

static void tell_drops(struct node *node)
{
    uint32_t drops = multicast_take_drops(&node->multicast);

    if (drops > 0 && log_begin(&node->log, LOG_WARNING, "discard")) {
        log_text(&node->log, "reason", text_of("receive_buffer_full"));
        log_int(&node->log, "count", drops);
        log_text(&node->log, "message", text_of("datagrams came faster than this node took them"));
        log_end(&node->log);
    }
}

static void leave_now(struct node *node)
{
    if (node->left) {
        return;
    }
    node->left = true;
    tell_drops(node);
    event_discard_summary(&node->log, &node->discards, clock_monotonic_ms(), true);
    if (log_begin(&node->log, LOG_INFO, "stop")) {
        log_int(&node->log, "ordem_local", (int64_t)node->store.ordem_local);
        log_int(&node->log, "keys", (int64_t)kv_store_count(&node->store));
        log_end(&node->log);
    }
    prompt_close(&node->prompt);
    fault_link_close(&node->faults);
    multicast_close(&node->multicast);
    runtime_close(&node->runtime);
}

static void leave_if_done(struct node *node)
{
    if (node->leaving && !node->awaiting_own && node->faults.delayed_count == 0) {
        leave_now(node);
    }
}

/* The node's own commands are still on their way to itself, too, and others behind a slow network: give them a moment. */
static void leave(struct node *node)
{
    if (node->leaving) {
        return; /* EXIT, and then the end of the input */
    }
    node->leaving = true;
    node->leave_by_ms = clock_monotonic_ms() + LEAVE_WAIT_MS;
    leave_if_done(node);
}

/* When time is up, once more what came meanwhile is taken: a node that stood still finds it in its socket only now. */
static void leave_in_time(struct node *node, uint64_t now_ms)
{
    if (node->leaves_next) {
        leave_now(node);
    }
    node->leaves_next = node->leaving && now_ms >= node->leave_by_ms;
    leave_if_done(node);
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct node *node = container_of(runtime, struct node, runtime);
    log_say(&node->log, LOG_INFO, "disconnect", "%s: leaving the group", name);
    leave_now(node);
}

/* ---- carrying out what the rule asks for ---- */

static void send_to_group(struct node *node, struct message *message)
{
    struct error error;

    buffer_clear(&node->encoded);
    message_encode(message, &node->encoded);
    if (node->encoded.length > MESSAGE_DATAGRAM_MAX) {
        log_say(&node->log, LOG_ERROR, "discard", "not sent: %zu bytes long, at most %d fit one datagram",
                node->encoded.length, MESSAGE_DATAGRAM_MAX);
        return;
    }
    event_send(&node->log, message); /* first, so that in no log a delivery is older than its send */
    if (multicast_send(&node->multicast, buffer_text(&node->encoded), &error) != 0) {
        log_say(&node->log, LOG_ERROR, "discard", "not sent: %s", error.text);
        return;
    }
    memcpy(node->last_sent.text, message->message_uuid.bytes, UUID_LENGTH);
    node->awaiting_own = true;
}

static void deliver(struct node *node, const struct message *message)
{
    struct text snapshot = {0};
    uint64_t ordem_local = kv_store_apply(&node->store, message);

    if (message->command_type == COMMAND_PRINT && log_wants(&node->log, LOG_INFO)) {
        buffer_clear(&node->snapshot);
        kv_store_snapshot(&node->store, &node->snapshot);
        snapshot = buffer_text(&node->snapshot);
    }
    event_deliver(&node->log, message, ordem_local, snapshot);
    if (node->awaiting_own && text_equal(message->message_uuid, text_of(node->last_sent.text))) {
        node->awaiting_own = false;
        leave_if_done(node);
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
            deliver(node, action->message);
            break;
        default: /* this part's rule asks for nothing else */
            break;
        }
    }
    actions_clear(&node->actions);
}

/* ---- from the group ---- */

static void on_datagram(struct multicast *multicast, struct text bytes, const struct sockaddr_in *from)
{
    struct node *node = container_of(multicast, struct node, multicast);
    struct error error;
    struct message *message = message_decode(bytes, MESSAGE_DATAGRAM_MAX, &error);

    if (message == NULL) {
        char address[32];
        multicast_format_address(from, address);
        event_discard(&node->log, &node->discards, &error, address, clock_monotonic_ms());
        return;
    }
    fault_link_receive(&node->faults, message->sender_id, message, (struct receipt){0});
    message_unref(message);
}

static void on_message(struct fault_link *faults, struct message *message, struct receipt receipt)
{
    struct node *node = container_of(faults, struct node, faults);

    (void)receipt; /* a datagram is not acknowledged */
    if (node->left) {
        return;
    }
    event_receive(&node->log, message);
    order_receive(&node->order, message, &node->actions);
    perform_actions(node);
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    struct node *node = container_of(runtime, struct node, runtime);

    tell_drops(node);
    event_discard_summary(&node->log, &node->discards, now_ms, false);
    order_tick(&node->order, now_ms, &node->actions);
    perform_actions(node);
    leave_in_time(node, now_ms);
}

/* ---- from the prompt ---- */

static void submit(struct node *node, const struct command *command)
{
    char timestamp[CLOCK_EPOCH_LENGTH + 1];
    struct uuid uuid = uuid_new();
    struct buffer value = {0};

    clock_format_epoch(clock_wall_us(), timestamp);
    struct message fields = {.command_type = command->verb == VERB_SET   ? COMMAND_SET
                                             : command->verb == VERB_GET ? COMMAND_GET
                                                                         : COMMAND_PRINT,
                             .key = command->key,
                             .value = text_of("null"),
                             .sender_id = text_of(node->id),
                             .message_uuid = text_of(uuid.text),
                             .timestamp = text_of(timestamp),
                             .seq = MESSAGE_NO_SEQ};
    if (command->verb == VERB_SET) {
        json_write_string(&value, command->value); /* what is typed is text */
        fields.value = buffer_text(&value);
    }
    struct message *message = message_new(&fields);
    buffer_free(&value);
    order_submit(&node->order, message, &node->actions);
    perform_actions(node);
    message_unref(message);
}

static void on_refused(struct prompt *prompt, const struct error *error)
{
    prompt_answer(prompt, _("error: %s\n"), error->words);
}

static void on_line(struct prompt *prompt, struct text line)
{
    struct node *node = container_of(prompt, struct node, prompt);
    struct command command;
    struct error error;

    if (command_parse(line, &command, &error) != 0) {
        on_refused(prompt, &error);
        return;
    }
    switch (command.verb) {
    case VERB_NOTHING:
        break;
    case VERB_GET: {
        struct text value = kv_store_get(&node->store, command.key);
        prompt_answer(prompt, "%.*s = %.*s\n", (int)command.key.length, command.key.bytes, (int)value.length,
                      value.bytes);
        submit(node, &command);
        break;
    }
    case VERB_SET:
    case VERB_PRINT:
        submit(node, &command);
        break;
    case VERB_HELP:
        prompt_answer(prompt, "%s", command_help());
        break;
    case VERB_EXIT:
        leave(node);
        break;
    }
}

static void on_end(struct prompt *prompt)
{
    leave(container_of(prompt, struct node, prompt));
}

/* ---- starting ---- */

static int usage(FILE *out, int status)
{
    fputs(_("usage: parte1 [node]\n"
            "A replica of the key-value store over UDP multicast. Commands come from the prompt: type HELP "
            "there.\n"
            "Settings: NODE_ID, MULTICAST_GROUP, MULTICAST_PORT, MULTICAST_TTL, MULTICAST_INTERFACE,\n"
            "MULTICAST_RECEIVE_BUFFER, LOG_LEVEL, LOG_FORMAT, LOG_FILE, NET_DELAY_MS, NET_LOSS, "
            "NET_DUPLICATE,\n"
            "NET_PARTITION, NET_SEED, NET_FAULTS_FILE (see README.md).\n"),
          out);
    return status;
}

static int refuse_start(const struct error *error)
{
    fprintf(stderr, "parte1: %s\n", error->words);
    return 1;
}

static void announce(struct node *node, const struct multicast_options *options)
{
    if (log_begin(&node->log, LOG_INFO, "ready")) {
        log_text(&node->log, "group", text_of(options->group));
        log_int(&node->log, "port", options->port);
        log_text(&node->log, "interface",
                 text_of(options->interface != NULL ? options->interface : "by route"));
        log_int(&node->log, "receive_buffer", node->multicast.granted_buffer);
        log_end(&node->log);
    }
    if (node->prompt.source == PROMPT_TERMINAL) {
        prompt_answer(&node->prompt, _("%s: type HELP for the commands\n"), node->id);
    }
}

int main(int argc, char **argv)
{
    static struct node node;
    struct log_options log_options;
    struct multicast_options multicast_options;
    struct error error;

    words_open();
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        return usage(stdout, 0);
    }
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "node") != 0)) {
        return usage(stderr, 2);
    }

    /* Settings first: a node that starts is a node that was asked for something possible. */
    if (config_node_id("NODE_ID", node.id, &error) != 0 ||
        log_options_read(&log_options, node.id, &error) != 0 ||
        multicast_options_read(&multicast_options, &error) != 0) {
        return refuse_start(&error);
    }

    /* The log, the empty store, the rule. */
    if (log_open(&node.log, &log_options, &error) != 0) {
        return refuse_start(&error);
    }
    if (log_begin(&node.log, LOG_INFO, "start")) {
        log_text(&node.log, "part", text_of("parte1"));
        log_int(&node.log, "pid", getpid());
        log_end(&node.log);
    }
    kv_store_init(&node.store);
    order_init(&node.order, &(struct order_options){.node_id = text_of(node.id)});

    /* The event loop; the group behind the bad network; last the prompt, for commands can only be sent now. */
    node.runtime.on_signal = on_signal;
    node.runtime.on_tick = on_tick;
    node.multicast.on_datagram = on_datagram;
    node.faults.on_message = on_message;
    node.prompt.on_line = on_line;
    node.prompt.on_refused = on_refused;
    node.prompt.on_end = on_end;
    if (runtime_open(&node.runtime, &node.log, &error) != 0 ||
        fault_link_open(&node.faults, FAULT_DATAGRAMS, &node.runtime.loop, &node.log, text_of(node.id),
                        &error) != 0 ||
        multicast_open(&node.multicast, &node.runtime.loop, &multicast_options, &error) != 0 ||
        prompt_open(&node.prompt, &node.runtime.loop, &node.log, node.id, &error) != 0) {
        log_close(&node.log);
        return refuse_start(&error);
    }
    announce(&node, &multicast_options);
    runtime_run(&node.runtime);

    prompt_free(&node.prompt);
    order_free(&node.order);
    kv_store_free(&node.store);
    actions_free(&node.actions);
    buffer_free(&node.encoded);
    buffer_free(&node.snapshot);
    log_close(&node.log);
    return 0;
}
