#include "common/lab/report.h"

#include "common/clock.h"
#include "common/json.h"

#include <inttypes.h>
#include <string.h>

static const char *const outcomes[] = {"holds", "violated", "unknown"};

static void add_name(struct buffer *out, const char *name)
{
    buffer_add_char(out, ',');
    json_write_string(out, text_of(name));
    buffer_add_char(out, ':');
}

static void add_event(struct buffer *out, const struct report *report, uint32_t number, struct buffer *line)
{
    const struct line_place place = report->history->events[number].place;

    buffer_add_string(out, "{\"file\":");
    json_write_string(out, text_of(report->sources->items[place.source].path));
    buffer_add_format(out, ",\"line\":%" PRIu32 ",\"text\":", place.number);
    log_sources_line(report->sources, place, line);
    if (!text_is_utf8(buffer_text(line))) { /* what stands before the record may be anything */
        buffer_add_char(line, '\0');
        text_make_printable(line->bytes);
        line->length = strlen(line->bytes);
    }
    json_write_string(out, buffer_text(line));
    buffer_add_char(out, '}');
}

static void add_verdict(struct buffer *out, const struct report *report, enum guarantee guarantee,
                        struct buffer *line)
{
    const struct verdict *verdict = &report->judgement->verdicts[guarantee];

    buffer_add_string(out, "{\"outcome\":");
    json_write_string(out, text_of(verdict->not_applicable ? "not_applicable" : outcomes[verdict->outcome]));
    buffer_add_format(out, ",\"count\":%" PRIu64 ",\"finding\":", verdict->count);
    json_write_string(out, buffer_text(&verdict->finding));
    if (verdict->outcome == OUTCOME_VIOLATED) {
        add_name(out, "story");
        json_write_string(out, buffer_text(&verdict->story));
        add_name(out, "evidence");
        for (size_t i = 0; i < verdict->evidence_count; i++) {
            buffer_add_char(out, i == 0 ? '[' : ',');
            add_event(out, report, verdict->evidence[i], line);
        }
        buffer_add_char(out, ']');
    }
    buffer_add_char(out, '}');
}

static void add_differences(struct buffer *out, const struct report *report)
{
    const struct history *history = report->history;
    const struct judgement *judgement = report->judgement;

    buffer_add_char(out, '{');
    for (size_t d = 0; d < judgement->difference_count; d++) {
        const struct difference *difference = &judgement->differences[d];
        if (d > 0) {
            buffer_add_char(out, ',');
        }
        json_write_string(out, names_text(&history->texts, difference->key));
        buffer_add_char(out, ':');
        for (size_t r = 0; r < judgement->replica_count; r++) {
            uint32_t event = difference->last_set[r];
            buffer_add_char(out, r == 0 ? '{' : ',');
            json_write_string(out, history_process_name(history, judgement->replicas[r]));
            buffer_add_char(out, ':');
            struct text value =
                event == HISTORY_NONE
                    ? text_of("null")
                    : names_text(&history->texts, history->commands[history->events[event].command].value);
            buffer_add(out, value.bytes, value.length);
        }
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, '}');
}

/* null where nothing tells of clients. */
static void add_clients(struct buffer *out, const struct clients_summary *clients)
{
    if (clients->operations == 0) {
        buffer_add_string(out, "null");
        return;
    }
    buffer_add_format(out,
                      "{\"operations\":%" PRIu64 ",\"ok\":%" PRIu64 ",\"error\":%" PRIu64
                      ",\"unknown\":%" PRIu64 ",\"latency_us\":",
                      clients->operations, clients->ok, clients->errors, clients->unknown);
    if (clients->p50_us >= 0) {
        buffer_add_format(out, "{\"p50\":%" PRId64 ",\"p99\":%" PRId64 "}", clients->p50_us, clients->p99_us);
    } else {
        buffer_add_string(out, "null");
    }
    add_name(out, "longest_silence_us");
    if (clients->silence.longest_us >= 0) {
        buffer_add_format(out, "%" PRId64 "}", clients->silence.longest_us);
    } else {
        buffer_add_string(out, "null}");
    }
}

/* How often each replica and each coordinator started. */
static void add_lives(struct buffer *out, const struct history *history)
{
    bool first = true;

    buffer_add_char(out, '{');
    for (uint32_t p = 0; p < history->process_count; p++) {
        const struct process *process = &history->processes[p];
        if (process->role == ROLE_REPLICA || process->role == ROLE_COORDINATOR) {
            buffer_add_string(out, first ? "" : ",");
            json_write_string(out, history_process_name(history, p));
            buffer_add_format(out, ":%" PRIu32, process->incarnation_count);
            first = false;
        }
    }
    buffer_add_char(out, '}');
}

static void add_interventions(struct buffer *out, const struct history *history)
{
    char time[CLOCK_TEXT_LENGTH + 1];

    buffer_add_char(out, '[');
    for (size_t i = 0; i < history->intervention_count; i++) {
        const struct event *event = &history->events[history->interventions[i].event];
        clock_format(event->wall_us, time);
        buffer_add_format(out, "%s{\"ts\":\"%s\",\"event\":\"%s\",\"target\":", i > 0 ? "," : "", time,
                          event_kind_name(event->kind));
        json_write_string(out, names_text(&history->texts, history->interventions[i].target));
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ']');
}

int report_json(const struct report *report, FILE *out)
{
    const struct history *history = report->history;
    struct buffer json = {0};
    struct buffer line = {0};

    buffer_add_format(&json,
                      "{\"nodes\":%" PRIu64 ",\"coordinators\":%" PRIu64 ",\"commands\":%" PRIu64
                      ",\"deliveries\":%" PRIu64 ",\"outcome\":\"%s\"",
                      report->judgement->nodes, report->judgement->coordinators, report->judgement->commands,
                      report->judgement->deliveries, outcomes[judgement_outcome(report->judgement)]);
    add_name(&json, "clients");
    add_clients(&json, &report->judgement->clients);
    add_name(&json, "lives");
    add_lives(&json, history);
    add_name(&json, "interventions");
    add_interventions(&json, history);
    add_name(&json, "problems");
    buffer_add_char(&json, '[');
    for (size_t i = 0; i < history->problem_count; i++) {
        buffer_add_string(&json, i > 0 ? "," : "");
        json_write_string(&json, text_of(history->problems[i].text));
    }
    buffer_add_char(&json, ']');
    add_name(&json, "verdicts");
    for (enum guarantee g = report->judgement->first; g < report->judgement->end; g++) {
        buffer_add_char(&json, g == report->judgement->first ? '{' : ',');
        json_write_string(&json, text_of(guarantee_name(g)));
        buffer_add_char(&json, ':');
        add_verdict(&json, report, g, &line);
    }
    buffer_add_char(&json, '}');
    add_name(&json, "differences");
    add_differences(&json, report);
    buffer_add_string(&json, "}\n");
    bool written = fwrite(json.bytes, 1, json.length, out) == json.length && fflush(out) == 0;
    buffer_free(&json);
    buffer_free(&line);
    return written ? 0 : ERROR_FILE;
}
