#include "common/lab/guard.h"

#include "common/container_of.h"
#include "common/words.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_NOT_STARTED 127 /* as a shell says it */

static void on_closed(uv_handle_t *handle)
{
    struct guard *guard = container_of((uv_process_t *)handle, struct guard, process);

    guard->on_end(guard, guard->end_status, guard->end_signal);
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal_number)
{
    struct guard *guard = container_of(process, struct guard, process);

    guard->running = false;
    guard->end_status = status;
    guard->end_signal = signal_number;
    uv_close((uv_handle_t *)process, on_closed);
}

int guard_start(struct guard *guard, uv_loop_t *loop, const char *const *words, uv_process_options_t options,
                struct error *error)
{
    char self[24];
    char *all[GUARD_WORDS_MAX + 3] = {(char *)"lab", (char *)"guard", self};
    size_t count = 3;

    snprintf(self, sizeof self, "%ld", (long)getpid());
    for (; *words != NULL && count < GUARD_WORDS_MAX + 2; words++) {
        all[count++] = (char *)*words;
    }
    options.file = "/proc/self/exe";
    options.args = all;
    options.exit_cb = on_exit_of;
    options.flags |= UV_PROCESS_DETACHED;
    int status = uv_spawn(loop, &guard->process, &options);
    if (status != 0) {
        uv_close((uv_handle_t *)&guard->process, NULL);
        error_set(error, ERROR_PROCESS, "%s cannot be started", all[3]);
        error_because(error, uv_strerror(status));
        return ERROR_PROCESS;
    }
    guard->running = true;
    return 0;
}

void guard_signal(struct guard *guard, int number)
{
    if (guard->running) {
        uv_process_kill(&guard->process, number);
    }
}

int guard_become(int count, char **arguments)
{
    struct error error;

    if (count < 2) {
        fputs(_("lab: guard is for the lab itself\n"), stderr);
        return EXIT_NOT_STARTED;
    }
    /* Whoever started this may have died before it could ask. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != (pid_t)strtol(arguments[0], NULL, 10)) {
        return EXIT_NOT_STARTED;
    }
    execvp(arguments[1], arguments + 1);
    error_set(&error, ERROR_PROCESS, "%s cannot be started", arguments[1]);
    error_because_errno(&error, errno);
    fprintf(stderr, "%s\n", error.words);
    return EXIT_NOT_STARTED;
}
