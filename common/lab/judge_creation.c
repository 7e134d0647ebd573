/* No duplicates and no creation: the two that need no order. */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

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
    tell_that(&verdict->story, history, "{1} delivered {2} twice, as its commands {3} and {4}",
              the_process(event->process), the_command(event->command), the_count(event->ordem_local),
              the_count(history->events[second].ordem_local));
    if (fault != NULL) {
        buffer_add_string(&verdict->story, _(": the network, as it was asked to, doubled it"));
        verdict_add_evidence(verdict, fault->event);
    } else {
        buffer_add_string(&verdict->story, _(": nothing remembered that it had been applied"));
    }
}

static void tell_installed_twice(struct verdict *verdict, const struct history *history, uint32_t install,
                                 uint32_t delivery)
{
    const struct event *event = &history->events[delivery];

    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, install);
    verdict_add_evidence(verdict, delivery);
    tell_that(
        &verdict->story, history,
        "{1} delivered {2}, which is number {3}, although it had installed a state that holds everything "
        "up to {4}",
        the_process(event->process), the_command(event->command), the_count(event->seq),
        the_count(history->events[install].seq));
}

struct repeats {
    struct judging *judging;
    struct verdict *verdict;
    uint32_t *first;   /* by command: its delivery in the life that `seen_in` tells */
    uint32_t *seen_in; /* by command: the number of a life, from 1 */
};

/* What was in the installed state counts as delivered, once more if it was so before. */
static void look_through_life(struct repeats *repeats, uint32_t life)
{
    const struct history *history = repeats->judging->history;
    const struct incarnation *incarnation = &history->incarnations[life];
    const struct process *process = &history->processes[incarnation->process];
    uint32_t install = HISTORY_NONE;

    for (size_t i = incarnation->first; i < incarnation->end; i++) {
        uint32_t number = process->events[i];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_RECOVER && event->seq != LOG_RECORD_NO_NUMBER) {
            install = number;
        }
        if (event->kind != EVENT_DELIVER) {
            continue;
        }
        if (repeats->seen_in[event->command] == life + 1) {
            if (repeats->verdict->count++ == 0) {
                tell_duplicate(repeats->verdict, history, repeats->first[event->command], number);
            }
            continue;
        }
        repeats->seen_in[event->command] = life + 1;
        repeats->first[event->command] = number;
        if (install != HISTORY_NONE && event->seq != LOG_RECORD_NO_NUMBER &&
            event->seq <= history->events[install].seq && repeats->verdict->count++ == 0) {
            tell_installed_twice(repeats->verdict, history, install, number);
        }
    }
}

void judge_no_duplicates(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_NO_DUPLICATES];
    struct repeats repeats = {.judging = judging, .verdict = verdict};

    repeats.first = memory_new(history->command_count * sizeof *repeats.first);
    repeats.seen_in = memory_new_zeroed(history->command_count, sizeof *repeats.seen_in);
    for (uint32_t life = 0; life < history->incarnation_count; life++) {
        look_through_life(&repeats, life);
    }
    free(repeats.first);
    free(repeats.seen_in);
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " delivery repeats an earlier one",
                                   "%" PRIu64 " deliveries repeat an earlier one", verdict->count),
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding, _("no command was delivered twice at a node"));
    }
}

/* ---- no creation ---- */

static void tell_contradiction(struct verdict *verdict, const struct history *history,
                               const struct contradiction *contradiction)
{
    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, contradiction->first_event);
    verdict_add_evidence(verdict, contradiction->second_event);
    struct text uuid = names_text(&history->uuids, history->commands[contradiction->command].uuid);
    tell_that(&verdict->story, history,
              "{1} knows command {2} as {3}, {4} as something else: it was altered on the way, or in the log",
              the_process(history->events[contradiction->first_event].process), the_text(uuid),
              the_command(contradiction->command),
              the_process(history->events[contradiction->second_event].process));
}

static void tell_unsent(struct verdict *verdict, const struct judging *judging, uint32_t command)
{
    const struct history *history = judging->history;
    uint32_t delivery = judging->delivered[command];

    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, delivery);
    tell_that(&verdict->story, history, "{1} delivered {2} in the name of {3}, whose log never sent it",
              the_process(history->events[delivery].process), the_command(command),
              the_process(history->commands[command].sender_process));
}

static bool has_crashed(const struct history *history, uint32_t process)
{
    const struct process *log = &history->processes[process];

    for (uint32_t i = 0; i < log->incarnation_count; i++) {
        if (history->incarnations[log->first_incarnation + i].crashed) {
            return true;
        }
    }
    return false;
}

/* Delivered, but in the log of its sender there is no send, and no client asked for it. */
static bool is_unsent(const struct judging *judging, uint32_t number)
{
    const struct history *history = judging->history;
    const struct command_record *command = &history->commands[number];

    return judging->delivered[number] != HISTORY_NONE && command->send_event == HISTORY_NONE &&
           command->operation == HISTORY_NONE && command->sender_process != HISTORY_NONE &&
           !history->processes[command->sender_process].cut;
}

void judge_no_creation(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_NO_CREATION];
    uint64_t untold = 0; /* the sender crashed: perhaps before it could write down the send */

    for (size_t i = 0; i < history->contradiction_count; i++) {
        if (verdict->count++ == 0) {
            tell_contradiction(verdict, history, &history->contradictions[i]);
        }
    }
    for (uint32_t c = 0; c < history->command_count; c++) {
        if (!is_unsent(judging, c)) {
            continue;
        }
        if (has_crashed(history, history->commands[c].sender_process)) {
            untold++;
        } else if (verdict->count++ == 0) {
            tell_unsent(verdict, judging, c);
        }
    }
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " command was delivered unsent or altered",
                                   "%" PRIu64 " commands were delivered unsent or altered", verdict->count),
                          verdict->count);
    } else if (untold > 0) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " command stands in no sender's log: its sender crashed",
                                   "%" PRIu64 " commands stand in no sender's log: their sender crashed",
                                   untold),
                          untold);
    } else {
        buffer_add_string(&verdict->finding, _("every command delivered was sent, and arrived unaltered"));
    }
}
