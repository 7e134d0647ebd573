/* Who leads, by election; see bully.c. The functions are those of lease.h, in the same order. */
#ifndef ORDEM_BULLY_H
#define ORDEM_BULLY_H

#include "parte5-chat/coordination.h"

struct bully_options {
    unsigned self;       /* this server's rank */
    uint64_t servers;    /* all that there are: a set, with this one */
    uint64_t timeout_ms; /* so long may the reference server, or a leader, be silent */
    uint64_t answer_ms;  /* so long may a live server take to answer; below timeout_ms */
    int64_t epoch;       /* the highest that is known from an earlier life; 0 for none */
};

struct bully {
    struct bully_options options;
    bool leading;
    int64_t epoch; /* the highest heard of */
    uint64_t last_tick_ms;

    uint64_t alive; /* as the reference server said last, */
    uint64_t reference_quiet_ms;

    unsigned coordinator; /* who said last that it leads; NO_SERVER before the first */
    uint64_t coordinator_quiet_ms;

    bool electing, answered; /* have we asked whether a stronger one is there? Did one say so? */
    uint64_t electing_ms;
};

/* Before the first event. */
void bully_init(struct bully *bully, const struct bully_options *options, uint64_t now_ms);

/* A notice came. What is to be done is added to `out`. */
void bully_hear(struct bully *bully, const struct notice *notice, uint64_t now_ms, struct coordinations *out);

/* Time passed: `now_ms` is milliseconds since some moment, and never goes back. */
void bully_tick(struct bully *bully, uint64_t now_ms, struct coordinations *out);

/* May this server take a write at this moment? */
bool bully_may_serve(const struct bully *bully, uint64_t now_ms);

/* This server is about to stop. */
void bully_leave(struct bully *bully, uint64_t now_ms, struct coordinations *out);

#endif
