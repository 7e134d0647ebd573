/* The processes of a run: started, typed to, watched through their logs, stopped. Nothing that was started outlives
 * the lab: it ends them, and if it dies itself, they see the end of their standard input. */
#ifndef ORDEM_GROUP_H
#define ORDEM_GROUP_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct group;

struct member {
    uv_process_t process;
    uv_pipe_t input; /* its standard input */
    struct group *group;
    char name[32]; /* node1, node2, … */
    char *log_path, *screen_path;
    uint64_t log_bytes; /* as last seen */
    bool started, ready, exited;
    int64_t exit_status;
    int exit_signal;
};

struct group {
    uv_loop_t *loop;
    struct member *members; /* owned */
    size_t count, running;

    void (*on_exit)(struct group *, struct member *); /* a member ended, asked to or not */
};

/* `count` members that are not started yet; their logs go to `directory`. on_exit is set already. */
void group_init(struct group *group, uv_loop_t *loop, size_t count, const char *directory);

/* Starts member `number` (from 0) as `program node` with the settings "NAME=value" on top of this process's own
 * environment; NODE_ID, LOG_FILE, LOG_LEVEL and LOG_FORMAT are set here. The list ends with NULL.
 * Errors: ERROR_PROCESS, ERROR_FILE. */
int group_start(struct group *group, size_t number, const char *program, const char *const *settings,
                struct error *error);

/* Types `length` bytes at the member's prompt; they are copied. */
void group_type(struct group *group, size_t number, const char *bytes, size_t length);

/* Looks at the logs: did one grow since the last look? Also notes who is ready. */
bool group_look(struct group *group);

size_t group_ready_count(const struct group *group);

/* Sends a signal to whoever still runs. */
void group_signal(struct group *group, int number);

/* Frees everything, once nobody runs and the loop has run the close callbacks. */
void group_free(struct group *group);

#endif
