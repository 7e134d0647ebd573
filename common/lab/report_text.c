#include "common/lab/report.h"

#include "common/clock.h"
#include "common/lab/tell.h"

#include <inttypes.h>
#include <string.h>

#define ORDER_ROWS_BEFORE 2 /* rows shown before and after the place where the orders part */
#define ORDER_ROWS_AFTER  4
#define DIFFERENCES_SHOWN 12
#define REPLICAS_SHOWN    5
#define CELL_MAX          24 /* columns */
#define LINE_WIDTH        100

enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_DOUBT, STYLE_STRONG, STYLE_FAINT };

struct page {
    const struct report *report;
    FILE *out;
    bool colour;
    struct buffer scratch;
};

/* ---- cells ---- */

size_t report_width(struct text text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.length; i++) {
        width += ((unsigned char)text.bytes[i] & 0xC0) != 0x80; /* not the continuation of a character */
    }
    return width;
}

static void set_style(const struct page *page, enum style style)
{
    static const char *const codes[] = {"\x1b[0m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m"};
    if (page->colour) {
        fputs(codes[style], page->out);
    }
}

static void print_styled(const struct page *page, enum style style, const char *text)
{
    set_style(page, style);
    fputs(text, page->out);
    set_style(page, STYLE_PLAIN);
}

static void print_heading(const struct page *page, const char *text)
{
    fputs("\n  ", page->out);
    print_styled(page, STYLE_STRONG, text);
    fputc('\n', page->out);
}

/* How many bytes the first `columns` columns of a text take. */
static size_t bytes_of_columns(struct text text, size_t columns)
{
    size_t bytes = 0;

    for (; bytes < text.length; bytes++) {
        bool starts_character = ((unsigned char)text.bytes[bytes] & 0xC0) != 0x80;
        if (starts_character && columns == 0) {
            break;
        }
        columns -= starts_character;
    }
    return bytes;
}

/* At most CELL_MAX columns of `text`, padded to `width`. */
static void print_cell(const struct page *page, enum style style, struct text text, size_t width)
{
    bool cut = report_width(text) > CELL_MAX;
    size_t bytes = cut ? bytes_of_columns(text, CELL_MAX - 1) : text.length;
    size_t used = cut ? CELL_MAX : report_width(text);

    set_style(page, style);
    fprintf(page->out, "%.*s%s", (int)bytes, text.bytes, cut ? "…" : "");
    set_style(page, STYLE_PLAIN);
    fprintf(page->out, "%*s", used < width ? (int)(width - used) : 0, "");
}

static size_t cell_width(struct text text)
{
    size_t width = report_width(text);
    return width < CELL_MAX ? width : CELL_MAX;
}

/* ---- the lines that prove something ---- */

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
    set_style(page, STYLE_FAINT);
    fprintf(page->out, "      %-16s", place);
    set_style(page, STYLE_PLAIN);
    fprintf(page->out, " %.15s  %-8.*s %-8s %.*s", time + 11, (int)node.length, node.bytes,
            event_kind_name(event->kind), (int)page->scratch.length,
            page->scratch.bytes != NULL ? page->scratch.bytes : "");
    if (event->ordem_local != LOG_RECORD_NO_NUMBER) {
        fprintf(page->out, "%sordem_local=%" PRId64, page->scratch.length > 0 ? "  " : "",
                event->ordem_local);
    }
    if (event->command != HISTORY_NONE) {
        struct text uuid = names_text(&history->uuids, history->commands[event->command].uuid);
        set_style(page, STYLE_FAINT);
        fprintf(page->out, "  %.*s", uuid.length < 8 ? (int)uuid.length : 8, uuid.bytes);
        set_style(page, STYLE_PLAIN);
    }
    fputc('\n', page->out);
}

/* Prints `text` in lines of at most LINE_WIDTH columns that start `indent` columns in; `column` is where it begins. */
static void print_wrapped(const struct page *page, struct text text, size_t column, size_t indent)
{
    while (text.length > 0) {
        const char *blank = memchr(text.bytes, ' ', text.length);
        struct text word = {text.bytes, blank != NULL ? (size_t)(blank - text.bytes) : text.length};
        size_t width = report_width(word);
        if (column + width > LINE_WIDTH && column > indent) {
            fprintf(page->out, "\n%*s", (int)indent, "");
            column = indent;
        }
        fprintf(page->out, "%.*s", (int)word.length, word.bytes);
        column += width + 1;
        text.bytes += word.length;
        text.length -= word.length;
        if (text.length > 0) {
            fputc(' ', page->out);
            text.bytes++;
            text.length--;
        }
    }
}

static void print_counterexamples(struct page *page)
{
    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        const struct verdict *verdict = &page->report->judgement->verdicts[g];
        if (verdict->outcome != OUTCOME_VIOLATED) {
            continue;
        }
        fputs("\n  ", page->out);
        print_styled(page, STYLE_BAD, "✗ ");
        print_styled(page, STYLE_STRONG, guarantee_title(g));
        fputs(": ", page->out);
        print_wrapped(page, buffer_text(&verdict->story), 6 + strlen(guarantee_title(g)), 4);
        fputs(".\n", page->out);
        for (size_t i = 0; i < verdict->evidence_count; i++) {
            print_evidence(page, verdict->evidence[i]);
        }
    }
}

/* ---- the states at the end ---- */

static struct text final_value(const struct page *page, const struct difference *difference, size_t replica)
{
    const struct history *history = page->report->history;
    uint32_t event = difference->last_set[replica];
    if (event == HISTORY_NONE) {
        return text_of("not set");
    }
    return names_text(&history->texts, history->commands[history->events[event].command].value);
}

static void print_differences(struct page *page)
{
    const struct history *history = page->report->history;
    const struct judgement *judgement = page->report->judgement;
    size_t shown =
        judgement->difference_count < DIFFERENCES_SHOWN ? judgement->difference_count : DIFFERENCES_SHOWN;
    size_t replicas = judgement->replica_count < REPLICAS_SHOWN ? judgement->replica_count : REPLICAS_SHOWN;
    size_t key_width = strlen("key");
    size_t width = 8;

    if (shown == 0) {
        return;
    }
    for (size_t d = 0; d < shown; d++) {
        size_t here = cell_width(names_text(&history->texts, judgement->differences[d].key));
        key_width = here > key_width ? here : key_width;
        for (size_t r = 0; r < replicas; r++) {
            here = cell_width(final_value(page, &judgement->differences[d], r));
            width = here > width ? here : width;
        }
    }
    print_heading(page, "Keys that end differently");
    fprintf(page->out, "      %-*s", (int)key_width, "key");
    for (size_t r = 0; r < replicas; r++) {
        fputs("  ", page->out);
        print_cell(page, STYLE_STRONG, history_process_name(history, judgement->replicas[r]), width);
    }
    fputc('\n', page->out);
    for (size_t d = 0; d < shown; d++) {
        const struct difference *difference = &judgement->differences[d];
        fputs("      ", page->out);
        print_cell(page, STYLE_PLAIN, names_text(&history->texts, difference->key), key_width);
        for (size_t r = 0; r < replicas; r++) {
            bool same = text_equal(final_value(page, difference, r), final_value(page, difference, 0));
            fputs("  ", page->out);
            print_cell(page, same ? STYLE_PLAIN : STYLE_BAD, final_value(page, difference, r), width);
        }
        fputc('\n', page->out);
    }
    if (shown < judgement->difference_count) {
        fprintf(page->out, "      … and %zu more\n", judgement->difference_count - shown);
    }
}

/* ---- where the orders part ---- */

/* The command that a replica delivered in that place, from 1; HISTORY_NONE behind its last. */
static uint32_t command_at(const struct history *history, uint32_t replica, size_t place)
{
    const struct process *process = &history->processes[replica];
    for (size_t i = 0; i < process->event_count; i++) {
        const struct event *event = &history->events[process->events[i]];
        if (event->kind == EVENT_DELIVER && --place == 0) {
            return event->command;
        }
    }
    return HISTORY_NONE;
}

/* The first place, from 1, at which two replicas delivered different commands; 0 if there is none. */
static size_t find_parting(const struct page *page)
{
    const struct history *history = page->report->history;
    const struct judgement *judgement = page->report->judgement;
    size_t parting = 0;

    for (size_t r = 1; r < judgement->replica_count; r++) {
        const struct process *a = &history->processes[judgement->replicas[0]];
        const struct process *b = &history->processes[judgement->replicas[r]];
        size_t i = 0;
        size_t j = 0;
        for (size_t place = 1; parting == 0 || place < parting; place++) {
            while (i < a->event_count && history->events[a->events[i]].kind != EVENT_DELIVER) {
                i++;
            }
            while (j < b->event_count && history->events[b->events[j]].kind != EVENT_DELIVER) {
                j++;
            }
            if (i == a->event_count || j == b->event_count) {
                break;
            }
            if (history->events[a->events[i++]].command != history->events[b->events[j++]].command) {
                parting = place;
                break;
            }
        }
    }
    return parting;
}

static void print_orders(struct page *page)
{
    const struct history *history = page->report->history;
    const struct judgement *judgement = page->report->judgement;
    size_t replicas = judgement->replica_count < REPLICAS_SHOWN ? judgement->replica_count : REPLICAS_SHOWN;
    size_t parting = find_parting(page);

    if (parting == 0 || judgement->verdicts[GUARANTEE_TOTAL].outcome != OUTCOME_VIOLATED) {
        return;
    }
    print_heading(page, "Where the delivery orders part");
    fputs("      place ", page->out);
    for (size_t r = 0; r < replicas; r++) {
        fputs("  ", page->out);
        print_cell(page, STYLE_STRONG, history_process_name(history, judgement->replicas[r]), CELL_MAX);
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
            print_cell(page, command == reference ? STYLE_PLAIN : STYLE_BAD, buffer_text(&page->scratch),
                       CELL_MAX);
        }
        fputc('\n', page->out);
    }
}

/* ---- the page ---- */

/* "1 node, ", "900 deliveries" */
static void print_count(const struct page *page, uint64_t count, const char *what, const char *end)
{
    size_t length = strlen(what);
    bool in_y = what[length - 1] == 'y';

    fprintf(page->out, "%" PRIu64 " %.*s%s%s", count, (int)(count != 1 && in_y ? length - 1 : length), what,
            count == 1 ? ""
            : in_y     ? "ies"
                       : "s",
            end);
}

static void print_problems(struct page *page)
{
    const struct history *history = page->report->history;

    for (size_t i = 0; i < history->problem_count; i++) {
        print_styled(page, STYLE_DOUBT, "  ! ");
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
        print_styled(page, looks[verdict->outcome].style, looks[verdict->outcome].sign);
        fprintf(page->out, " %-16s %.*s\n", guarantee_title(g), (int)verdict->finding.length,
                verdict->finding.bytes);
    }
}

void report_text(const struct report *report, FILE *out, bool colour)
{
    struct page page = {.report = report, .out = out, .colour = colour};

    fputs("\n  ", out);
    print_count(&page, report->history->process_count, "node", ", ");
    print_count(&page, report->judgement->commands, "command", ", ");
    print_count(&page, report->judgement->deliveries, "delivery", "\n\n");
    print_problems(&page);
    print_verdicts(&page);
    print_counterexamples(&page);
    print_differences(&page);
    print_orders(&page);
    fputc('\n', out);
    fflush(out);
    buffer_free(&page.scratch);
}
