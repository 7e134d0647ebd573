#include "common/net/runtime.h"

#include "common/clock.h"
#include "common/container_of.h"

#include <signal.h>

static const struct {
    int number;
    const char *name;
} stop_signals[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGHUP, "SIGHUP"}};

#define SIGNAL_COUNT (sizeof stop_signals / sizeof *stop_signals)

static void on_signal(uv_signal_t *handle, int number)
{
    struct runtime *runtime = handle->loop->data;

    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        if (stop_signals[i].number == number) {
            runtime->on_signal(runtime, stop_signals[i].name);
        }
    }
}

static void on_before_wait(uv_prepare_t *handle)
{
    log_flush(container_of(handle, struct runtime, before_wait)->log);
}

static void on_tick(uv_timer_t *handle)
{
    struct runtime *runtime = container_of(handle, struct runtime, tick);
    runtime->on_tick(runtime, clock_monotonic_ms());
}

int runtime_open(struct runtime *runtime, struct log *log, struct error *error)
{
    runtime->log = log;
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write(), not the end of the node */
    int status = uv_loop_init(&runtime->loop);
    if (status != 0) {
        error_set(error, ERROR_PROCESS, "no event loop to be had");
        error_because(error, uv_strerror(status));
        return ERROR_PROCESS;
    }
    runtime->loop.data = runtime;
    uv_prepare_init(&runtime->loop, &runtime->before_wait);
    uv_prepare_start(&runtime->before_wait, on_before_wait);
    uv_timer_init(&runtime->loop, &runtime->tick);
    uv_timer_start(&runtime->tick, on_tick, RUNTIME_TICK_MS, RUNTIME_TICK_MS);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&runtime->loop, &runtime->signals[i]);
        status = uv_signal_start(&runtime->signals[i], on_signal, stop_signals[i].number);
        if (status != 0) {
            error_set(error, ERROR_PROCESS, "no handler for %s", stop_signals[i].name);
            error_because(error, uv_strerror(status));
            return ERROR_PROCESS;
        }
    }
    return 0;
}

void runtime_run(struct runtime *runtime)
{
    uv_run(&runtime->loop, UV_RUN_DEFAULT);
    uv_loop_close(&runtime->loop);
}

void runtime_close(struct runtime *runtime)
{
    uv_close((uv_handle_t *)&runtime->before_wait, NULL);
    uv_close((uv_handle_t *)&runtime->tick, NULL);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&runtime->signals[i], NULL);
    }
}
