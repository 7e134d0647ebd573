#include "common/container_of.h"
#include "common/lab/run_state.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

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
static void record(struct run *run, const struct schedule_event *event)
{
    if (log_begin(&run->log, LOG_INFO, schedule_action_name(event->action))) {
        log_text(&run->log, "target", text_of(event->target));
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

/* ---- what happens to whom ---- */

static int happen_to_member(struct run *run, struct member *member, const struct schedule_event *event,
                            struct error *error)
{
    size_t number = (size_t)(member - run->group.members);

    switch (event->action) {
    case SCHEDULE_KILL:
        member_kill(member);
        if (run->clients_open && number < run->options->nodes && !returns(run, event)) {
            clients_lose(&run->clients, (unsigned)number);
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
    }
    return 0;
}

/* Who was killed must be gone before it can be started again. */
static bool is_possible(struct run *run, const struct member *member, const struct schedule_event *event)
{
    if (event->action != SCHEDULE_RESTART) {
        return true;
    }
    return member != NULL
               ? member->exited
               : run->host->broker.nodes[part_plan_broker(event->target) - 1].state == BROKER_NODE_DOWN;
}

int run_turn_events(struct run *run, uint64_t elapsed_ms, struct error *error)
{
    const struct schedule *schedule = &run->options->schedule;
    int code = 0;

    while (code == 0 && run->events_done < schedule->count) {
        const struct schedule_event *event = &schedule->events[run->events_done];
        struct member *member = group_find(&run->group, event->target);
        if (event->at_ms > elapsed_ms || !is_possible(run, member, event)) {
            break;
        }
        record(run, event);
        code = member != NULL
                   ? happen_to_member(run, member, event, error)
                   : happen_to_broker(&run->host->broker, part_plan_broker(event->target), event, error);
        run->events_done++;
        run->event_ms = elapsed_ms;
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
