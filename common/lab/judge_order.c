/* FIFO, causal and total order. */
#include "common/lab/causality.h"
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct event *delivery(const struct judging *judging, uint32_t process, uint32_t position)
{
    return &judging->history->events[judging->sequence[process][position - 1]];
}

static uint32_t delivery_event(const struct judging *judging, uint32_t process, uint32_t command)
{
    return judging->sequence[process][judging->position[process][command] - 1];
}

/* "node3 delivered B before A" with both lines: the earlier delivery first. */
static void tell_order_at(struct verdict *verdict, const struct judging *judging, uint32_t process,
                          uint32_t earlier, uint32_t later)
{
    tell_process(&verdict->story, judging->history, process);
    buffer_add_string(&verdict->story, " delivered ");
    tell_command(&verdict->story, judging->history, earlier);
    buffer_add_string(&verdict->story, " before ");
    tell_command(&verdict->story, judging->history, later);
    verdict_add_evidence(verdict, delivery_event(judging, process, earlier));
    verdict_add_evidence(verdict, delivery_event(judging, process, later));
}

/* ---- FIFO ---- */

static void tell_fifo(struct judging *judging, uint32_t process, uint32_t sent_first, uint32_t sent_later)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_FIFO];

    verdict->outcome = OUTCOME_VIOLATED;
    tell_process(&verdict->story, history, history->commands[sent_first].sender_process);
    buffer_add_string(&verdict->story, " sent ");
    tell_command(&verdict->story, history, sent_first);
    buffer_add_string(&verdict->story, " before ");
    tell_command(&verdict->story, history, sent_later);
    buffer_add_string(&verdict->story, ", but ");
    verdict_add_evidence(verdict, history->commands[sent_first].send_event);
    verdict_add_evidence(verdict, history->commands[sent_later].send_event);
    tell_order_at(verdict, judging, process, sent_later, sent_first);
    tell_overtaking(verdict, history, process, sent_first);
}

/* The commands of one sender in the order of their delivery at `process`: descending pairs break FIFO. */
static uint64_t fifo_at(struct judging *judging, uint32_t process, uint32_t sender, uint32_t *values,
                        uint32_t *scratch)
{
    const struct history *history = judging->history;
    size_t count = 0;
    uint32_t highest = 0;
    uint32_t highest_command = HISTORY_NONE;

    for (uint32_t i = 1; i <= judging->sequence_length[process]; i++) {
        uint32_t number = delivery(judging, process, i)->command;
        const struct command_record *command = &history->commands[number];
        if (command->sender_process != sender || command->send_index == 0) {
            continue;
        }
        values[count++] = command->send_index;
        if (command->send_index > highest) {
            highest = command->send_index;
            highest_command = number;
        } else if (judging->judgement->verdicts[GUARANTEE_FIFO].outcome == OUTCOME_HOLDS) {
            tell_fifo(judging, process, number, highest_command);
        }
    }
    return count_inversions(values, scratch, count);
}

void judge_fifo(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_FIFO];
    uint32_t *values = memory_new(history->command_count * sizeof *values);
    uint32_t *scratch = memory_new(history->command_count * sizeof *scratch);

    for (uint32_t p = 0; p < history->process_count; p++) {
        for (uint32_t sender = 0; sender < history->process_count; sender++) {
            if (history->processes[sender].send_count > 0) {
                verdict->count += fifo_at(judging, p, sender, values, scratch);
            }
        }
    }
    free(values);
    free(scratch);
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          "%" PRIu64 " pairs of one sender's commands were delivered in the other order",
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding,
                          "each sender's commands were delivered in the order in which it sent them");
    }
}

/* ---- causal order ---- */

static void tell_causal(struct judging *judging, uint32_t process, uint32_t cause, uint32_t effect)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CAUSAL];
    uint32_t sender = history->commands[effect].sender_process;

    verdict->outcome = OUTCOME_VIOLATED;
    tell_process(&verdict->story, history, sender);
    if (history->commands[cause].sender_process == sender) {
        buffer_add_string(&verdict->story, " had itself sent ");
        verdict_add_evidence(verdict, history->commands[cause].send_event);
    } else if (judging->position[sender][cause] != NOT_DELIVERED &&
               delivery_event(judging, sender, cause) < history->commands[effect].send_event) {
        buffer_add_string(&verdict->story, " had delivered ");
        verdict_add_evidence(verdict, delivery_event(judging, sender, cause));
    } else {
        buffer_add_string(&verdict->story, " knew, through what it had delivered, of ");
        verdict_add_evidence(verdict, history->commands[cause].send_event);
    }
    tell_command(&verdict->story, history, cause);
    buffer_add_string(&verdict->story, " when it sent ");
    tell_command(&verdict->story, history, effect);
    buffer_add_string(&verdict->story, ", but ");
    verdict_add_evidence(verdict, history->commands[effect].send_event);
    tell_order_at(verdict, judging, process, effect, cause);
    tell_overtaking(verdict, history, process, cause);
}

/* For one process and one sender: latest[k] is the last position at which one of the sender's first k commands was
 * delivered. An effect that knows k of them and stands before latest[k] came too early. */
static void latest_positions(const struct judging *judging, uint32_t process, uint32_t sender,
                             const uint32_t *sent_by, uint32_t *latest, uint32_t *latest_command)
{
    uint32_t send_count = judging->history->processes[sender].send_count;

    latest[0] = 0;
    latest_command[0] = HISTORY_NONE;
    for (uint32_t k = 1; k <= send_count; k++) {
        uint32_t command = sent_by[k];
        uint32_t position = judging->position[process][command];
        bool later = position > latest[k - 1];
        latest[k] = later ? position : latest[k - 1];
        latest_command[k] = later ? command : latest_command[k - 1];
    }
}

/* An example in which the cause is another sender's says more than one that FIFO alone would rule out. */
static bool is_better_example(const struct judging *judging, bool told, bool told_across, uint32_t cause,
                              uint32_t effect)
{
    const struct command_record *commands = judging->history->commands;
    bool across = commands[cause].sender_process != commands[effect].sender_process;
    return !told || (across && !told_across);
}

void judge_causal(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_CAUSAL];
    struct causality causality;
    uint32_t *latest = memory_new((history->command_count + 1) * sizeof *latest);
    uint32_t *latest_command = memory_new((history->command_count + 1) * sizeof *latest_command);
    uint32_t example_process = HISTORY_NONE;
    uint32_t example_cause = HISTORY_NONE;
    uint32_t example_effect = HISTORY_NONE;
    bool told_across = false;

    causality_init(&causality, history);
    for (uint32_t p = 0; p < history->process_count; p++) {
        for (uint32_t sender = 0; sender < history->process_count; sender++) {
            if (history->processes[sender].send_count == 0) {
                continue;
            }
            latest_positions(judging, p, sender, causality.sent_by[sender], latest, latest_command);
            for (uint32_t i = 1; i <= judging->sequence_length[p]; i++) {
                uint32_t effect = delivery(judging, p, i)->command;
                uint32_t known = causality_known(&causality, effect, sender);
                if (latest[known] <= i) {
                    continue;
                }
                verdict->count++;
                uint32_t cause = latest_command[known];
                if (is_better_example(judging, example_effect != HISTORY_NONE, told_across, cause, effect)) {
                    example_process = p;
                    example_cause = cause;
                    example_effect = effect;
                    told_across =
                        history->commands[cause].sender_process != history->commands[effect].sender_process;
                }
            }
        }
    }
    causality_free(&causality);
    free(latest);
    free(latest_command);
    if (verdict->count > 0) {
        tell_causal(judging, example_process, example_cause, example_effect);
        buffer_add_format(&verdict->finding,
                          "%" PRIu64 " deliveries came before something that they depend on", verdict->count);
    } else {
        buffer_add_string(&verdict->finding, "nothing was delivered before what it depends on");
    }
}

/* ---- total order ---- */

/* The first pair at p that stands the other way round at q: of all, and of those that write one key. */
struct inverted_pair {
    uint32_t earlier, later; /* commands, in p's order; HISTORY_NONE where there is none */
};

static void tell_total(struct judging *judging, uint32_t p, uint32_t q, struct inverted_pair pair)
{
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_TOTAL];

    verdict->outcome = OUTCOME_VIOLATED;
    tell_order_at(verdict, judging, p, pair.earlier, pair.later);
    buffer_add_string(&verdict->story, ", ");
    tell_process(&verdict->story, judging->history, q);
    buffer_add_string(&verdict->story,
                      " the other way round: nothing gives the two commands one place for all");
    verdict_add_evidence(verdict, delivery_event(judging, q, pair.later));
    verdict_add_evidence(verdict, delivery_event(judging, q, pair.earlier));
}

static bool is_set(const struct history *history, uint32_t command)
{
    return history->commands[command].type == COMMAND_SET && history->commands[command].key != NAMES_NONE;
}

/* Walks p's order with the highest of q's positions so far; `by_key` is that for each key alone (as commands). */
static struct inverted_pair find_pair(const struct judging *judging, uint32_t p, uint32_t q, uint32_t *by_key)
{
    const struct history *history = judging->history;
    const uint32_t *position = judging->position[q];
    struct inverted_pair any = {HISTORY_NONE, HISTORY_NONE};
    uint32_t highest = HISTORY_NONE; /* a command */

    for (size_t k = 0; k < history->texts.count; k++) {
        by_key[k] = HISTORY_NONE;
    }
    for (uint32_t i = 1; i <= judging->sequence_length[p]; i++) {
        uint32_t command = delivery(judging, p, i)->command;
        if (position[command] == NOT_DELIVERED) {
            continue;
        }
        if (is_set(history, command)) {
            uint32_t *highest_of_key = &by_key[history->commands[command].key];
            if (*highest_of_key != HISTORY_NONE && position[*highest_of_key] > position[command]) {
                return (struct inverted_pair){*highest_of_key, command}; /* both write one key: it matters */
            }
            *highest_of_key = command;
        }
        if (highest != HISTORY_NONE && position[highest] > position[command]) {
            any = any.earlier == HISTORY_NONE ? (struct inverted_pair){highest, command} : any;
        } else {
            highest = command;
        }
    }
    return any;
}

static uint64_t inversions_between(const struct judging *judging, uint32_t p, uint32_t q, uint32_t *values,
                                   uint32_t *scratch)
{
    size_t count = 0;

    for (uint32_t i = 1; i <= judging->sequence_length[p]; i++) {
        uint32_t position = judging->position[q][delivery(judging, p, i)->command];
        if (position != NOT_DELIVERED) {
            values[count++] = position;
        }
    }
    return count_inversions(values, scratch, count);
}

void judge_total(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_TOTAL];
    uint32_t *values = memory_new(history->command_count * sizeof *values);
    uint32_t *scratch = memory_new(history->command_count * sizeof *scratch);
    uint32_t *by_key = memory_new(history->texts.count * sizeof *by_key);

    for (uint32_t p = 0; p < history->process_count; p++) {
        for (uint32_t q = p + 1; q < history->process_count; q++) {
            uint64_t inversions = inversions_between(judging, p, q, values, scratch);
            if (inversions > 0 && verdict->count == 0) {
                tell_total(judging, p, q, find_pair(judging, p, q, by_key));
            }
            verdict->count += inversions;
        }
    }
    free(values);
    free(scratch);
    free(by_key);
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          "%" PRIu64 " pairs of commands stand in opposite orders at two nodes",
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding, "any two nodes delivered what both delivered in the same order");
    }
}
