/* The processes of a run: started, typed to, killed and started again, watched through their logs, stopped. Nothing
 * that was started outlives the lab: see common/lab/guard.h. */
#ifndef ORDEM_GROUP_H
#define ORDEM_GROUP_H

#include "common/error.h"
#include "common/lab/environment.h"
#include "common/lab/guard.h"
#include "common/lab/part_plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct group;

struct member {
    struct guard guard;
    uv_pipe_t input; /* its standard input */
    struct group *group;
    char name[32];                  /* node1, node2, …, sequencer, acceptor-1, … */
    enum member_kind kind;          /* what it is, */
    unsigned number;                /* and the how-manieth of them, from 1 */
    const char *role;               /* its program's first argument; static */
    struct environment environment; /* complete once it is started */
    size_t own_settings;            /* how many of them are not inherited */
    char *log_path, *screen_path;   /* owned */
    uint64_t log_bytes;             /* as last seen */
    uint64_t looked_to;             /* how far its log was searched for the ready of its latest start */
    bool started, ready, exited;    /* of its latest start */
    uint64_t read_to;               /* how far its log was read for what follows; see group_watch.c */
    int64_t seq, epoch;             /* how far it is; where nothing is numbered, by its own count, */
    int64_t reign;                  /* the epoch in which it leads; 0: it does not, */
    unsigned sends;                 /* and how many commands it sent */
    bool killed;                    /* on purpose: its end is no surprise */
    int64_t exit_status;
    int exit_signal;
};

struct group {
    uv_loop_t *loop;
    char *program;          /* owned */
    struct member *members; /* owned */
    size_t count, running;
    bool reads_on; /* logs tell who leads, and how far they are */

    void (*on_exit)(struct group *, struct member *); /* a member ended, asked to or not */
};

/* A group of up to `capacity` members that all run `program`. on_exit is set already. */
void group_init(struct group *group, uv_loop_t *loop, size_t capacity, const char *program);

/* Adds a member, not started yet, whose logs go to `directory`. NODE_ID, LOG_FILE, LOG_LEVEL and LOG_FORMAT are in its
 * environment already; the caller completes that. */
struct member *group_add(struct group *group, const struct part_member *what, const char *directory);

/* Starts it, with an empty log. ERROR_PROCESS, ERROR_FILE. */
int member_start(struct member *member, struct error *error);

/* Starts one that has ended, in the same way; its log goes on. ERROR_PROCESS, ERROR_FILE. */
int member_restart(struct member *member, struct error *error);

/* SIGKILL. */
void member_kill(struct member *member);

/* The member of that name, NULL if there is none. */
struct member *group_find(struct group *group, const char *name);

/* Types `length` bytes at the member's prompt; they are copied. */
void group_type(struct group *group, size_t number, const char *bytes, size_t length);

/* Looks at the logs, and notes who is ready. */
void group_look(struct group *group);

/* The same: does anybody tell of something new, since the last look? Faults that were injected are nothing new: processes
 * that elect one of them always talk to each other, and a bad network goes on with what it does to that. */
bool group_is_busy(struct group *group);

size_t group_ready_count(const struct group *group);

/* ---- group_watch.c: by what their logs tell, as far as they were read ---- */

/* Reads what is new in its log: done at each look where `reads_on` is set. */
void member_read_on(struct member *member);
void group_read_on(struct group *group);

/* The member of that kind that leads, of two that say so the later one; NULL if none does. */
const struct member *group_leader(const struct group *group, enum member_kind kind);

/* The first that does not, while one leads; NULL if there is none. */
const struct member *group_follower(const struct group *group, enum member_kind kind);

/* Are all of that kind equally far, but those that were killed, in the same epoch too if that matters? */
bool group_agrees(const struct group *group, enum member_kind kind, bool in_epoch);

/* How far the last of them is, but those that were killed; INT64_MAX if there is none. */
int64_t group_last_seq(const struct group *group, enum member_kind kind);

/* Is anybody in the middle of something: kept from its processor, by a disk or by a signal? */
bool group_is_held_up(const struct group *group);

/* ---- stopping ---- */

/* Sends a signal to whoever still runs. */
void group_signal(struct group *group, int number);

/* Frees everything, once nobody runs and the loop has run the close callbacks. */
void group_free(struct group *group);

#endif
