#include "common/clock.h"
#include "common/lab/report_page.h"
#include "common/lab/tell.h"
#include "common/words.h"

#include <inttypes.h>

#define INTERVENTIONS_SHOWN 8

/* ---- what there was ---- */

static void print_clients(struct page *page)
{
    const struct clients_summary *clients = &page->report->judgement->clients;

    if (clients->operations == 0) {
        return;
    }
    fprintf(page->out,
            ngettext("  clients: %" PRIu64 " operation", "  clients: %" PRIu64 " operations",
                     clients->operations),
            clients->operations);
    fprintf(page->out, _(", %" PRIu64 " ok"), clients->ok);
    fprintf(page->out, ngettext(", %" PRIu64 " error", ", %" PRIu64 " errors", clients->errors),
            clients->errors);
    fprintf(page->out, _(", %" PRIu64 " unknown"), clients->unknown);
    if (clients->p50_us >= 0) {
        fprintf(page->out, _("; ok after %.1f ms (p50), %.1f ms (p99)"), (double)clients->p50_us / 1000,
                (double)clients->p99_us / 1000);
    }
    fputc('\n', page->out);
}

/* Who was killed, and the like: "06:14:26.708732  kill node2" */
static void print_interventions(struct page *page)
{
    const struct history *history = page->report->history;
    size_t shown =
        history->intervention_count < INTERVENTIONS_SHOWN ? history->intervention_count : INTERVENTIONS_SHOWN;
    char time[CLOCK_TEXT_LENGTH + 1];

    for (size_t i = 0; i < shown; i++) {
        const struct event *event = &history->events[history->interventions[i].event];
        clock_format(event->wall_us, time);
        buffer_clear(&page->scratch);
        tell_intervention(&page->scratch, history, history->interventions[i].event);
        page_set_style(page, STYLE_FAINT);
        fprintf(page->out, "  %.15s  ", time + 11);
        page_set_style(page, STYLE_PLAIN);
        fprintf(page->out, "%s %.*s\n", event_kind_name(event->kind), (int)page->scratch.length,
                page->scratch.bytes);
    }
    if (shown < history->intervention_count) {
        fprintf(page->out, _("  … and %zu more\n"), history->intervention_count - shown);
    }
}

/* "06:14:27.451  the longest time without an answer, 743 ms, ends" */
static void print_silence(struct page *page)
{
    const struct silence *silence = &page->report->judgement->clients.silence;
    char time[CLOCK_TEXT_LENGTH + 1];

    if (silence->longest_us < 0) {
        return;
    }
    if (silence->after == HISTORY_NONE) {
        fprintf(page->out, _("  the longest time without an answer: %.0f ms, to the end\n"),
                (double)silence->longest_us / 1000);
        return;
    }
    clock_format(page->report->history->events[silence->after].wall_us, time);
    page_set_style(page, STYLE_FAINT);
    fprintf(page->out, "  %.15s  ", time + 11);
    page_set_style(page, STYLE_PLAIN);
    fprintf(page->out, _("the longest time without an answer ends: %.0f ms\n"),
            (double)silence->longest_us / 1000);
}

static void print_summary(struct page *page)
{
    const struct judgement *judgement = page->report->judgement;

    fputs("\n  ", page->out);
    fprintf(page->out, ngettext("%" PRIu64 " node", "%" PRIu64 " nodes", judgement->nodes), judgement->nodes);
    if (judgement->coordinators > 0) {
        fprintf(page->out,
                ngettext(", %" PRIu64 " other process", ", %" PRIu64 " other processes",
                         judgement->coordinators),
                judgement->coordinators);
    }
    fprintf(page->out, ngettext(", %" PRIu64 " command", ", %" PRIu64 " commands", judgement->commands),
            judgement->commands);
    fprintf(page->out,
            ngettext(", %" PRIu64 " delivery\n", ", %" PRIu64 " deliveries\n", judgement->deliveries),
            judgement->deliveries);
    print_clients(page);
    print_interventions(page);
    print_silence(page);
    fputc('\n', page->out);
}

static void print_problems(struct page *page)
{
    const struct history *history = page->report->history;

    for (size_t i = 0; i < history->problem_count; i++) {
        page_print(page, STYLE_DOUBT, "  ! ");
        fprintf(page->out, "%s\n", history->problems[i].text);
    }
    if (history->further_problems > 0) {
        fprintf(page->out, _("  ! and %" PRIu64 " more of the kind\n"), history->further_problems);
    }
    if (history->problem_count > 0) {
        fputc('\n', page->out);
    }
}

/* ---- what it is worth ---- */

static size_t title_width(const struct judgement *judgement)
{
    size_t width = 0;

    for (enum guarantee g = judgement->first; g < judgement->end; g++) {
        size_t here = text_width(text_of(guarantee_title(g)));
        width = !judgement->verdicts[g].not_applicable && here > width ? here : width;
    }
    return width + 1;
}

static void print_verdicts(struct page *page)
{
    static const struct {
        const char *sign;
        enum style style;
    } looks[] = {[OUTCOME_HOLDS] = {"✓", STYLE_GOOD},
                 [OUTCOME_VIOLATED] = {"✗", STYLE_BAD},
                 [OUTCOME_UNKNOWN] = {"?", STYLE_DOUBT}};
    size_t width = title_width(page->report->judgement);

    for (enum guarantee g = page->report->judgement->first; g < page->report->judgement->end; g++) {
        const struct verdict *verdict = &page->report->judgement->verdicts[g];
        if (!verdict->not_applicable) {
            fputs("  ", page->out);
            page_print(page, looks[verdict->outcome].style, looks[verdict->outcome].sign);
            fputc(' ', page->out);
            page_print_padded(page, guarantee_title(g), width);
            fprintf(page->out, " %.*s\n", (int)verdict->finding.length, verdict->finding.bytes);
        }
    }
}

void report_text(const struct report *report, FILE *out, bool colour)
{
    struct page page = {.report = report, .out = out, .colour = colour};

    print_summary(&page);
    print_problems(&page);
    print_verdicts(&page);
    page_print_counterexamples(&page);
    page_print_differences(&page);
    page_print_orders(&page);
    fputc('\n', out);
    fflush(out);
    buffer_free(&page.scratch);
}
