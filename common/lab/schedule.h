/* What is to happen to the members of a run while it runs: who is killed or paused when, and started or resumed when.
 * Pure. */
#ifndef ORDEM_SCHEDULE_H
#define ORDEM_SCHEDULE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_EVENTS_MAX 100
#define SCHEDULE_LIMIT_MS   (24 * 3600 * 1000u) /* no time in it is later */
#define SCHEDULE_TARGET_MAX 120

/* In the order in which they happen at one moment: who is to be resumed and paused again is, and so on. */
enum schedule_action {
    SCHEDULE_RESUME,
    SCHEDULE_HEAL,
    SCHEDULE_KILL,
    SCHEDULE_RESTART,
    SCHEDULE_PAUSE,
    SCHEDULE_PARTITION
};

#define SCHEDULE_ACTIONS (SCHEDULE_PARTITION + 1)

struct schedule_event {
    enum schedule_action action;
    char target[SCHEDULE_TARGET_MAX]; /* a member's name; of a partition the names of one side, "a,b" */
    uint32_t at_ms;                   /* since the first command */
    bool open;                        /* a pause or a cut whose end has not been told */
};

/* Zeroed to start with. */
struct schedule {
    struct schedule_event events[SCHEDULE_EVENTS_MAX];
    size_t count;
};

/* "3s", "1.5s" or "500ms", from 0 to SCHEDULE_LIMIT_MS. `option` is named in errors ("restart-after"). ERROR_CONFIG. */
int schedule_read_time(const char *option, const char *text, uint32_t *ms, struct error *error);

/* Adds "node2@5s". ERROR_CONFIG. */
int schedule_add_kill(struct schedule *schedule, const char *text, struct error *error);

/* Adds "node2@2s-4s": paused at the first time, resumed at the second; of "node2@2s" schedule_add_ends tells when.
 * ERROR_CONFIG. */
int schedule_add_pause(struct schedule *schedule, const char *text, struct error *error);

/* Adds "leader,acceptor-1@2s-4s": cut off from all others at the first time, the network whole again at the second;
 * likewise. ERROR_CONFIG. */
int schedule_add_partition(struct schedule *schedule, const char *text, struct error *error);

/* Adds "restart node2@5600ms": one event of any kind. ERROR_CONFIG. */
int schedule_add_event(struct schedule *schedule, const char *text, struct error *error);

/* Everybody who is killed is to be started again so much later. */
int schedule_add_restarts(struct schedule *schedule, uint32_t after_ms, struct error *error);

/* What has no end yet ends so much later; 0: there must be no such thing. ERROR_CONFIG. */
int schedule_add_ends(struct schedule *schedule, uint32_t after_ms, struct error *error);

/* Puts the events into their order, and plays them through: is every target one of the `count` members, and does nobody
 * die twice without being started in between, and so on? ERROR_CONFIG. */
int schedule_complete(struct schedule *schedule, const char *const *members, size_t count,
                      struct error *error);

/* The next name in a list "a,b", of which `*rest` is what follows; false when there is no further one. A name that does
 * not fit is cut. */
bool schedule_next_name(const char **rest, char *name, size_t size);

/* Do both happen to the same: one member, or the network, of which there is one? */
bool schedule_concern_same(const struct schedule_event *a, const struct schedule_event *b);

/* "kill", "restart", "pause", "resume", "partition", "heal". */
const char *schedule_action_name(enum schedule_action action);

#endif
