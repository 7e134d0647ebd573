#include "common/lab/judge.h"

#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *title, *name;
} guarantee_texts[GUARANTEE_COUNT] = {[GUARANTEE_DELIVERY] = {"delivery", "delivery"},
                                      [GUARANTEE_NO_DUPLICATES] = {"no duplicates", "no_duplicates"},
                                      [GUARANTEE_NO_CREATION] = {"no creation", "no_creation"},
                                      [GUARANTEE_FIFO] = {"FIFO per sender", "fifo"},
                                      [GUARANTEE_CAUSAL] = {"causal order", "causal_order"},
                                      [GUARANTEE_TOTAL] = {"total order", "total_order"},
                                      [GUARANTEE_CONVERGENCE] = {"convergence", "convergence"}};

const char *guarantee_title(enum guarantee guarantee)
{
    return guarantee_texts[guarantee].title;
}

const char *guarantee_name(enum guarantee guarantee)
{
    return guarantee_texts[guarantee].name;
}

/* ---- what all checks look at ---- */

/* Who delivered what as the how-many-th command. */
static void line_up_deliveries(struct judging *judging)
{
    const struct history *history = judging->history;

    judging->sequence = memory_new_zeroed(history->process_count, sizeof *judging->sequence);
    judging->sequence_length = memory_new_zeroed(history->process_count, sizeof *judging->sequence_length);
    judging->position = memory_new_zeroed(history->process_count, sizeof *judging->position);
    for (size_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        uint32_t *sequence = memory_new(process->delivery_count * sizeof *sequence);
        uint32_t *position = memory_new_zeroed(history->command_count, sizeof *position);
        uint32_t length = 0;
        for (size_t i = 0; i < process->event_count; i++) {
            const struct event *event = &history->events[process->events[i]];
            if (event->kind == EVENT_DELIVER && position[event->command] == NOT_DELIVERED) {
                sequence[length++] = process->events[i];
                position[event->command] = length;
            }
        }
        judging->sequence[p] = sequence;
        judging->sequence_length[p] = length;
        judging->position[p] = position;
    }
}

/* Without a sender's log nobody can say what it sent, and in which order. */
static void look_for_missing_senders(struct judging *judging)
{
    const struct history *history = judging->history;

    for (size_t c = 0; c < history->command_count; c++) {
        judging->sender_log_missing |= history->commands[c].sender_process == HISTORY_NONE;
    }
}

/* ---- what a doubt does to a verdict ---- */

static bool logs_incomplete(const struct history *history)
{
    for (size_t i = 0; i < history->problem_count; i++) {
        if (history->problems[i].missing_deliveries) {
            return true;
        }
    }
    return false;
}

static bool needs_senders(enum guarantee guarantee)
{
    return guarantee == GUARANTEE_DELIVERY || guarantee == GUARANTEE_NO_CREATION ||
           guarantee == GUARANTEE_FIFO || guarantee == GUARANTEE_CAUSAL;
}

static const char *reason_for_doubt(const struct judging *judging, enum guarantee guarantee)
{
    const struct history *history = judging->history;

    if (judging->judgement->commands == 0) {
        return "no command was sent";
    }
    if (history->process_count < 2 && guarantee >= GUARANTEE_TOTAL) {
        return "one node's log alone: there is nothing to compare it with";
    }
    if (logs_incomplete(history)) {
        return "a log is missing or incomplete, see above";
    }
    if (judging->sender_log_missing && needs_senders(guarantee)) {
        return "a sender's log is not among the files";
    }
    return NULL;
}

/* What is proven stays proven; what only seems to hold is unknown where something could hide its failure. */
static void apply_doubts(struct judging *judging)
{
    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        struct verdict *verdict = &judging->judgement->verdicts[g];
        const char *doubt = reason_for_doubt(judging, g);
        if (verdict->outcome == OUTCOME_HOLDS && doubt != NULL) {
            verdict->outcome = OUTCOME_UNKNOWN;
            buffer_clear(&verdict->finding);
            buffer_add_string(&verdict->finding, doubt);
        }
    }
}

/* ---- the whole ---- */

void judge(const struct history *history, struct judgement *judgement)
{
    struct judging judging = {.history = history, .judgement = judgement};

    *judgement = (struct judgement){.commands = history->command_count};
    for (size_t p = 0; p < history->process_count; p++) {
        judgement->deliveries += history->processes[p].delivery_count;
    }
    line_up_deliveries(&judging);
    look_for_missing_senders(&judging);
    judge_delivery(&judging);
    judge_no_duplicates(&judging);
    judge_no_creation(&judging);
    judge_fifo(&judging);
    judge_causal(&judging);
    judge_total(&judging);
    judge_convergence(&judging);
    apply_doubts(&judging);
    for (size_t p = 0; p < history->process_count; p++) {
        free(judging.sequence[p]);
        free(judging.position[p]);
    }
    free(judging.sequence);
    free(judging.sequence_length);
    free(judging.position);
}

void judgement_free(struct judgement *judgement)
{
    for (size_t g = 0; g < GUARANTEE_COUNT; g++) {
        buffer_free(&judgement->verdicts[g].finding);
        buffer_free(&judgement->verdicts[g].story);
    }
    for (size_t i = 0; i < judgement->difference_count; i++) {
        free(judgement->differences[i].last_set);
    }
    free(judgement->differences);
    free(judgement->replicas);
    *judgement = (struct judgement){0};
}

enum outcome judgement_outcome(const struct judgement *judgement)
{
    enum outcome outcome = OUTCOME_HOLDS;

    for (size_t g = 0; g < GUARANTEE_COUNT; g++) {
        if (judgement->verdicts[g].outcome == OUTCOME_VIOLATED) {
            return OUTCOME_VIOLATED;
        }
        if (judgement->verdicts[g].outcome == OUTCOME_UNKNOWN) {
            outcome = OUTCOME_UNKNOWN;
        }
    }
    return outcome;
}

/* ---- what the checks share ---- */

void verdict_add_evidence(struct verdict *verdict, uint32_t event)
{
    if (verdict->evidence_count < EVIDENCE_MAX) {
        verdict->evidence[verdict->evidence_count++] = event;
    }
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
    } else {
        buffer_add_string(&verdict->story, ": the network lost it, and nothing sent it again");
    }
}

static uint64_t merge(const uint32_t *left, size_t left_count, const uint32_t *right, size_t right_count,
                      uint32_t *out)
{
    uint64_t inversions = 0;
    size_t l = 0;
    size_t r = 0;

    while (l < left_count || r < right_count) {
        bool take_left = r == right_count || (l < left_count && left[l] <= right[r]);
        if (take_left) {
            *out++ = left[l++];
        } else {
            *out++ = right[r++];
            inversions += left_count - l; /* all that is left on the left is greater */
        }
    }
    return inversions;
}

uint64_t count_inversions(uint32_t *values, uint32_t *scratch, size_t count)
{
    uint64_t inversions = 0;

    for (size_t width = 1; width < count; width *= 2) {
        for (size_t start = 0; start + width < count; start += 2 * width) {
            size_t right_count = count - start - width < width ? count - start - width : width;
            inversions += merge(values + start, width, values + start + width, right_count, scratch);
            memcpy(values + start, scratch, (width + right_count) * sizeof *values);
        }
    }
    return inversions;
}
