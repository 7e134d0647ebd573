/* From a run in which somebody was killed to what its part survives. */
#include "common/lab/matrix_parts.h"
#include "common/lab/part_plan.h"
#include "common/lab/tell.h"
#include "common/words.h"

#include <inttypes.h>

/* What one run says of its drill. */
struct drill {
    const struct report *report;
    bool coordinator;
    const char *role;     /* what the killed one is called besides its name: " (leader)", or "" */
    struct buffer others; /* who was killed besides it: " and acceptor-2", or nothing; owned */
    struct service service;
    bool served;
    struct loss loss; /* of what clients were told is safe */
    const struct verdict
        *missing; /* where there are no clients, of what was sent; NULL if nothing is missing */
    const struct verdict
        *unequal; /* the killed one's replica, to the others'; NULL if it is equal, or there is none */
    const struct verdict *doubt; /* why all that cannot be told; NULL if it can */
};

/* The verdict, if it is that and counts here; else NULL. */
static const struct verdict *find(const struct verdict *verdict, enum outcome outcome, bool counts)
{
    return counts && verdict->outcome == outcome ? verdict : NULL;
}

static bool is_cut(const struct history *history)
{
    for (uint32_t p = 0; p < history->process_count; p++) {
        if (history->processes[p].cut) {
            return true;
        }
    }
    return false;
}

/* What a process delivered in any of its lives counts as delivered; that its replica has it in the end is the business
 * of convergence. Who keeps no replica need not be equal to any. */
static void weigh(struct drill *drill)
{
    const struct history *history = drill->report->history;
    const struct verdict *delivery = &drill->report->judgement->verdicts[GUARANTEE_DELIVERY];
    const struct verdict *convergence = &drill->report->judgement->verdicts[GUARANTEE_CONVERGENCE];
    const struct service *service = &drill->service;
    bool typed = history->operation_count == 0;
    bool has_replica =
        service->process != HISTORY_NONE && history->processes[service->process].role == ROLE_REPLICA;

    drill->served = drill->coordinator ? service->back_us >= 0 : service->answered == service->sent;
    drill->loss = loss_measure(history);
    drill->missing = find(delivery, OUTCOME_VIOLATED, typed);
    drill->unequal = find(convergence, OUTCOME_VIOLATED, has_replica);
    drill->doubt = find(convergence, OUTCOME_UNKNOWN, has_replica);
    if (drill->doubt == NULL) {
        drill->doubt = find(delivery, OUTCOME_UNKNOWN, typed || is_cut(history));
    }
}

/* Whom else the lab killed before it started anybody again. */
static void name_others(struct drill *drill)
{
    const struct history *history = drill->report->history;

    for (size_t i = 0; i < history->intervention_count; i++) {
        const struct intervention *intervention = &history->interventions[i];
        if (history->events[intervention->event].kind != EVENT_KILL ||
            (drill->service.restart != HISTORY_NONE && intervention->event > drill->service.restart)) {
            break;
        }
        if (intervention->event != drill->service.kill) {
            struct text name = names_text(&history->texts, intervention->target);
            buffer_add_format(&drill->others, _(" (and %.*s)"), (int)name.length, name.bytes);
        }
    }
}

static uint64_t count_losses(const struct drill *drill)
{
    return drill->loss.count + (drill->missing != NULL ? drill->missing->count : 0) +
           (drill->unequal != NULL ? drill->unequal->count : 0);
}

static void tell_service(const struct drill *drill, struct buffer *story)
{
    const struct service *service = &drill->service;
    const struct event *events = drill->report->history->events;
    int target = (int)service->target.length;
    int others = (int)drill->others.length;
    const char *others_text = others > 0 ? drill->others.bytes : "";

    if (service->restart != HISTORY_NONE) {
        int64_t down_us = events[service->restart].wall_us - events[service->kill].wall_us;
        buffer_add_format(story,
                          drill->coordinator
                              ? _("%.*s%.*s%s was killed, and started again after %.1f s: of %" PRIu64
                                  " commands sent in between %" PRIu64 " were answered before that")
                              : _("%.*s%.*s%s was killed, and started again after %.1f s: of %" PRIu64
                                  " commands that others were sent in between %" PRIu64 " were answered"),
                          target, service->target.bytes, others, others_text, drill->role,
                          (double)down_us / 1e6, service->sent, service->answered);
    } else {
        buffer_add_format(story,
                          _("%.*s%.*s%s was killed for good: of %" PRIu64 " commands sent since %" PRIu64
                            " were answered"),
                          target, service->target.bytes, others, others_text, drill->role, service->sent,
                          service->answered);
    }
    if (drill->coordinator && drill->served) {
        buffer_add_format(story, _(", all of them from %.0f ms after the kill on"),
                          (double)service->back_us / 1000);
        if (service->silence_us >= 0) {
            buffer_add_format(story, _(", and the longest time without an answer was %.0f ms"),
                              (double)service->silence_us / 1000);
        }
    }
}

static void tell_verdict(const struct verdict *verdict, struct buffer *story)
{
    buffer_add_string(story, "; ");
    buffer_add(story, verdict->finding.bytes, verdict->finding.length);
    if (verdict->story.length > 0) {
        buffer_add_string(story, ": ");
        buffer_add(story, verdict->story.bytes, verdict->story.length);
    }
}

static void tell_missing(const struct drill *drill, struct buffer *story)
{
    const struct history *history = drill->report->history;

    buffer_add_format(story, _("; acknowledged, and missing somewhere in the end: %" PRIu64 ", among them "),
                      drill->loss.count);
    tell_command(story, history, history->operations[drill->loss.operation].command);
}

static void tell_losses(const struct drill *drill, struct buffer *story)
{
    if (drill->loss.count > 0) {
        tell_missing(drill, story);
    } else if (drill->unequal != NULL) {
        tell_verdict(drill->unequal, story);
    } else if (drill->missing != NULL) {
        tell_verdict(drill->missing, story);
    } else if (drill->doubt != NULL) {
        tell_verdict(drill->doubt, story);
    } else if (drill->report->history->operation_count > 0) {
        buffer_add_string(story, _("; in the end nothing acknowledged was missing anywhere"));
    } else {
        buffer_add_string(story, _("; in the end nothing was missing anywhere"));
    }
}

static void quote_drill(struct proof *proof, const struct drill *drill)
{
    const struct service *service = &drill->service;
    const uint32_t lines[] = {service->kill, service->unanswered, service->refusal, service->restart};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        bool tells = i == 0 || i == 3 || !drill->served;
        if (lines[i] != HISTORY_NONE && tells) {
            proof_quote_line(proof, drill->report, lines[i]);
        }
    }
    if (drill->loss.count > 0) {
        const struct history *history = drill->report->history;
        proof_quote_line(proof, drill->report, history->operations[drill->loss.operation].complete);
    } else if (drill->unequal != NULL) {
        proof_quote_verdict(proof, drill->report, drill->unequal);
    } else if (drill->missing != NULL) {
        proof_quote_verdict(proof, drill->report, drill->missing);
    }
}

static const char *reason_for_doubt(const struct drill *drill)
{
    const struct service *service = &drill->service;

    if (service->kill == HISTORY_NONE) {
        return _("the lab's log tells of no kill");
    }
    if (!drill->coordinator && service->restart == HISTORY_NONE) {
        return _("it was not started again");
    }
    return service->sent == 0 ? _("no command was sent while it was down") : NULL;
}

/* A coordinator that is one of several has two names. */
static const char *role_of(const struct run_options *run, const struct service *service, bool coordinator)
{
    const struct part_plan *plan = part_plan_find(run->part);
    bool is_first = plan->first_alias != NULL && text_equal(service->target, text_of("node1"));

    return is_first || (plan->leader_alias != NULL && coordinator) ? _(" (the leader)") : "";
}

void cells_add_survival(struct matrix_cell *cell, const struct run_options *run, const struct report *report,
                        bool coordinator)
{
    struct drill drill = {.report = report, .coordinator = coordinator};
    struct buffer story = {0};

    service_measure(report->history, coordinator, &drill.service);
    weigh(&drill);
    drill.role = role_of(run, &drill.service, coordinator);
    const char *reason = reason_for_doubt(&drill);
    if (reason != NULL) {
        cells_add_failure(cell, reason);
        return;
    }
    name_others(&drill);
    tell_service(&drill, &story);
    tell_losses(&drill, &story);
    uint64_t count = count_losses(&drill) + (drill.served ? 0 : drill.service.sent - drill.service.answered);
    bool violated = !drill.served || count > 0;
    if (violated && cell->violated_runs == 0) {
        proof_begin(&cell->proof, run, &story);
        quote_drill(&cell->proof, &drill);
    }
    buffer_clear(&cell->why);
    buffer_add(&cell->why, story.bytes, story.length);
    cell_add_outcome(cell,
                     violated              ? OUTCOME_VIOLATED
                     : drill.doubt != NULL ? OUTCOME_UNKNOWN
                                           : OUTCOME_HOLDS,
                     count);
    buffer_free(&story);
    buffer_free(&drill.others);
}
