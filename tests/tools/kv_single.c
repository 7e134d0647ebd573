/* A key-value service of one node, in memory and without a broker: what the tests of gRPC and its benchmark talk to.
 *
 *   kv_single [node]                    serves; RPC_PORT, RPC_HOST, NODE_ID, LOG_* as every node
 *   kv_single client --target HOST:PORT the prompt of parts 2 to 4
 *
 * REPLY_DELAY_MS holds every answer back for so long, as a broker would; REPLY_FAIL=UNAVAILABLE refuses every Set the
 * first time it comes. */
#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/kv_store.h"
#include "common/memory.h"
#include "common/net/kv_client.h"
#include "common/net/kv_service.h"
#include "common/net/runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

/* An answer that is held back. */
struct delayed {
    uv_timer_t timer;
    struct node *node;
    struct kv_call *call;
    struct message *message;
};

struct node {
    char id[65];
    struct runtime runtime;
    struct log log;
    struct kv_store store;
    struct kv_service service;
    struct buffer snapshot;
    int64_t delay_ms;
    bool refuses_once;
    struct uuid refused; /* the command that was refused last */
    bool leaving;
};

static void apply(struct node *node, struct kv_call *call, const struct message *message)
{
    struct kv_reply reply = {.ok = true, .message = "applied", .epoch = MESSAGE_NO_EPOCH};

    if (node->refuses_once && message->command_type == COMMAND_SET &&
        !text_equal(message->message_uuid, text_of(node->refused.text))) {
        snprintf(node->refused.text, sizeof node->refused.text, "%.*s", UUID_LENGTH,
                 message->message_uuid.bytes);
        kv_call_fail(call, GRPC_UNAVAILABLE, "refused, for the test");
        return;
    }
    reply.seq = (int64_t)kv_store_apply(&node->store, message);
    if (message->command_type == COMMAND_GET) {
        reply.local_value = kv_store_get(&node->store, message->key);
    } else if (message->command_type == COMMAND_PRINT) {
        buffer_clear(&node->snapshot);
        kv_store_snapshot(&node->store, &node->snapshot);
        reply.snapshot = buffer_text(&node->snapshot);
    }
    kv_call_reply(call, &reply);
}

static void on_delayed_closed(uv_handle_t *handle)
{
    free(container_of((uv_timer_t *)handle, struct delayed, timer));
}

static void on_delay_over(uv_timer_t *timer)
{
    struct delayed *delayed = container_of(timer, struct delayed, timer);

    apply(delayed->node, delayed->call, delayed->message);
    message_unref(delayed->message);
    uv_close((uv_handle_t *)timer, on_delayed_closed);
}

static void on_request(struct kv_service *service, struct kv_call *call, struct message *message, bool wait)
{
    struct node *node = container_of(service, struct node, service);

    (void)wait;
    if (node->delay_ms == 0) {
        apply(node, call, message);
        return;
    }
    struct delayed *delayed = memory_new(sizeof *delayed);
    *delayed = (struct delayed){.node = node, .call = call, .message = message_ref(message)};
    uv_timer_init(&node->runtime.loop, &delayed->timer);
    uv_timer_start(&delayed->timer, on_delay_over, (uint64_t)node->delay_ms, 0);
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct node *node = container_of(runtime, struct node, runtime);

    if (!node->leaving) {
        node->leaving = true;
        log_say(&node->log, LOG_INFO, "disconnect", "%s: leaving", name);
        kv_service_close(&node->service);
        runtime_close(runtime);
    }
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    (void)runtime;
    (void)now_ms;
}

static int refuse_start(const struct error *error)
{
    fprintf(stderr, "kv_single: %s\n", error->text);
    return 1;
}

static int serve(struct node *node)
{
    struct log_options log_options;
    struct error error;

    if (config_node_id("NODE_ID", node->id, &error) != 0 ||
        config_int("REPLY_DELAY_MS", 0, 3600000, 0, &node->delay_ms, &error) != 0 ||
        log_options_read(&log_options, node->id, &error) != 0 ||
        log_open(&node->log, &log_options, &error) != 0) {
        return refuse_start(&error);
    }
    node->refuses_once = strcmp(config_text("REPLY_FAIL", ""), "UNAVAILABLE") == 0;
    kv_store_init(&node->store);
    node->runtime.on_signal = on_signal;
    node->runtime.on_tick = on_tick;
    node->service.on_request = on_request;
    if (runtime_open(&node->runtime, &node->log, &error) != 0 ||
        kv_service_open(&node->service, &node->runtime.loop, &node->log, text_of(node->id), 50051, &error) !=
            0) {
        log_close(&node->log);
        return refuse_start(&error);
    }
    if (log_begin(&node->log, LOG_INFO, "ready")) {
        log_int(&node->log, "port", node->service.server.port);
        log_end(&node->log);
    }
    runtime_run(&node->runtime);
    kv_service_free(&node->service);
    kv_store_free(&node->store);
    buffer_free(&node->snapshot);
    log_close(&node->log);
    return 0;
}

int main(int argc, char **argv)
{
    static struct node node;

    if (argc > 1 && strcmp(argv[1], "client") == 0) {
        return kv_client_main("kv_single", argc, argv);
    }
    if (argc > 2 || (argc == 2 && strcmp(argv[1], "node") != 0)) {
        fputs("usage: kv_single [node]\n       kv_single client --target HOST:PORT\n", stderr);
        return 2;
    }
    return serve(&node);
}
