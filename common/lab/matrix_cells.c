/* From the verdicts on one run to the cells of its part. */
#include "common/lab/matrix_parts.h"
#include "common/memory.h"

#include <string.h>

const enum guarantee matrix_guarantees[MATRIX_COLUMN_COUNT] = {[MATRIX_DELIVERY] = GUARANTEE_DELIVERY,
                                                               [MATRIX_NO_DUPLICATES] =
                                                                   GUARANTEE_NO_DUPLICATES,
                                                               [MATRIX_FIFO] = GUARANTEE_FIFO,
                                                               [MATRIX_CAUSAL] = GUARANTEE_CAUSAL,
                                                               [MATRIX_TOTAL] = GUARANTEE_TOTAL,
                                                               [MATRIX_CONVERGENCE] = GUARANTEE_CONVERGENCE,
                                                               [MATRIX_LINEARIZABLE] = GUARANTEE_LINEARIZABLE,
                                                               [MATRIX_NODE] = GUARANTEE_COUNT,
                                                               [MATRIX_COORDINATOR] = GUARANTEE_COUNT,
                                                               [MATRIX_NO_CREATION] = GUARANTEE_NO_CREATION,
                                                               [MATRIX_GAP_FREE] = GUARANTEE_GAP_FREE};

/* ---- cells ---- */

void cell_add_outcome(struct matrix_cell *cell, enum outcome outcome, uint64_t count)
{
    cell->runs += outcome != OUTCOME_UNKNOWN;
    cell->violated_runs += outcome == OUTCOME_VIOLATED;
    cell->unknown_runs += outcome == OUTCOME_UNKNOWN;
    cell->count += count;
    cell->outcome = cell->violated_runs > 0  ? CELL_VIOLATED
                    : cell->unknown_runs > 0 ? CELL_UNKNOWN
                                             : CELL_HOLDS;
}

static void set_text(struct buffer *buffer, const struct buffer *text)
{
    buffer_clear(buffer);
    buffer_add(buffer, text->bytes, text->length);
}

static void make_printable(struct buffer *buffer)
{
    buffer_add_char(buffer, '\0');
    text_make_printable(buffer->bytes);
    buffer->length = strlen(buffer->bytes);
}

void proof_quote_line(struct proof *proof, const struct report *report, uint32_t event)
{
    struct line_place place = report->history->events[event].place;
    struct proof_line *line;

    for (size_t i = 0; i < proof->line_count; i++) {
        line = &proof->lines[i];
        if (line->number == place.number &&
            strcmp(line->file, log_sources_name(report->sources, place.source)) == 0) {
            return;
        }
    }
    if (proof->line_count == EVIDENCE_MAX) {
        return;
    }
    line = &proof->lines[proof->line_count++];
    snprintf(line->file, sizeof line->file, "%.63s", log_sources_name(report->sources, place.source));
    line->number = place.number;
    log_sources_line(report->sources, place, &line->text);
    make_printable(&line->text);
    report_event(report, event, &line->words);
}

/* The first one counts. */
void proof_begin(struct proof *proof, const struct run_options *run, const struct buffer *story)
{
    proof->directory = memory_copy_text(run->directory, strlen(run->directory));
    proof->seed = run->network.seed;
    set_text(&proof->story, story);
}

void proof_quote_verdict(struct proof *proof, const struct report *report, const struct verdict *verdict)
{
    for (size_t i = 0; i < verdict->evidence_count; i++) {
        proof_quote_line(proof, report, verdict->evidence[i]);
    }
}

void cells_add_failure(struct matrix_cell *cell, const char *reason)
{
    buffer_clear(&cell->why);
    buffer_add_string(&cell->why, reason);
    cell_add_outcome(cell, OUTCOME_UNKNOWN, 0);
}

/* ---- a bad network ---- */

static void add_verdict(struct matrix_cell *cell, const struct run_options *run, const struct report *report,
                        const struct verdict *verdict)
{
    if (verdict->not_applicable) {
        cell->outcome = cell->runs + cell->unknown_runs == 0 ? CELL_NOT_APPLICABLE : cell->outcome;
        return;
    }
    if (verdict->outcome == OUTCOME_VIOLATED && cell->violated_runs == 0) {
        proof_begin(&cell->proof, run, &verdict->story);
        proof_quote_verdict(&cell->proof, report, verdict);
    }
    if (verdict->outcome == OUTCOME_UNKNOWN) {
        set_text(&cell->why, &verdict->finding);
    }
    cell_add_outcome(cell, verdict->outcome, verdict->outcome == OUTCOME_VIOLATED ? verdict->count : 0);
}

void cells_add_guarantees(struct matrix_row *row, const struct run_options *run, const struct report *report)
{
    for (enum matrix_column column = 0; column < MATRIX_COLUMN_COUNT; column++) {
        if (matrix_guarantees[column] != GUARANTEE_COUNT) {
            add_verdict(&row->cells[column], run, report,
                        &report->judgement->verdicts[matrix_guarantees[column]]);
        }
    }
}
