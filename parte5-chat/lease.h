/* Who leads, by a lease; see lease.c. The functions are those of bully.h, in the same order. */
#ifndef ORDEM_LEASE_H
#define ORDEM_LEASE_H

#include "parte5-chat/coordination.h"

struct lease_options {
    unsigned self;      /* this server's number */
    uint64_t lease_ms;  /* how long one renewal lasts, by the leader's own clock */
    uint64_t drift_ppm; /* no clock gains or loses more than this, millionths */
};

/* What the volume has been asked for, and has not answered. */
enum lease_question { LEASE_NOTHING, LEASE_READ, LEASE_SWAP };

struct lease {
    struct lease_options options;
    bool leading;
    uint64_t valid_until_ms; /* while leading */

    enum lease_question asked;
    uint64_t asked_ms;  /* when, */
    struct lock wanted; /* and, of LEASE_SWAP, for what */

    bool seen; /* has the file been read? Then what it held, */
    struct lock lock;
    uint64_t seen_ms; /* and when we first heard that it holds this */
};

/* Before the first event. */
void lease_init(struct lease *lease, const struct lease_options *options, uint64_t now_ms);

/* A notice came. What is to be done is added to `out`. */
void lease_hear(struct lease *lease, const struct notice *notice, uint64_t now_ms, struct coordinations *out);

/* Time passed: `now_ms` is milliseconds by a clock that never goes back, nor stands still while this process or this
 * machine is asleep (CLOCK_BOOTTIME). */
void lease_tick(struct lease *lease, uint64_t now_ms, struct coordinations *out);

/* May this server take a write at this moment? */
bool lease_may_serve(const struct lease *lease, uint64_t now_ms);

/* This server is about to stop. */
void lease_leave(struct lease *lease, uint64_t now_ms, struct coordinations *out);

/* For whoever keeps the shared files: a write came that bears `fence`; may it be carried out? `*highest` is the highest
 * that the volume has seen (leader.lock's, or that of a write), and is brought up to date. */
bool lease_admits(int64_t *highest, int64_t fence);

#endif
