#include "common/lab/broker.h"

#include "common/container_of.h"
#include "common/lab/broker_files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define START_LIMIT_MS 120000 /* a node that does not answer by then never will */

/* ---- ends ---- */

static void fail(struct broker *broker, const struct error *error)
{
    if (!broker->failed && !broker->stopping) {
        broker->failed = true;
        broker->on_failed(broker, error);
    }
}

/* Something that stopping waits for has been closed. */
static void on_one_closed(struct broker *broker)
{
    if (--broker->open == 0) {
        ports_release(&broker->ports);
        scratch_remove(&broker->scratch);
    }
}

static void on_removed(struct scratch *scratch)
{
    struct broker *broker = container_of(scratch, struct broker, scratch);

    if (broker->on_stopped != NULL) {
        broker->on_stopped(broker);
    }
}

static void on_process_end(struct guard *guard, int64_t status, int signal_number)
{
    struct broker_node *node = container_of(guard, struct broker_node, guard);
    struct broker *broker = node->broker;
    enum broker_node_state state = node->state;

    node->state = BROKER_NODE_DOWN;
    uv_timer_stop(&node->deadline);
    if (broker->stopping) {
        on_one_closed(broker);
        return;
    }
    amqp_probe_stop(&node->probe);
    if (state == BROKER_NODE_ENDING) {
        if (broker->on_down != NULL) {
            broker->on_down(broker, node);
        }
        return;
    }
    struct error error;
    if (signal_number != 0) {
        error_set(&error, ERROR_PROCESS, "RabbitMQ (node %u) was ended unasked, by signal %d", node->number,
                  signal_number);
    } else if (state == BROKER_NODE_STARTING) {
        error_set(&error, ERROR_PROCESS, "RabbitMQ (node %u) ended before it answered (status %" PRId64 ")",
                  node->number, status);
    } else {
        error_set(&error, ERROR_PROCESS, "RabbitMQ (node %u) ended unasked (status %" PRId64 ")",
                  node->number, status);
    }
    fail(broker, &error);
}

static void on_deadline(uv_timer_t *timer)
{
    struct broker_node *node = container_of(timer, struct broker_node, deadline);
    struct error error;

    error_set(&error, ERROR_PROCESS, "RabbitMQ (node %u) did not answer within %d s", node->number,
              START_LIMIT_MS / 1000);
    fail(node->broker, &error);
}

static void on_probe_closed(struct amqp_probe *probe)
{
    on_one_closed(container_of(probe, struct broker_node, probe)->broker);
}

static void on_deadline_closed(uv_handle_t *handle)
{
    on_one_closed(container_of((uv_timer_t *)handle, struct broker_node, deadline)->broker);
}

/* ---- starts ---- */

static int start_node(struct broker_node *node, struct error *error)
{
    struct broker *broker = node->broker;
    const char *words[] = {broker->program, NULL};
    struct environment environment = {0};
    char path[4096];

    broker_files_path(node, "output", path, sizeof path);
    int output = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) {
        error_set(error, ERROR_FILE, "%.200s", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    uv_stdio_container_t streams[3] = {{.flags = UV_IGNORE},
                                       {.flags = UV_INHERIT_FD, .data.fd = output},
                                       {.flags = UV_INHERIT_FD, .data.fd = output}};
    broker_files_environment(node, &environment);
    uv_process_options_t options = {.env = environment.variables,
                                    .cwd = broker->scratch.path, /* where it leaves what it dumps */
                                    .stdio = streams,
                                    .stdio_count = 3};
    int code = guard_start(&node->guard, broker->loop, words, options, error);
    environment_free(&environment);
    close(output);
    if (code == 0) {
        node->state = BROKER_NODE_STARTING;
        node->started = true;
        uv_timer_start(&node->deadline, on_deadline, START_LIMIT_MS, 0);
        amqp_probe_start(&node->probe);
    }
    return code;
}

/* Those that join the first, once that is up. */
static void start_others(struct broker *broker)
{
    for (unsigned i = 1; i < broker->count; i++) {
        struct error error;
        if (!broker->nodes[i].started && start_node(&broker->nodes[i], &error) != 0) {
            fail(broker, &error);
            return;
        }
    }
}

static void on_answer(struct amqp_probe *probe)
{
    struct broker_node *node = container_of(probe, struct broker_node, probe);
    struct broker *broker = node->broker;

    node->state = BROKER_NODE_UP;
    uv_timer_stop(&node->deadline);
    start_others(broker);
    if (broker->failed) {
        return;
    }
    if (broker->on_up != NULL) {
        broker->on_up(broker, node);
    }
    if (!broker->ready && broker_up_count(broker) == broker->count) {
        broker->ready = true;
        broker->on_ready(broker);
    }
}

static void open_nodes(struct broker *broker)
{
    size_t length = 0;

    for (unsigned i = 0; i < broker->count; i++) {
        struct broker_node *node = &broker->nodes[i];
        *node = (struct broker_node){.broker = broker,
                                     .number = i + 1,
                                     .port = (uint16_t)(broker->ports.first + i)};
        node->guard.on_end = on_process_end;
        node->probe.on_answer = on_answer;
        node->probe.on_closed = on_probe_closed;
        amqp_probe_init(&node->probe, broker->loop, node->port);
        uv_timer_init(broker->loop, &node->deadline);
        broker->open += 2;
        length += (size_t)snprintf(broker->url + length, sizeof broker->url - length,
                                   "%samqp://guest:guest@127.0.0.1:%u", i > 0 ? "," : "", node->port);
    }
}

int broker_start(struct broker *broker, uv_loop_t *loop, const char *beginning, unsigned nodes,
                 struct error *error)
{
    int code = broker_find_program(broker->program, sizeof broker->program, error);

    broker->loop = loop;
    broker->count = nodes;
    broker->open = 0;
    broker->ready = broker->failed = broker->stopping = false;
    broker->scratch.on_removed = on_removed;
    broker->ports = (struct ports){0};
    if (code == 0) {
        code = scratch_make(&broker->scratch, loop, beginning, error);
    }
    if (code != 0) {
        return code;
    }
    code = ports_hold(&broker->ports, nodes + 1, nodes, error);
    broker->erlang_port = (uint16_t)(broker->ports.first + nodes);
    open_nodes(broker);
    if (code == 0) {
        code = broker_files_write(broker, error);
    }
    if (code == 0) {
        code = start_node(&broker->nodes[0], error);
    }
    if (code != 0) {
        broker->on_stopped = NULL;
        broker_stop(broker);
    }
    return code;
}

/* ---- while it runs ---- */

static struct broker_node *find_running(struct broker *broker, unsigned number, struct error *error)
{
    struct broker_node *node = number >= 1 && number <= broker->count ? &broker->nodes[number - 1] : NULL;

    if (node == NULL || node->state == BROKER_NODE_DOWN || node->state == BROKER_NODE_ENDING) {
        error_set(error, ERROR_PROCESS, "RabbitMQ has no node %u that runs", number);
        return NULL;
    }
    return node;
}

int broker_kill(struct broker *broker, unsigned number, struct error *error)
{
    struct broker_node *node = find_running(broker, number, error);

    if (node == NULL) {
        return ERROR_PROCESS;
    }
    node->state = BROKER_NODE_ENDING;
    amqp_probe_stop(&node->probe);
    guard_signal(&node->guard, SIGKILL);
    return 0;
}

int broker_restart(struct broker *broker, unsigned number, struct error *error)
{
    if (number < 1 || number > broker->count || broker->nodes[number - 1].state != BROKER_NODE_DOWN) {
        return error_set(error, ERROR_PROCESS, "RabbitMQ has no node %u that is down", number);
    }
    return start_node(&broker->nodes[number - 1], error);
}

static int signal_node(struct broker *broker, unsigned number, int signal_number, struct error *error)
{
    struct broker_node *node = find_running(broker, number, error);

    if (node == NULL) {
        return ERROR_PROCESS;
    }
    guard_signal(&node->guard, signal_number);
    return 0;
}

int broker_pause(struct broker *broker, unsigned number, struct error *error)
{
    return signal_node(broker, number, SIGSTOP, error);
}

int broker_resume(struct broker *broker, unsigned number, struct error *error)
{
    return signal_node(broker, number, SIGCONT, error);
}

unsigned broker_up_count(const struct broker *broker)
{
    unsigned count = 0;

    for (unsigned i = 0; i < broker->count; i++) {
        count += broker->nodes[i].state == BROKER_NODE_UP;
    }
    return count;
}

void broker_stop(struct broker *broker)
{
    if (broker->stopping) {
        return;
    }
    broker->stopping = true;
    for (unsigned i = 0; i < broker->count; i++) {
        struct broker_node *node = &broker->nodes[i];
        if (node->state != BROKER_NODE_DOWN) {
            broker->open++;
            guard_signal(&node->guard, SIGKILL);
        }
        amqp_probe_close(&node->probe);
        uv_close((uv_handle_t *)&node->deadline, on_deadline_closed);
    }
}
