#include "parte5-chat/process.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "parte5-chat/coordination.h"
#include "parte5-chat/trace.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- leaving ---- */

void process_leave(struct process *process)
{
    if (!process->leaving) {
        process->leaving = true;
        process->on_leave(process);
    }
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct process *process = container_of(runtime, struct process, runtime);

    if (!process->leaving) {
        log_say(&process->log, LOG_INFO, "disconnect", "%s: leaving", name);
    }
    process_leave(process);
}

static void on_socket_closed(struct zmq_socket *socket)
{
    struct process *process = container_of(socket->hub, struct process, hub);

    if (--process->open_sockets == 0) {
        event_discard_summary(&process->log, &process->discards, clock_monotonic_ms(), true);
        if (log_begin(&process->log, LOG_INFO, "stop")) {
            log_end(&process->log);
        }
        uv_close((uv_handle_t *)&process->tick, NULL);
        runtime_close(&process->runtime);
    }
}

static void on_housekeeping(struct runtime *runtime, uint64_t now_ms)
{
    struct process *process = container_of(runtime, struct process, runtime);

    event_discard_summary(&process->log, &process->discards, now_ms, false);
}

static void on_tick(uv_timer_t *timer)
{
    struct process *process = container_of(timer, struct process, tick);

    if (process->on_tick != NULL && !process->leaving) {
        process->on_tick(process, clock_monotonic_ms());
    }
}

_Static_assert(PROCESS_TICK_MS < TICK_MAX_MS, "or the rules take every tick for a sleep");

/* ---- starting ---- */

static int read_id(struct process *process, struct error *error)
{
    if (config_text("NODE_ID", NULL) == NULL) {
        snprintf(process->id, sizeof process->id, "%s",
                 process->standard_id != NULL ? process->standard_id : process->role);
        return 0;
    }
    return config_node_id("NODE_ID", process->id, error);
}

int process_open(struct process *process, struct error *error)
{
    struct log_options log_options;
    int code = read_id(process, error);

    if (code == 0) {
        code = log_options_read(&log_options, process->id, error);
    }
    if (code == 0) {
        log_options.screen = process->quiet ? -1 : log_options.screen;
        code = log_open(&process->log, &log_options, error);
    }
    if (code != 0) {
        return code;
    }
    process->runtime.on_signal = on_signal;
    process->runtime.on_tick = on_housekeeping;
    code = runtime_open(&process->runtime, &process->log, error);
    if (code == 0) {
        uv_timer_init(&process->runtime.loop, &process->tick);
        uv_timer_start(&process->tick, on_tick, PROCESS_TICK_MS, PROCESS_TICK_MS);
        code = zmq_hub_open(&process->hub, &process->runtime.loop, error);
    }
    if (code == 0 && log_begin(&process->log, LOG_INFO, "start")) {
        log_text(&process->log, "part", text_of("parte5"));
        log_text(&process->log, "role", text_of(process->role));
        log_end(&process->log);
    }
    return code;
}

static int open_socket(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                       struct error *error)
{
    socket->on_closed = on_socket_closed;
    int code = zmq_socket_open(socket, &process->hub, options, error);

    process->open_sockets += code == 0;
    return code;
}

int process_listen(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                   const char *variable, uint16_t standard, struct error *error)
{
    char endpoint[ZMQ_ENDPOINT_LENGTH];
    int64_t port;
    int code = config_int(variable, 0, UINT16_MAX, standard, &port, error);

    if (code != 0) {
        return code;
    }
    snprintf(endpoint, sizeof endpoint, port == 0 ? "tcp://%.200s:*" : "tcp://%.200s:%d",
             config_text("BIND_HOST", "*"), (int)port);
    code = open_socket(process, socket, options, error);
    if (code != 0) {
        return code;
    }
    code = zmq_socket_bind(socket, endpoint, error);
    if (code == 0 && log_begin(&process->log, LOG_INFO, "connect")) {
        log_text(&process->log, "socket", text_of(variable));
        log_int(&process->log, "port", zmq_socket_port(socket));
        log_end(&process->log);
    }
    return code;
}

static int open_for(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                    const char *address, char endpoint[PROCESS_ENDPOINT_MAX], struct error *error)
{
    struct target target;
    int code = target_read(&target, address, error);

    if (code != 0) {
        return code;
    }
    snprintf(endpoint, PROCESS_ENDPOINT_MAX, "tcp://%s", target.authority);
    return open_socket(process, socket, options, error);
}

int process_connect_to(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                       const char *address, struct error *error)
{
    char endpoint[PROCESS_ENDPOINT_MAX];
    int code = open_for(process, socket, options, address, endpoint, error);

    return code == 0 ? zmq_socket_connect(socket, endpoint, error) : code;
}

static int blame(const char *variable, int code, const struct error *why, struct error *error)
{
    if (code != 0) {
        error_set(error, code, "%s cannot be used", variable);
        error_because_of(error, why);
    }
    return code;
}

int process_connect(struct process *process, struct zmq_socket *socket, const struct zmq_options *options,
                    const char *variable, const char *standard, struct error *error)
{
    struct error why;
    int code = process_connect_to(process, socket, options, config_text(variable, standard), &why);

    return blame(variable, code, &why, error);
}

int process_open_unconnected(struct process *process, struct zmq_socket *socket,
                             const struct zmq_options *options, const char *variable, const char *standard,
                             char endpoint[PROCESS_ENDPOINT_MAX], struct error *error)
{
    struct error why;
    int code = open_for(process, socket, options, config_text(variable, standard), endpoint, &why);

    return blame(variable, code, &why, error);
}

int process_refuse_start(struct process *process, const struct error *error)
{
    log_flush(&process->log);
    fprintf(stderr, "parte5: %s\n", error->words);
    return EXIT_FAILURE;
}

void process_run(struct process *process)
{
    if (log_begin(&process->log, LOG_INFO, "ready")) {
        log_end(&process->log);
    }
    runtime_run(&process->runtime);
    zmq_hub_close(&process->hub);
    log_close(&process->log);
}

/* ---- messages ---- */

void process_discard(struct process *process, const struct error *error, const char *from)
{
    event_discard(&process->log, &process->discards, error, from, clock_monotonic_ms());
}

void process_stamp(struct process *process, struct chat_message *message)
{
    message->timestamp_ms = (clock_wall_us() + process->ahead_us) / 1000;
    message->clock = lamport_send(&process->clock);
}

void process_follow(struct process *process, const struct chat_message *message, struct text bytes)
{
    int64_t when;

    lamport_follow(&process->clock, message->clock, &when);
    trace_heard(&process->log, message, bytes, when);
}

int process_witness(struct process *process, const struct chat_message *message, struct text bytes,
                    struct error *error)
{
    int64_t when;

    if (!lamport_receive(&process->clock, message->clock, &when)) {
        return error_set(error, ERROR_FIELD_VALUE, "clock: farther ahead than any clock can be");
    }
    trace_heard(&process->log, message, bytes, when);
    return 0;
}
