/* Children that cannot outlive the lab, however it ends: the kernel kills them when it is gone, also when it was killed
 * with SIGKILL and also when they are stopped.
 *
 * Only the process itself can ask the kernel for that, so the lab starts itself a second time in between:
 * `lab guard PID PROGRAM ARGUMENT…` asks, and then becomes PROGRAM under the same process id. */
#ifndef ORDEM_GUARD_H
#define ORDEM_GUARD_H

#include "common/error.h"

#include <stdbool.h>
#include <uv.h>

#define GUARD_WORDS_MAX 12

struct guard {
    uv_process_t process;
    bool running;

    /* It has ended and `process` is closed: it may be started again. `signal` is 0 if it ended by itself. */
    void (*on_end)(struct guard *, int64_t status, int signal);
    int64_t end_status; /* kept from its end until the handle is closed */
    int end_signal;
};

/* Starts a program (a path and its arguments, at most GUARD_WORDS_MAX words with the NULL that ends them) in a session
 * of its own, so that Ctrl-C reaches the lab alone, with the streams and the environment of `options`. on_end is set
 * already. Must be called by the main thread: the kernel watches the thread that started a process.
 * ERROR_PROCESS, and nothing is open then once the loop has turned. */
int guard_start(struct guard *guard, uv_loop_t *loop, const char *const *words, uv_process_options_t options,
                struct error *error);

/* Sends a signal, if it runs. */
void guard_signal(struct guard *guard, int number);

/* What the program does that was started in between; `arguments` stand behind "guard". Returns only when PROGRAM cannot
 * be started, with an exit status. */
int guard_become(int count, char **arguments);

#endif
