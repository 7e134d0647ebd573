/* The question: how do clocks that all run differently show the same, if none of them is right?
 *
 * The rule: every BERKELEY_MESSAGES messages the coordinator asks all servers for their time, averages the largest
 * group of clocks that are near each other (what is far off is broken, and has no say), and tells each what to add to
 * its own (Gusella and Zatti 1989, "the Berkeley algorithm"; Cristian 1989 for half the round trip).
 *
 * It guarantees: right after a round, the clocks that it corrected are within its longest round trip + 5 ms of each
 * other, and then drift apart no faster than twice drift_ppm: berkeley_bound_ms. (A clock is read somewhere within the
 * round trip, so its estimate is wrong by at most half of that; two clocks by all of it. The rest is what milliseconds
 * leave out.) And a clock that shows nonsense moves nobody's but its own, as long as more clocks are right than agree on
 * some nonsense, or as many and the coordinator's is among them.
 *
 * It does not guarantee: the right time. Nor that time never steps back: a clock that is ahead is put back at once,
 * which is why nothing here is ordered by it.
 *
 * To break it: in berkeley_hear, let in_time be true. What was read long ago is taken for what a clock shows now. */
#include "parte5-chat/berkeley.h"

#include <stdlib.h>

#define TIME_MAX_MS (INT64_MAX / 4) /* what is beyond is no time: sums of two stay within 63 bits */

void berkeley_init(struct berkeley *berkeley, const struct berkeley_options *options, int64_t epoch)
{
    *berkeley = (struct berkeley){.options = *options, .epoch = epoch};
}

bool berkeley_count(struct berkeley *berkeley)
{
    if (++berkeley->messages < BERKELEY_MESSAGES) {
        return false;
    }
    berkeley->messages = 0;
    return !berkeley->polling;
}

static void note_clock(struct berkeley *berkeley, unsigned server, int64_t ahead_ms)
{
    berkeley->clocks[berkeley->count++] = (struct berkeley_clock){server, ahead_ms};
}

void berkeley_poll(struct berkeley *berkeley, uint64_t servers, int64_t now_ms)
{
    berkeley->round++;
    berkeley->polling = true;
    berkeley->asked_ms = now_ms;
    berkeley->awaited = servers & ~SERVER_BIT(berkeley->options.self);
    berkeley->rtt_ms = 0;
    berkeley->count = 0;
    note_clock(berkeley, berkeley->options.self, 0);
}

/* Cristian: the answer was given between the question and now; taken as the middle, it is wrong by at most half. */
static int64_t estimate(const struct berkeley *berkeley, int64_t time_ms, int64_t now_ms)
{
    return time_ms - (berkeley->asked_ms + (now_ms - berkeley->asked_ms) / 2);
}

void berkeley_hear(struct berkeley *berkeley, unsigned server, int64_t round, int64_t time_ms, int64_t now_ms)
{
    bool in_time =
        now_ms >= berkeley->asked_ms && now_ms - berkeley->asked_ms <= (int64_t)berkeley->options.rtt_max_ms;

    if (!berkeley->polling || round != berkeley->round || server > SERVERS_MAX ||
        !(berkeley->awaited & SERVER_BIT(server))) {
        return;
    }
    berkeley->awaited &= ~SERVER_BIT(server);
    if (in_time && time_ms > -TIME_MAX_MS && time_ms < TIME_MAX_MS) {
        uint64_t rtt_ms = (uint64_t)(now_ms - berkeley->asked_ms);
        berkeley->rtt_ms = rtt_ms > berkeley->rtt_ms ? rtt_ms : berkeley->rtt_ms;
        note_clock(berkeley, server, estimate(berkeley, time_ms, now_ms));
    }
}

static int compare_clocks(const void *a, const void *b)
{
    const struct berkeley_clock *x = a;
    const struct berkeley_clock *y = b;

    return (x->ahead_ms > y->ahead_ms) - (x->ahead_ms < y->ahead_ms);
}

/* Gusella and Zatti: the fault-tolerant average is over the largest set of clocks that do not differ from one another by
 * more than a small value. The clocks are sorted. Of two sets of one size the one that our own clock (0) is in is taken:
 * with two servers it is our word against the other's. */
static int64_t average(const struct berkeley *berkeley, unsigned *size)
{
    const struct berkeley_clock *clocks = berkeley->clocks;
    unsigned best = 0;
    *size = 1; /* our own clock is always there */

    for (unsigned first = 0, after = 0; first < berkeley->count; first++) {
        while (after < berkeley->count &&
               clocks[after].ahead_ms - clocks[first].ahead_ms <= berkeley->options.spread_max_ms) {
            after++;
        }
        bool has_ours = clocks[first].ahead_ms <= 0 && clocks[after - 1].ahead_ms >= 0;
        if (after - first > *size || (after - first == *size && has_ours)) {
            *size = after - first;
            best = first;
        }
    }
    int64_t base = berkeley->clocks[best].ahead_ms;
    int64_t sum = 0; /* of what is beyond the first of the set: at most the spread, each */
    for (unsigned i = best; i < best + *size; i++) {
        sum += berkeley->clocks[i].ahead_ms - base;
    }
    return base + sum / (int64_t)*size;
}

bool berkeley_finish(struct berkeley *berkeley, int64_t now_ms, struct berkeley_corrections *out)
{
    bool timed_out =
        now_ms - berkeley->asked_ms > (int64_t)berkeley->options.rtt_max_ms || now_ms < berkeley->asked_ms;
    unsigned size;

    if (!berkeley->polling || (berkeley->awaited != 0 && !timed_out)) {
        return false;
    }
    berkeley->polling = false;
    qsort(berkeley->clocks, berkeley->count, sizeof *berkeley->clocks, compare_clocks);
    int64_t right = average(berkeley, &size);
    *out = (struct berkeley_corrections){.count = berkeley->count,
                                         .outliers = berkeley->count - size,
                                         .skew_ms = berkeley->clocks[berkeley->count - 1].ahead_ms -
                                                    berkeley->clocks[0].ahead_ms,
                                         .rtt_ms = berkeley->rtt_ms};
    for (unsigned i = 0; i < berkeley->count; i++) {
        out->by[i] =
            (struct berkeley_clock){berkeley->clocks[i].server, right - berkeley->clocks[i].ahead_ms};
    }
    return true;
}

/* ---- every server ---- */

void berkeley_asked(struct berkeley_member *member, int64_t epoch, int64_t round)
{
    member->epoch = epoch;
    member->round = round;
}

bool berkeley_correct(struct berkeley_member *member, int64_t epoch, int64_t round, int64_t add_ms)
{
    int64_t sum;

    /* One for another round was computed from what the clock no longer says; one that comes again would count twice. */
    if (member->round == 0 || member->epoch != epoch || member->round != round ||
        __builtin_add_overflow(member->correction_ms, add_ms, &sum) || sum > TIME_MAX_MS ||
        sum < -TIME_MAX_MS) {
        return false;
    }
    member->correction_ms = sum;
    member->round = 0;
    return true;
}

int64_t berkeley_bound_ms(uint64_t rtt_ms, uint64_t drift_ppm, uint64_t since_ms)
{
    return (int64_t)(rtt_ms + 3 + 2 * (since_ms * drift_ppm / 1000000 + 1));
}
