/* A folder for what nobody needs afterwards. It goes when it is asked to, and also when the lab dies of SIGKILL: a
 * sweeper, a shell that waits for the end of its standard input, outlives the lab by as long as removing it takes. */
#ifndef ORDEM_SCRATCH_H
#define ORDEM_SCRATCH_H

#include "common/error.h"

#include <stdbool.h>
#include <uv.h>

struct scratch {
    char path[3000]; /* absolute */
    uv_process_t sweeper;
    uv_pipe_t hold; /* its standard input */
    bool released, swept;

    void (*on_removed)(struct scratch *); /* all handles are closed, too */
};

/* Makes the folder: `beginning` and six characters that make its name new. on_removed is set already.
 * ERROR_FILE, ERROR_PROCESS. */
int scratch_make(struct scratch *scratch, uv_loop_t *loop, const char *beginning, struct error *error);

/* Removes it and all that is in it; on_removed comes later. */
void scratch_remove(struct scratch *scratch);

#endif
