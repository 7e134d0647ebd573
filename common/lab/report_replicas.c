/* Where the replicas differ: in what they end with, and in the order of their deliveries. */
#include "common/lab/report_page.h"
#include "common/lab/tell.h"
#include "common/words.h"

#include <inttypes.h>

#define ORDER_ROWS_BEFORE 2 /* rows shown before and after the place where the orders part */
#define ORDER_ROWS_AFTER  4
#define DIFFERENCES_SHOWN 12
#define REPLICAS_SHOWN    5

/* ---- the states at the end ---- */

static struct text final_value(const struct page *page, const struct difference *difference, size_t replica)
{
    const struct history *history = page->report->history;
    uint32_t event = difference->last_set[replica];
    if (event == HISTORY_NONE) {
        return text_of(_("not set"));
    }
    return names_text(&history->texts, history->commands[history->events[event].command].value);
}

void page_print_differences(struct page *page)
{
    const struct history *history = page->report->history;
    const struct judgement *judgement = page->report->judgement;
    size_t shown =
        judgement->difference_count < DIFFERENCES_SHOWN ? judgement->difference_count : DIFFERENCES_SHOWN;
    size_t replicas = judgement->replica_count < REPLICAS_SHOWN ? judgement->replica_count : REPLICAS_SHOWN;
    size_t key_width = text_width(text_of(_("key")));
    size_t width = 8;

    if (shown == 0) {
        return; /* nothing is different, or nobody can tell */
    }
    for (size_t d = 0; d < shown; d++) {
        size_t here = page_cell_width(names_text(&history->texts, judgement->differences[d].key));
        key_width = here > key_width ? here : key_width;
        for (size_t r = 0; r < replicas; r++) {
            here = page_cell_width(final_value(page, &judgement->differences[d], r));
            width = here > width ? here : width;
        }
    }
    page_print_heading(page, _("Keys that end differently"));
    fputs("      ", page->out);
    page_print_padded(page, _("key"), key_width);
    for (size_t r = 0; r < replicas; r++) {
        fputs("  ", page->out);
        page_print_cell(page, STYLE_STRONG, history_process_name(history, judgement->replicas[r]), width);
    }
    fputc('\n', page->out);
    for (size_t d = 0; d < shown; d++) {
        const struct difference *difference = &judgement->differences[d];
        fputs("      ", page->out);
        page_print_cell(page, STYLE_PLAIN, names_text(&history->texts, difference->key), key_width);
        for (size_t r = 0; r < replicas; r++) {
            bool same = text_equal(final_value(page, difference, r), final_value(page, difference, 0));
            fputs("  ", page->out);
            page_print_cell(page, same ? STYLE_PLAIN : STYLE_BAD, final_value(page, difference, r), width);
        }
        fputc('\n', page->out);
    }
    if (shown < judgement->difference_count) {
        fprintf(page->out, _("      … and %zu more\n"), judgement->difference_count - shown);
    }
}

/* ---- where the orders part ---- */

/* The commands that a replica delivered in its first life: only those are numbered from the same beginning. */
struct order {
    const struct history *history;
    const struct process *process;
    size_t next, end; /* of its events */
};

static struct order order_of(const struct history *history, uint32_t replica)
{
    const struct process *process = &history->processes[replica];
    return (struct order){history, process, 0, history->incarnations[process->first_incarnation].end};
}

/* HISTORY_NONE behind the last. */
static uint32_t next_command(struct order *order)
{
    while (order->next < order->end) {
        const struct event *event = &order->history->events[order->process->events[order->next++]];
        if (event->kind == EVENT_DELIVER) {
            return event->command;
        }
    }
    return HISTORY_NONE;
}

/* The command in that place, from 1. */
static uint32_t command_at(const struct history *history, uint32_t replica, size_t place)
{
    struct order order = order_of(history, replica);
    uint32_t command = HISTORY_NONE;

    for (size_t i = 0; i < place; i++) {
        command = next_command(&order);
    }
    return command;
}

/* The first place, from 1, at which two replicas delivered different commands; 0 if there is none. */
static size_t find_parting(const struct page *page)
{
    const struct history *history = page->report->history;
    const struct judgement *judgement = page->report->judgement;
    size_t parting = 0;

    for (size_t r = 1; r < judgement->replica_count; r++) {
        struct order a = order_of(history, judgement->replicas[0]);
        struct order b = order_of(history, judgement->replicas[r]);
        for (size_t place = 1; parting == 0 || place < parting; place++) {
            uint32_t command_a = next_command(&a);
            uint32_t command_b = next_command(&b);
            if (command_a == HISTORY_NONE || command_b == HISTORY_NONE) {
                break;
            }
            if (command_a != command_b) {
                parting = place;
            }
        }
    }
    return parting;
}

void page_print_orders(struct page *page)
{
    const struct history *history = page->report->history;
    const struct judgement *judgement = page->report->judgement;
    size_t replicas = judgement->replica_count < REPLICAS_SHOWN ? judgement->replica_count : REPLICAS_SHOWN;
    size_t parting = find_parting(page);

    if (parting == 0 || judgement->verdicts[GUARANTEE_TOTAL].outcome != OUTCOME_VIOLATED) {
        return;
    }
    page_print_heading(page, _("Where the delivery orders part"));
    fputs("      ", page->out);
    page_print_padded(page, _("place"), 6);
    for (size_t r = 0; r < replicas; r++) {
        fputs("  ", page->out);
        page_print_cell(page, STYLE_STRONG, history_process_name(history, judgement->replicas[r]), CELL_MAX);
    }
    fputc('\n', page->out);
    size_t first = parting > ORDER_ROWS_BEFORE ? parting - ORDER_ROWS_BEFORE : 1;
    for (size_t place = first; place <= parting + ORDER_ROWS_AFTER; place++) {
        uint32_t reference = command_at(history, judgement->replicas[0], place);
        fprintf(page->out, "    %s %5zu ", place == parting ? "→" : " ", place);
        for (size_t r = 0; r < replicas; r++) {
            uint32_t command = command_at(history, judgement->replicas[r], place);
            buffer_clear(&page->scratch);
            if (command != HISTORY_NONE) {
                tell_command(&page->scratch, history, command);
            }
            fputs("  ", page->out);
            page_print_cell(page, command == reference ? STYLE_PLAIN : STYLE_BAD, buffer_text(&page->scratch),
                            CELL_MAX);
        }
        fputc('\n', page->out);
    }
}
