/* What a part's run consists of. */
#ifndef ORDEM_PART_PLAN_H
#define ORDEM_PART_PLAN_H

#include "common/lab/schedule.h"

#include <stdbool.h>
#include <stddef.h>

/* A queue or an exchange on the broker that all members share. */
struct part_queue {
    const char *variable, *standard; /* the setting that names it, and its name without that */
    bool is_exchange;
};

struct part_plan {
    const char *name;                    /* also of its program */
    const char *first_role, *other_role; /* of node1, and of the other nodes */
    const char *coordinator;             /* one more member, and its role; NULL for none */
    const char *first_alias;             /* what node1 may be called, too; NULL for nothing */
    bool has_broker;                     /* else it has multicast, and users type at the nodes' prompts */
    bool first_takes_sets;               /* and no other node does */
    const char *drill_node;              /* whom drills kill: one of many; NULL for nobody */
    const char *drill_coordinator;       /* and the one on whom all depend, after aliases are resolved */
    const char *queue_ending;            /* a node's own queue is called by its name and this */
    struct part_queue queues[4];         /* those that the members share; what is empty is none */
};

/* NULL if there is no such part. */
const struct part_plan *part_plan_find(const char *name);

/* Completes the schedule of a run of so many nodes and brokers: puts "leader" and the like into members' names, and
 * checks it. ERROR_CONFIG. */
int part_plan_complete(const struct part_plan *plan, unsigned nodes, unsigned brokers,
                       struct schedule *schedule, struct error *error);

/* The number (from 1) in a name such as "broker2"; 1 for "broker", 0 if it is another name. */
unsigned part_plan_broker(const char *target);

#endif
