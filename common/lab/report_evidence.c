/* The counterexamples: what happened, and the lines that prove it. */
#include "common/clock.h"
#include "common/lab/report_page.h"
#include "common/lab/tell.h"

#include <inttypes.h>
#include <string.h>

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

static void print_evidence(struct page *page, uint32_t number)
{
    const struct history *history = page->report->history;
    const struct event *event = &history->events[number];
    char place[80];
    char time[CLOCK_TEXT_LENGTH + 1];

    snprintf(place, sizeof place, "%.60s:%" PRIu32,
             log_sources_name(page->report->sources, event->place.source), event->place.number);
    clock_format(event->wall_us, time);
    buffer_clear(&page->scratch);
    if (event->kind == EVENT_FAULT) {
        tell_fault(page, number);
    }
    if (event->command != HISTORY_NONE) {
        tell_command(&page->scratch, history, event->command);
    }
    struct text node = history_process_name(history, event->process);
    page_set_style(page, STYLE_FAINT);
    fprintf(page->out, "      %-16s", place);
    page_set_style(page, STYLE_PLAIN);
    fprintf(page->out, " %.15s  %-8.*s %-8s %.*s", time + 11, (int)node.length, node.bytes,
            event_kind_name(event->kind), (int)page->scratch.length,
            page->scratch.bytes != NULL ? page->scratch.bytes : "");
    if (event->ordem_local != LOG_RECORD_NO_NUMBER) {
        fprintf(page->out, "%sordem_local=%" PRId64, page->scratch.length > 0 ? "  " : "",
                event->ordem_local);
    }
    if (event->command != HISTORY_NONE) {
        struct text uuid = names_text(&history->uuids, history->commands[event->command].uuid);
        page_set_style(page, STYLE_FAINT);
        fprintf(page->out, "  %.*s", uuid.length < 8 ? (int)uuid.length : 8, uuid.bytes);
        page_set_style(page, STYLE_PLAIN);
    }
    fputc('\n', page->out);
}

void page_print_counterexamples(struct page *page)
{
    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        const struct verdict *verdict = &page->report->judgement->verdicts[g];
        if (verdict->outcome != OUTCOME_VIOLATED) {
            continue;
        }
        fputs("\n  ", page->out);
        page_print(page, STYLE_BAD, "✗ ");
        page_print(page, STYLE_STRONG, guarantee_title(g));
        fputs(": ", page->out);
        page_print_wrapped(page, buffer_text(&verdict->story), 6 + strlen(guarantee_title(g)), 4);
        fputs(".\n", page->out);
        for (size_t i = 0; i < verdict->evidence_count; i++) {
            print_evidence(page, verdict->evidence[i]);
        }
    }
}
