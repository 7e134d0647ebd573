/* How large a cluster, and what is under way in it, may be: every number that comes from outside is held against these
 * before anything is stored under it. */
#ifndef ORDEM_PAXOS_LIMITS_H
#define ORDEM_PAXOS_LIMITS_H

#include <stdint.h>

#define PAXOS_MEMBERS_MAX  31    /* of one role: a set of them is the bits of a uint32_t */
#define PAXOS_WINDOW       1024  /* instances that a leader has under way at a time */
#define PAXOS_BATCH        256   /* commands in one instance */
#define PAXOS_QUEUE_MAX    65536 /* commands that wait at a leader */
#define PAXOS_QUEUE_BYTES  (64 * 1024 * 1024)
#define PAXOS_COMMAND_MAX  (256 * 1024)       /* bytes of a command */
#define PAXOS_BATCH_BYTES  (256 * 1024)       /* of a batch, and of an Accept beyond its first instance */
#define PAXOS_KEPT_MAX     1048576            /* instances that an acceptor or a learner holds at a time */
#define PAXOS_KEPT_BYTES   (48 * 1024 * 1024) /* that these have: all of them go into one Promise */
#define PAXOS_FETCH_MAX    256                /* instances in one answer to who fetches what it missed */
#define PAXOS_INSTANCE_MAX (UINT64_C(1) << 53)

/* A set of members, each of them at most once, however often it answers. */
static inline unsigned members_count(uint32_t set)
{
    return (unsigned)__builtin_popcount(set);
}

static inline uint32_t members_bit(uint32_t member)
{
    return UINT32_C(1) << member;
}

/* Any two majorities share a member: all of Paxos rests on it. */
static inline unsigned members_majority(unsigned members)
{
    return members / 2 + 1;
}

#endif
