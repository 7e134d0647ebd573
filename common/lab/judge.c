#include "common/lab/judge.h"

#include "common/lab/judge_parts.h"

#include <stdlib.h>

static const struct {
    const char *title, *name;
} guarantee_texts[GUARANTEE_COUNT] = {[GUARANTEE_DELIVERY] = {N_("delivery"), "delivery"},
                                      [GUARANTEE_NO_DUPLICATES] = {N_("no duplicates"), "no_duplicates"},
                                      [GUARANTEE_NO_CREATION] = {N_("no creation"), "no_creation"},
                                      [GUARANTEE_FIFO] = {N_("FIFO per sender"), "fifo"},
                                      [GUARANTEE_CAUSAL] = {N_("causal order"), "causal_order"},
                                      [GUARANTEE_TOTAL] = {N_("total order"), "total_order"},
                                      [GUARANTEE_CONVERGENCE] = {N_("convergence"), "convergence"},
                                      [GUARANTEE_GAP_FREE] = {N_("gap-free seq"), "gap_free_seq"},
                                      [GUARANTEE_LINEARIZABLE] = {N_("linearizable reads"),
                                                                  "linearizable_reads"},
                                      [GUARANTEE_KEPT] = {N_("nothing acknowledged lost"), "kept"},
                                      [GUARANTEE_EQUAL] = {N_("identical data"), "identical_data"},
                                      [GUARANTEE_ONCE] = {N_("no duplicate after a retry"), "once"},
                                      [GUARANTEE_IN_ORDER] = {N_("senders heard in order"), "in_order"},
                                      [GUARANTEE_ONE_LEADS] = {N_("one primary at a time"), "one_primary"},
                                      [GUARANTEE_CLOCKS] = {N_("clocks within bounds"), "clocks"},
                                      [GUARANTEE_LAMPORT] = {N_("Lamport's condition"), "lamport"}};

const char *guarantee_title(enum guarantee guarantee)
{
    return _(guarantee_texts[guarantee].title);
}

const char *guarantee_name(enum guarantee guarantee)
{
    return guarantee_texts[guarantee].name;
}

/* ---- what a doubt does to a verdict ---- */

static bool logs_incomplete(const struct history *history)
{
    for (size_t i = 0; i < history->problem_count; i++) {
        if (history->problems[i].missing_deliveries) {
            return true;
        }
    }
    for (size_t p = 0; p < history->process_count; p++) { /* more problems than are kept */
        if (history->processes[p].cut) {
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

    if (guarantee == GUARANTEE_LINEARIZABLE) {
        return NULL; /* the clients' word counts, and no node's */
    }
    if (judging->judgement->commands == 0) {
        return _("no command was sent");
    }
    if (judging->judgement->nodes < 2 &&
        (guarantee == GUARANTEE_TOTAL || guarantee == GUARANTEE_CONVERGENCE ||
         guarantee == GUARANTEE_EQUAL)) {
        return _("one node's log alone: there is nothing to compare it with");
    }
    if (logs_incomplete(history)) {
        return _("a log is missing or incomplete, see above");
    }
    if (judging->sender_log_missing && needs_senders(guarantee)) {
        return _("a sender's log is not among the files");
    }
    return NULL;
}

/* What is proven stays proven; what only seems to hold is unknown where something could hide its failure. */
static void apply_doubts(struct judging *judging)
{
    for (enum guarantee g = judging->judgement->first; g < judging->judgement->end; g++) {
        struct verdict *verdict = &judging->judgement->verdicts[g];
        const char *doubt = verdict->not_applicable ? NULL : reason_for_doubt(judging, g);
        if (verdict->outcome == OUTCOME_HOLDS && doubt != NULL) {
            verdict->outcome = OUTCOME_UNKNOWN;
            buffer_clear(&verdict->finding);
            buffer_add_string(&verdict->finding, doubt);
        }
    }
}

/* ---- the whole ---- */

/* Without a sender's log nobody can say what it sent, and in which order. */
static void count_all(struct judging *judging)
{
    const struct history *history = judging->history;
    struct judgement *judgement = judging->judgement;

    for (size_t c = 0; c < history->command_count; c++) {
        const struct command_record *command = &history->commands[c];
        if (command->send_event != HISTORY_NONE || judging->delivered[c] != HISTORY_NONE) {
            judgement->commands++;
            judging->sender_log_missing |= command->sender_process == HISTORY_NONE;
        }
    }
    for (size_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        judgement->nodes += process->role == ROLE_REPLICA;
        judgement->coordinators += process->role == ROLE_COORDINATOR;
        judgement->deliveries += process->delivery_count;
    }
}

static void judge_store(struct judging *judging)
{
    judge_delivery(judging);
    judge_no_duplicates(judging);
    judge_no_creation(judging);
    judge_fifo(judging);
    judge_causal(judging);
    judge_total(judging);
    judge_convergence(judging);
    judge_gap_free(judging);
    judge_linearizable(judging);
}

void judge(const struct history *history, struct judgement *judgement)
{
    struct judging judging = {.history = history, .judgement = judgement};
    bool is_chat = history_is_chat(history);

    *judgement = is_chat ? (struct judgement){.first = GUARANTEE_STORE_END, .end = GUARANTEE_COUNT}
                         : (struct judgement){.first = 0, .end = GUARANTEE_STORE_END};
    judging_line_up(&judging);
    count_all(&judging);
    judge_clients(&judging);
    if (is_chat) {
        judge_chat(&judging);
    } else {
        judge_store(&judging);
    }
    apply_doubts(&judging);
    judging_free(&judging);
}

static void forget(struct difference **keys, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        free((*keys)[i].last_set);
    }
    free(*keys);
    *keys = NULL;
    *count = 0;
}

void judgement_forget_differences(struct judgement *judgement)
{
    forget(&judgement->differences, &judgement->difference_count);
    forget(&judgement->agreements, &judgement->agreement_count);
}

void judgement_free(struct judgement *judgement)
{
    for (size_t g = 0; g < GUARANTEE_COUNT; g++) {
        buffer_free(&judgement->verdicts[g].finding);
        buffer_free(&judgement->verdicts[g].story);
    }
    judgement_forget_differences(judgement);
    free(judgement->replicas);
    *judgement = (struct judgement){0};
}

enum outcome judgement_outcome(const struct judgement *judgement)
{
    enum outcome outcome = OUTCOME_HOLDS;

    for (enum guarantee g = judgement->first; g < judgement->end; g++) {
        if (judgement->verdicts[g].outcome == OUTCOME_VIOLATED) {
            return OUTCOME_VIOLATED;
        }
        if (judgement->verdicts[g].outcome == OUTCOME_UNKNOWN) {
            outcome = OUTCOME_UNKNOWN;
        }
    }
    return outcome;
}
