/* The matrix for scripts. */
#include "common/json.h"
#include "common/lab/matrix.h"

#include <inttypes.h>

static const char *const outcomes[] = {[CELL_UNKNOWN] = "unknown",
                                       [CELL_HOLDS] = "holds",
                                       [CELL_VIOLATED] = "violated",
                                       [CELL_NOT_APPLICABLE] = "not_applicable"};

/* Names and texts are what logs may hold; what is no UTF-8 has been made printable where it was read. */
static void add_string(struct buffer *out, const char *before, struct text text)
{
    buffer_add_string(out, before);
    json_write_string(out, text.bytes != NULL && text_is_utf8(text) ? text : text_of(""));
}

static void add_proof(struct buffer *out, const struct proof *proof)
{
    if (proof->directory == NULL) {
        buffer_add_string(out, ",\"counterexample\":null");
        return;
    }
    add_string(out, ",\"counterexample\":{\"run\":", text_of(proof->directory));
    buffer_add_format(out, ",\"seed\":%" PRIu64, proof->seed);
    add_string(out, ",\"story\":", buffer_text(&proof->story));
    buffer_add_string(out, ",\"evidence\":[");
    for (size_t i = 0; i < proof->line_count; i++) {
        const struct proof_line *line = &proof->lines[i];
        add_string(out, i > 0 ? ",{\"file\":" : "{\"file\":", text_of(line->file));
        buffer_add_format(out, ",\"line\":%" PRIu32, line->number);
        add_string(out, ",\"text\":", buffer_text(&line->text));
        buffer_add_char(out, '}');
    }
    buffer_add_string(out, "]}");
}

static void add_cell(struct buffer *out, const struct matrix_cell *cell)
{
    buffer_add_format(out,
                      "{\"outcome\":\"%s\",\"count\":%" PRIu64
                      ",\"runs\":%u,\"violated_runs\":%u,\"unknown_runs\":%u",
                      outcomes[cell->outcome], cell->count, cell->runs, cell->violated_runs,
                      cell->unknown_runs);
    add_string(out, ",\"why\":", buffer_text(&cell->why));
    add_proof(out, &cell->proof);
    buffer_add_char(out, '}');
}

/* What was not measured is null. */
static void add_figure(struct buffer *out, const char *before, double figure)
{
    buffer_add_string(out, before);
    if (figure < 0) {
        buffer_add_string(out, "null");
    } else {
        json_write_double(out, figure);
    }
}

static void add_row(struct buffer *out, const struct matrix_row *row)
{
    add_string(out, "{\"part\":", text_of(row->part));
    buffer_add_format(out, ",\"built\":%s,\"runs\":[", row->is_built ? "true" : "false");
    for (size_t i = 0; i < row->runs; i++) {
        add_string(out, i > 0 ? "," : "", text_of(row->directories[i]));
    }
    buffer_add_string(out, "],\"cells\":{");
    for (enum matrix_column column = 0; column < MATRIX_COLUMN_COUNT; column++) {
        add_string(out, column > 0 ? "," : "", text_of(matrix_column_name(column)));
        buffer_add_char(out, ':');
        add_cell(out, &row->cells[column]);
    }
    add_figure(out, "},\"price\":{\"messages_per_command\":", row->price.messages);
    add_figure(out, ",\"p50_us\":", (double)row->price.p50_us);
    add_figure(out, ",\"p99_us\":", (double)row->price.p99_us);
    add_figure(out, ",\"commands_per_second\":", row->price.rate);
    buffer_add_string(out, "}}");
}

void matrix_json(const struct matrix *matrix, struct buffer *out)
{
    buffer_add_string(out, "\"rows\":[");
    for (size_t i = 0; i < MATRIX_ROWS; i++) {
        buffer_add_string(out, i > 0 ? "," : "");
        add_row(out, &matrix->rows[i]);
    }
    buffer_add_char(out, ']');
}
