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

static uint32_t value_set_by(const struct history *history, uint32_t event)
{
    return event != HISTORY_NONE ? history->commands[history->events[event].command].value : NAMES_NONE;
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
        differs |=
            value_set_by(history, states[r].last_set[key]) != value_set_by(history, states[0].last_set[key]);
    }
    judgement->keys += set;
    if (!differs) {
        return;
    }
    struct difference *difference = &judgement->differences[judgement->difference_count++];
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

/* ---- why they differ ---- */

/* What made two replicas end differently on a key, the most instructive first. */
enum cause { CAUSE_ORDER, CAUSE_REPEATED, CAUSE_LOSS, CAUSE_RESTART };

struct example {
    enum cause cause;
    const struct difference *difference;
    size_t other; /* the replica that differs from the first */
};

static const struct life *last_life(const struct judging *judging, uint32_t process)
{
    return &judging
                ->lives[history_last_incarnation(judging->history, process) - judging->history->incarnations];
}

/* Has the replica lost what it had, and begun anew? */
static bool began_anew(const struct converging *converging, size_t replica)
{
    uint32_t process = converging->judging->judgement->replicas[replica];
    return converging->states[replica].install == HISTORY_NONE &&
           history_last_incarnation(converging->judging->history, process)->number > 1;
}

/* Is the command not part of what made the replica's state? */
static bool lacks(const struct converging *converging, size_t replica, uint32_t command)
{
    const struct history *history = converging->judging->history;
    const struct command_record *record = &history->commands[command];
    uint32_t install = converging->states[replica].install;
    uint32_t process = converging->judging->judgement->replicas[replica];
    bool installed = install != HISTORY_NONE && record->seq != LOG_RECORD_NO_NUMBER &&
                     record->seq <= history->events[install].seq;

    return !installed && life_position(last_life(converging->judging, process), command) == NOT_DELIVERED;
}

static enum cause find_cause(const struct converging *converging, size_t p, uint32_t last_p, size_t q,
                             uint32_t last_q)
{
    const struct judging *judging = converging->judging;
    const struct event *events = judging->history->events;

    if (began_anew(converging, p) || began_anew(converging, q)) {
        return CAUSE_RESTART;
    }
    if (last_p == HISTORY_NONE || last_q == HISTORY_NONE || lacks(converging, q, events[last_p].command) ||
        lacks(converging, p, events[last_q].command)) {
        return CAUSE_LOSS;
    }
    const struct life *life_p = last_life(judging, judging->judgement->replicas[p]);
    const struct life *life_q = last_life(judging, judging->judgement->replicas[q]);
    uint32_t command_p = events[last_p].command;
    uint32_t command_q = events[last_q].command;
    bool by_order = life_position(life_p, command_q) <= life_position(life_p, command_p) &&
                    life_position(life_q, command_p) <= life_position(life_q, command_q);
    return by_order ? CAUSE_ORDER : CAUSE_REPEATED;
}

static struct example find_example(const struct converging *converging)
{
    const struct history *history = converging->judging->history;
    const struct judgement *judgement = converging->judging->judgement;
    struct example best = {.difference = NULL};

    for (size_t d = 0; d < judgement->difference_count; d++) {
        const struct difference *difference = &judgement->differences[d];
        uint32_t first_value = value_set_by(history, difference->last_set[0]);
        for (size_t r = 1; r < judgement->replica_count; r++) {
            if (value_set_by(history, difference->last_set[r]) == first_value) {
                continue;
            }
            enum cause cause = find_cause(converging, 0, difference->last_set[0], r, difference->last_set[r]);
            if (best.difference == NULL || cause < best.cause) {
                best = (struct example){cause, difference, r};
            }
        }
    }
    return best;
}

/* ---- the story ---- */

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

static void tell_restart(struct verdict *verdict, const struct history *history, uint32_t process)
{
    buffer_add_string(&verdict->story, "; ");
    tell_crash(verdict, history, history_last_incarnation(history, process) - 1);
    buffer_add_string(&verdict->story, ", with an empty store");
}

static void add_delivery(struct verdict *verdict, const struct life *life, uint32_t command)
{
    uint32_t position = life_position(life, command);

    if (position != NOT_DELIVERED) {
        verdict_add_evidence(verdict, life_event(life, position));
    }
}

static void tell_difference(const struct converging *converging, struct example example)
{
    struct judging *judging = converging->judging;
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
        bool at_p = last_q != HISTORY_NONE && lacks(converging, 0, history->events[last_q].command);
        tell_missing(verdict, judging, at_p ? p : q, history->events[at_p ? last_q : last_p].command);
    } else if (example.cause == CAUSE_RESTART) {
        tell_restart(verdict, history, began_anew(converging, 0) ? p : q);
    } else if (example.cause == CAUSE_REPEATED) {
        buffer_add_string(&verdict->story, ": a command that arrived once more, late, undid a newer one");
    } else {
        add_delivery(verdict, last_life(judging, p), history->events[last_q].command);
        add_delivery(verdict, last_life(judging, q), history->events[last_p].command);
        buffer_add_string(&verdict->story,
                          ": both applied both commands, in opposite orders, and the last one wins");
    }
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
        tell_process(&verdict->finding, judging->history, judgement->replicas[who]);
        buffer_add_format(&verdict->finding,
                          " installed a state with number %" PRId64 ", which no log tells of", unknown);
        return true;
    }
    for (size_t r = 0; r < judgement->replica_count && unknown == 0; r++) {
        const struct final_state *state = &converging->states[r];
        if (state->keys_told != LOG_RECORD_NO_NUMBER && (uint64_t)state->keys_told != state->keys &&
            judgement->difference_count == 0) {
            tell_process(&verdict->finding, judging->history, judgement->replicas[r]);
            buffer_add_format(&verdict->finding, " ends with %" PRId64 " keys, and its log makes %" PRIu64,
                              state->keys_told, state->keys);
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
    for (uint32_t key = 0; key < history->texts.count; key++) {
        compare_key(converging, key);
    }
    qsort_r(judgement->differences, judgement->difference_count, sizeof *judgement->differences,
            compare_differences, (void *)&history->texts);
    if (doubt(converging, verdict)) {
        verdict->outcome = OUTCOME_UNKNOWN;
        return;
    }
    verdict->count = judgement->difference_count;
    struct example example = find_example(converging);
    if (example.difference != NULL) {
        verdict->outcome = OUTCOME_VIOLATED;
        tell_difference(converging, example);
        buffer_add_format(&verdict->finding, "%" PRIu64 " of %" PRIu64 " keys end differently",
                          verdict->count, judgement->keys);
    } else {
        buffer_add_format(&verdict->finding, "all %zu replicas end equal, with %" PRIu64 " keys",
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
        buffer_add_string(&verdict->finding, "there are no two replicas whose logs reach the end");
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
