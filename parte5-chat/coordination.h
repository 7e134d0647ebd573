/* Who may take writes? What the two rules that answer it, bully.c and lease.c, have in common: what they hear, and what
 * they want done. Both have the same functions in the same order, `bully_` here and `lease_` there.
 *
 * Servers go by numbers from 1 to SERVERS_MAX: their ranks where there is a reference server, else their places in
 * the list of servers that all are given. */
#ifndef ORDEM_COORDINATION_H
#define ORDEM_COORDINATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVERS_MAX 63 /* so that a set of servers is one number */
#define NO_SERVER   0

/* A set of servers is the sum of these. */
#define SERVER_BIT(server) (UINT64_C(1) << (server))

/* Epochs: a later reign has a higher one, and no two servers ever have the same. The lease counts them on the volume
 * that all share; servers without such a place each have their own: those that leave their number over, when divided. */
#define EPOCHS_APART (SERVERS_MAX + 1)
#define EPOCH_MAX    (INT64_C(1) << 62) /* what is above was never counted by anybody */

/* May an epoch that somebody claims be true, for who knows of `known`? Epochs that were reached by counting are no more
 * than a million reigns apart; who knows of none yet believes more. What is believed is kept for good: were it EPOCH_MAX,
 * no later reign could begin. */
bool epoch_is_credible(int64_t known, int64_t claimed);

/* Time-outs count only time in which we were awake: from one tick to the next at most this. Who was stopped for a
 * minute has given nobody a minute to answer. */
#define TICK_MAX_MS 100

enum notice_type {
    NOTICE_LIST,        /* from the reference server: who is alive */
    NOTICE_ELECTION,    /* from a weaker server: is anybody stronger there? */
    NOTICE_ELECTION_OK, /* from a stronger one: yes, leave it to me */
    NOTICE_COORDINATOR, /* from a server: I lead */
    NOTICE_DEPOSED,     /* from our own replication: somebody has a higher epoch */
    NOTICE_LOCK, /* from the shared volume: what leader.lock holds now; whether we wrote it or another */
};

/* What leader.lock holds. */
struct lock {
    unsigned owner; /* NO_SERVER: there is no such file yet, or its owner has left */
    int64_t fence;  /* the owner's fencing number; the file's only grows */
    int64_t beat;   /* grows with every renewal: that is how others see it live */
};

struct notice {
    enum notice_type type;
    unsigned from;
    int64_t epoch;    /* of NOTICE_COORDINATOR and NOTICE_DEPOSED */
    uint64_t servers; /* of NOTICE_LIST: a set */
    struct lock lock; /* of NOTICE_LOCK */
};

enum coordination_type {
    COORDINATION_SEND,      /* give `notice` to server `to` */
    COORDINATION_READ_LOCK, /* read leader.lock, and tell what it holds (NOTICE_LOCK) */
    COORDINATION_SWAP_LOCK, /* write `wanted` to it if it still holds `found`, as one step; tell what it holds then */
    COORDINATION_LEAD,      /* take over, with `epoch`, which no other server has or had */
    COORDINATION_STEP_DOWN, /* stop taking writes */
};

struct coordination {
    enum coordination_type type;
    unsigned to;
    struct notice notice;
    struct lock found, wanted;
    int64_t epoch;
};

/* What is to be done, in this order. Zeroed to start with; whoever carries it out sets the count back to 0. */
struct coordinations {
    struct coordination *items; /* owned */
    size_t count, capacity;
};

void coordination_add(struct coordinations *list, const struct coordination *action);
void coordination_free(struct coordinations *list);

#endif
