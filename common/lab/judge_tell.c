/* The sentences of a counterexample, and the lines that go with them. */
#include "common/lab/judge_parts.h"

#include <inttypes.h>

void verdict_add_evidence(struct verdict *verdict, uint32_t event)
{
    for (size_t i = 0; i < verdict->evidence_count; i++) {
        if (verdict->evidence[i] == event) {
            return;
        }
    }
    if (verdict->evidence_count < EVIDENCE_MAX) {
        verdict->evidence[verdict->evidence_count++] = event;
    }
}

void tell_order_at(struct verdict *verdict, const struct judging *judging, const struct life *life,
                   uint32_t earlier, uint32_t later)
{
    tell_that(&verdict->story, judging->history, "{1} delivered {2} before {3}",
              the_process(life->incarnation->process), the_command(earlier), the_command(later));
    verdict_add_evidence(verdict, life_event(life, life_position(life, earlier)));
    verdict_add_evidence(verdict, life_event(life, life_position(life, later)));
}

void tell_overtaking(struct verdict *verdict, const struct history *history, uint32_t process,
                     uint32_t overtaken)
{
    const struct fault_record *fault = history_find_fault(history, process, overtaken, "delay");

    if (fault != NULL) {
        tell_that(&verdict->story, history,
                  ": the network, as it was asked to, held {1} back for {2} ms on its way to {3}",
                  the_command(overtaken), the_count(fault->delay_ms), the_process(process));
        verdict_add_evidence(verdict, fault->event);
    } else {
        buffer_add_string(&verdict->story,
                          _(": the network brought them in that order, and no rule put them right"));
    }
}

void tell_loss(struct verdict *verdict, const struct history *history, uint32_t process, uint32_t command)
{
    const struct process *at = &history->processes[process];
    const struct fault_record *fault = history_find_fault(history, process, command, "loss");

    if (fault == NULL) {
        fault = history_find_fault(history, process, command, "partition");
    }
    if (fault != NULL) {
        bool lost = text_equal(names_text(&history->texts, fault->name), text_of("loss"));
        buffer_add_string(&verdict->story, lost ? _(": the network, as it was asked to, lost it on its way")
                                                : _(": a partition, which was asked for, cut the two off"));
        verdict_add_evidence(verdict, fault->event);
    } else if (at->dropped > 0) {
        buffer_add_format(&verdict->story,
                          ngettext(": its kernel dropped %" PRIu64 " datagram that came faster than the node "
                                   "took them",
                                   ": its kernel dropped %" PRIu64
                                   " datagrams that came faster than the node "
                                   "took them",
                                   at->dropped),
                          at->dropped);
    } else if (text_equal(names_text(&history->texts, at->part), text_of("parte1"))) {
        buffer_add_string(&verdict->story, _(": the network lost it, and nothing sent it again"));
    } else {
        buffer_add_string(&verdict->story, _(": it was lost on its way, and nothing brought it again"));
    }
}

/* The line by which the lab started the process again, HISTORY_NONE if it did not. */
static uint32_t restart_after(const struct history *history, uint32_t process, int64_t after_us)
{
    for (size_t i = 0; i < history->intervention_count; i++) {
        const struct intervention *intervention = &history->interventions[i];
        const struct event *event = &history->events[intervention->event];
        if (intervention->process == process && event->kind == EVENT_RESTART && event->wall_us >= after_us) {
            return intervention->event;
        }
    }
    return HISTORY_NONE;
}

void tell_crash(struct verdict *verdict, const struct history *history, const struct incarnation *incarnation)
{
    static const char *const ends[][2] = {{N_("{1} was killed"), N_("{1} was killed and started again")},
                                          {N_("{1} left"), N_("{1} left and started again")},
                                          {N_("{1} crashed"), N_("{1} crashed and started again")}};
    const struct process *process = &history->processes[incarnation->process];
    bool killed = incarnation->kill_event != HISTORY_NONE;
    bool again = incarnation->end < process->event_count;
    int how = killed ? 0 : incarnation->left ? 1 : 2;

    tell_that(&verdict->story, history, ends[how][again], the_process(incarnation->process));
    verdict_add_evidence(verdict, killed ? incarnation->kill_event : process->events[incarnation->end - 1]);
    if (again) {
        uint32_t restart = restart_after(history, incarnation->process, incarnation->crashed_us);
        if (restart != HISTORY_NONE && killed) {
            verdict_add_evidence(verdict, restart);
        }
        verdict_add_evidence(verdict, process->events[incarnation->end]);
    }
}
