/* The event loop that every long-running process of the house sits in: libuv's, with the three things that all of
 * them need. Signals ask it to stop, a tick brings time to the rules, and the log is flushed before each wait. */
#ifndef ORDEM_RUNTIME_H
#define ORDEM_RUNTIME_H

#include "common/error.h"
#include "common/log.h"

#include <stdint.h>
#include <uv.h>

#define RUNTIME_TICK_MS 200

struct runtime {
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_prepare_t before_wait;
    uv_timer_t tick;
    struct log *log;

    void (*on_signal)(struct runtime *, const char *name); /* SIGINT, SIGTERM or SIGHUP: time to leave */
    void (*on_tick)(struct runtime *,
                    uint64_t now_ms); /* every RUNTIME_TICK_MS; milliseconds, never going back */
};

/* Sets the loop up; the two callbacks are set already. Ignores SIGPIPE. Errors: ERROR_PROCESS. */
int runtime_open(struct runtime *runtime, struct log *log, struct error *error);

/* Runs until nothing is open any more: after runtime_close, and after the caller closed its own handles. */
void runtime_run(struct runtime *runtime);

/* Closes the runtime's handles. The loop itself is freed when runtime_run has returned. */
void runtime_close(struct runtime *runtime);

#endif
