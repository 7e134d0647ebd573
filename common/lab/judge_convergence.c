/* Convergence: do all replicas end with the same value for every key? */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CLOCKS_APART_US 300000 /* logs of several machines: so far apart their clocks may be */

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

/* The replicas to compare: those that were still there when the last command was sent. */
static void choose_replicas(struct judging *judging)
{
    const struct history *history = judging->history;
    struct judgement *judgement = judging->judgement;
    int64_t last_send = last_send_us(history);

    judgement->replicas = memory_new(history->process_count * sizeof *judgement->replicas);
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        int64_t end_us = process->stopped ? process->stopped_us : process->last_us;
        if (!process->cut && process->starts > 0 && end_us + CLOCKS_APART_US >= last_send) {
            judgement->replicas[judgement->replica_count++] = p;
        }
    }
}

/* For each key the delivery that set it last, since the process last started. */
static void find_last_sets(const struct history *history, const struct process *process, uint32_t *last_set)
{
    memset(last_set, 0xFF, history->texts.count * sizeof *last_set); /* HISTORY_NONE */
    for (size_t i = process->event_count; i > 0; i--) {
        uint32_t number = process->events[i - 1];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_START) {
            return;
        }
        if (event->kind != EVENT_DELIVER) {
            continue;
        }
        const struct command_record *command = &history->commands[event->command];
        if (command->type == COMMAND_SET && command->key != NAMES_NONE &&
            last_set[command->key] == HISTORY_NONE) {
            last_set[command->key] = number;
        }
    }
}

static uint32_t value_set_by(const struct history *history, uint32_t event)
{
    return event != HISTORY_NONE ? history->commands[history->events[event].command].value : NAMES_NONE;
}

static void compare_key(struct judging *judging, uint32_t key, uint32_t *const *last_sets)
{
    const struct history *history = judging->history;
    struct judgement *judgement = judging->judgement;
    bool set = false;
    bool differs = false;

    for (size_t r = 0; r < judgement->replica_count; r++) {
        set |= last_sets[r][key] != HISTORY_NONE;
        differs |= value_set_by(history, last_sets[r][key]) != value_set_by(history, last_sets[0][key]);
    }
    judgement->keys += set;
    if (!differs) {
        return;
    }
    struct difference *difference = &judgement->differences[judgement->difference_count++];
    difference->key = key;
    difference->last_set = memory_new(judgement->replica_count * sizeof *difference->last_set);
    for (size_t r = 0; r < judgement->replica_count; r++) {
        difference->last_set[r] = last_sets[r][key];
    }
}

static int compare_differences(const void *a, const void *b, void *texts)
{
    const struct difference *first = a;
    const struct difference *second = b;
    return text_compare(names_text(texts, first->key), names_text(texts, second->key));
}

/* ---- the story ---- */

/* What made two replicas end differently on a key, the most instructive first. */
enum cause { CAUSE_ORDER, CAUSE_REPEATED, CAUSE_LOSS, CAUSE_RESTART };

struct example {
    enum cause cause;
    const struct difference *difference;
    size_t other; /* the replica that differs from the first */
};

static enum cause find_cause(const struct judging *judging, uint32_t p, uint32_t last_p, uint32_t q,
                             uint32_t last_q)
{
    const struct history *history = judging->history;

    if (history->processes[p].starts > 1 || history->processes[q].starts > 1) {
        return CAUSE_RESTART;
    }
    if (last_p == HISTORY_NONE || last_q == HISTORY_NONE) {
        return CAUSE_LOSS;
    }
    uint32_t command_p = history->events[last_p].command;
    uint32_t command_q = history->events[last_q].command;
    uint32_t q_at_p = judging->position[p][command_q];
    uint32_t p_at_q = judging->position[q][command_p];
    if (q_at_p == NOT_DELIVERED || p_at_q == NOT_DELIVERED) {
        return CAUSE_LOSS;
    }
    bool by_order = q_at_p < judging->position[p][command_p] && p_at_q < judging->position[q][command_q];
    return by_order ? CAUSE_ORDER : CAUSE_REPEATED;
}

static struct example find_example(const struct judging *judging)
{
    const struct judgement *judgement = judging->judgement;
    struct example best = {.difference = NULL};

    for (size_t d = 0; d < judgement->difference_count; d++) {
        const struct difference *difference = &judgement->differences[d];
        uint32_t first_value = value_set_by(judging->history, difference->last_set[0]);
        for (size_t r = 1; r < judgement->replica_count; r++) {
            if (value_set_by(judging->history, difference->last_set[r]) == first_value) {
                continue;
            }
            enum cause cause = find_cause(judging, judgement->replicas[0], difference->last_set[0],
                                          judgement->replicas[r], difference->last_set[r]);
            if (best.difference == NULL || cause < best.cause) {
                best = (struct example){cause, difference, r};
            }
        }
    }
    return best;
}

/* `verb` is "ends " for the first of two replicas, empty for the second. */
static void tell_end(struct verdict *verdict, const struct history *history, uint32_t process,
                     uint32_t last_set, const char *verb)
{
    if (last_set == HISTORY_NONE) {
        buffer_add_format(&verdict->story, " %snot set at ", verb);
    } else {
        buffer_add_format(&verdict->story, " %sas ", verb);
        tell_value(&verdict->story, history, value_set_by(history, last_set));
        buffer_add_string(&verdict->story, " at ");
        verdict_add_evidence(verdict, last_set);
    }
    tell_process(&verdict->story, history, process);
}

/* One of the two never delivered what the other applied last. */
static void tell_missing(struct verdict *verdict, const struct judging *judging, uint32_t process,
                         uint32_t command)
{
    buffer_add_string(&verdict->story, "; ");
    tell_process(&verdict->story, judging->history, process);
    buffer_add_string(&verdict->story, " never delivered ");
    tell_command(&verdict->story, judging->history, command);
    tell_loss(verdict, judging->history, process, command);
}

static void tell_difference(struct judging *judging, struct example example)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CONVERGENCE];
    uint32_t p = judging->judgement->replicas[0];
    uint32_t q = judging->judgement->replicas[example.other];
    uint32_t last_p = example.difference->last_set[0];
    uint32_t last_q = example.difference->last_set[example.other];
    struct text key = names_text(&history->texts, example.difference->key);

    buffer_add(&verdict->story, key.bytes, key.length);
    tell_end(verdict, history, p, last_p, "ends ");
    buffer_add_string(&verdict->story, " and");
    tell_end(verdict, history, q, last_q, "");
    if (example.cause == CAUSE_LOSS) {
        bool lost_at_p =
            last_q != HISTORY_NONE && judging->position[p][history->events[last_q].command] == NOT_DELIVERED;
        uint32_t lost = history->events[lost_at_p ? last_q : last_p].command;
        tell_missing(verdict, judging, lost_at_p ? p : q, lost);
    } else if (example.cause == CAUSE_RESTART) {
        buffer_add_string(&verdict->story, "; ");
        tell_process(&verdict->story, history, history->processes[p].starts > 1 ? p : q);
        buffer_add_string(&verdict->story, " started again in between, with an empty store");
    } else if (example.cause == CAUSE_REPEATED) {
        buffer_add_string(&verdict->story, ": a command that arrived once more, late, undid a newer one");
    } else {
        uint32_t command_p = history->events[last_p].command;
        uint32_t command_q = history->events[last_q].command;
        verdict_add_evidence(verdict, judging->sequence[p][judging->position[p][command_q] - 1]);
        verdict_add_evidence(verdict, judging->sequence[q][judging->position[q][command_p] - 1]);
        buffer_add_string(&verdict->story,
                          ": both applied both commands, in opposite orders, and the last one wins");
    }
}

/* ---- the check ---- */

void judge_convergence(struct judging *judging)
{
    const struct history *history = judging->history;
    struct judgement *judgement = judging->judgement;
    struct verdict *verdict = &judgement->verdicts[GUARANTEE_CONVERGENCE];

    choose_replicas(judging);
    if (judgement->replica_count < 2) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_string(&verdict->finding, "there are no two replicas whose logs reach the end");
        return;
    }
    uint32_t **last_sets = memory_new(judgement->replica_count * sizeof *last_sets);
    for (size_t r = 0; r < judgement->replica_count; r++) {
        last_sets[r] = memory_new(history->texts.count * sizeof **last_sets);
        find_last_sets(history, &history->processes[judgement->replicas[r]], last_sets[r]);
    }
    judgement->differences = memory_new(history->texts.count * sizeof *judgement->differences);
    for (uint32_t key = 0; key < history->texts.count; key++) {
        compare_key(judging, key, last_sets);
    }
    qsort_r(judgement->differences, judgement->difference_count, sizeof *judgement->differences,
            compare_differences, (void *)&history->texts);
    for (size_t r = 0; r < judgement->replica_count; r++) {
        free(last_sets[r]);
    }
    free(last_sets);
    verdict->count = judgement->difference_count;
    struct example example = find_example(judging);
    if (example.difference != NULL) {
        verdict->outcome = OUTCOME_VIOLATED;
        tell_difference(judging, example);
        buffer_add_format(&verdict->finding, "%" PRIu64 " of %" PRIu64 " keys end differently",
                          verdict->count, judgement->keys);
    } else {
        buffer_add_format(&verdict->finding, "all %zu replicas end equal, with %" PRIu64 " keys",
                          judgement->replica_count, judgement->keys);
    }
}
