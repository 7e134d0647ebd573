#include "common/lab/scratch.h"

#include "common/container_of.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Processes that are just being killed may still write there, so that one attempt may not be enough. */
static const char sweep[] = "trap '' HUP INT TERM; read -r _; n=0\n"
                            "until rm -rf -- \"$1\" || [ $n -ge 100 ]; do n=$((n + 1)); sleep 0.1; done";

static void on_closed(uv_handle_t *handle)
{
    struct scratch *scratch = container_of((uv_process_t *)handle, struct scratch, sweeper);

    scratch->on_removed(scratch);
}

/* Two things must have happened, in either order: the sweeper may have been killed by somebody before it was asked. */
static void close_when_both(struct scratch *scratch)
{
    if (scratch->released && scratch->swept) {
        uv_close((uv_handle_t *)&scratch->sweeper, on_closed);
    }
}

static void on_released(uv_handle_t *handle)
{
    struct scratch *scratch = container_of((uv_pipe_t *)handle, struct scratch, hold);

    scratch->released = true;
    close_when_both(scratch);
}

static void on_swept(uv_process_t *process, int64_t status, int signal_number)
{
    struct scratch *scratch = container_of(process, struct scratch, sweeper);

    (void)status;
    (void)signal_number;
    scratch->swept = true;
    close_when_both(scratch);
}

int scratch_make(struct scratch *scratch, uv_loop_t *loop, const char *beginning, struct error *error)
{
    char made[sizeof scratch->path];
    char *words[] = {(char *)"sh", (char *)"-c", (char *)sweep, (char *)"sweeper", scratch->path, NULL};
    uv_stdio_container_t streams[3] = {{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE,
                                        .data.stream = (uv_stream_t *)&scratch->hold},
                                       {.flags = UV_IGNORE},
                                       {.flags = UV_IGNORE}};
    const uv_process_options_t options = {.file = "/bin/sh",
                                          .args = words,
                                          .stdio = streams,
                                          .stdio_count = 3,
                                          .exit_cb = on_swept,
                                          .flags = UV_PROCESS_DETACHED};

    int length = snprintf(made, sizeof made, "%sXXXXXX", beginning);
    if ((size_t)length >= sizeof made) {
        return error_set(error, ERROR_FILE, "the name of the scratch folder is too long");
    }
    if (mkdtemp(made) == NULL) {
        error_set(error, ERROR_FILE, "%.200s", made);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    char *absolute = realpath(made, NULL);
    if (absolute == NULL || strlen(absolute) >= sizeof scratch->path) {
        error_set(error, ERROR_FILE, "%.200s", made);
        error_because_errno(error, absolute == NULL ? errno : ENAMETOOLONG);
        free(absolute);
        rmdir(made);
        return ERROR_FILE;
    }
    memcpy(scratch->path, absolute, strlen(absolute) + 1);
    free(absolute);
    scratch->released = scratch->swept = false;
    uv_pipe_init(loop, &scratch->hold, 0);
    int status = uv_spawn(loop, &scratch->sweeper, &options);
    if (status != 0) {
        rmdir(scratch->path);
        uv_close((uv_handle_t *)&scratch->hold, NULL);
        uv_close((uv_handle_t *)&scratch->sweeper, NULL);
        error_set(error, ERROR_PROCESS, "/bin/sh cannot be started");
        error_because(error, uv_strerror(status));
        return ERROR_PROCESS;
    }
    return 0;
}

void scratch_remove(struct scratch *scratch)
{
    uv_close((uv_handle_t *)&scratch->hold, on_released);
}
