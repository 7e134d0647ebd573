/* Physical time; see berkeley.c. */
#ifndef ORDEM_BERKELEY_H
#define ORDEM_BERKELEY_H

#include "parte5-chat/coordination.h"

#define BERKELEY_MESSAGES 10 /* a round begins with every so many */

struct berkeley_options {
    unsigned self;
    uint64_t rtt_max_ms;   /* an answer that takes longer says too little; not below 1 */
    int64_t spread_max_ms; /* clocks that are this near to each other may be averaged */
};

/* A clock's error, as the coordinator sees it. */
struct berkeley_clock {
    unsigned server;
    int64_t ahead_ms; /* of the coordinator's */
};

/* What the coordinator keeps. */
struct berkeley {
    struct berkeley_options options;
    unsigned messages; /* since the last round began */
    int64_t epoch;     /* the coordinator's reign: rounds of different reigns differ */
    int64_t round;
    bool polling;
    int64_t asked_ms; /* when, by the coordinator's corrected clock */
    uint64_t awaited; /* a set: who has not answered yet */
    uint64_t rtt_ms;  /* the longest round trip of this round that counts */
    struct berkeley_clock clocks[SERVERS_MAX + 1];
    unsigned count;
};

/* What every server keeps, the coordinator too: its own clock's correction, and which round may change it. */
struct berkeley_member {
    int64_t correction_ms; /* to be added to what the machine's clock says */
    int64_t epoch, round;  /* in which it last told its time; 0: no round may change it */
};

/* What the coordinator found out: to each of these servers goes its own correction. */
struct berkeley_corrections {
    struct berkeley_clock by[SERVERS_MAX + 1]; /* `ahead_ms` is what to add to that server's clock */
    unsigned count;
    unsigned outliers; /* so many clocks were corrected, but had no say */
    int64_t skew_ms;   /* between the first and the last of all clocks, before */
    uint64_t rtt_ms;   /* the longest round trip: how well the clocks were read; see berkeley_bound_ms */
};

/* `epoch`: of the coordinator that this server has become. */
void berkeley_init(struct berkeley *berkeley, const struct berkeley_options *options, int64_t epoch);

/* The coordinator handled a message. True if a round is to begin: berkeley_poll. */
bool berkeley_count(struct berkeley *berkeley);

/* A round begins at `now_ms` by the coordinator's corrected clock: each of `servers` (a set) is to be asked for its
 * time, in round `berkeley->round`. Whoever did not answer in the last one has no say in it. */
void berkeley_poll(struct berkeley *berkeley, uint64_t servers, int64_t now_ms);

/* A server says that its corrected clock shows `time_ms`, as answer in that round. */
void berkeley_hear(struct berkeley *berkeley, unsigned server, int64_t round, int64_t time_ms,
                   int64_t now_ms);

/* Is the round over: has everybody answered, or the time for it passed? Then what came out; once. */
bool berkeley_finish(struct berkeley *berkeley, int64_t now_ms, struct berkeley_corrections *out);

/* A coordinator asks this server for its time; it answers with its corrected clock. */
void berkeley_asked(struct berkeley_member *member, int64_t epoch, int64_t round);

/* The correction of that round came. False if it is not the one that its clock was told for: then nothing changed. */
bool berkeley_correct(struct berkeley_member *member, int64_t epoch, int64_t round, int64_t add_ms);

/* How far the corrected clocks of two servers may be apart, so many milliseconds after a round corrected both: its longest
 * round trip was `rtt_ms`, and no clock runs faster or slower than that. */
int64_t berkeley_bound_ms(uint64_t rtt_ms, uint64_t drift_ppm, uint64_t since_ms);

#endif
