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
    tell_process(&verdict->story, judging->history, life->incarnation->process);
    buffer_add_string(&verdict->story, " delivered ");
    tell_command(&verdict->story, judging->history, earlier);
    buffer_add_string(&verdict->story, " before ");
    tell_command(&verdict->story, judging->history, later);
    verdict_add_evidence(verdict, life_event(life, life_position(life, earlier)));
    verdict_add_evidence(verdict, life_event(life, life_position(life, later)));
}

void tell_overtaking(struct verdict *verdict, const struct history *history, uint32_t process,
                     uint32_t overtaken)
{
    const struct fault_record *fault = history_find_fault(history, process, overtaken, "delay");

    if (fault != NULL) {
        buffer_add_string(&verdict->story, ": the network, as it was asked to, held ");
        tell_command(&verdict->story, history, overtaken);
        buffer_add_format(&verdict->story, " back for %" PRId64 " ms on its way to ", fault->delay_ms);
        tell_process(&verdict->story, history, process);
        verdict_add_evidence(verdict, fault->event);
    } else {
        buffer_add_string(&verdict->story,
                          ": the network brought them in that order, and no rule put them right");
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
        buffer_add_string(&verdict->story, lost ? ": the network, as it was asked to, lost it on its way"
                                                : ": a partition, which was asked for, cut the two off");
        verdict_add_evidence(verdict, fault->event);
    } else if (at->dropped > 0) {
        buffer_add_format(&verdict->story,
                          ": its kernel dropped %" PRIu64
                          " datagrams that came faster than the node took them",
                          at->dropped);
    } else if (text_equal(names_text(&history->texts, at->part), text_of("parte1"))) {
        buffer_add_string(&verdict->story, ": the network lost it, and nothing sent it again");
    } else {
        buffer_add_string(&verdict->story, ": it was lost on its way, and nothing brought it again");
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
    const struct process *process = &history->processes[incarnation->process];

    tell_process(&verdict->story, history, incarnation->process);
    if (incarnation->kill_event != HISTORY_NONE) {
        buffer_add_string(&verdict->story, " was killed");
        verdict_add_evidence(verdict, incarnation->kill_event);
    } else {
        buffer_add_string(&verdict->story, incarnation->left ? " left" : " crashed");
        verdict_add_evidence(verdict, process->events[incarnation->end - 1]);
    }
    if (incarnation->end < process->event_count) {
        uint32_t restart = restart_after(history, incarnation->process, incarnation->crashed_us);
        buffer_add_string(&verdict->story, " and started again");
        if (restart != HISTORY_NONE && incarnation->kill_event != HISTORY_NONE) {
            verdict_add_evidence(verdict, restart);
        }
        verdict_add_evidence(verdict, process->events[incarnation->end]);
    }
}
