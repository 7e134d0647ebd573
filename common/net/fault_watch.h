/* Which bad network was asked for: what the environment says (NET_…), and on top of it what NET_FAULTS_FILE holds, which
 * is read anew whenever it changes. Each change is a `fault` event in the log. */
#ifndef ORDEM_FAULT_WATCH_H
#define ORDEM_FAULT_WATCH_H

#include "common/error.h"
#include "common/faults.h"
#include "common/log.h"
#include "common/net/file_watch.h"

#include <stdbool.h>
#include <uv.h>

struct fault_watch {
    struct fault_settings settings; /* that hold now */
    bool active;                    /* can anything happen to a message at all? */

    void (*on_change)(struct fault_watch *); /* also from within fault_watch_open */

    /* What follows is the implementation's. */

    struct fault_settings from_environment; /* what holds where the file is silent */
    struct log *log;
    const char *file; /* NET_FAULTS_FILE, or NULL; not owned */
    struct file_watch file_watch;
};

/* Reads the variables and starts watching the file. on_change is set already. ERROR_CONFIG. */
int fault_watch_open(struct fault_watch *watch, uv_loop_t *loop, struct log *log, struct error *error);

/* The handle may be freed once the loop has run its close callback. */
void fault_watch_close(struct fault_watch *watch);

#endif
