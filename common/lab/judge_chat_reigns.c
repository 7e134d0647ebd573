/* One primary at a time. Every reign has an epoch of its own, a later one a higher one: an instant at which two took writes
 * is one at which a server took a write, and then said OK to it, although a server of a later reign had said OK to one
 * before. (What was taken before that, and is only answered after it, is the later reign's inheritance, or lost.) */
#include "common/lab/judge_chat.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A write that was answered with OK. */
struct answer {
    int64_t answered_us, taken_us;
    int64_t epoch;
    uint32_t reply, taken; /* events */
};

static bool is_reply(const struct event *event)
{
    return event->kind == EVENT_REPLY && event->command != HISTORY_NONE &&
           event->epoch != LOG_RECORD_NO_NUMBER;
}

/* The line by which its server took it, if that was in the reign in which it answers; else the answer is all. */
static uint32_t find_taken(const uint32_t *taken, const struct history *history, uint32_t reply)
{
    const struct event *event = &history->events[reply];
    uint32_t send = taken[event->command];

    return send != HISTORY_NONE && history->events[send].process == event->process &&
                   history->events[send].epoch == event->epoch
               ? send
               : reply;
}

/* All answers of servers; `*count` of them, owned by the caller. */
static struct answer *list_answers(const struct history *history, size_t *count)
{
    struct answer *answers = memory_new(history->event_count * sizeof *answers);
    uint32_t *taken = memory_new(history->command_count * sizeof *taken);

    *count = 0;
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *log = &history->processes[p];
        memset(taken, 0xFF, history->command_count * sizeof *taken); /* HISTORY_NONE */
        for (size_t i = 0; i < log->event_count; i++) {
            uint32_t number = log->events[i];
            const struct event *event = &history->events[number];
            if (event->kind == EVENT_SEND) {
                taken[event->command] = number;
            } else if (is_reply(event)) {
                uint32_t from = find_taken(taken, history, number);
                answers[(*count)++] = (struct answer){.answered_us = event->wall_us,
                                                      .taken_us = history->events[from].wall_us,
                                                      .epoch = event->epoch,
                                                      .reply = number,
                                                      .taken = from};
            }
        }
    }
    free(taken);
    return answers;
}

static int compare_answers(const void *a, const void *b)
{
    const struct answer *first = a;
    const struct answer *second = b;

    if (first->answered_us != second->answered_us) {
        return first->answered_us < second->answered_us ? -1 : 1;
    }
    return (first->reply > second->reply) - (first->reply < second->reply);
}

/* By answer, in their order: the one of the latest reign up to it. Owned by the caller. */
static uint32_t *latest_so_far(const struct answer *answers, size_t count)
{
    uint32_t *latest = memory_new(count * sizeof *latest);

    for (uint32_t i = 0; i < count; i++) {
        bool later = i == 0 || answers[i].epoch > answers[latest[i - 1]].epoch;
        latest[i] = later ? i : latest[i - 1];
    }
    return latest;
}

/* How many were answered before that moment. */
static size_t answered_before(const struct answer *answers, size_t count, int64_t us)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (answers[middle].answered_us < us) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void add_election(const struct chat_judging *chat, uint32_t process, int64_t epoch,
                         struct verdict *verdict)
{
    const struct history *history = chat->history;

    for (size_t i = 0; i < history->reign_count; i++) {
        const struct event *event = &history->events[history->reigns[i].event];
        if (event->process == process && event->epoch == epoch) {
            verdict_add_evidence(verdict, history->reigns[i].event);
        }
    }
}

/* The last cut of the network before that, if there is one: it is what brings two primaries about. */
static void add_partition(const struct chat_judging *chat, int64_t before_us, struct verdict *verdict)
{
    const struct history *history = chat->history;
    uint32_t cut = HISTORY_NONE;

    for (size_t i = 0; i < history->intervention_count; i++) {
        const struct event *event = &history->events[history->interventions[i].event];
        if (event->kind == EVENT_PARTITION && event->wall_us <= before_us) {
            cut = history->interventions[i].event;
        }
    }
    if (cut != HISTORY_NONE) {
        struct text target = names_text(&history->texts, history_find_intervention(history, cut)->target);
        tell_that(&verdict->story, history, ": {1} was cut off from the others", the_text(target));
        verdict_add_evidence(verdict, cut);
    }
}

static void tell_two(const struct chat_judging *chat, const struct answer *older, const struct answer *later)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_ONE_LEADS);
    const struct event *old = &history->events[older->reply];
    const struct event *new = &history->events[later->reply];

    tell_that(
        &verdict->story, history,
        "{1}, in reign {2}, took {3} and said OK, although {4} had said OK to {5} in the later reign {6}",
        the_process(old->process), the_count(older->epoch), the_command(old->command),
        the_process(new->process), the_command(new->command), the_count(later->epoch));
    add_election(chat, old->process, older->epoch, verdict);
    add_election(chat, new->process, later->epoch, verdict);
    verdict_add_evidence(verdict, later->reply);
    verdict_add_evidence(verdict, older->taken);
    verdict_add_evidence(verdict, older->reply);
    add_partition(chat, old->wall_us, verdict);
}

void chat_judge_one_leads(struct chat_judging *chat)
{
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_ONE_LEADS);
    size_t count;
    struct answer *answers = list_answers(chat->history, &count);
    uint64_t violations = 0;

    qsort(answers, count, sizeof *answers, compare_answers);
    uint32_t *latest = latest_so_far(answers, count);
    for (size_t i = 0; i < count; i++) {
        size_t before = answered_before(answers, count, answers[i].taken_us);
        const struct answer *later = before > 0 ? &answers[latest[before - 1]] : NULL;
        if (later != NULL && later->epoch > answers[i].epoch && violations++ == 0) {
            tell_two(chat, &answers[i], later);
        }
    }
    free(latest);
    free(answers);
    chat_conclude(verdict, violations);
    if (violations > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " write was taken and acknowledged while another reigned",
                                   "%" PRIu64 " writes were taken and acknowledged while another reigned",
                                   violations),
                          violations);
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("%zu reign, and no write was taken in one that was over",
                                   "%zu reigns, and no write was taken in one that was over",
                                   chat->history->reign_count),
                          chat->history->reign_count);
    }
}
