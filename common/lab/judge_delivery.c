/* Delivery, no duplicates, no creation: the three that need no order. */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

/* A command that was sent less than this before a log ends may still have been on its way: nothing follows. */
#define ON_ITS_WAY_US 300000

/* ---- delivery ---- */

/* Correct in the textbooks' sense: it started once, and did not crash. */
static bool is_correct(const struct process *process)
{
    return process->starts == 1 && process->ready && !process->cut;
}

enum duty { DUTY_NONE, DUTY_UNCLEAR, DUTY_DELIVER };

/* Had `process` to deliver a command sent at `sent_us`? Not one from before it joined; unclear near its end. */
static enum duty duty_of(const struct process *process, int64_t sent_us)
{
    int64_t end_us = process->stopped ? process->stopped_us : process->last_us;

    if (sent_us < process->ready_us || sent_us > end_us) {
        return process->stopped || sent_us < process->ready_us ? DUTY_NONE : DUTY_UNCLEAR;
    }
    return sent_us + ON_ITS_WAY_US > end_us ? DUTY_UNCLEAR : DUTY_DELIVER;
}

/* The line that stands against the promise: the process's last, with all it delivered. */
static uint32_t last_event(const struct process *process)
{
    return process->events[process->event_count - 1];
}

void judge_delivery(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_DELIVERY];
    uint64_t due = 0;
    uint64_t unclear = 0;

    for (uint32_t c = 0; c < history->command_count; c++) {
        const struct command_record *command = &history->commands[c];
        if (command->send_event == HISTORY_NONE) {
            continue;
        }
        for (uint32_t p = 0; p < history->process_count; p++) {
            const struct process *process = &history->processes[p];
            bool delivered = judging->position[p][c] != NOT_DELIVERED;
            enum duty duty = is_correct(process)
                                 ? duty_of(process, history->events[command->send_event].wall_us)
                                 : DUTY_NONE;
            due += delivered || duty == DUTY_DELIVER;
            unclear += !delivered && duty == DUTY_UNCLEAR;
            if (delivered || duty != DUTY_DELIVER || verdict->count++ > 0) {
                continue;
            }
            verdict->outcome = OUTCOME_VIOLATED;
            verdict_add_evidence(verdict, command->send_event);
            tell_process(&verdict->story, history, p);
            buffer_add_string(&verdict->story, " never delivered ");
            tell_command(&verdict->story, history, c);
            buffer_add_string(&verdict->story, ", which ");
            tell_process(&verdict->story, history, history->events[command->send_event].process);
            buffer_add_string(&verdict->story, " sent");
            tell_loss(verdict, history, p, c);
            verdict_add_evidence(verdict, last_event(process));
        }
    }
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding, "%" PRIu64 " of %" PRIu64 " deliveries are missing",
                          verdict->count, due);
    } else if (unclear > 0) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_format(&verdict->finding,
                          "%" PRIu64 " deliveries are missing where the log ends too early to tell", unclear);
    } else {
        buffer_add_format(&verdict->finding, "all %" PRIu64 " deliveries happened", due);
    }
}

/* ---- no duplicates ---- */

static void tell_duplicate(struct verdict *verdict, const struct history *history, uint32_t first,
                           uint32_t second)
{
    const struct event *event = &history->events[first];
    const struct fault_record *fault =
        history_find_fault(history, event->process, event->command, "duplicate");

    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, first);
    verdict_add_evidence(verdict, second);
    tell_process(&verdict->story, history, event->process);
    buffer_add_string(&verdict->story, " delivered ");
    tell_command(&verdict->story, history, event->command);
    buffer_add_format(&verdict->story, " twice, as its commands %" PRId64 " and %" PRId64, event->ordem_local,
                      history->events[second].ordem_local);
    if (fault != NULL) {
        buffer_add_string(&verdict->story, ": the network, as it was asked to, doubled it");
        verdict_add_evidence(verdict, fault->event);
    } else {
        buffer_add_string(&verdict->story, ": nothing remembered that it had been applied");
    }
}

void judge_no_duplicates(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_NO_DUPLICATES];
    uint32_t *first = memory_new(history->command_count * sizeof *first);
    uint32_t *seen_in = memory_new_zeroed(history->command_count, sizeof *seen_in);
    uint32_t life = 0; /* from one start of one process to the next */

    for (size_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        life++;
        for (size_t i = 0; i < process->event_count; i++) {
            uint32_t number = process->events[i];
            const struct event *event = &history->events[number];
            if (event->kind ==
                EVENT_START) { /* its store is empty again: what comes now comes to a new one */
                life++;
            } else if (event->kind == EVENT_DELIVER && seen_in[event->command] != life) {
                seen_in[event->command] = life;
                first[event->command] = number;
            } else if (event->kind == EVENT_DELIVER && verdict->count++ == 0) {
                tell_duplicate(verdict, history, first[event->command], number);
            }
        }
    }
    free(seen_in);
    free(first);
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding, "%" PRIu64 " deliveries repeat an earlier one", verdict->count);
    } else {
        buffer_add_string(&verdict->finding, "no command was delivered twice at a node");
    }
}

/* ---- no creation ---- */

static void tell_contradiction(struct verdict *verdict, const struct history *history,
                               const struct contradiction *contradiction)
{
    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, contradiction->first_event);
    verdict_add_evidence(verdict, contradiction->second_event);
    tell_process(&verdict->story, history, history->events[contradiction->first_event].process);
    buffer_add_string(&verdict->story, " knows command ");
    struct text uuid = names_text(&history->uuids, history->commands[contradiction->command].uuid);
    buffer_add(&verdict->story, uuid.bytes, uuid.length);
    buffer_add_string(&verdict->story, " as ");
    tell_command(&verdict->story, history, contradiction->command);
    buffer_add_string(&verdict->story, ", ");
    tell_process(&verdict->story, history, history->events[contradiction->second_event].process);
    buffer_add_string(&verdict->story, " as something else: it was altered on the way, or in the log");
}

static void tell_unsent(struct verdict *verdict, const struct history *history, uint32_t command)
{
    const struct command_record *record = &history->commands[command];

    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, record->first_event);
    tell_process(&verdict->story, history, history->events[record->first_event].process);
    buffer_add_string(&verdict->story, " delivered ");
    tell_command(&verdict->story, history, command);
    buffer_add_string(&verdict->story, " in the name of ");
    tell_process(&verdict->story, history, record->sender_process);
    buffer_add_string(&verdict->story, ", whose log never sent it");
}

void judge_no_creation(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_NO_CREATION];

    for (size_t i = 0; i < history->contradiction_count; i++) {
        if (verdict->count++ == 0) {
            tell_contradiction(verdict, history, &history->contradictions[i]);
        }
    }
    for (uint32_t c = 0; c < history->command_count; c++) {
        const struct command_record *command = &history->commands[c];
        bool unsent = command->send_event == HISTORY_NONE && command->sender_process != HISTORY_NONE &&
                      !history->processes[command->sender_process].cut;
        if (unsent && verdict->count++ == 0) {
            tell_unsent(verdict, history, c);
        }
    }
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding, "%" PRIu64 " commands were delivered unsent or altered",
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding, "every command delivered was sent, and arrived unaltered");
    }
}
