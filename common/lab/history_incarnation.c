/* The lives of processes, and what ended them. */
#include "common/lab/history_parts.h"
#include "common/memory.h"

/* Lines are written together now and then: of so much before its last line a killed process may have told nothing. */
#define UNTOLD_US 300000

static bool has_incarnations(const struct process *process)
{
    return process->role == ROLE_REPLICA || process->role == ROLE_COORDINATOR;
}

static void add_incarnation(struct history *history, uint32_t process, size_t first, size_t end)
{
    struct process *log = &history->processes[process];
    struct incarnation incarnation = {.process = process,
                                      .number = log->incarnation_count++ + 1,
                                      .first = first,
                                      .end = end,
                                      .start_us = history->events[log->events[first]].wall_us,
                                      .last_us = history->events[log->events[end - 1]].wall_us,
                                      .ready_us = INT64_MAX,
                                      .kill_event = HISTORY_NONE};

    for (size_t i = first; i < end; i++) {
        const struct event *event = &history->events[log->events[i]];
        if (event->kind == EVENT_READY && incarnation.ready_us == INT64_MAX) {
            incarnation.ready_us = event->wall_us;
        }
        if (event->kind == EVENT_STOP) { /* one that fails says so, too, but not what it has done */
            const struct store_record *told = history_find_store(history, log->events[i]);
            incarnation.left = event->ordem_local != LOG_RECORD_NO_NUMBER ||
                               told->messages != LOG_RECORD_NO_NUMBER ||
                               (history_is_chat(history) && !told->says_why);
            incarnation.crashed = !incarnation.left;
        }
    }
    history->incarnations = memory_grow(history->incarnations, &history->incarnation_capacity,
                                        history->incarnation_count + 1, sizeof *history->incarnations);
    history->incarnations[history->incarnation_count++] = incarnation;
}

static void split(struct history *history, uint32_t process)
{
    struct process *log = &history->processes[process];
    size_t first = 0;

    log->first_incarnation = (uint32_t)history->incarnation_count;
    for (size_t i = 1; i <= log->event_count; i++) {
        if (i == log->event_count || history->events[log->events[i]].kind == EVENT_START) {
            add_incarnation(history, process, first, i);
            first = i;
        }
    }
    if (log->incarnation_count > 0) {
        struct incarnation *last = &history->incarnations[history->incarnation_count - 1];
        last->last_us = log->last_us > last->last_us ? log->last_us : last->last_us;
    }
}

/* A kill ends the life that had begun by then; what had stopped before cannot be killed any more. */
static void note_kill(struct history *history, uint32_t process, uint32_t event)
{
    const struct process *log = &history->processes[process];
    int64_t killed_us = history->events[event].wall_us;
    struct incarnation *killed = NULL;

    for (uint32_t i = 0; i < log->incarnation_count; i++) {
        struct incarnation *incarnation = &history->incarnations[log->first_incarnation + i];
        killed = incarnation->start_us <= killed_us ? incarnation : killed;
    }
    if (killed != NULL && !killed->left) {
        killed->crashed = true;
        killed->kill_event = event;
    }
}

static void note_interventions(struct history *history)
{
    for (size_t i = 0; i < history->intervention_count; i++) {
        struct intervention *intervention = &history->interventions[i];
        uint32_t process =
            names_find(&history->process_names, names_text(&history->texts, intervention->target));
        bool known = process != NAMES_NONE && has_incarnations(&history->processes[process]);
        intervention->process = known ? process : HISTORY_NONE;
        if (known && history->events[intervention->event].kind == EVENT_KILL) {
            note_kill(history, process, intervention->event);
        }
    }
}

/* Whoever starts again without having stopped has crashed in between. */
static void tell_crash(struct history *history, struct incarnation *incarnation)
{
    const struct process *log = &history->processes[incarnation->process];
    bool last = incarnation->number == log->incarnation_count;
    const struct incarnation *next = last ? NULL : incarnation + 1;

    incarnation->crashed |= next != NULL && !incarnation->left;
    incarnation->crashed_us = incarnation->kill_event != HISTORY_NONE
                                  ? history->events[incarnation->kill_event].wall_us
                                  : incarnation->last_us + UNTOLD_US;
    if (next != NULL && next->start_us < incarnation->crashed_us) {
        incarnation->crashed_us = next->start_us;
    }
}

void history_tell_incarnations(struct history *history)
{
    for (uint32_t p = 0; p < history->process_count; p++) {
        if (has_incarnations(&history->processes[p])) {
            split(history, p);
        }
    }
    note_interventions(history);
    for (size_t i = 0; i < history->incarnation_count; i++) {
        tell_crash(history, &history->incarnations[i]);
    }
}

const struct incarnation *history_last_incarnation(const struct history *history, uint32_t process)
{
    const struct process *log = &history->processes[process];

    return log->incarnation_count > 0
               ? &history->incarnations[log->first_incarnation + log->incarnation_count - 1]
               : NULL;
}

const struct incarnation *history_incarnation_of(const struct history *history, uint32_t event)
{
    const struct process *log = &history->processes[history->events[event].process];
    const struct incarnation *first = &history->incarnations[log->first_incarnation];
    uint32_t low = 0;
    uint32_t high = log->incarnation_count;

    while (high - low > 1) { /* the last that begins with this event or before it */
        uint32_t middle = low + (high - low) / 2;
        if (log->events[first[middle].first] <= event) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return first + low;
}
