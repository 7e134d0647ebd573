/* Berkeley's promise: right after a round, the clocks of the servers that it corrected are at most its bound apart. The
 * servers of a run share a machine, and each tells how far its clock is now ahead of that one's: so the logs prove it. */
#include "common/lab/judge_chat.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

static int compare_clocks(const void *a, const void *b, void *events)
{
    const struct clock_record *first = a;
    const struct clock_record *second = b;
    int64_t p = ((const struct event *)events)[first->event].epoch;
    int64_t q = ((const struct event *)events)[second->event].epoch;

    if (p != q) {
        return p < q ? -1 : 1;
    }
    if (first->round != second->round) {
        return first->round < second->round ? -1 : 1;
    }
    return (first->event > second->event) - (first->event < second->event);
}

/* The lines about one round, which stand together. */
struct round {
    const struct clock_record *told;           /* by its coordinator; NULL: its log ends before */
    const struct clock_record *ahead, *behind; /* of all corrected clocks; NULL: of none */
};

static size_t read_round(const struct history *history, const struct clock_record *clocks, size_t count,
                         struct round *round)
{
    int64_t epoch = history->events[clocks[0].event].epoch;
    size_t i = 0;

    *round = (struct round){0};
    while (i < count && history->events[clocks[i].event].epoch == epoch &&
           clocks[i].round == clocks[0].round) {
        const struct clock_record *clock = &clocks[i++];
        if (clock->bound_ms != LOG_RECORD_NO_NUMBER) {
            round->told = clock;
            continue;
        }
        if (round->ahead == NULL || clock->after_ms > round->ahead->after_ms) {
            round->ahead = clock;
        }
        if (round->behind == NULL || clock->after_ms < round->behind->after_ms) {
            round->behind = clock;
        }
    }
    return i;
}

static int64_t apart_ms(const struct round *round)
{
    return round->ahead->after_ms - round->behind->after_ms;
}

static void tell_apart(const struct chat_judging *chat, const struct round *round)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_CLOCKS);

    tell_that(&verdict->story, history,
              "after round {1} the clocks of {2} and {3} were {4} ms apart, and its bound is {5} ms",
              the_count(round->told->round), the_process(history->events[round->ahead->event].process),
              the_process(history->events[round->behind->event].process), the_count(apart_ms(round)),
              the_count(round->told->bound_ms));
    verdict_add_evidence(verdict, round->told->event);
    verdict_add_evidence(verdict, round->ahead->event);
    verdict_add_evidence(verdict, round->behind->event);
}

/* How it went, over all rounds. */
struct rounds {
    uint64_t count, broken;
    int64_t skew_ms; /* the largest before a round */
};

static void conclude(struct verdict *verdict, const struct rounds *rounds)
{
    chat_conclude(verdict, rounds->broken);
    verdict->not_applicable = rounds->count == 0;
    if (rounds->broken > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("after %" PRIu64 " round the clocks were farther apart than it promises",
                                   "after %" PRIu64 " rounds the clocks were farther apart than they promise",
                                   rounds->broken),
                          rounds->broken);
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " round kept its promise; the clocks had been up to %" PRId64
                                   " ms apart",
                                   "%" PRIu64 " rounds kept their promise; the clocks had been up to %" PRId64
                                   " ms apart",
                                   rounds->count),
                          rounds->count, rounds->skew_ms);
    }
}

void chat_judge_clocks(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    struct clock_record *clocks = memory_new(history->clock_count * sizeof *clocks);
    struct rounds rounds = {0};
    struct round round;

    for (size_t i = 0; i < history->clock_count; i++) {
        clocks[i] = history->clocks[i];
    }
    qsort_r(clocks, history->clock_count, sizeof *clocks, compare_clocks, history->events);
    for (size_t i = 0; i < history->clock_count;) {
        i += read_round(history, clocks + i, history->clock_count - i, &round);
        if (round.told == NULL || round.ahead == NULL || round.behind == NULL) {
            continue; /* no line of it proves anything */
        }
        rounds.count++;
        rounds.skew_ms = round.told->skew_ms > rounds.skew_ms ? round.told->skew_ms : rounds.skew_ms;
        if (apart_ms(&round) > round.told->bound_ms && rounds.broken++ == 0) {
            tell_apart(chat, &round);
        }
    }
    free(clocks);
    conclude(chat_verdict(chat, GUARANTEE_CLOCKS), &rounds);
}
