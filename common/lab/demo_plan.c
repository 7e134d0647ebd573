#include "common/lab/demo_plan.h"

#include "common/lab/part_plan.h"

#include <stdio.h>
#include <string.h>

/* Runs of each part on a bad network. */
#define FULL_SEEDS  8
#define QUICK_SEEDS 2

/* Drills of each kind, and how much later each kills than the one before it. */
#define FULL_DRILLS   3
#define QUICK_DRILLS  1
#define DRILL_STEP_MS 70

/* A drill: who is killed is away long enough for several commands of each client. Clients ask to be answered after the
 * apply, as else a command that waits in a queue for a dead sequencer would count as done; only SETs, of many keys, so
 * that a replica that came back without what it had is found out; and a good network, so that what is missing is
 * missing because of the kill. */
#define DRILL_RATE       40 /* commands a second of each client */
#define DRILL_KEYS       500
#define DRILL_KILL_MS    500
#define DRILL_AWAY_MS    1200
#define DRILL_END_MS     2100
#define DRILL_IN_FLIGHT  32   /* who is not answered goes on asking */
#define DRILL_TIMEOUT_MS 1000 /* shorter than clients usually wait: the drill waits for the last of them */

/* Two runs tell the price: one at an easy pace for the latency, one at full speed. */
#define PACE_RATE      100
#define PACE_COMMANDS  180
#define SPEED_COMMANDS 6000
#define PRICE_QUIET_MS 200 /* they are measured and not judged: such a silence is their end */

unsigned demo_plan_seeds(const struct demo_options *options)
{
    return options->seeds > 0 ? options->seeds : options->quick ? QUICK_SEEDS : FULL_SEEDS;
}

static int add(const struct demo_options *demo, struct demo_run *run, const char *name, struct demo_run *runs,
               size_t *count, struct error *error)
{
    const struct part_plan *plan = part_plan_find(run->options.part);
    int length = snprintf(run->options.directory, sizeof run->options.directory, "%s/%s-%s",
                          demo->run.directory, run->options.part, name);

    if (length >= (int)sizeof run->options.directory - 100 || *count == DEMO_RUNS_MAX) {
        return error_set(error, ERROR_CONFIG, "--out is too long");
    }
    if (plan->users == USERS_TYPE && run->options.writers > run->options.members[MEMBER_NODE]) {
        run->options.writers = run->options.members[MEMBER_NODE];
    }
    runs[(*count)++] = *run;
    return part_plan_complete(plan, run->options.members, 1, &run->options.schedule, error);
}

static int add_networks(const struct demo_options *demo, struct demo_run run, struct demo_run *runs,
                        size_t *count, struct error *error)
{
    int code = 0;

    for (unsigned i = 0; code == 0 && i < demo_plan_seeds(demo); i++) {
        char name[40];
        run.options.network.seed = demo->run.network.seed + i;
        snprintf(name, sizeof name, "seed%llu", (unsigned long long)run.options.network.seed);
        code = add(demo, &run, name, runs, count, error);
    }
    return code;
}

static void schedule_drill(struct run_options *options, const char *targets, unsigned number)
{
    struct schedule_event kill = {.action = SCHEDULE_KILL, .at_ms = DRILL_KILL_MS + number * DRILL_STEP_MS};

    options->schedule.count = 0;
    while (schedule_next_name(&targets, kill.target, sizeof kill.target)) {
        struct schedule_event restart = kill;
        restart.action = SCHEDULE_RESTART;
        restart.at_ms += DRILL_AWAY_MS;
        options->schedule.events[options->schedule.count++] = kill;
        options->schedule.events[options->schedule.count++] = restart;
    }
}

static int add_drills(const struct demo_options *demo, struct demo_run run, const char *target,
                      const char *name, struct demo_run *runs, size_t *count, struct error *error)
{
    struct run_options *options = &run.options;
    int code = 0;

    options->rate = DRILL_RATE;
    options->operations = options->writers * DRILL_RATE * DRILL_END_MS / 1000;
    options->keys = DRILL_KEYS;
    options->reads = 0;
    options->wait = true;
    options->in_flight = DRILL_IN_FLIGHT;
    options->timeout_ms = DRILL_TIMEOUT_MS;
    run.own_broker = part_plan_broker(target) > 0;
    for (unsigned i = 0; code == 0 && i < (demo->quick ? QUICK_DRILLS : FULL_DRILLS); i++) {
        char numbered[40];
        options->network = (struct fault_settings){.seed = demo->run.network.seed + i};
        schedule_drill(options, target, i);
        snprintf(numbered, sizeof numbered, "%s-seed%llu", name, (unsigned long long)options->network.seed);
        code = add(demo, &run, numbered, runs, count, error);
    }
    return code;
}

static int add_price(const struct demo_options *demo, struct demo_run run, unsigned rate, unsigned commands,
                     const char *name, struct demo_run *runs, size_t *count, struct error *error)
{
    bool bears_others = demo->quick && rate > 0;

    run.options.network = (struct fault_settings){.seed = demo->run.network.seed};
    run.options.rate = rate;
    run.options.operations = commands;
    run.options.reads = 0;
    run.options.wait = true;
    run.options.quiet_ms = PRICE_QUIET_MS;
    run.stage = bears_others ? STAGE_PACED : STAGE_ALONE;
    return add(demo, &run, name, runs, count, error);
}

int demo_plan_part(const struct demo_options *demo, const char *part, size_t row, struct demo_run *runs,
                   size_t *count, struct error *error)
{
    const struct part_plan *plan = part_plan_find(part);
    struct demo_run run = {.options = demo->run, .row = row};
    int code;

    run.options.part = plan->name;
    code = add_networks(demo, run, runs, count, error);
    if (code == 0 && plan->drill_node != NULL) {
        code = add_drills(demo, run, plan->drill_node, "node", runs, count, error);
    }
    if (code == 0 && plan->drill_coordinator != NULL) {
        code = add_drills(demo, run, plan->drill_coordinator, "coordinator", runs, count, error);
    }
    if (code == 0) {
        code = add_price(demo, run, PACE_RATE, PACE_COMMANDS, "pace", runs, count, error);
    }
    return code == 0 ? add_price(demo, run, 0, SPEED_COMMANDS, "speed", runs, count, error) : code;
}
