/* Convergence: do all replicas end with the same value for every key? */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

#define CLOCKS_APART_US 300000 /* logs of several machines: so far apart their clocks may be */

struct converging {
    struct judging *judging;
    struct final_state *states; /* by replica */
};

/* ---- the states at the end ---- */

static int64_t last_send_us(const struct history *history)
{
    int64_t last = INT64_MIN;

    for (size_t c = 0; c < history->command_count; c++) {
        uint32_t send = history->commands[c].send_event;
        if (send != HISTORY_NONE && history->events[send].wall_us > last) {
            last = history->events[send].wall_us;
        }
    }
    return last;
}

/* The replicas to compare: those that are up in the end, and were there when the last command was sent. */
static void choose_replicas(struct judging *judging)
{
    const struct history *history = judging->history;
    struct judgement *judgement = judging->judgement;
    int64_t last_send = last_send_us(history);

    judgement->replicas = memory_new(history->process_count * sizeof *judgement->replicas);
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        int64_t end_us = process->stopped ? process->stopped_us : process->last_us;
        if (process->role == ROLE_REPLICA && !process->cut && process->starts > 0 &&
            !history_last_incarnation(history, p)->crashed && end_us + CLOCKS_APART_US >= last_send) {
            judgement->replicas[judgement->replica_count++] = p;
        }
    }
}

static void compare_key(const struct converging *converging, uint32_t key)
{
    const struct history *history = converging->judging->history;
    struct judgement *judgement = converging->judging->judgement;
    const struct final_state *states = converging->states;
    bool set = false;
    bool differs = false;

    for (size_t r = 0; r < judgement->replica_count; r++) {
        set |= states[r].last_set[key] != HISTORY_NONE;
        differs |= history_value_set_by(history, states[r].last_set[key]) !=
                   history_value_set_by(history, states[0].last_set[key]);
    }
    judgement->keys += set;
    if (!set) {
        return;
    }
    struct difference *difference = differs ? &judgement->differences[judgement->difference_count++]
                                            : &judgement->agreements[judgement->agreement_count++];
    difference->key = key;
    difference->last_set = memory_new(judgement->replica_count * sizeof *difference->last_set);
    for (size_t r = 0; r < judgement->replica_count; r++) {
        difference->last_set[r] = states[r].last_set[key];
    }
}

static int compare_differences(const void *a, const void *b, void *texts)
{
    const struct difference *first = a;
    const struct difference *second = b;
    return text_compare(names_text(texts, first->key), names_text(texts, second->key));
}

/* ---- the check ---- */

/* An installed state holds what no log tells: replicas that all hold it may be equal, but nobody can say how they
 * differ. And a process that counts its keys otherwise has another store than its log makes. */
static bool doubt(const struct converging *converging, struct verdict *verdict)
{
    const struct judging *judging = converging->judging;
    const struct judgement *judgement = judging->judgement;
    bool all_have_it = true;
    size_t who = 0;

    for (size_t r = 1; r < judgement->replica_count; r++) {
        who = converging->states[r].unknown > converging->states[who].unknown ? r : who;
    }
    int64_t unknown = converging->states[who].unknown;
    for (size_t r = 0; r < judgement->replica_count && unknown > 0; r++) {
        uint32_t install = converging->states[r].install;
        all_have_it &= install != HISTORY_NONE && judging->history->events[install].seq >= unknown;
    }
    if (unknown > 0 && (judgement->difference_count > 0 || !all_have_it)) {
        tell_that(&verdict->finding, judging->history,
                  "{1} installed a state with number {2}, which no log tells of",
                  the_process(judgement->replicas[who]), the_count(unknown));
        return true;
    }
    for (size_t r = 0; r < judgement->replica_count && unknown == 0; r++) {
        const struct final_state *state = &converging->states[r];
        if (state->keys_told != LOG_RECORD_NO_NUMBER && (uint64_t)state->keys_told != state->keys &&
            judgement->difference_count == 0) {
            tell_that(&verdict->finding, judging->history, "{1} ends with {2} keys, and its log makes {3}",
                      the_process(judgement->replicas[r]), the_count(state->keys_told),
                      the_count((int64_t)state->keys));
            return true;
        }
    }
    return false;
}

static void judge_states(struct converging *converging)
{
    struct judging *judging = converging->judging;
    const struct history *history = judging->history;
    struct judgement *judgement = judging->judgement;
    struct verdict *verdict = &judgement->verdicts[GUARANTEE_CONVERGENCE];

    judgement->differences = memory_new(history->texts.count * sizeof *judgement->differences);
    judgement->agreements = memory_new(history->texts.count * sizeof *judgement->agreements);
    for (uint32_t key = 0; key < history->texts.count; key++) {
        compare_key(converging, key);
    }
    qsort_r(judgement->differences, judgement->difference_count, sizeof *judgement->differences,
            compare_differences, (void *)&history->texts);
    qsort_r(judgement->agreements, judgement->agreement_count, sizeof *judgement->agreements,
            compare_differences, (void *)&history->texts);
    if (doubt(converging, verdict)) {
        verdict->outcome = OUTCOME_UNKNOWN;
        judgement_forget_differences(judgement);
        return;
    }
    verdict->count = judgement->difference_count;
    if (verdict->count > 0) {
        verdict->outcome = OUTCOME_VIOLATED;
        tell_difference(judging, converging->states);
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " of %" PRIu64 " keys ends differently",
                                   "%" PRIu64 " of %" PRIu64 " keys end differently", verdict->count),
                          verdict->count, judgement->keys);
    } else {
        buffer_add_format(&verdict->finding, _("all %zu replicas end equal, with %" PRIu64 " keys"),
                          judgement->replica_count, judgement->keys);
    }
}

void judge_convergence(struct judging *judging)
{
    struct judgement *judgement = judging->judgement;
    struct verdict *verdict = &judgement->verdicts[GUARANTEE_CONVERGENCE];
    struct converging converging = {.judging = judging};

    choose_replicas(judging);
    if (judgement->replica_count < 2) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_string(&verdict->finding, _("there are no two replicas whose logs reach the end"));
        return;
    }
    converging.states = memory_new(judgement->replica_count * sizeof *converging.states);
    for (size_t r = 0; r < judgement->replica_count; r++) {
        judging_final_state(judging, judgement->replicas[r], &converging.states[r]);
    }
    judge_states(&converging);
    for (size_t r = 0; r < judgement->replica_count; r++) {
        free(converging.states[r].last_set);
    }
    free(converging.states);
}
