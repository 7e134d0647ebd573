/* Service: were commands answered while somebody was down, and nobody had started it again yet? */
#include "common/lab/matrix_parts.h"
#include "common/memory.h"

#include <stdlib.h>

/* A command that was sent so shortly before the restart need not have been answered by then: also a busy machine answers
 * late. */
#define ON_ITS_WAY_US 600000

/* A command of that time. */
struct request {
    uint32_t sent, ended; /* lines; `ended` HISTORY_NONE where none tells */
    bool answered;        /* well, and in time */
};

struct serving {
    const struct history *history;
    struct service *service;
    int64_t from_us, to_us; /* from the kill to the restart */
    bool whole;
    struct request *requests; /* in the order of their sending; owned */
    size_t count;
};

static int64_t time_of(const struct serving *serving, uint32_t event)
{
    return serving->history->events[event].wall_us;
}

/* ---- what was sent in that time ---- */

static void add_request(struct serving *serving, uint32_t sent, uint32_t ended, bool well)
{
    int64_t sent_us = time_of(serving, sent);
    bool in_time = ended != HISTORY_NONE && time_of(serving, ended) <= serving->to_us;

    if (sent_us <= serving->from_us || sent_us >= serving->to_us ||
        (!in_time && sent_us + ON_ITS_WAY_US > serving->to_us)) {
        return;
    }
    serving->requests[serving->count++] = (struct request){sent, ended, well && in_time};
}

/* As the clients tell. A command is its node's: the one that was asked. */
static void add_operations(struct serving *serving)
{
    const struct history *history = serving->history;

    for (size_t i = 0; i < history->operation_count; i++) {
        const struct operation *operation = &history->operations[i];
        struct text asked = names_text(&history->texts, history->commands[operation->command].sender);
        if (serving->whole || !text_equal(asked, serving->service->target)) {
            add_request(serving, operation->invoke, operation->complete, operation->status == OPERATION_OK);
        }
    }
}

/* Its sender's first delivery of a command is the answer to who typed it there. */
static uint32_t *find_own_deliveries(const struct history *history)
{
    uint32_t *deliveries = memory_new(history->command_count * sizeof *deliveries);

    for (size_t c = 0; c < history->command_count; c++) {
        deliveries[c] = HISTORY_NONE;
    }
    for (uint32_t e = 0; e < history->event_count; e++) {
        const struct event *event = &history->events[e];
        if (event->kind == EVENT_DELIVER && deliveries[event->command] == HISTORY_NONE &&
            history->commands[event->command].sender_process == event->process) {
            deliveries[event->command] = e;
        }
    }
    return deliveries;
}

/* As the nodes tell, where there are no clients. */
static void add_typed(struct serving *serving)
{
    const struct history *history = serving->history;
    uint32_t *deliveries = find_own_deliveries(history);

    for (size_t c = 0; c < history->command_count; c++) {
        uint32_t sent = history->commands[c].send_event;
        if (sent != HISTORY_NONE &&
            (serving->whole || history->events[sent].process != serving->service->process)) {
            add_request(serving, sent, deliveries[c], true);
        }
    }
    free(deliveries);
}

/* ---- how it went ---- */

static void find_interventions(struct serving *serving)
{
    const struct history *history = serving->history;
    struct service *service = serving->service;
    uint32_t target = NAMES_NONE;

    for (size_t i = 0; i < history->intervention_count; i++) {
        const struct intervention *intervention = &history->interventions[i];
        enum event_kind kind = history->events[intervention->event].kind;
        if (kind == EVENT_KILL && service->kill == HISTORY_NONE) {
            service->kill = intervention->event;
            service->process = intervention->process;
            target = intervention->target;
            service->target = names_text(&history->texts, target);
        } else if (kind == EVENT_RESTART && service->restart == HISTORY_NONE &&
                   intervention->target == target) {
            service->restart = intervention->event;
        }
    }
}

static void sum_up(struct serving *serving)
{
    struct service *service = serving->service;

    service->sent = serving->count;
    for (size_t i = 0; i < serving->count; i++) {
        const struct request *request = &serving->requests[i];
        if (request->answered) {
            service->answered++;
            service->back_us =
                service->back_us < 0 ? time_of(serving, request->sent) - serving->from_us : service->back_us;
        } else {
            service->back_us = -1;
            if (service->unanswered == HISTORY_NONE) {
                service->unanswered = request->sent;
                service->refusal = request->ended;
            }
        }
    }
}

static int compare_requests(const void *a, const void *b, void *history)
{
    const struct request *first = a;
    const struct request *second = b;
    const struct event *events = ((const struct history *)history)->events;
    int64_t apart = events[first->sent].wall_us - events[second->sent].wall_us;

    return apart != 0 ? (apart > 0) - (apart < 0)
                      : (first->sent > second->sent) - (first->sent < second->sent);
}

void service_measure(const struct history *history, bool whole, struct service *service)
{
    struct serving serving = {.history = history, .service = service, .whole = whole, .to_us = INT64_MAX};

    *service = (struct service){.kill = HISTORY_NONE,
                                .restart = HISTORY_NONE,
                                .process = HISTORY_NONE,
                                .unanswered = HISTORY_NONE,
                                .refusal = HISTORY_NONE,
                                .back_us = -1,
                                .silence_us = -1};
    find_interventions(&serving);
    if (service->kill == HISTORY_NONE) {
        return;
    }
    serving.from_us = time_of(&serving, service->kill);
    if (service->restart != HISTORY_NONE) {
        serving.to_us = time_of(&serving, service->restart);
    }
    serving.requests =
        memory_new((history->operation_count + history->command_count) * sizeof *serving.requests);
    if (history->operation_count > 0) {
        add_operations(&serving);
    } else {
        add_typed(&serving);
    }
    qsort_r(serving.requests, serving.count, sizeof *serving.requests, compare_requests, (void *)history);
    sum_up(&serving);
    if (history->operation_count > 0 && service->restart != HISTORY_NONE) {
        service->silence_us = history_find_silence(history, serving.from_us, serving.to_us).longest_us;
    }
    free(serving.requests);
}
