#include "common/container_of.h"
#include "common/lab/run_state.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LATE_MS 30000 /* that an event can be late: until somebody leads, or is gone who was killed */

int run_open_events(struct run *run, struct error *error)
{
    const struct log_options options = {.node = "lab",
                                        .level = LOG_DEBUG,
                                        .screen = -1,
                                        .file = run->log_path};

    if (run->options->schedule.count == 0) {
        return 0;
    }
    snprintf(run->log_path, sizeof run->log_path, "%s/lab.jsonl", run->options->directory);
    int code = log_open(&run->log, &options, error);
    run->has_log = code == 0;
    return code;
}

void run_close_events(struct run *run)
{
    if (run->has_log) {
        log_close(&run->log);
    }
}

/* Before it happens: nothing that it causes is older. */
static void record(struct run *run, const struct schedule_event *event, const char *target)
{
    if (log_begin(&run->log, LOG_INFO, schedule_action_name(event->action))) {
        log_text(&run->log, "target", text_of(target));
        log_end(&run->log);
        log_flush(&run->log);
    }
}

static bool returns(const struct run *run, const struct schedule_event *killed)
{
    const struct schedule *schedule = &run->options->schedule;

    for (size_t i = (size_t)(killed - schedule->events) + 1; i < schedule->count; i++) {
        if (schedule->events[i].action == SCHEDULE_RESTART &&
            strcmp(schedule->events[i].target, killed->target) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- whom a name means ---- */

/* `alias` may be NULL, which nothing is called. */
static bool names(const struct schedule_event *event, const char *alias)
{
    char name[SCHEDULE_TARGET_MAX];
    const char *rest = event->target;
    bool found = false;

    while (alias != NULL && schedule_next_name(&rest, name, sizeof name)) {
        found |= strcmp(name, alias) == 0;
    }
    return found;
}

/* Who is to be started again, resumed or healed is whoever was killed, paused or cut off under that name. */
static bool begins_anew(enum schedule_action action)
{
    return action == SCHEDULE_KILL || action == SCHEDULE_PAUSE || action == SCHEDULE_PARTITION;
}

/* Finds out who leads, and who does not, if that matters to what is to happen. False while it is not known. */
static bool find_names(struct run *run, const struct schedule_event *event)
{
    bool of_leader = begins_anew(event->action) && names(event, run->plan->leader_alias);
    bool of_follower = begins_anew(event->action) && names(event, run->plan->follower_alias);

    if (of_leader) {
        run->leaders[event->action] = run_find_leader(run);
    }
    if (of_follower) {
        run->followers[event->action] = run_find_follower(run);
    }
    return (!of_leader || run->leaders[event->action] != NULL) &&
           (!of_follower || run->followers[event->action] != NULL);
}

static const char *own_name(const struct run *run, enum schedule_action beginning, const char *name)
{
    const struct part_plan *plan = run->plan;

    if (run->leaders[beginning] != NULL && strcmp(name, plan->leader_alias) == 0) {
        return run->leaders[beginning];
    }
    return run->followers[beginning] != NULL && strcmp(name, plan->follower_alias) == 0
               ? run->followers[beginning]
               : name;
}

/* The event's target with the leader's own name in it, or the follower's. */
static void resolve(const struct run *run, const struct schedule_event *event,
                    char target[SCHEDULE_TARGET_MAX])
{
    static const enum schedule_action beginnings[] = {
        [SCHEDULE_RESUME] = SCHEDULE_PAUSE, [SCHEDULE_HEAL] = SCHEDULE_PARTITION,
        [SCHEDULE_KILL] = SCHEDULE_KILL,    [SCHEDULE_RESTART] = SCHEDULE_KILL,
        [SCHEDULE_PAUSE] = SCHEDULE_PAUSE,  [SCHEDULE_PARTITION] = SCHEDULE_PARTITION};
    char name[SCHEDULE_TARGET_MAX];
    const char *rest = event->target;
    size_t length = 0;

    target[0] = '\0';
    while (length < SCHEDULE_TARGET_MAX && schedule_next_name(&rest, name, sizeof name)) {
        length += (size_t)snprintf(target + length, SCHEDULE_TARGET_MAX - length, "%s%s",
                                   length > 0 ? "," : "", own_name(run, beginnings[event->action], name));
    }
}

/* ---- what happens to whom ---- */

static int happen_to_member(struct run *run, struct member *member, const struct schedule_event *event,
                            struct error *error)
{
    switch (event->action) {
    case SCHEDULE_KILL:
        member_kill(member);
        if (run->clients_open && member->kind == run->plan->asked && !returns(run, event)) {
            clients_lose(&run->clients, member->number - 1);
        }
        return 0;
    case SCHEDULE_RESTART:
        return member_restart(member, error);
    case SCHEDULE_PAUSE:
        guard_signal(&member->guard, SIGSTOP);
        return 0;
    case SCHEDULE_RESUME:
        guard_signal(&member->guard, SIGCONT);
        return 0;
    case SCHEDULE_PARTITION:
    case SCHEDULE_HEAL:
        break;
    }
    return 0;
}

static int happen_to_broker(struct broker *broker, unsigned number, const struct schedule_event *event,
                            struct error *error)
{
    switch (event->action) {
    case SCHEDULE_KILL:
        return broker_kill(broker, number, error);
    case SCHEDULE_RESTART:
        return broker_restart(broker, number, error);
    case SCHEDULE_PAUSE:
        return broker_pause(broker, number, error);
    case SCHEDULE_RESUME:
        return broker_resume(broker, number, error);
    case SCHEDULE_PARTITION:
    case SCHEDULE_HEAL:
        break;
    }
    return 0;
}

static int happen(struct run *run, const struct schedule_event *event, const char *target,
                  struct error *error)
{
    struct member *member = group_find(&run->group, target);

    if (event->action == SCHEDULE_PARTITION) {
        return run_part_network(run, target, error);
    }
    if (event->action == SCHEDULE_HEAL) {
        return run_heal_network(run, error);
    }
    return member != NULL ? happen_to_member(run, member, event, error)
                          : happen_to_broker(&run->host->broker, part_plan_broker(target), event, error);
}

/* ---- when ---- */

/* Who was killed must be gone before it can be started again. */
static bool is_possible(struct run *run, const struct schedule_event *event, const char *target)
{
    const struct member *member = group_find(&run->group, target);

    if (event->action != SCHEDULE_RESTART) {
        return true;
    }
    return member != NULL ? member->exited || !member->killed
                          : run->host->broker.nodes[part_plan_broker(target) - 1].state == BROKER_NODE_DOWN;
}

/* Whoever was killed as the leader may have been meant by its own name, too: nobody dies twice, and who runs is not
 * started. */
static bool is_moot(struct run *run, const struct schedule_event *event, const char *target)
{
    const struct member *member = group_find(&run->group, target);

    return member != NULL && ((event->action == SCHEDULE_KILL && member->killed) ||
                              (event->action == SCHEDULE_RESTART && !member->killed));
}

/* What happens to one target happens in its order. */
static bool waits_for_another(const struct run *run, size_t number)
{
    const struct schedule *schedule = &run->options->schedule;

    for (size_t i = 0; i < number; i++) {
        if (!run->happened[i] && schedule_concern_same(&schedule->events[i], &schedule->events[number])) {
            return true;
        }
    }
    return false;
}

/* False if it must wait. */
static bool try_event(struct run *run, size_t number, int *code, struct error *error)
{
    const struct schedule_event *event = &run->options->schedule.events[number];
    char target[SCHEDULE_TARGET_MAX];

    if (waits_for_another(run, number) || !find_names(run, event)) {
        return false;
    }
    resolve(run, event, target);
    if (!is_possible(run, event, target)) {
        return false;
    }
    if (!is_moot(run, event, target)) {
        record(run, event, target);
        *code = happen(run, event, target, error);
    }
    return true;
}

static uint64_t due_ms(const struct run *run, size_t number)
{
    return run->options->schedule.events[number].at_ms + run->late_ms[number];
}

/* It has happened, perhaps late. What follows for its target is as much later: who is paused, dead or cut off is for as
 * long as was planned. */
static void tick_off(struct run *run, size_t number, uint64_t elapsed_ms)
{
    const struct schedule *schedule = &run->options->schedule;
    uint64_t late_ms = elapsed_ms - due_ms(run, number);

    for (size_t i = number + 1; i < schedule->count; i++) {
        if (schedule_concern_same(&schedule->events[i], &schedule->events[number])) {
            run->late_ms[i] += late_ms;
        }
    }
    run->happened[number] = true;
    run->events_done++;
    run->event_ms = elapsed_ms;
}

/* An event that must wait, as nobody leads, does not hold up the others: perhaps they let somebody lead. */
int run_turn_events(struct run *run, uint64_t elapsed_ms, struct error *error)
{
    const struct schedule *schedule = &run->options->schedule;
    int code = 0;

    for (size_t i = 0; code == 0 && i < schedule->count; i++) {
        if (run->happened[i] || due_ms(run, i) > elapsed_ms) {
            continue;
        }
        if (try_event(run, i, &code, error)) {
            tick_off(run, i, elapsed_ms);
        } else if (elapsed_ms > due_ms(run, i) + LATE_MS) {
            code = error_set(error, ERROR_PROCESS, "%s of %s, planned at %u ms, could not be done for %d s",
                             schedule_action_name(schedule->events[i].action), schedule->events[i].target,
                             schedule->events[i].at_ms, LATE_MS / 1000);
        }
    }
    return code;
}

bool run_events_are_over(const struct run *run)
{
    if (run->events_done < run->options->schedule.count) {
        return false;
    }
    for (size_t i = 0; i < run->group.count; i++) {
        const struct member *member = &run->group.members[i];
        if (!member->killed && !member->ready) {
            return false;
        }
    }
    for (unsigned i = 0; run->host->has_broker && i < run->host->broker.count; i++) {
        if (run->host->broker.nodes[i].state == BROKER_NODE_STARTING) {
            return false;
        }
    }
    return true;
}

bool run_broker_is_lost(const struct run *run)
{
    return run->host->has_broker && run->plan->has_broker && broker_up_count(&run->host->broker) == 0;
}
