/* Writes the logs of a good run of parte1: every command is delivered once, by every node, in one order for all.
 *
 *     make_logs DIRECTORY NODES COMMANDS
 *
 * The lines are written by the code that parte1 itself logs with, into DIRECTORY/node1.jsonl and so on. The nodes send
 * by turns, and some further commands are on their way while each one is delivered. */
#include "bench.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/event.h"
#include "common/kv_store.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/message.h"
#include "common/uuid.h"

#include <stdint.h>
#include <unistd.h>

#define KEYS          1000
#define NODES_MAX     64
#define UNDER_WAY_MAX (2 * NODES_MAX + 4) /* commands; more than any node is behind */

struct replica {
    char id[32];
    char path[4096];
    struct log log;
    struct kv_store store;
};

static void start(struct replica *node, size_t number, const char *directory)
{
    struct error error;

    snprintf(node->id, sizeof node->id, "node%zu", number + 1);
    int length = snprintf(node->path, sizeof node->path, "%s/%s.jsonl", directory, node->id);
    if (length < 0 || (size_t)length >= sizeof node->path) {
        errno = ENAMETOOLONG;
        die(directory);
    }
    kv_store_init(&node->store);
    struct log_options options = {.node = node->id, .level = LOG_INFO, .screen = -1, .file = node->path};
    if (log_open(&node->log, &options, &error) != 0) {
        fprintf(stderr, "%s\n", error.text);
        exit(1);
    }
    if (log_begin(&node->log, LOG_INFO, "start")) {
        log_text(&node->log, "part", text_of("parte1"));
        log_int(&node->log, "pid", getpid());
        log_end(&node->log);
    }
    if (log_begin(&node->log, LOG_INFO, "ready")) {
        log_text(&node->log, "group", text_of("239.255.0.1"));
        log_int(&node->log, "port", 5007);
        log_text(&node->log, "interface", text_of(BENCH_INTERFACE));
        log_int(&node->log, "receive_buffer", 16 << 20);
        log_end(&node->log);
    }
}

/* A node that could not write everything ends the program: half a log is no good one. */
static void stop(struct replica *node)
{
    if (log_begin(&node->log, LOG_INFO, "stop")) {
        log_int(&node->log, "ordem_local", (int64_t)node->store.ordem_local);
        log_int(&node->log, "keys", (int64_t)kv_store_count(&node->store));
        log_end(&node->log);
    }
    log_flush(&node->log);
    if (node->log.file.failed) {
        fprintf(stderr, "%s: not all could be written\n", node->path);
        exit(1);
    }
    log_close(&node->log);
    kv_store_free(&node->store);
}

static struct message *new_command(const struct replica *node, size_t number)
{
    char key[32];
    char value[64];
    char timestamp[CLOCK_EPOCH_LENGTH + 1];
    struct uuid uuid = uuid_new();

    snprintf(key, sizeof key, "key-%06zu", number % KEYS);
    int length = snprintf(value, sizeof value, "\"%s-%08zu a value of some length\"", node->id, number);

    clock_format_epoch(clock_wall_us(), timestamp);
    return message_new(&(struct message){.command_type = COMMAND_SET,
                                         .key = text_of(key),
                                         .value = {value, (size_t)length},
                                         .sender_id = text_of(node->id),
                                         .message_uuid = text_of(uuid.text),
                                         .timestamp = text_of(timestamp),
                                         .seq = MESSAGE_NO_SEQ});
}

static void deliver(struct replica *node, struct message *command)
{
    uint64_t ordem_local = kv_store_apply(&node->store, command);
    event_deliver(&node->log, command, ordem_local, (struct text){0});
}

/* How many commands a node is behind the newest one. */
static size_t lag_of(size_t node)
{
    return 3 + 2 * node;
}

static void run(struct replica *nodes, size_t node_count, size_t command_count)
{
    struct message *under_way[UNDER_WAY_MAX];
    size_t last_lag = lag_of(node_count - 1);

    for (size_t turn = 0; turn < command_count + last_lag; turn++) {
        if (turn < command_count) {
            struct replica *sender = &nodes[turn % node_count];
            struct message *command = new_command(sender, turn);
            under_way[turn % UNDER_WAY_MAX] = command;
            event_send(&sender->log, command);
        }
        for (size_t i = 0; i < node_count; i++) {
            size_t lag = lag_of(i);
            if (turn >= lag && turn - lag < command_count) {
                deliver(&nodes[i], under_way[(turn - lag) % UNDER_WAY_MAX]);
            }
        }
        if (turn >= last_lag) {
            message_unref(under_way[(turn - last_lag) % UNDER_WAY_MAX]);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: make_logs DIRECTORY NODES COMMANDS\n", stderr);
        return 2;
    }
    size_t node_count = number_of(argv[2], NODES_MAX);
    size_t command_count = number_of(argv[3], 100000000);
    if (node_count == 0) {
        fputs("make_logs: at least one node\n", stderr);
        return 2;
    }
    struct replica *nodes = memory_new_zeroed(node_count, sizeof *nodes);
    for (size_t i = 0; i < node_count; i++) {
        start(&nodes[i], i, argv[1]);
    }
    run(nodes, node_count, command_count);
    for (size_t i = 0; i < node_count; i++) {
        stop(&nodes[i]);
    }
    free(nodes);
    return 0;
}
