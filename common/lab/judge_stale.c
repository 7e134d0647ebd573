/* The counterexample of linearizable reads. */
#include "common/lab/judge_parts.h"

#include <inttypes.h>
#include <stdio.h>

struct telling {
    struct judging *judging;
    const struct access *accesses; /* of the key */
    size_t count;
    const struct register_verdict *found;
};

static struct thing the_client(const struct telling *telling, const struct access *access)
{
    return the_process(history_operation_of(telling->judging->history, access->command)->client);
}

/* `what` is "invoke" or "complete". */
static void add_line(struct telling *telling, const struct access *access, enum event_kind what)
{
    const struct history *history = telling->judging->history;
    const struct operation *operation = history_operation_of(history, access->command);
    struct verdict *verdict = &telling->judging->judgement->verdicts[GUARANTEE_LINEARIZABLE];
    verdict_add_evidence(verdict, what == EVENT_INVOKE ? operation->invoke : operation->complete);
}

/* "client1's SET x="1"", "client1's GET x, which read "1"", in `out`, which lives as long as the thing. */
static struct thing the_access(const struct telling *telling, const struct access *access, struct buffer *out)
{
    const struct history *history = telling->judging->history;

    if (access->operation.is_write) {
        tell_that(out, history, "{1}'s {2}", the_client(telling, access), the_command(access->command));
    } else {
        tell_that(out, history, "{1}'s {2}, which read {3},", the_client(telling, access),
                  the_command(access->command), the_value(access->operation.value));
    }
    return the_text(buffer_text(out));
}

static const struct access *access_of(const struct telling *telling, size_t number)
{
    return number != REGISTER_NONE ? &telling->accesses[number] : NULL;
}

/* "client3 read x="1" at node2" */
static void tell_read(struct telling *telling, const struct access *read)
{
    const struct history *history = telling->judging->history;
    struct buffer *story = &telling->judging->judgement->verdicts[GUARANTEE_LINEARIZABLE].story;
    struct text key = names_text(&history->texts, read->key);
    struct text node = names_text(&history->texts, history->commands[read->command].sender);

    tell_that(story, history, "{1} read {2}={3} at {4}", the_client(telling, read), the_text(key),
              the_value(read->operation.value), the_text(node));
}

/* The node that was asked had not applied the newer value yet: its log says when it did. */
static void tell_late_delivery(struct telling *telling, const struct access *read, const struct access *newer)
{
    const struct judging *judging = telling->judging;
    const struct history *history = judging->history;
    struct verdict *verdict = &judging->judgement->verdicts[GUARANTEE_LINEARIZABLE];
    uint32_t node = names_find(&history->process_names,
                               names_text(&history->texts, history->commands[read->command].sender));
    int64_t read_us = history->events[history_operation_of(history, read->command)->invoke].wall_us;

    if (node == NAMES_NONE || !newer->operation.is_write) {
        return;
    }
    uint32_t delivery = judging_delivery(judging, node, newer->command);
    if (delivery != HISTORY_NONE && history->events[delivery].wall_us > read_us) {
        char late_ms[32];
        snprintf(late_ms, sizeof late_ms, "%.1f",
                 (double)(history->events[delivery].wall_us - read_us) / 1000);
        tell_that(&verdict->story, history, "; {1} applied that only {2} ms after it was asked",
                  the_process(node), the_text(text_of(late_ms)));
        verdict_add_evidence(verdict, delivery);
    }
}

static void tell_stale(struct telling *telling, const struct access *read)
{
    const struct history *history = telling->judging->history;
    struct buffer *story = &telling->judging->judgement->verdicts[GUARANTEE_LINEARIZABLE].story;
    struct buffer texts[3] = {{0}};
    const struct access *older = access_of(telling, telling->found->older);
    const struct access *begun = access_of(telling, telling->found->newer_begun);
    const struct access *ended = access_of(telling, telling->found->newer_ended);

    tell_that(story, history, ", although {1} had been answered before it asked",
              the_access(telling, ended, &texts[0]));
    if (older != NULL && begun == ended) {
        tell_that(story, history, ", and that is newer: {1} had been answered before it began",
                  the_access(telling, older, &texts[1]));
    } else if (older != NULL) {
        tell_that(story, history, ", and that is newer: {1} had been answered before {2} began",
                  the_access(telling, older, &texts[1]), the_access(telling, begun, &texts[2]));
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        buffer_free(&texts[i]);
    }
    if (older != NULL) {
        add_line(telling, older, EVENT_COMPLETE);
    }
    add_line(telling, begun, EVENT_INVOKE);
    add_line(telling, ended, EVENT_COMPLETE);
    add_line(telling, read, EVENT_INVOKE);
    add_line(telling, read, EVENT_COMPLETE);
    tell_late_delivery(telling, read, ended);
}

/* What the search found out has no shorter proof than that every order was tried; the write that was answered last
 * before the read is where to begin to look. */
static void tell_no_order(struct telling *telling, const struct access *read)
{
    struct buffer *story = &telling->judging->judgement->verdicts[GUARANTEE_LINEARIZABLE].story;
    const struct access *last = NULL;
    bool written = false;

    for (const struct access *access = telling->accesses; access < telling->accesses + telling->count;
         access++) {
        bool is_write = access->operation.is_write;
        written |= is_write && access->operation.value == read->operation.value &&
                   access->operation.invoked < read->operation.completed;
        if (is_write && access->operation.completed < read->operation.invoked &&
            (last == NULL || access->operation.completed > last->operation.completed)) {
            last = access;
        }
    }
    if (!written) {
        buffer_add_string(story, _(", which nobody had asked to set by then"));
    } else {
        buffer_add_format(story,
                          _(": none of the orders that real time allows explains it and all reads before it "
                            "(%" PRIu64 " configurations were tried)"),
                          telling->found->configurations);
    }
    if (last != NULL) {
        add_line(telling, last, EVENT_INVOKE);
        add_line(telling, last, EVENT_COMPLETE);
    }
    add_line(telling, read, EVENT_INVOKE);
    add_line(telling, read, EVENT_COMPLETE);
}

void tell_stale_read(struct judging *judging, const struct access *accesses, size_t count,
                     const struct register_verdict *found)
{
    struct telling telling = {judging, accesses, count, found};
    const struct access *read = access_of(&telling, found->read);

    tell_read(&telling, read);
    if (found->newer_begun != REGISTER_NONE && found->newer_ended != REGISTER_NONE) {
        tell_stale(&telling, read);
    } else {
        tell_no_order(&telling, read);
    }
}
