/* What was said before what: what subscribers hear of one sender, and Lamport's condition. */
#include "common/lab/judge_chat.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- a sender's messages in order ---- */

/* Of a sender, what the listener has heard that was asked for last. */
struct heard {
    const struct operation *newest; /* NULL: nothing yet */
    uint32_t event;
};

/* A client asks one thing after the other: what it was told OK for, before it asked for the next. */
static bool is_before(const struct operation *one, const struct operation *other)
{
    return one->complete != HISTORY_NONE && one->complete < other->invoke;
}

static void tell_overtaken(const struct chat_judging *chat, uint32_t listener, uint32_t late,
                           const struct heard *heard)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_IN_ORDER);
    const struct event *event = &history->events[late];
    const struct operation *operation = history_operation_of(history, event->command);

    tell_that(&verdict->story, history,
              "{1} heard {2} before {3}, which {4} had said, and was told OK for, first",
              the_process(listener), the_command(heard->newest->command), the_command(event->command),
              the_process(operation->client));
    verdict_add_evidence(verdict, operation->complete);
    verdict_add_evidence(verdict, heard->newest->invoke);
    verdict_add_evidence(verdict, heard->event);
    verdict_add_evidence(verdict, late);
}

/* `newest` is by process: of whoever asked. */
static uint64_t judge_listener(const struct chat_judging *chat, uint32_t listener, struct heard *newest,
                               bool tell)
{
    const struct history *history = chat->history;
    const struct process *log = &history->processes[listener];
    uint64_t violations = 0;

    memset(newest, 0, history->process_count * sizeof *newest);
    for (size_t i = 0; i < log->event_count; i++) {
        uint32_t number = log->events[i];
        const struct event *event = &history->events[number];
        const struct operation *operation =
            event->kind == EVENT_DELIVER ? chat_acknowledged(chat, event->command) : NULL;
        if (operation == NULL) {
            continue;
        }
        struct heard *heard = &newest[operation->client];
        if (heard->newest != NULL && is_before(operation, heard->newest)) {
            if (violations++ == 0 && tell) {
                tell_overtaken(chat, listener, number, heard);
            }
        } else {
            *heard = (struct heard){operation, number};
        }
    }
    return violations;
}

void chat_judge_in_order(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_IN_ORDER);
    struct heard *newest = memory_new(history->process_count * sizeof *newest);
    uint64_t violations = 0;
    uint64_t listeners = 0;

    for (uint32_t p = 0; p < history->process_count; p++) {
        if (history->processes[p].listens) {
            listeners++;
            violations += judge_listener(chat, p, newest, violations == 0);
        }
    }
    free(newest);
    chat_conclude(verdict, violations);
    verdict->not_applicable = listeners == 0;
    if (violations > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " time a message was overtaken by a later one of its sender",
                                   "%" PRIu64 " times a message was overtaken by a later one of its sender",
                                   violations),
                          violations);
    } else if (listeners == 0) {
        buffer_add_string(&verdict->finding, _("nobody listens"));
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " subscriber heard each sender's messages in their order",
                                   "%" PRIu64 " subscribers heard each sender's messages in their order",
                                   listeners),
                          listeners);
    }
}

/* ---- Lamport's condition ---- */

/* One end of a message; NULL: none. */
struct talk_end {
    const struct talk_record *talk;
};

/* The end at which a message was said, by message; what is said again is the same. */
static struct talk_end *find_said(const struct history *history)
{
    struct talk_end *said = memory_new_zeroed(history->messages.count + 1, sizeof *said);

    for (size_t i = 0; i < history->talk_count; i++) {
        const struct talk_record *talk = &history->talk[i];
        if (history->events[talk->event].kind == EVENT_SAY && said[talk->message].talk == NULL) {
            said[talk->message].talk = talk;
        }
    }
    return said;
}

static void tell_early(const struct chat_judging *chat, const struct talk_record *said,
                       const struct talk_record *heard)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_LAMPORT);

    tell_that(&verdict->story, history, "{1} said a message ({2}) at {3}, and {4} heard it at {5}: not later",
              the_process(history->events[said->event].process),
              the_text(names_text(&history->texts, said->service)), the_count(said->clock),
              the_process(history->events[heard->event].process), the_count(heard->clock));
    verdict_add_evidence(verdict, said->event);
    verdict_add_evidence(verdict, heard->event);
}

static void tell_backwards(const struct chat_judging *chat, const struct talk_record *before,
                           const struct talk_record *after)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_LAMPORT);

    tell_that(&verdict->story, history, "{1}'s clock went back from {2} to {3}",
              the_process(history->events[after->event].process), the_count(before->clock),
              the_count(after->clock));
    verdict_add_evidence(verdict, before->event);
    verdict_add_evidence(verdict, after->event);
}

/* Within one life of a process no time is below an earlier one. */
static uint64_t judge_each_clock(const struct chat_judging *chat, bool tell)
{
    const struct history *history = chat->history;
    struct talk_end *last = memory_new_zeroed(history->process_count + 1, sizeof *last);
    uint64_t violations = 0;

    for (size_t i = 0; i < history->talk_count; i++) {
        const struct talk_record *talk = &history->talk[i];
        uint32_t process = history->events[talk->event].process;
        bool is_client = history->processes[process].role == ROLE_CLIENT;
        const struct talk_record *before = last[process].talk;
        bool same_life = before != NULL && (is_client || history_incarnation_of(history, before->event) ==
                                                             history_incarnation_of(history, talk->event));
        if (same_life && talk->clock < before->clock && violations++ == 0 && tell) {
            tell_backwards(chat, before, talk);
        }
        last[process].talk = talk;
    }
    free(last);
    return violations;
}

void chat_judge_lamport(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_LAMPORT);
    struct talk_end *said = find_said(history);
    uint64_t violations = 0;
    uint64_t pairs = 0;

    for (size_t i = 0; i < history->talk_count; i++) {
        const struct talk_record *heard = &history->talk[i];
        const struct talk_record *origin = said[heard->message].talk;
        if (history->events[heard->event].kind != EVENT_HEAR || origin == NULL) {
            continue;
        }
        pairs++;
        if (heard->clock <= origin->clock && violations++ == 0) {
            tell_early(chat, origin, heard);
        }
    }
    free(said);
    violations += judge_each_clock(chat, violations == 0);
    chat_conclude(verdict, violations);
    verdict->not_applicable = pairs == 0 && violations == 0;
    if (violations > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " time a clock tells a wrong order",
                                   "%" PRIu64 " times a clock tells a wrong order", violations),
                          violations);
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " message was heard later than it was said",
                                   "%" PRIu64 " messages were heard later than they were said", pairs),
                          pairs);
    }
}
