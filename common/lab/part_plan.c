#include "common/lab/part_plan.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const leased[] = {"COORDINATION=lease", NULL};

static const struct part_plan plans[] = {
    {.name = "parte1", .groups = {{.kind = MEMBER_NODE, .role = "node"}}, .drill_node = "node2"},
    {.name = "parte2",
     .groups = {{.kind = MEMBER_NODE, .role = "node"}},
     .users = USERS_GRPC,
     .has_broker = true,
     .drill_node = "node2",
     .drill_coordinator = "broker",
     .queue_ending = "",
     .queues = {{"EXCHANGE_NAME", "kv_commands", true}}},
    {.name = "parte3",
     .groups = {{.kind = MEMBER_NODE, .role = "node"}, {.kind = MEMBER_SEQUENCER, .role = "sequencer"}},
     .users = USERS_GRPC,
     .has_broker = true,
     .drill_node = "node2",
     .drill_coordinator = "sequencer",
     .agrees = true,
     .queue_ending = "_ordered",
     .queues = {{"TO_SEQ_QUEUE", "kv3_to_sequencer", false},
                {"HISTORY_QUEUE", "kv3_history", false},
                {"ORDERED_EXCHANGE", "kv3_ordered", true},
                {"CONTROL_EXCHANGE", "kv3_control", true}}},
    {.name = "parte4",
     .groups = {{.kind = MEMBER_NODE, .role = "follower", .first_role = "leader"}},
     .users = USERS_GRPC,
     .first_alias = "leader",
     .has_broker = true,
     .first_takes_sets = true,
     .agrees = true,
     .drill_node = "node2",
     .drill_coordinator = "node1",
     .queue_ending = "_updates",
     .queues = {{"UPDATES_EXCHANGE", "kv4_updates", true}, {"CONTROL_EXCHANGE", "kv4_control", true}}},
    {.name = "paxos",
     .groups = {{.kind = MEMBER_PROPOSER, .role = "proposer"},
                {.kind = MEMBER_ACCEPTOR, .role = "acceptor"},
                {.kind = MEMBER_LEARNER, .role = "learner"},
                {.kind = MEMBER_STORE, .role = "store"}},
     .users = USERS_HTTP,
     .asked = MEMBER_PROPOSER,
     .leader_alias = "leader",
     .elects = MEMBER_PROPOSER,
     .applies = MEMBER_LEARNER,
     .agrees = true,
     .hush_ms = 1000, /* PEER_PAUSE_MAX_MS of paxos/peers.h */
     .drill_node = "learner-2,acceptor-2",
     .drill_coordinator = "leader"},
    {.name = "parte5",
     .groups = {{.kind = MEMBER_BROKER, .role = "broker"},
                {.kind = MEMBER_PROXY, .role = "proxy"},
                {.kind = MEMBER_REFERENCE, .role = "reference"},
                {.kind = MEMBER_SERVER, .role = "server"}},
     .users = USERS_ZMQ,
     .asked = MEMBER_BROKER,
     .heard = MEMBER_PROXY,
     .leader_alias = "primary",
     .leader_other = "leader",
     .follower_alias = "backup",
     .elects = MEMBER_SERVER,
     .applies = MEMBER_SERVER,
     .tells_leads = true,
     .agrees = true,
     .pace = {.operations = 600, .rate = 20, .timeout_ms = 20000}, /* ten seconds; longer than a takeover */
     .drill_node = "backup",
     .drill_coordinator = "primary"},
    {.name = "parte5-ha",
     .program = "parte5",
     .groups = {{.kind = MEMBER_BROKER, .role = "broker"},
                {.kind = MEMBER_PROXY, .role = "proxy"},
                {.kind = MEMBER_SERVER, .role = "server"}},
     .users = USERS_ZMQ,
     .asked = MEMBER_BROKER,
     .heard = MEMBER_PROXY,
     .leader_alias = "leader",
     .leader_other = "primary",
     .follower_alias = "backup",
     .elects = MEMBER_SERVER,
     .applies = MEMBER_SERVER,
     .tells_leads = true,
     .shares = MEMBER_SERVER,
     .has_shared = true,
     .settings = leased,
     .pace = {.operations = 600, .rate = 20, .timeout_ms = 20000},
     .drill_node = "backup",
     .drill_coordinator = "leader"},
};

static const struct {
    const char *prefix;      /* of its name */
    bool is_one;             /* there is no other: its name has no number */
    enum member_kind counts; /* there are as many as were asked for of that kind */
    struct member_settings settings;
} kinds[MEMBER_KINDS] = {
    [MEMBER_NODE] = {"node", false, MEMBER_NODE, {.host = "RPC_HOST", .port = "RPC_PORT"}},
    [MEMBER_SEQUENCER] = {.prefix = "sequencer", .is_one = true},
    [MEMBER_PROPOSER] = {"proposer-", false, MEMBER_PROPOSER, {"HOST", "PORT", "PROPOSERS", true}},
    [MEMBER_ACCEPTOR] = {"acceptor-", false, MEMBER_ACCEPTOR, {"HOST", "PORT", "ACCEPTORS", true}},
    [MEMBER_LEARNER] = {"learner-", false, MEMBER_LEARNER, {"HOST", "PORT", "LEARNERS", true}},
    [MEMBER_STORE] = {"store-", false, MEMBER_STORE, {"HOST", "PORT", "STORES", true}},
    [MEMBER_BROKER] = {.prefix = "broker",
                       .is_one = true,
                       .settings = {"BIND_HOST", "CLIENTS_PORT", "BROKER", .inner_port = "SERVERS_PORT",
                                    .only_passes_on = true}},
    [MEMBER_PROXY] = {.prefix = "proxy",
                      .is_one = true,
                      .settings = {"BIND_HOST", "CLIENTS_PORT", "PROXY", .inner_port = "SERVERS_PORT",
                                   .only_passes_on = true}},
    [MEMBER_REFERENCE] = {.prefix = "reference",
                          .is_one = true,
                          .settings = {"BIND_HOST", "REFERENCE_PORT", "REFERENCE"}},
    [MEMBER_SERVER] = {"server",
                       false,
                       MEMBER_NODE,
                       {"BIND_HOST", "SERVER_PORT", "SERVERS", .named = true,
                        .clock_drift = "CLOCK_DRIFT_MS"}},
};

const struct member_settings *part_plan_settings(enum member_kind kind)
{
    return &kinds[kind].settings;
}

const struct part_plan *part_plan_find(const char *name)
{
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        if (strcmp(plans[i].name, name) == 0) {
            return &plans[i];
        }
    }
    return NULL;
}

/* ---- members ---- */

void part_plan_name(enum member_kind kind, unsigned number, char *out, size_t size)
{
    int length = snprintf(out, size, "%s", kinds[kind].prefix);

    if (!kinds[kind].is_one) {
        snprintf(out + length, size - (size_t)length, "%u", number);
    }
}

bool part_plan_member(const struct part_plan *plan, const unsigned counts[MEMBER_KINDS], size_t index,
                      struct part_member *member)
{
    for (const struct part_group *group = plan->groups; group->role != NULL; group++) {
        unsigned count = kinds[group->kind].is_one ? 1 : counts[kinds[group->kind].counts];
        if (index < count) {
            *member =
                (struct part_member){.kind = group->kind, .number = (unsigned)index + 1, .role = group->role};
            if (index == 0 && group->first_role != NULL) {
                member->role = group->first_role;
            }
            part_plan_name(group->kind, member->number, member->name, sizeof member->name);
            return true;
        }
        index -= count;
    }
    return false;
}

size_t part_plan_member_count(const struct part_plan *plan, const unsigned counts[MEMBER_KINDS])
{
    struct part_member member;
    size_t count = 0;

    while (part_plan_member(plan, counts, count, &member)) {
        count++;
    }
    return count;
}

/* ---- schedules ---- */

unsigned part_plan_broker(const char *target)
{
    if (strncmp(target, "broker", 6) != 0) {
        return 0;
    }
    return target[6] == '\0' ? 1 : (unsigned)strtoul(target + 6, NULL, 10);
}

/* What a name stands for, where that is known beforehand. */
static const char *resolve(const struct part_plan *plan, unsigned brokers, const char *name)
{
    if (plan->first_alias != NULL && strcmp(name, plan->first_alias) == 0) {
        return "node1";
    }
    if (plan->leader_other != NULL && strcmp(name, plan->leader_other) == 0) {
        return plan->leader_alias;
    }
    return brokers > 1 && strcmp(name, "broker") == 0 ? "broker1" : name;
}

static void resolve_aliases(const struct part_plan *plan, unsigned brokers, struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++) {
        char resolved[SCHEDULE_TARGET_MAX] = "";
        char name[SCHEDULE_TARGET_MAX];
        const char *rest = schedule->events[i].target;
        size_t length = 0;
        while (length < sizeof resolved && schedule_next_name(&rest, name, sizeof name)) {
            length += (size_t)snprintf(resolved + length, sizeof resolved - length, "%s%s",
                                       length > 0 ? "," : "", resolve(plan, brokers, name));
        }
        memcpy(schedule->events[i].target, resolved, sizeof resolved);
    }
}

/* What others may use, too, is not killed here. */
static int refuse_foreign_broker(const struct part_plan *plan, unsigned brokers,
                                 const struct schedule *schedule, struct error *error)
{
    for (size_t i = 0; plan->has_broker && brokers == 0 && i < schedule->count; i++) {
        if (part_plan_broker(schedule->events[i].target) > 0) {
            return error_set(error, ERROR_CONFIG,
                             "--%s: only a private broker can be, and AMQP_URL names another",
                             schedule_action_name(schedule->events[i].action));
        }
    }
    return 0;
}

/* The first name in the list of one that can be cut off from nobody. */
static bool find_uncut(const struct part_member *members, size_t count, const char *list, char *name)
{
    while (schedule_next_name(&list, name, SCHEDULE_TARGET_MAX)) {
        for (size_t i = 0; i < count; i++) {
            if (strcmp(members[i].name, name) == 0 && part_plan_settings(members[i].kind)->only_passes_on) {
                return true;
            }
        }
    }
    return false;
}

static int refuse_futile_cuts(const struct part_member *members, size_t count,
                              const struct schedule *schedule, struct error *error)
{
    for (size_t i = 0; i < schedule->count; i++) {
        const struct schedule_event *event = &schedule->events[i];
        char name[SCHEDULE_TARGET_MAX];
        if (event->action == SCHEDULE_PARTITION && find_uncut(members, count, event->target, name)) {
            return error_set(error, ERROR_CONFIG,
                             "--%s: %s only passes on what others say: cut those off from each other",
                             schedule_action_name(event->action), name);
        }
    }
    return 0;
}

int part_plan_complete(const struct part_plan *plan, const unsigned counts[MEMBER_KINDS], unsigned brokers,
                       struct schedule *schedule, struct error *error)
{
    size_t count = part_plan_member_count(plan, counts);
    size_t capacity = count + brokers + 2;
    struct part_member *members = memory_new_zeroed(capacity, sizeof *members);
    const char **names = memory_new_zeroed(capacity, sizeof *names);

    for (size_t i = 0; i < count; i++) {
        part_plan_member(plan, counts, i, &members[i]);
    }
    for (unsigned i = 1; i <= brokers; i++) {
        members[count].kind = MEMBER_BROKER; /* RabbitMQ's */
        snprintf(members[count++].name, sizeof members->name, brokers > 1 ? "broker%u" : "broker", i);
    }
    if (plan->leader_alias != NULL) {
        snprintf(members[count++].name, sizeof members->name, "%s", plan->leader_alias);
    }
    if (plan->follower_alias != NULL) {
        snprintf(members[count++].name, sizeof members->name, "%s", plan->follower_alias);
    }
    for (size_t i = 0; i < count; i++) {
        names[i] = members[i].name;
    }
    resolve_aliases(plan, brokers, schedule);
    int code = refuse_foreign_broker(plan, brokers, schedule, error);
    code = code != 0 ? code : schedule_complete(schedule, names, count, error);
    code = code != 0 ? code : refuse_futile_cuts(members, count, schedule, error);
    free(names);
    free(members);
    return code;
}
