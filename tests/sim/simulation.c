#include "tests/sim/simulation.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/lab/workload.h"
#include "common/memory.h"
#include "common/random.h"
#include "parte1-multicast/order.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_US   1767225600000000 /* 2026-01-01T00:00:00Z */
#define LATENCY_US 200              /* of the network at its best */

/* Something that will happen: a writer types its next command, or a datagram arrives. */
struct happening {
    uint64_t at_us;
    uint64_t number; /* of two at one time the one that was planned first comes first */
    unsigned node;
    struct message *message; /* NULL for a writer's turn */
};

struct world {
    struct sim *sim;
    struct workload workload;
    unsigned typed[SIM_NODES_MAX];
    struct order rules[SIM_NODES_MAX];
    struct faults faults[SIM_NODES_MAX];
    char names[SIM_NODES_MAX][16];
    struct random random; /* for UUIDs */
    uint64_t now_us;
    struct happening *heap; /* the soonest on top */
    size_t count, capacity;
    uint64_t planned;
};

/* ---- what will happen next ---- */

static bool is_sooner(const struct happening *a, const struct happening *b)
{
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->number < b->number;
}

static void swap(struct happening *a, struct happening *b)
{
    struct happening held = *a;
    *a = *b;
    *b = held;
}

static void plan(struct world *world, uint64_t at_us, unsigned node, struct message *message)
{
    world->heap = memory_grow(world->heap, &world->capacity, world->count + 1, sizeof *world->heap);
    size_t at = world->count++;
    world->heap[at] = (struct happening){at_us, world->planned++, node, message};
    for (; at > 0 && is_sooner(&world->heap[at], &world->heap[(at - 1) / 2]); at = (at - 1) / 2) {
        swap(&world->heap[at], &world->heap[(at - 1) / 2]);
    }
}

static struct happening take_soonest(struct world *world)
{
    struct happening soonest = world->heap[0];
    size_t at = 0;

    world->heap[0] = world->heap[--world->count];
    for (;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < world->count; child++) {
            least = is_sooner(&world->heap[child], &world->heap[least]) ? child : least;
        }
        if (least == at) {
            return soonest;
        }
        swap(&world->heap[at], &world->heap[least]);
        at = least;
    }
}

/* ---- logs ---- */

static void add_line(struct world *world, unsigned node, const char *event, const struct message *message,
                     const char *format, ...) __attribute__((format(printf, 5, 6)));

static void add_line(struct world *world, unsigned node, const char *event, const struct message *message,
                     const char *format, ...)
{
    struct sim_log *log = &world->sim->logs[node];
    struct buffer line = {0};
    char time[CLOCK_TEXT_LENGTH + 1];
    char rest[128];
    va_list arguments;

    clock_format(START_US + (int64_t)world->now_us, time);
    buffer_add_format(&line, "{\"ts\":\"%s\",\"level\":\"info\",\"node\":\"%s\",\"event\":\"%s\"", time,
                      world->names[node], event);
    if (message != NULL) {
        buffer_add_format(&line, ",\"message_uuid\":\"%.36s\",\"sender_id\":\"%.*s\",\"command_type\":\"%s\"",
                          message->message_uuid.bytes, (int)message->sender_id.length,
                          message->sender_id.bytes, command_type_name(message->command_type));
        if (message->key.bytes != NULL) {
            buffer_add_format(&line, ",\"key\":\"%.*s\"", (int)message->key.length, message->key.bytes);
        }
        if (message->command_type == COMMAND_SET) {
            buffer_add_format(&line, ",\"value\":%.*s", (int)message->value.length, message->value.bytes);
        }
    }
    va_start(arguments, format);
    vsnprintf(rest, sizeof rest, format, arguments);
    va_end(arguments);
    buffer_add_format(&line, "%s}", rest);
    log->lines = memory_grow(log->lines, &log->capacity, log->count + 1, sizeof *log->lines);
    log->lines[log->count++] = memory_copy_text(line.bytes, line.length);
    buffer_free(&line);
}

/* ---- nodes ---- */

/* To every node, each with its own luck. */
static void broadcast(struct world *world, struct message *message)
{
    for (unsigned node = 0; node < world->sim->options.nodes; node++) {
        struct fault_plan fate = faults_plan(&world->faults[node], message->sender_id);
        if (fate.copies == 0) {
            add_line(world, node, "fault", message, ",\"fault\":\"%s\"", fate.cut ? "partition" : "loss");
        }
        for (unsigned copy = 0; copy < fate.copies; copy++) {
            uint64_t delay_us = (uint64_t)fate.delay_ms[copy] * 1000;
            plan(world, world->now_us + LATENCY_US + delay_us, node, message_ref(message));
        }
    }
}

static void perform(struct world *world, unsigned node, struct actions *actions)
{
    struct kv_store *store = &world->sim->stores[node];

    for (size_t i = 0; i < actions->count; i++) {
        struct message *message = actions->items[i].message;
        switch (actions->items[i].type) {
        case ACTION_SEND:
            add_line(world, node, "send", message, "%s", "");
            broadcast(world, message);
            break;
        case ACTION_DELIVER:
            add_line(world, node, "deliver", message, ",\"ordem_local\":%llu",
                     (unsigned long long)kv_store_apply(store, message));
            break;
        default:
            break;
        }
    }
    actions_free(actions);
}

static struct message *make_command(struct world *world, unsigned node)
{
    struct buffer line = {0};
    uint64_t random[2] = {random_next(&world->random), random_next(&world->random)};
    struct uuid uuid = uuid_from_bytes((const uint8_t *)random);
    char verb[8];
    char key[16];
    char value[32] = "";
    char quoted[40];

    workload_line(&world->workload, node, ++world->typed[node], &line);
    buffer_add_char(&line, '\0');
    sscanf(line.bytes, "%7s %15s %31s", verb, key, value);
    snprintf(quoted, sizeof quoted, "\"%s\"", value);
    bool is_set = strcmp(verb, "SET") == 0;
    struct message fields = {.command_type = is_set ? COMMAND_SET : COMMAND_GET,
                             .key = text_of(key),
                             .value = text_of(is_set ? quoted : "null"),
                             .sender_id = text_of(world->names[node]),
                             .message_uuid = text_of(uuid.text),
                             .seq = MESSAGE_NO_SEQ};
    buffer_free(&line);
    return message_new(&fields);
}

static void take_turn(struct world *world, unsigned node)
{
    struct actions actions = {0};
    struct message *command = make_command(world, node);

    order_submit(&world->rules[node], command, &actions);
    perform(world, node, &actions);
    message_unref(command);
    if (world->typed[node] < workload_share(&world->workload, node)) {
        plan(world, world->now_us + (uint64_t)world->sim->options.pace_ms * 1000, node, NULL);
    }
}

static void arrive(struct world *world, unsigned node, struct message *message)
{
    struct actions actions = {0};

    order_receive(&world->rules[node], message, &actions);
    perform(world, node, &actions);
    message_unref(message);
}

void sim_run(struct sim *sim, const struct sim_options *options)
{
    struct world world = {.sim = sim, .random = {options->network.seed}};

    *sim = (struct sim){.options = *options};
    workload_init(&world.workload, options->writers, options->operations, options->keys,
                  options->network.seed);
    for (unsigned node = 0; node < options->nodes; node++) {
        snprintf(world.names[node], sizeof world.names[node], "node%u", node + 1);
        order_init(&world.rules[node], &(struct order_options){.node_id = text_of(world.names[node])});
        faults_init(&world.faults[node], &options->network, text_of(world.names[node]));
        kv_store_init(&sim->stores[node]);
        add_line(&world, node, "start", NULL, ",\"part\":\"parte1\"");
        add_line(&world, node, "ready", NULL, "%s", "");
        if (node < options->writers && workload_share(&world.workload, node) > 0) {
            plan(&world, 1000 + 100 * node, node, NULL);
        }
    }
    while (world.count > 0) {
        struct happening next = take_soonest(&world);
        world.now_us = next.at_us;
        if (next.message == NULL) {
            take_turn(&world, next.node);
        } else {
            arrive(&world, next.node, next.message);
        }
    }
    world.now_us += 1000000;
    for (unsigned node = 0; node < options->nodes; node++) {
        add_line(&world, node, "stop", NULL, ",\"ordem_local\":%llu",
                 (unsigned long long)sim->stores[node].ordem_local);
        order_free(&world.rules[node]);
    }
    free(world.heap);
}

void sim_read_logs(const struct sim *sim, struct history *history)
{
    struct log_line_reader reader = {0};
    struct log_record record;

    *history = (struct history){0};
    for (uint32_t node = 0; node < sim->options.nodes; node++) {
        for (size_t i = 0; i < sim->logs[node].count; i++) {
            struct line_place place = {.source = node, .number = (uint32_t)i + 1};
            if (log_line_read(&reader, text_of(sim->logs[node].lines[i]), &record) == LOG_LINE_RECORD) {
                history_add(history, &record, place);
            } else {
                history_add_problem(history, HISTORY_NONE, true, "a damaged line");
            }
        }
    }
    log_line_reader_free(&reader);
    history_complete(history);
}

bool sim_stores_equal(struct sim *sim)
{
    struct buffer first = {0};
    struct buffer other = {0};
    bool equal = true;

    kv_store_snapshot(&sim->stores[0], &first);
    for (unsigned node = 1; node < sim->options.nodes; node++) {
        buffer_clear(&other);
        kv_store_snapshot(&sim->stores[node], &other);
        equal = equal && text_equal(buffer_text(&first), buffer_text(&other));
    }
    buffer_free(&first);
    buffer_free(&other);
    return equal;
}

void sim_free(struct sim *sim)
{
    for (unsigned node = 0; node < sim->options.nodes; node++) {
        for (size_t i = 0; i < sim->logs[node].count; i++) {
            free(sim->logs[node].lines[i]);
        }
        free(sim->logs[node].lines);
        kv_store_free(&sim->stores[node]);
    }
}
