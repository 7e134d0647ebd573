/* What servers of the chat have in the end: all that was acknowledged, the same everywhere, and nothing twice. */
#include "common/lab/judge_chat.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdlib.h>

static size_t correct_servers(const struct chat_judging *chat)
{
    return chat->judging->judgement->replica_count;
}

/* ---- nothing acknowledged is lost ---- */

/* Whoever had it, and has not any more: the line that forgets it, and why. */
static void tell_who_had_it(const struct chat_judging *chat, uint32_t command, struct verdict *verdict)
{
    for (size_t i = 0; i < chat->server_count; i++) {
        const struct chat_server_state *server = &chat->servers[i];
        uint32_t delivery = server->last_of[command];
        if (delivery == HISTORY_NONE) {
            continue;
        }
        const struct event *line = &chat->history->events[delivery];
        if (server->has[command]) {
            tell_that(&verdict->story, chat->history, ": {1} has it, as number {2} of reign {3}",
                      the_process(server->process), the_count(line->seq), the_count(line->epoch));
        } else {
            tell_that(&verdict->story, chat->history,
                      ": {1} had it, as number {2} of reign {3}, and forgot it", the_process(server->process),
                      the_count(line->seq), the_count(line->epoch));
        }
        verdict_add_evidence(verdict, delivery);
        return;
    }
    buffer_add_string(&verdict->story, _(": no server ever had it"));
}

static void tell_lost(const struct chat_judging *chat, const struct chat_server_state *server,
                      const struct operation *operation, struct verdict *verdict)
{
    tell_that(&verdict->story, chat->history, "{1} was told OK for {2}, which {3} does not have in the end",
              the_process(operation->client), the_command(operation->command), the_process(server->process));
    verdict_add_evidence(verdict, operation->invoke);
    verdict_add_evidence(verdict, operation->complete);
    tell_who_had_it(chat, operation->command, verdict);
}

void chat_judge_kept(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_KEPT);
    uint64_t acknowledged = 0;
    uint64_t lost = 0;

    for (size_t i = 0; i < history->operation_count; i++) {
        const struct operation *operation = chat_acknowledged(chat, history->operations[i].command);
        bool missing = false;
        for (size_t s = 0; operation != NULL && s < chat->server_count; s++) {
            const struct chat_server_state *server = &chat->servers[s];
            bool misses = server->correct && !server->has[operation->command];
            if (misses && lost == 0 && !missing) {
                tell_lost(chat, server, operation, verdict);
            }
            missing |= misses;
        }
        acknowledged += operation != NULL;
        lost += missing;
    }
    chat_conclude(verdict, lost);
    if (lost > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " of %" PRIu64 " acknowledged writes is missing in the end",
                                   "%" PRIu64 " of %" PRIu64 " acknowledged writes are missing in the end",
                                   lost),
                          lost, acknowledged);
    } else if (correct_servers(chat) == 0) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_string(&verdict->finding, _("no server is up in the end, with a whole log"));
    } else {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " write was acknowledged, and is there in the end",
                                   "%" PRIu64 " writes were acknowledged, and all are there in the end",
                                   acknowledged),
                          acknowledged);
    }
}

/* ---- identical data ---- */

static bool is_same(const struct history *history, uint32_t one, uint32_t other)
{
    return history->events[one].command == history->events[other].command &&
           history->events[one].seq == history->events[other].seq;
}

/* The first place where they differ, from 0; the count of both if there is none. */
static size_t first_difference(const struct history *history, const struct chat_server_state *one,
                               const struct chat_server_state *other)
{
    size_t i = 0;

    while (i < one->count && i < other->count && is_same(history, one->changes[i], other->changes[i])) {
        i++;
    }
    return i;
}

static void tell_end(const struct chat_judging *chat, const struct chat_server_state *server, size_t place,
                     struct verdict *verdict)
{
    const struct history *history = chat->history;

    if (place < server->count) {
        uint32_t event = server->changes[place];
        tell_that(&verdict->story, history, "{1} has {2} as number {3}", the_process(server->process),
                  the_command(history->events[event].command), the_count(history->events[event].seq));
        verdict_add_evidence(verdict, event);
    } else {
        tell_that(&verdict->story, history, "{1} ends there", the_process(server->process));
        if (place > 0) {
            verdict_add_evidence(verdict, server->changes[place - 1]);
        }
    }
}

void chat_judge_equal(struct chat_judging *chat)
{
    const struct chat_server_state *first = NULL;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_EQUAL);
    uint64_t different = 0;

    for (size_t i = 0; i < chat->server_count; i++) {
        const struct chat_server_state *server = &chat->servers[i];
        if (!server->correct) {
            continue;
        }
        first = first != NULL ? first : server;
        size_t place = first_difference(chat->history, first, server);
        if (place == first->count && place == server->count) {
            continue;
        }
        if (different++ == 0) {
            tell_end(chat, first, place, verdict);
            buffer_add_string(&verdict->story, ", ");
            tell_end(chat, server, place, verdict);
        }
    }
    chat_conclude(verdict, different);
    verdict->not_applicable = chat->shared;
    if (different > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " server ends with other data than the first",
                                   "%" PRIu64 " servers end with other data than the first", different),
                          different);
    } else if (chat->shared) {
        buffer_add_string(&verdict->finding, _("all servers share one volume"));
    } else if (first == NULL || correct_servers(chat) < 2) {
        verdict->outcome = OUTCOME_UNKNOWN;
        buffer_add_string(&verdict->finding, _("there are no two servers up in the end, with whole logs"));
    } else {
        buffer_add_format(&verdict->finding, _("all %zu servers end with the same %zu changes"),
                          correct_servers(chat), first->count);
    }
}

/* ---- once ---- */

/* Tells the first of them. Returns how many of these deliveries are not the first of their command. */
static uint64_t count_repeated(struct chat_judging *chat, uint32_t process, const uint32_t *deliveries,
                               size_t count, uint32_t *first_of, bool tell)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_ONCE);
    uint64_t repeated = 0;

    for (size_t i = 0; i < history->command_count; i++) {
        first_of[i] = HISTORY_NONE;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t command = history->events[deliveries[i]].command;
        if (first_of[command] == HISTORY_NONE) {
            first_of[command] = deliveries[i];
        } else if (repeated++ == 0 && tell) {
            tell_that(&verdict->story, history,
                      "{1} took effect twice at {2}, as number {3} and as number {4}", the_command(command),
                      the_process(process), the_count(history->events[first_of[command]].seq),
                      the_count(history->events[deliveries[i]].seq));
            verdict_add_evidence(verdict, first_of[command]);
            verdict_add_evidence(verdict, deliveries[i]);
        }
    }
    return repeated;
}

/* What a listener's log tells: each delivery of it. Returns how many; owned by the caller. */
static size_t list_deliveries(const struct history *history, uint32_t process, uint32_t **deliveries)
{
    const struct process *log = &history->processes[process];
    size_t count = 0;

    *deliveries = memory_new(log->event_count * sizeof **deliveries);
    for (size_t i = 0; i < log->event_count; i++) {
        if (history->events[log->events[i]].kind == EVENT_DELIVER) {
            (*deliveries)[count++] = log->events[i];
        }
    }
    return count;
}

void chat_judge_once(struct chat_judging *chat)
{
    const struct history *history = chat->history;
    struct verdict *verdict = chat_verdict(chat, GUARANTEE_ONCE);
    uint32_t *first_of = memory_new(history->command_count * sizeof *first_of);
    uint64_t repeated = 0;

    for (size_t i = 0; i < chat->server_count; i++) {
        const struct chat_server_state *server = &chat->servers[i];
        repeated +=
            count_repeated(chat, server->process, server->changes, server->count, first_of, repeated == 0);
    }
    for (uint32_t p = 0; p < history->process_count; p++) {
        if (history->processes[p].listens) {
            uint32_t *deliveries;
            size_t count = list_deliveries(history, p, &deliveries);
            repeated += count_repeated(chat, p, deliveries, count, first_of, repeated == 0);
            free(deliveries);
        }
    }
    free(first_of);
    chat_conclude(verdict, repeated);
    if (repeated > 0) {
        buffer_add_format(&verdict->finding,
                          ngettext("%" PRIu64 " time something took effect once more",
                                   "%" PRIu64 " times something took effect once more", repeated),
                          repeated);
    } else {
        buffer_add_string(&verdict->finding, _("nothing took effect twice, however often it was asked for"));
    }
}
