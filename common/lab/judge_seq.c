/* Gap-free seq: one number for each command and one command for each number, across crashes and epochs; within a life
 * they are delivered one after the other, but for what an installed state covers; and epochs never go down. */
#include "common/lab/judge_parts.h"

#include <inttypes.h>

struct sequence_check {
    struct judging *judging;
    struct verdict *verdict;
};

/* Counts a violation; true for the first, which is to be told. */
static bool is_first(struct sequence_check *check)
{
    check->verdict->outcome = OUTCOME_VIOLATED;
    return check->verdict->count++ == 0;
}

/* Whose line that is; it becomes evidence. */
static struct thing who_says(struct sequence_check *check, uint32_t event)
{
    verdict_add_evidence(check->verdict, event);
    return the_process(check->judging->history->events[event].process);
}

/* Who tells that the command has that number: whoever delivered it, before somebody who only knows. */
static uint32_t line_about(const struct judging *judging, uint32_t command)
{
    const struct command_record *record = &judging->history->commands[command];
    uint32_t delivery = judging->delivered[command];
    bool same = delivery != HISTORY_NONE && judging->history->events[delivery].seq == record->seq;

    return same ? delivery : record->seq_event;
}

/* ---- one number, one command ---- */

static void check_renumbered(struct sequence_check *check)
{
    const struct history *history = check->judging->history;

    for (size_t i = 0; i < history->renumbering_count; i++) {
        const struct contradiction *two = &history->renumberings[i];
        if (is_first(check)) {
            struct thing first = who_says(check, two->first_event);
            struct thing second = who_says(check, two->second_event);
            tell_that(&check->verdict->story, history,
                      "{1} is number {2} to {3} and number {4} to {5}: it was ordered twice",
                      the_command(two->command), the_count(history->events[two->first_event].seq), first,
                      the_count(history->events[two->second_event].seq), second);
        }
    }
}

static void check_used_twice(struct sequence_check *check)
{
    const struct judging *judging = check->judging;

    for (size_t i = 1; i < judging->numbered_count; i++) {
        const struct numbered *one = &judging->numbered[i - 1];
        const struct numbered *other = &judging->numbered[i];
        if (one->seq == other->seq && is_first(check)) {
            struct thing first = who_says(check, line_about(judging, one->command));
            struct thing second = who_says(check, line_about(judging, other->command));
            tell_that(&check->verdict->story, judging->history,
                      "number {1} is {2} to {3} and {4} to {5}: whoever gave it out the second time did not "
                      "remember the first",
                      the_count(one->seq), the_command(one->command), first, the_command(other->command),
                      second);
        }
    }
}

/* ---- epochs ---- */

static void tell_epochs(struct sequence_check *check, uint32_t earlier, uint32_t later)
{
    const struct event *events = check->judging->history->events;

    tell_that(
        &check->verdict->story, check->judging->history,
        "{1} has number {2} in epoch {3}, after number {4} had been in epoch {5}: who led an older epoch "
        "was still obeyed",
        who_says(check, later), the_count(events[later].seq), the_count(events[later].epoch),
        the_count(events[earlier].seq), the_count(events[earlier].epoch));
    verdict_add_evidence(check->verdict, earlier);
}

static void check_epochs(struct sequence_check *check)
{
    const struct judging *judging = check->judging;
    const struct command_record *commands = judging->history->commands;
    uint32_t highest = HISTORY_NONE; /* a line */

    for (size_t i = 0; i < judging->numbered_count; i++) {
        uint32_t line = commands[judging->numbered[i].command].seq_event;
        int64_t epoch = judging->history->events[line].epoch;
        if (epoch == LOG_RECORD_NO_NUMBER) {
            continue;
        }
        if (highest == HISTORY_NONE || epoch >= judging->history->events[highest].epoch) {
            highest = line;
        } else if (is_first(check)) {
            tell_epochs(check, highest, line);
        }
    }
}

/* ---- one after the other ---- */

/* A life as far as it has been looked through. */
struct progress {
    int64_t next;         /* the number that is to come; 0 before the first */
    uint32_t last;        /* the line that tells of the number before; HISTORY_NONE */
    uint32_t epoch_event; /* the line with the highest epoch so far; likewise */
};

/* The command of that number, HISTORY_NONE if no log tells of one. */
static uint32_t command_of(const struct judging *judging, int64_t seq)
{
    size_t low = 0;
    size_t high = judging->numbered_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (judging->numbered[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < judging->numbered_count && judging->numbered[low].seq == seq ? judging->numbered[low].command
                                                                              : HISTORY_NONE;
}

static void tell_jump(struct sequence_check *check, const struct progress *progress, int64_t expected,
                      uint32_t event)
{
    const struct judging *judging = check->judging;
    const struct history *history = judging->history;
    struct buffer *story = &check->verdict->story;
    uint32_t left_out = command_of(judging, expected);

    if (progress->last != HISTORY_NONE) {
        verdict_add_evidence(check->verdict, progress->last);
    }
    struct thing who = who_says(check, event);
    if (progress->last == HISTORY_NONE) {
        tell_that(story, history, "{1} delivered {2} first", who, the_place(event));
    } else {
        bool installed = history->events[progress->last].kind == EVENT_RECOVER;
        tell_that(story, history,
                  installed ? N_("{1} delivered {2} right after a state up to {3}")
                            : N_("{1} delivered {2} right after {3}"),
                  who, the_place(event), the_place(progress->last));
    }
    if (history->events[event].seq < expected) {
        buffer_add_string(story, _(": it went back"));
    } else if (left_out == HISTORY_NONE) {
        tell_that(story, history, ": number {1} is missing, there and in every log", the_count(expected));
    } else {
        tell_that(story, history, ": it left out number {1}, {2}", the_count(expected),
                  the_command(left_out));
        verdict_add_evidence(check->verdict, line_about(judging, left_out));
    }
}

static void check_delivery(struct sequence_check *check, struct progress *progress, uint32_t number)
{
    const struct judging *judging = check->judging;
    const struct event *event = &judging->history->events[number];
    bool cut = judging->history->processes[event->process].cut; /* then lines are missing, not deliveries */
    int64_t expected = progress->next != 0 ? progress->next : judging->numbered[0].seq;

    if (event->seq == LOG_RECORD_NO_NUMBER) {
        if (is_first(check)) {
            tell_that(&check->verdict->story, judging->history, "{1} delivered {2} without a number",
                      who_says(check, number), the_command(event->command));
        }
        return;
    }
    if ((event->seq < expected || (event->seq > expected && !cut)) && is_first(check)) {
        tell_jump(check, progress, expected, number);
    }
    progress->next = event->seq + 1;
    progress->last = number;
}

static void check_life(struct sequence_check *check, const struct incarnation *incarnation)
{
    const struct history *history = check->judging->history;
    const struct process *process = &history->processes[incarnation->process];
    struct progress progress = {.last = HISTORY_NONE, .epoch_event = HISTORY_NONE};

    for (size_t i = incarnation->first; i < incarnation->end; i++) {
        uint32_t number = process->events[i];
        const struct event *event = &history->events[number];
        if (event->kind == EVENT_RECOVER && event->seq != LOG_RECORD_NO_NUMBER) {
            progress.next = event->seq + 1;
            progress.last = number;
        } else if (event->kind == EVENT_DELIVER) {
            check_delivery(check, &progress, number);
        } else {
            continue;
        }
        if (event->epoch == LOG_RECORD_NO_NUMBER) {
            continue;
        }
        if (progress.epoch_event == HISTORY_NONE ||
            event->epoch >= history->events[progress.epoch_event].epoch) {
            progress.epoch_event = number;
        } else if (is_first(check)) {
            tell_epochs(check, progress.epoch_event, number);
        }
    }
}

void judge_gap_free(struct judging *judging)
{
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_GAP_FREE];
    struct sequence_check check = {judging, verdict};

    if (judging->numbered_count == 0) {
        verdict->not_applicable = true;
        buffer_add_string(&verdict->finding, _("no command has a seq"));
        return;
    }
    check_renumbered(&check);
    check_used_twice(&check);
    check_epochs(&check);
    for (size_t i = 0; i < history->incarnation_count; i++) {
        check_life(&check, &history->incarnations[i]);
    }
    if (verdict->count > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " time a number was used twice, left out, or not in its turn",
                                   "%" PRIu64 " times a number was used twice, left out, or not in its turn",
                                   verdict->count),
                          verdict->count);
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("%zu command, with a number of its own, and none left out",
                                   "%zu commands, each with a number of its own, and none left out",
                                   judging->numbered_count),
                          judging->numbered_count);
    }
}
