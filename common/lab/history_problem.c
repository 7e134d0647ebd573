/* What keeps the judge from trusting a log. */
#include "common/lab/history_parts.h"
#include "common/memory.h"
#include "common/words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void history_add_problem(struct history *history, uint32_t process, bool missing_deliveries,
                         const char *format, ...)
{
    struct problem problem = {.process = process, .missing_deliveries = missing_deliveries};
    va_list arguments;

    if (missing_deliveries && process != HISTORY_NONE) {
        history->processes[process].cut = true;
    }
    if (history->problem_count == HISTORY_PROBLEMS_MAX) {
        history->further_problems++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(problem.text, sizeof problem.text, gettext(format), arguments);
    va_end(arguments);
    text_make_printable(problem.text);
    history->problems = memory_grow(history->problems, &history->problem_capacity, history->problem_count + 1,
                                    sizeof *history->problems);
    history->problems[history->problem_count++] = problem;
}

void history_distrust_source(struct history *history, uint32_t source)
{
    for (size_t p = 0; p < history->process_count; p++) {
        struct process *process = &history->processes[p];
        if (process->source == source) {
            process->cut = true;
            history->operations_unclear |= process->role == ROLE_CLIENT;
        }
    }
}

/* ---- the numbers of deliveries ---- */

static void process_problem(struct history *history, const struct process *process, bool missing_deliveries,
                            const char *what, int64_t from, int64_t to, struct line_place place)
{
    struct text name = names_text(&history->texts, process->name);
    history_add_problem(history, (uint32_t)(process - history->processes), missing_deliveries,
                        "%.*s's log %s: ordem_local goes from %" PRId64 " to %" PRId64 " at line %" PRIu32,
                        (int)name.length, name.bytes, _(what), from, to, place.number);
}

void history_check_ordem_local(struct history *history, struct process *process, int64_t ordem_local,
                               struct line_place place)
{
    int64_t last = process->last_ordem_local;

    if (ordem_local == LOG_RECORD_NO_NUMBER) {
        process_problem(history, process, false, N_("has a delivery without its number"), last, 0, place);
        return;
    }
    if (ordem_local > last + 1) {
        process_problem(history, process, true, N_("is cut"), last, ordem_local, place);
    } else if (ordem_local <= last) {
        process_problem(history, process, false, N_("was altered or holds a line twice"), last, ordem_local,
                        place);
    }
    process->last_ordem_local = ordem_local;
}

void history_check_end(struct history *history, const struct process *process, int64_t ordem_local,
                       struct line_place place)
{
    if (ordem_local != LOG_RECORD_NO_NUMBER && ordem_local > process->last_ordem_local) {
        process_problem(history, process, true, N_("is cut before its end"), process->last_ordem_local,
                        ordem_local, place);
    }
}

/* ---- when all lines are there ---- */

void history_add_tear(struct history *history, const char *file, struct line_place place)
{
    history->tears =
        memory_grow(history->tears, &history->tear_capacity, history->tear_count + 1, sizeof *history->tears);
    history->tears[history->tear_count++] =
        (struct tear){names_number(&history->texts, text_of(file)), place};
}

/* Did every process whose log ends there crash? */
static bool ends_in_crash(const struct history *history, uint32_t source)
{
    bool crashed = false;

    for (uint32_t p = 0; p < history->process_count; p++) {
        if (history->processes[p].source == source) {
            const struct incarnation *last = history_last_incarnation(history, p);
            if (last == NULL || !last->crashed) {
                return false;
            }
            crashed = true;
        }
    }
    return crashed;
}

static void check_tears(struct history *history)
{
    for (size_t i = 0; i < history->tear_count; i++) {
        const struct tear *tear = &history->tears[i];
        if (!ends_in_crash(history, tear->place.source)) {
            struct text file = names_text(&history->texts, tear->file);
            history_distrust_source(history, tear->place.source);
            history_add_problem(history, HISTORY_NONE, true,
                                "%.*s: its last line, line %" PRIu32
                                ", is cut, and no log tells that its node was killed",
                                (int)file.length, file.bytes, tear->place.number);
        }
    }
}

static void check_clients(struct history *history)
{
    uint32_t source = HISTORY_NONE;

    for (size_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        if (process->role == ROLE_CLIENT && process->event_count > 0) {
            history->operations_unclear |= source != HISTORY_NONE && source != process->source;
            source = process->source;
        }
    }
}

void history_check_whole(struct history *history)
{
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        struct text name = history_process_name(history, p);
        if (process->starts == 0 && (process->role == ROLE_REPLICA || process->role == ROLE_COORDINATOR)) {
            history_add_problem(
                history, p, true,
                "%.*s's log lacks its beginning (no start event): cut, or LOG_LEVEL quieter than info",
                (int)name.length, name.bytes);
        }
    }
    check_tears(history);
    check_clients(history);
}
