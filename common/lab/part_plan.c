#include "common/lab/part_plan.h"

#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct part_plan plans[] = {
    {.name = "parte1", .first_role = "node", .other_role = "node", .drill_node = "node2"},
    {.name = "parte2",
     .first_role = "node",
     .other_role = "node",
     .has_broker = true,
     .drill_node = "node2",
     .drill_coordinator = "broker",
     .queue_ending = "",
     .queues = {{"EXCHANGE_NAME", "kv_commands", true}}},
    {.name = "parte3",
     .first_role = "node",
     .other_role = "node",
     .coordinator = "sequencer",
     .has_broker = true,
     .drill_node = "node2",
     .drill_coordinator = "sequencer",
     .queue_ending = "_ordered",
     .queues = {{"TO_SEQ_QUEUE", "kv3_to_sequencer", false},
                {"HISTORY_QUEUE", "kv3_history", false},
                {"ORDERED_EXCHANGE", "kv3_ordered", true},
                {"CONTROL_EXCHANGE", "kv3_control", true}}},
    {.name = "parte4",
     .first_role = "leader",
     .other_role = "follower",
     .first_alias = "leader",
     .has_broker = true,
     .first_takes_sets = true,
     .drill_node = "node2",
     .drill_coordinator = "node1",
     .queue_ending = "_updates",
     .queues = {{"UPDATES_EXCHANGE", "kv4_updates", true}, {"CONTROL_EXCHANGE", "kv4_control", true}}},
};

const struct part_plan *part_plan_find(const char *name)
{
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) {
        if (strcmp(plans[i].name, name) == 0) {
            return &plans[i];
        }
    }
    return NULL;
}

unsigned part_plan_broker(const char *target)
{
    if (strncmp(target, "broker", 6) != 0) {
        return 0;
    }
    return target[6] == '\0' ? 1 : (unsigned)strtoul(target + 6, NULL, 10);
}

static void resolve_aliases(const struct part_plan *plan, unsigned brokers, struct schedule *schedule)
{
    for (size_t i = 0; i < schedule->count; i++) {
        char *target = schedule->events[i].target;
        if (plan->first_alias != NULL && strcmp(target, plan->first_alias) == 0) {
            snprintf(target, SCHEDULE_TARGET_MAX, "node1");
        } else if (brokers > 1 && strcmp(target, "broker") == 0) {
            snprintf(target, SCHEDULE_TARGET_MAX, "broker1");
        }
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

int part_plan_complete(const struct part_plan *plan, unsigned nodes, unsigned brokers,
                       struct schedule *schedule, struct error *error)
{
    size_t count = 0;
    char(*names)[SCHEDULE_TARGET_MAX] = memory_new_zeroed(nodes + brokers + 1, sizeof *names);
    const char **members = memory_new_zeroed(nodes + brokers + 1, sizeof *members);

    for (unsigned i = 1; i <= nodes; i++) {
        snprintf(names[count++], sizeof *names, "node%u", i);
    }
    if (plan->coordinator != NULL) {
        snprintf(names[count++], sizeof *names, "%s", plan->coordinator);
    }
    for (unsigned i = 1; i <= brokers; i++) {
        snprintf(names[count], sizeof *names, "broker%u", i);
        if (brokers == 1) {
            names[count][6] = '\0';
        }
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        members[i] = names[i];
    }
    resolve_aliases(plan, brokers, schedule);
    int code = refuse_foreign_broker(plan, brokers, schedule, error);
    code = code != 0 ? code : schedule_complete(schedule, members, count, error);
    free(members);
    free(names);
    return code;
}
