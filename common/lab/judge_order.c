/* FIFO and total order, each within one life of a process. */
#include "common/lab/judge_parts.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

static uint32_t command_at(const struct judging *judging, const struct life *life, uint32_t position)
{
    return judging->history->events[life_event(life, position)].command;
}

/* ---- FIFO ---- */

static void tell_fifo(struct judging *judging, const struct life *life, uint32_t sent_first,
                      uint32_t sent_later)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_FIFO];

    verdict->outcome = OUTCOME_VIOLATED;
    tell_that(&verdict->story, history, "{1} sent {2} before {3}, but ",
              the_process(history->commands[sent_first].sender_process), the_command(sent_first),
              the_command(sent_later));
    verdict_add_evidence(verdict, history->commands[sent_first].send_event);
    verdict_add_evidence(verdict, history->commands[sent_later].send_event);
    tell_order_at(verdict, judging, life, sent_later, sent_first);
    tell_overtaking(verdict, history, life->incarnation->process, sent_first);
}

/* The commands of one sender in the order of their delivery: descending pairs break FIFO. */
static uint64_t fifo_in(struct judging *judging, const struct life *life, uint32_t sender, uint32_t *values,
                        uint32_t *scratch)
{
    const struct history *history = judging->history;
    size_t count = 0;
    uint32_t highest = 0;
    uint32_t highest_command = HISTORY_NONE;

    for (uint32_t i = 1; i <= life->length; i++) {
        uint32_t number = command_at(judging, life, i);
        const struct command_record *command = &history->commands[number];
        if (command->sender_process != sender || command->send_index == 0) {
            continue;
        }
        values[count++] = command->send_index;
        if (command->send_index > highest) {
            highest = command->send_index;
            highest_command = number;
        } else if (judging->judgement->verdicts[GUARANTEE_FIFO].outcome == OUTCOME_HOLDS) {
            tell_fifo(judging, life, number, highest_command);
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

    for (size_t i = 0; i < history->incarnation_count; i++) {
        for (uint32_t sender = 0; sender < history->process_count; sender++) {
            if (history->processes[sender].send_count > 0) {
                verdict->count += fifo_in(judging, &judging->lives[i], sender, values, scratch);
            }
        }
    }
    free(values);
    free(scratch);
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64
                                   " pair of one sender's commands was delivered in the other order",
                                   "%" PRIu64
                                   " pairs of one sender's commands were delivered in the other order",
                                   verdict->count),
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding,
                          _("each sender's commands were delivered in the order in which it sent them"));
    }
}

/* ---- total order ---- */

/* The first pair at p that stands the other way round at q: of all, and of those that write one key. */
struct inverted_pair {
    uint32_t earlier, later; /* commands, in p's order; HISTORY_NONE where there is none */
};

static void tell_total(struct judging *judging, const struct life *p, const struct life *q,
                       struct inverted_pair pair)
{
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_TOTAL];

    verdict->outcome = OUTCOME_VIOLATED;
    tell_order_at(verdict, judging, p, pair.earlier, pair.later);
    tell_that(&verdict->story, judging->history,
              ", {1} the other way round: nothing gives the two commands one place for all",
              the_process(q->incarnation->process));
    verdict_add_evidence(verdict, life_event(q, life_position(q, pair.later)));
    verdict_add_evidence(verdict, life_event(q, life_position(q, pair.earlier)));
}

static bool is_set(const struct history *history, uint32_t command)
{
    return history->commands[command].type == COMMAND_SET && history->commands[command].key != NAMES_NONE;
}

/* Walks p's order with the highest of q's positions so far; `by_key` is that for each key alone (as commands). */
static struct inverted_pair find_pair(const struct judging *judging, const struct life *p,
                                      const struct life *q, uint32_t *by_key)
{
    const struct history *history = judging->history;
    struct inverted_pair any = {HISTORY_NONE, HISTORY_NONE};
    uint32_t highest = HISTORY_NONE; /* a command */

    for (size_t k = 0; k < history->texts.count; k++) {
        by_key[k] = HISTORY_NONE;
    }
    for (uint32_t i = 1; i <= p->length; i++) {
        uint32_t command = command_at(judging, p, i);
        uint32_t place = life_position(q, command);
        if (place == NOT_DELIVERED) {
            continue;
        }
        if (is_set(history, command)) {
            uint32_t *highest_of_key = &by_key[history->commands[command].key];
            if (*highest_of_key != HISTORY_NONE && life_position(q, *highest_of_key) > place) {
                return (struct inverted_pair){*highest_of_key, command}; /* both write one key: it matters */
            }
            *highest_of_key = command;
        }
        if (highest != HISTORY_NONE && life_position(q, highest) > place) {
            any = any.earlier == HISTORY_NONE ? (struct inverted_pair){highest, command} : any;
        } else {
            highest = command;
        }
    }
    return any;
}

static uint64_t inversions_between(const struct judging *judging, const struct life *p, const struct life *q,
                                   uint32_t *values, uint32_t *scratch)
{
    size_t count = 0;

    for (uint32_t i = 1; i <= p->length; i++) {
        uint32_t position = life_position(q, command_at(judging, p, i));
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

    for (size_t i = 0; i < history->incarnation_count; i++) {
        for (size_t j = i + 1; j < history->incarnation_count; j++) {
            const struct life *p = &judging->lives[i];
            const struct life *q = &judging->lives[j];
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
                          ngettext("%" PRIu64 " pair of commands stands in opposite orders at two nodes",
                                   "%" PRIu64 " pairs of commands stand in opposite orders at two nodes",
                                   verdict->count),
                          verdict->count);
    } else {
        buffer_add_string(&verdict->finding,
                          _("any two nodes delivered what both delivered in the same order"));
    }
}
