/* What a part's run consists of. */
#ifndef ORDEM_PART_PLAN_H
#define ORDEM_PART_PLAN_H

#include "common/lab/schedule.h"

#include <stdbool.h>
#include <stddef.h>

/* What processes there can be in a run; a part has some of these kinds. */
enum member_kind {
    MEMBER_NODE,      /* node1, node2, … */
    MEMBER_SEQUENCER, /* sequencer */
    MEMBER_PROPOSER,  /* proposer-1, proposer-2, … and so on */
    MEMBER_ACCEPTOR,
    MEMBER_LEARNER,
    MEMBER_STORE,
    MEMBER_BROKER, /* of the chat: broker, proxy, reference, server1, server2, … */
    MEMBER_PROXY,
    MEMBER_REFERENCE,
    MEMBER_SERVER,
    MEMBER_KINDS
};

/* How users give their commands to a part. */
enum part_users {
    USERS_TYPE, /* at the nodes' prompts */
    USERS_GRPC, /* as clients of a node */
    USERS_HTTP, /* as clients of whichever member answers */
    USERS_ZMQ   /* as clients of a broker, behind which somebody answers; and they hear what is published */
};

/* A queue or an exchange on the broker that all members share. */
struct part_queue {
    const char *variable, *standard; /* the setting that names it, and its name without that */
    bool is_exchange;
};

/* The members of one kind, and the program's first argument for them. */
struct part_group {
    enum member_kind kind;
    const char *role;       /* NULL behind the last group */
    const char *first_role; /* of the first one, where that is another; else NULL */
};

struct part_plan {
    const char *name;
    const char *program; /* NULL: by the same name */
    struct part_group groups[5];
    enum part_users users;
    enum member_kind asked;   /* whom the users ask, */
    enum member_kind heard;   /* and USERS_ZMQ hear */
    enum member_kind elects;  /* one of these leads, if anybody does */
    enum member_kind applies; /* each of these does what users ask for, and so is a replica */
    enum member_kind shares;  /* if has_shared: those of this kind have one folder for what they keep */
    bool has_shared;
    bool tells_leads;      /* in its log, who leads: there is nobody to be asked */
    bool agrees;           /* in the end its replicas are equally far, whatever happened to them */
    bool has_broker;       /* else its members find each other without one */
    bool first_takes_sets; /* and no other node does */
    unsigned
        hush_ms; /* who was away may not be called again for so long: until then it has nothing to tell */
    struct pace {
        unsigned operations, rate;
        uint32_t timeout_ms;
    } pace;                     /* of the users, unless they ask for another; 0: that of all parts */
    const char *first_alias;    /* what node1 may be called, too; NULL for nothing */
    const char *leader_alias;   /* whoever leads at that moment may be called that; NULL: nobody is elected */
    const char *leader_other;   /* and that; NULL for nothing */
    const char *follower_alias; /* the first of them who does not; NULL for nobody */
    const char *const *settings; /* what all members are told, too: "NAME=value", …, NULL; or NULL */
    const char *drill_node; /* whom drills kill: one of many, or several at once, "a,b"; NULL for nobody */
    const char *drill_coordinator; /* and the one on whom all depend, after aliases are resolved */
    const char *queue_ending;      /* a node's own queue is called by its name and this */
    struct part_queue queues[4];   /* those that the members share; what is empty is none */
};

/* One process of a run. */
struct part_member {
    enum member_kind kind;
    unsigned number; /* among its kind, from 1 */
    char name[32];
    const char *role; /* static */
};

/* What members of one kind are told in their environment. */
struct member_settings {
    const char *host, *port; /* the variables that say where it serves; NULL where it does not */
    const char
        *addresses;   /* the variable in which all members find where those of this kind are; else NULL */
    bool numbered_id; /* NODE_ID is its number, else its name */
    const char *inner_port;  /* serves the other members elsewhere than the users: that variable; else NULL */
    const char *clock_drift; /* the variable that makes its clock wrong by so many milliseconds; else NULL */
    bool named;              /* each of `addresses` has its name before it: "server1=127.0.0.1:5560" */
    bool only_passes_on;     /* what others say to each other: faults are between those */
};

/* NULL if there is no such part. */
const struct part_plan *part_plan_find(const char *name);

/* Member `index` (from 0) of a run with so many members of each kind; false when there is no further one. */
bool part_plan_member(const struct part_plan *plan, const unsigned counts[MEMBER_KINDS], size_t index,
                      struct part_member *member);
size_t part_plan_member_count(const struct part_plan *plan, const unsigned counts[MEMBER_KINDS]);

/* "node2", "acceptor-1": what such a member is called. */
void part_plan_name(enum member_kind kind, unsigned number, char *out, size_t size);

const struct member_settings *part_plan_settings(enum member_kind kind);

/* Completes the schedule of a run of so many members and brokers: puts "leader" and the like into members' names, where
 * that is known beforehand, and checks it. ERROR_CONFIG. */
int part_plan_complete(const struct part_plan *plan, const unsigned counts[MEMBER_KINDS], unsigned brokers,
                       struct schedule *schedule, struct error *error);

/* The number (from 1) in a name such as "broker2"; 1 for "broker", 0 if it is another name. */
unsigned part_plan_broker(const char *target);

#endif
