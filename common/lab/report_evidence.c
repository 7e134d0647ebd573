/* The counterexamples: what happened, and the lines that prove it. */
#include "common/clock.h"
#include "common/lab/report_page.h"
#include "common/lab/tell.h"
#include "common/words.h"

#include <inttypes.h>

#define PLACE_WIDTH 16
#define PLACE_MAX   80

/* ---- one line ---- */

static void tell_place(const struct page *page, const struct event *event, char place[PLACE_MAX])
{
    snprintf(place, PLACE_MAX, "%.60s:%" PRIu32, log_sources_name(page->report->sources, event->place.source),
             event->place.number);
}

/* "loss ", "delay 26 ms " */
static void tell_fault(struct page *page, uint32_t number)
{
    const struct history *history = page->report->history;

    for (size_t i = 0; i < history->fault_count; i++) {
        const struct fault_record *fault = &history->faults[i];
        if (fault->event == number) {
            struct text name = names_text(&history->texts, fault->name);
            buffer_add(&page->scratch, name.bytes, name.length);
            buffer_add_char(&page->scratch, ' ');
            if (fault->delay_ms != LOG_RECORD_NO_NUMBER) {
                buffer_add_format(&page->scratch, "%" PRId64 " ms ", fault->delay_ms);
            }
        }
    }
}

/* " ok", and of a GET " → "1" ok" */
static void tell_completion(struct page *page, uint32_t number)
{
    static const char *const statuses[] = {N_("ok"), N_("error"), N_("unknown")};
    const struct history *history = page->report->history;
    uint32_t command = history->events[number].command;
    uint32_t asked = command != HISTORY_NONE ? history->commands[command].operation : HISTORY_NONE;
    const struct operation *operation = asked != HISTORY_NONE ? &history->operations[asked] : NULL;

    if (operation == NULL || operation->complete != number) {
        return; /* of something that was not asked for */
    }
    if (operation->value != NAMES_NONE) {
        buffer_add_string(&page->scratch, " → ");
        tell_value(&page->scratch, history, operation->value);
    }
    buffer_add_format(&page->scratch, "  %s", _(statuses[operation->status]));
}

static void tell_number(struct page *page, const char *name, int64_t number)
{
    if (number != LOG_RECORD_NO_NUMBER) {
        buffer_add_format(&page->scratch, "%s%s=%" PRId64, page->scratch.length > 0 ? "  " : "", name,
                          number);
    }
}

static void tell_details(struct page *page, uint32_t number)
{
    const struct history *history = page->report->history;
    const struct event *event = &history->events[number];

    buffer_clear(&page->scratch);
    if (event->kind == EVENT_FAULT) {
        tell_fault(page, number);
    }
    if (event->command != HISTORY_NONE) {
        tell_command(&page->scratch, history, event->command);
    }
    if (event->kind == EVENT_COMPLETE) {
        tell_completion(page, number);
    }
    tell_intervention(&page->scratch, history, number);
    tell_number(page, event->kind == EVENT_RECOVER ? "installed_seq" : "seq", event->seq);
    tell_number(page, "epoch", event->epoch);
    tell_number(page, "ordem_local", event->ordem_local);
}

void report_event(const struct report *report, uint32_t number, struct buffer *out)
{
    const struct event *event = &report->history->events[number];
    struct text node = history_process_name(report->history, event->process);
    struct page page = {.report = report};
    char time[CLOCK_TEXT_LENGTH + 1];

    clock_format(event->wall_us, time);
    tell_details(&page, number);
    buffer_add_format(out, "%.15s  %-8.*s %-8s ", time + 11, (int)node.length, node.bytes,
                      event_kind_name(event->kind));
    buffer_add(out, page.scratch.bytes, page.scratch.length);
    buffer_free(&page.scratch);
}

static void print_evidence(struct page *page, uint32_t number, size_t place_width)
{
    const struct history *history = page->report->history;
    const struct event *event = &history->events[number];
    char place[PLACE_MAX];

    tell_place(page, event, place);
    buffer_clear(&page->scratch);
    report_event(page->report, number, &page->scratch);
    page_set_style(page, STYLE_FAINT);
    fputs("      ", page->out);
    page_print_padded(page, place, place_width);
    page_set_style(page, STYLE_PLAIN);
    fprintf(page->out, " %.*s", (int)page->scratch.length, page->scratch.bytes);
    if (event->command != HISTORY_NONE) {
        struct text uuid = names_text(&history->uuids, history->commands[event->command].uuid);
        page_set_style(page, STYLE_FAINT);
        fprintf(page->out, "  %.*s", uuid.length < 8 ? (int)uuid.length : 8, uuid.bytes);
        page_set_style(page, STYLE_PLAIN);
    }
    fputc('\n', page->out);
}

/* ---- all of them ---- */

static void print_lines(struct page *page, const struct verdict *verdict)
{
    size_t width = PLACE_WIDTH;
    char place[PLACE_MAX];

    for (size_t i = 0; i < verdict->evidence_count; i++) {
        tell_place(page, &page->report->history->events[verdict->evidence[i]], place);
        width = text_width(text_of(place)) > width ? text_width(text_of(place)) : width;
    }
    for (size_t i = 0; i < verdict->evidence_count; i++) {
        print_evidence(page, verdict->evidence[i], width);
    }
}

static void print_counterexample(struct page *page, enum guarantee guarantee)
{
    const struct verdict *verdict = &page->report->judgement->verdicts[guarantee];

    fputs("  ", page->out);
    page_print(page, STYLE_BAD, "✗ ");
    page_print(page, STYLE_STRONG, guarantee_title(guarantee));
    fputs(": ", page->out);
    page_print_wrapped(page, buffer_text(&verdict->story),
                       6 + text_width(text_of(guarantee_title(guarantee))), 4);
    fputs(".\n", page->out);
    print_lines(page, verdict);
}

void page_print_counterexamples(struct page *page)
{
    for (enum guarantee g = page->report->judgement->first; g < page->report->judgement->end; g++) {
        if (page->report->judgement->verdicts[g].outcome == OUTCOME_VIOLATED) {
            fputc('\n', page->out);
            print_counterexample(page, g);
        }
    }
}

void report_counterexample(const struct report *report, enum guarantee guarantee, FILE *out, bool colour)
{
    struct page page = {.report = report, .out = out, .colour = colour};

    print_counterexample(&page, guarantee);
    buffer_free(&page.scratch);
}
