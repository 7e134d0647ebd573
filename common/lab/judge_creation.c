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

static void tell_installed_twice(struct verdict *verdict, const struct history *history, uint32_t install,
                                 uint32_t delivery)
{
    const struct event *event = &history->events[delivery];

    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, install);
    verdict_add_evidence(verdict, delivery);
    tell_process(&verdict->story, history, event->process);
    buffer_add_string(&verdict->story, " delivered ");
    tell_command(&verdict->story, history, event->command);
    buffer_add_format(&verdict->story,
                      ", which is number %" PRId64
                      ", although it had installed a state that holds everything up to %" PRId64,
                      event->seq, history->events[install].seq);
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

static void tell_unsent(struct verdict *verdict, const struct judging *judging, uint32_t command)
{
    const struct history *history = judging->history;
    uint32_t delivery = judging->delivered[command];

    verdict->outcome = OUTCOME_VIOLATED;
    verdict_add_evidence(verdict, delivery);
    tell_process(&verdict->story, history, history->events[delivery].process);
    buffer_add_string(&verdict->story, " delivered ");
    tell_command(&verdict->story, history, command);
    buffer_add_string(&verdict->story, " in the name of ");
    tell_process(&verdict->story, history, history->commands[command].sender_process);
    buffer_add_string(&verdict->story, ", whose log never sent it");
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
        buffer_add_format(&verdict->finding, "%" PRIu64 " commands were delivered unsent or altered",
                          verdict->count);
    } else if (untold > 0) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_format(&verdict->finding,
                          "%" PRIu64 " commands stand in no sender's log: their sender crashed", untold);
    } else {
        buffer_add_string(&verdict->finding, "every command delivered was sent, and arrived unaltered");
    }
}
