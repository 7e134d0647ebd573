#include "common/lab/report_page.h"

#include <inttypes.h>

static void print_problems(struct page *page)
{
    const struct history *history = page->report->history;

    for (size_t i = 0; i < history->problem_count; i++) {
        page_print(page, STYLE_DOUBT, "  ! ");
        fprintf(page->out, "%s\n", history->problems[i].text);
    }
    if (history->further_problems > 0) {
        fprintf(page->out, "  ! and %" PRIu64 " more of the kind\n", history->further_problems);
    }
    if (history->problem_count > 0) {
        fputc('\n', page->out);
    }
}

static void print_verdicts(struct page *page)
{
    static const struct {
        const char *sign;
        enum style style;
    } looks[] = {[OUTCOME_HOLDS] = {"✓", STYLE_GOOD},
                 [OUTCOME_VIOLATED] = {"✗", STYLE_BAD},
                 [OUTCOME_UNKNOWN] = {"?", STYLE_DOUBT}};

    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        const struct verdict *verdict = &page->report->judgement->verdicts[g];
        fputs("  ", page->out);
        page_print(page, looks[verdict->outcome].style, looks[verdict->outcome].sign);
        fprintf(page->out, " %-16s %.*s\n", guarantee_title(g), (int)verdict->finding.length,
                verdict->finding.bytes);
    }
}

void report_text(const struct report *report, FILE *out, bool colour)
{
    struct page page = {.report = report, .out = out, .colour = colour};

    fputs("\n  ", out);
    page_print_count(&page, report->history->process_count, "node", ", ");
    page_print_count(&page, report->judgement->commands, "command", ", ");
    page_print_count(&page, report->judgement->deliveries, "delivery", "\n\n");
    print_problems(&page);
    print_verdicts(&page);
    page_print_counterexamples(&page);
    page_print_differences(&page);
    page_print_orders(&page);
    fputc('\n', out);
    fflush(out);
    buffer_free(&page.scratch);
}
