/* The matrix of a demonstration, and the runs that prove it, as one page. */
#include "common/json.h"
#include "common/lab/report_html_parts.h"
#include "common/text.h"
#include "common/words.h"

#include <inttypes.h>
#include <string.h>

/* The columns that are a run's verdicts, by which the page finds the proof. */
static const struct {
    enum matrix_column column;
    enum guarantee guarantee;
} verdicts[] = {{MATRIX_DELIVERY, GUARANTEE_DELIVERY},
                {MATRIX_NO_DUPLICATES, GUARANTEE_NO_DUPLICATES},
                {MATRIX_FIFO, GUARANTEE_FIFO},
                {MATRIX_CAUSAL, GUARANTEE_CAUSAL},
                {MATRIX_TOTAL, GUARANTEE_TOTAL},
                {MATRIX_CONVERGENCE, GUARANTEE_CONVERGENCE},
                {MATRIX_LINEARIZABLE, GUARANTEE_LINEARIZABLE}};

static const char *verdict_of(enum matrix_column column)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        if (verdicts[i].column == column) {
            return guarantee_name(verdicts[i].guarantee);
        }
    }
    return "";
}

static void add_text(struct buffer *out, const char *name, struct text text)
{
    html_add_name(out, name);
    json_write_string(out, text);
}

/* How often: violations, or in how many runs it held. */
static void add_figure(struct buffer *out, const struct matrix_cell *cell)
{
    char text[64] = "";

    if (cell->outcome == CELL_VIOLATED) {
        snprintf(text, sizeof text, "%" PRIu64, cell->count);
    } else if (cell->outcome == CELL_HOLDS) {
        snprintf(text, sizeof text, "%u/%u", cell->runs - cell->violated_runs, cell->runs);
    }
    add_text(out, "text", text_of(text));
}

static void add_cell(struct buffer *out, const struct matrix_cell *cell, enum matrix_column column)
{
    static const char *const outcomes[] = {[CELL_UNKNOWN] = "unknown",
                                           [CELL_HOLDS] = "holds",
                                           [CELL_VIOLATED] = "violated",
                                           [CELL_NOT_APPLICABLE] = "none"};
    const struct buffer *why =
        cell->outcome == CELL_VIOLATED && cell->proof.story.length > 0 ? &cell->proof.story : &cell->why;

    buffer_add_char(out, '{');
    add_text(out, "outcome", text_of(outcomes[cell->outcome]));
    add_figure(out, cell);
    add_text(out, "why", buffer_text(why));
    add_text(out, "verdict", text_of(verdict_of(column)));
    add_text(out, "run",
             text_of(cell->proof.directory != NULL ? report_html_name(cell->proof.directory) : ""));
    buffer_add_char(out, '}');
}

/* What was not measured is null. */
static void add_prices(struct buffer *out, const struct matrix_price *price)
{
    const double figures[] = {price->messages, (double)price->p50_us, (double)price->p99_us, price->rate};

    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        buffer_add_char(out, i == 0 ? '[' : ',');
        if (figures[i] >= 0) {
            json_write_double(out, figures[i]);
        } else {
            buffer_add_string(out, "null");
        }
    }
    buffer_add_char(out, ']');
}

static void add_row(struct buffer *out, const struct matrix_row *row)
{
    buffer_add_char(out, '{');
    add_text(out, "part", text_of(row->part));
    add_text(out, "title", text_of(_(row->title)));
    html_add_name(out, "built");
    buffer_add_string(out, row->is_built ? "true" : "false");
    html_add_name(out, "cells");
    for (enum matrix_column c = 0; c < MATRIX_TABLE_COUNT; c++) {
        buffer_add_char(out, c == 0 ? '[' : ',');
        add_cell(out, &row->cells[c], c);
    }
    buffer_add_char(out, ']');
    html_add_name(out, "prices");
    add_prices(out, &row->price);
    buffer_add_char(out, '}');
}

static void write_matrix(const struct matrix *matrix, struct buffer *out)
{
    static const char *const prices[] = {N_("messages per command"), N_("p50"), N_("p99"),
                                         N_("commands per second")};

    buffer_add_char(out, '{');
    html_add_name(out, "columns");
    for (enum matrix_column c = 0; c < MATRIX_TABLE_COUNT; c++) {
        buffer_add_char(out, c == 0 ? '[' : ',');
        json_write_string(out, text_of(_(matrix_column_title(c))));
    }
    buffer_add_char(out, ']');
    html_add_name(out, "priceTitles");
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        buffer_add_char(out, i == 0 ? '[' : ',');
        json_write_string(out, text_of(_(prices[i])));
    }
    buffer_add_char(out, ']');
    html_add_name(out, "rows");
    for (size_t i = 0; i < MATRIX_ROWS; i++) {
        buffer_add_char(out, i == 0 ? '[' : ',');
        add_row(out, &matrix->rows[i]);
    }
    buffer_add_string(out, "]}");
}

void report_html_add_matrix(struct report_html *html, const struct matrix *matrix)
{
    struct buffer data = {0};

    write_matrix(matrix, &data);
    html_put_data(html, "matrix", &data);
    buffer_free(&data);
}

/* ---- a demonstration ---- */

static bool is_among(const char *directory, const char *const *directories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(directory, directories[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The runs that the caller names, as far as they left logs (the matrix says why if they did not), and those that a cell's
 * proof comes from. */
static int add_runs(struct report_html *html, const struct matrix *matrix, const char *const *directories,
                    size_t count, struct error *error)
{
    const char *proofs[MATRIX_ROWS * MATRIX_COLUMN_COUNT];
    size_t proof_count = 0;
    int code = 0;

    for (size_t i = 0; i < count; i++) {
        report_html_add_logs(html, directories[i], NULL);
    }
    for (size_t r = 0; r < MATRIX_ROWS; r++) {
        for (size_t c = 0; code == 0 && c < MATRIX_COLUMN_COUNT; c++) {
            const char *proof = matrix->rows[r].cells[c].proof.directory;
            if (proof != NULL && !is_among(proof, directories, count) &&
                !is_among(proof, proofs, proof_count)) {
                proofs[proof_count++] = proof;
                code = report_html_add_logs(html, proof, error);
            }
        }
    }
    return code;
}

int report_html_write_matrix(const char *path, const struct matrix *matrix, const char *const *directories,
                             size_t count, struct error *error)
{
    struct report_html html;
    int code = report_html_open(&html, path, error);

    if (code != 0) {
        return code;
    }
    report_html_add_matrix(&html, matrix);
    code = add_runs(&html, matrix, directories, count, error);
    if (code != 0) {
        report_html_abandon(&html);
        return code;
    }
    return report_html_close(&html, error);
}
