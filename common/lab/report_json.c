#include "common/lab/report.h"

#include "common/json.h"

#include <inttypes.h>
#include <string.h>

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
    static const char *const outcomes[] = {"holds", "violated", "unknown"};
    const struct verdict *verdict = &report->judgement->verdicts[guarantee];

    buffer_add_string(out, "{\"outcome\":");
    json_write_string(out, text_of(outcomes[verdict->outcome]));
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

int report_json(const struct report *report, FILE *out)
{
    static const char *const outcomes[] = {"holds", "violated", "unknown"};
    const struct history *history = report->history;
    struct buffer json = {0};
    struct buffer line = {0};

    buffer_add_format(&json,
                      "{\"nodes\":%zu,\"commands\":%" PRIu64 ",\"deliveries\":%" PRIu64 ",\"outcome\":\"%s\"",
                      history->process_count, report->judgement->commands, report->judgement->deliveries,
                      outcomes[judgement_outcome(report->judgement)]);
    add_name(&json, "problems");
    buffer_add_char(&json, '[');
    for (size_t i = 0; i < history->problem_count; i++) {
        buffer_add_string(&json, i > 0 ? "," : "");
        json_write_string(&json, text_of(history->problems[i].text));
    }
    buffer_add_char(&json, ']');
    add_name(&json, "verdicts");
    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        buffer_add_char(&json, g == 0 ? '{' : ',');
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
