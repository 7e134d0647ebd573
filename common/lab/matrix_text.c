/* The matrix on a terminal. */
#include "common/lab/matrix.h"
#include "common/lab/report_page.h"
#include "common/words.h"

#include <inttypes.h>
#include <string.h>

#define NAME_WIDTH 26
#define CELL_WIDTH 8
#define COUNT_MAX  9999 /* above it thousands are counted */

/* ---- the head ---- */

/* Two lines each, both narrower than a cell. */
static const char *const heads[MATRIX_TABLE_COUNT] = {N_("deliv-\nery"),    N_("no du-\nplicate"),
                                                      N_("FIFO\n"),         N_("causal\norder"),
                                                      N_("total\norder"),   N_("conver-\ngence"),
                                                      N_("linear.\nreads"), N_("surv.\na node"),
                                                      N_("surv.\ncoord.")};

static const struct {
    const char *text;
    int width;
} price_heads[] = {{N_("msgs\n/cmd"), 5}, {N_("p50\nms"), 6}, {N_("p99\nms"), 7}, {N_("cmds\n/s"), 7}};

#define PRICE_COUNT (sizeof price_heads / sizeof *price_heads)

/* One of a head's two lines, translated. */
static struct text line_of(const char *head, int line)
{
    const char *upper = _(head);
    size_t length = strcspn(upper, "\n");
    return line == 0 ? (struct text){upper, length} : text_of(upper + length + (upper[length] != '\0'));
}

static void print_left(struct text text, int width, FILE *out)
{
    int used = (int)text_width(text);
    fprintf(out, "%.*s%*s", (int)text.length, text.bytes, used < width ? width - used : 0, "");
}

static void print_right(struct text text, int width, FILE *out)
{
    int used = (int)text_width(text);
    fprintf(out, "%*s%.*s", used < width ? width - used : 0, "", (int)text.length, text.bytes);
}

void matrix_print_head(FILE *out, bool colour)
{
    struct page page = {.out = out, .colour = colour};

    for (int line = 0; line < 2; line++) {
        page_set_style(&page, STYLE_FAINT);
        fprintf(out, "  %*s", NAME_WIDTH, "");
        for (size_t i = 0; i < MATRIX_TABLE_COUNT; i++) {
            print_left(line_of(heads[i], line), CELL_WIDTH, out);
        }
        for (size_t i = 0; i < PRICE_COUNT; i++) {
            print_right(line_of(price_heads[i].text, line), price_heads[i].width, out);
        }
        page_set_style(&page, STYLE_PLAIN);
        fputc('\n', out);
    }
}

/* ---- a row ---- */

static const struct {
    const char *mark;
    enum style style;
} marks[] = {[CELL_UNKNOWN] = {"?", STYLE_DOUBT},
             [CELL_HOLDS] = {"✓", STYLE_GOOD},
             [CELL_VIOLATED] = {"✗", STYLE_BAD},
             [CELL_NOT_APPLICABLE] = {"–", STYLE_FAINT}};

/* " 12", " 1710", " 57k": how often; nothing where there is nothing to count. */
static void write_count(const struct matrix_cell *cell, char *out, size_t size)
{
    out[0] = '\0';
    if (cell->outcome == CELL_HOLDS) {
        snprintf(out, size, " %u", cell->runs);
    } else if (cell->outcome == CELL_VIOLATED && cell->count > COUNT_MAX) {
        snprintf(out, size, " %" PRIu64 "k", cell->count / 1000);
    } else if (cell->outcome == CELL_VIOLATED) {
        snprintf(out, size, " %" PRIu64, cell->count);
    }
}

/* What no run has told yet. */
static bool is_open(const struct matrix_cell *cell)
{
    return cell->outcome == CELL_UNKNOWN && cell->unknown_runs == 0 && cell->why.length == 0;
}

static void print_cell(const struct page *page, const struct matrix_cell *cell)
{
    char count[32];

    write_count(cell, count, sizeof count);
    if (is_open(cell)) {
        page_print(page, STYLE_FAINT, "·");
    } else {
        page_print(page, marks[cell->outcome].style, marks[cell->outcome].mark);
        page_print(page, cell->outcome == CELL_VIOLATED ? STYLE_BAD : STYLE_FAINT, count);
    }
    fprintf(page->out, "%*s", CELL_WIDTH - 1 - (int)strlen(count), "");
}

static void print_figure(double figure, int decimals, int width, FILE *out)
{
    char text[32];

    snprintf(text, sizeof text, "%.*f", decimals, figure);
    print_right(text_of(figure < 0 ? "·" : text), width, out);
}

void matrix_print_row(const struct matrix_row *row, FILE *out, bool colour)
{
    struct page page = {.out = out, .colour = colour};
    const struct matrix_price *price = &row->price;

    fputs("  ", out);
    page_set_style(&page, STYLE_STRONG);
    print_left(text_of(row->part), 8, out);
    page_set_style(&page, STYLE_PLAIN);
    print_left(text_of(_(row->title)), NAME_WIDTH - 8, out);
    if (!row->is_built) {
        page_print(&page, STYLE_FAINT, _("not built"));
        fputc('\n', out);
        return;
    }
    for (size_t i = 0; i < MATRIX_TABLE_COUNT; i++) {
        print_cell(&page, &row->cells[i]);
    }
    print_figure(price->messages, 1, price_heads[0].width, out);
    print_figure(price->p50_us < 0 ? -1 : (double)price->p50_us / 1000, 2, price_heads[1].width, out);
    print_figure(price->p99_us < 0 ? -1 : (double)price->p99_us / 1000, 1, price_heads[2].width, out);
    print_figure(price->rate, 0, price_heads[3].width, out);
    fputc('\n', out);
}

/* ---- below the table ---- */

/* What is no column: where it held everywhere one line says so. */
static void print_other_columns(const struct page *page, const struct matrix *matrix)
{
    for (enum matrix_column column = MATRIX_TABLE_COUNT; column < MATRIX_COLUMN_COUNT; column++) {
        fprintf(page->out, "  %s:", _(matrix_column_title(column)));
        for (size_t r = 0; r < MATRIX_ROWS; r++) {
            const struct matrix_cell *cell = &matrix->rows[r].cells[column];
            if (matrix->rows[r].is_built && cell->outcome != CELL_NOT_APPLICABLE && !is_open(cell)) {
                fprintf(page->out, "  %s ", matrix->rows[r].part);
                print_cell(page, cell);
            }
        }
        fputc('\n', page->out);
    }
}

static void print_legend(const struct page *page, const struct matrix *matrix)
{
    const char *legend = _("✓ n: held in n runs; ✗ n: broken n times; –: there is nothing that it could be "
                           "said of. Survives a node: "
                           "while one is down the clients of the others are answered, and after its return "
                           "nothing is missing anywhere "
                           "and its replica equals the others. Survives the coordinator (the broker, the "
                           "sequencer, the leader): "
                           "commands are answered before anybody starts it again, and nothing acknowledged "
                           "is lost; ✗ n: so many were "
                           "not answered. Messages: what the network carried for a command, copies to each "
                           "receiver counted, without "
                           "faults; latency: from the call to its effect at the node that was called.");

    fputc('\n', page->out);
    print_other_columns(page, matrix);
    fputs("\n  ", page->out);
    page_set_style(page, STYLE_FAINT);
    page_print_wrapped(page, text_of(legend), 2, 2);
    page_set_style(page, STYLE_PLAIN);
    fputc('\n', page->out);
}

/* Where it stands: "parte1-seed42: node1.jsonl:27,29 node2.jsonl:18,30" */
static void print_places(const struct page *page, const struct proof *proof)
{
    const char *slash = strrchr(proof->directory, '/');
    const char *last = "";

    page_set_style(page, STYLE_FAINT);
    fprintf(page->out, "    %s:", slash != NULL ? slash + 1 : proof->directory);
    for (size_t i = 0; i < proof->line_count; i++) {
        const struct proof_line *line = &proof->lines[i];
        bool same = strcmp(line->file, last) == 0;
        fprintf(page->out, same ? "%s,%" PRIu32 : " %s:%" PRIu32, same ? "" : line->file, line->number);
        last = line->file;
    }
    page_set_style(page, STYLE_PLAIN);
    fputc('\n', page->out);
}

/* A broken cell: its story, and the lines of logs that prove it. */
static void print_counterexample(const struct page *page, enum matrix_column column,
                                 const struct matrix_cell *cell)
{
    const char *title = _(matrix_column_title(column));

    fputs("  ", page->out);
    page_print(page, STYLE_BAD, "✗ ");
    page_print(page, STYLE_STRONG, title);
    fputs(": ", page->out);
    page_print_wrapped(page, buffer_text(&cell->proof.story), text_width(text_of(title)) + 6, 4);
    fputs(".\n", page->out);
    print_places(page, &cell->proof);
}

static void print_doubt(const struct page *page, enum matrix_column column, const struct matrix_cell *cell)
{
    const char *title = _(matrix_column_title(column));
    struct text why = cell->why.length > 0 ? buffer_text(&cell->why) : text_of(_("no run measured it"));

    fputs("  ", page->out);
    page_print(page, STYLE_DOUBT, "? ");
    page_print(page, STYLE_STRONG, title);
    fputs(": ", page->out);
    page_print_wrapped(page, why, text_width(text_of(title)) + 6, 4);
    fputs(".\n", page->out);
}

static bool is_told(const struct matrix_cell *cell)
{
    return cell->outcome == CELL_VIOLATED || cell->outcome == CELL_UNKNOWN;
}

void matrix_print_foot(const struct matrix *matrix, FILE *out, bool colour)
{
    struct page page = {.out = out, .colour = colour};

    print_legend(&page, matrix);
    for (size_t r = 0; r < MATRIX_ROWS; r++) {
        const struct matrix_row *row = &matrix->rows[r];
        bool first = true;
        for (enum matrix_column column = 0; row->is_built && column < MATRIX_COLUMN_COUNT; column++) {
            const struct matrix_cell *cell = &row->cells[column];
            if (is_told(cell) && first) {
                char heading[120];
                snprintf(heading, sizeof heading, "%s  %s", row->part, _(row->title));
                page_print_heading(&page, heading);
                first = false;
            }
            if (cell->outcome == CELL_VIOLATED) {
                print_counterexample(&page, column, cell);
            } else if (cell->outcome == CELL_UNKNOWN) {
                print_doubt(&page, column, cell);
            }
        }
    }
}
