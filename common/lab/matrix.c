#include "common/lab/matrix.h"

#include "common/lab/matrix_parts.h"
#include "common/lab/part_plan.h"
#include "common/memory.h"
#include "common/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *part, *title;
} row_texts[MATRIX_ROWS] = {{"parte1", N_("UDP multicast")},
                            {"parte2", N_("many publishers")},
                            {"parte3", N_("a sequencer")},
                            {"parte4", N_("a leader")},
                            {"paxos", N_("a majority")}};

static const struct {
    const char *title, *name;
} survival_texts[] = {{N_("survives a node"), "survives_node"},
                      {N_("survives the coordinator"), "survives_coordinator"}};

const char *matrix_column_title(enum matrix_column column)
{
    bool survival = column == MATRIX_NODE || column == MATRIX_COORDINATOR;
    return survival ? survival_texts[column - MATRIX_NODE].title : guarantee_title(matrix_guarantees[column]);
}

const char *matrix_column_name(enum matrix_column column)
{
    bool survival = column == MATRIX_NODE || column == MATRIX_COORDINATOR;
    return survival ? survival_texts[column - MATRIX_NODE].name : guarantee_name(matrix_guarantees[column]);
}

/* ---- rows ---- */

/* A part is in the matrix as soon as its program stands beside this one and it has a plan. */
static bool is_built(const char *part)
{
    char folder[4000];
    char path[4100];
    struct error error;

    if (part_plan_find(part) == NULL || run_program_folder(folder, sizeof folder, &error) != 0) {
        return false;
    }
    snprintf(path, sizeof path, "%s/%s", folder, part);
    return access(path, X_OK) == 0;
}

static bool has_no_coordinator(const char *part)
{
    const struct part_plan *plan = part_plan_find(part);
    return plan != NULL && plan->drill_coordinator == NULL;
}

void matrix_init(struct matrix *matrix)
{
    *matrix = (struct matrix){0};
    for (size_t i = 0; i < MATRIX_ROWS; i++) {
        struct matrix_row *row = &matrix->rows[i];
        row->part = row_texts[i].part;
        row->title = row_texts[i].title;
        row->is_built = is_built(row->part);
        row->price = (struct matrix_price){-1, -1, -1, -1};
        if (has_no_coordinator(row->part)) {
            row->cells[MATRIX_COORDINATOR].outcome = CELL_NOT_APPLICABLE;
        }
    }
}

struct matrix_row *matrix_find_row(struct matrix *matrix, const char *part)
{
    for (size_t i = 0; i < MATRIX_ROWS; i++) {
        if (strcmp(matrix->rows[i].part, part) == 0) {
            return &matrix->rows[i];
        }
    }
    return NULL;
}

/* ---- runs ---- */

/* Of several clean runs the shortest latency counts, with the messages of that run, and the highest rate: a run at
 * full speed tells how many commands, one that is not how long each takes. */
static void add_price(struct matrix_price *price, const struct matrix_price *more)
{
    if (more->p50_us >= 0 && (price->p50_us < 0 || more->p50_us < price->p50_us)) {
        price->p50_us = more->p50_us;
        price->p99_us = more->p99_us;
        price->messages = more->messages;
    }
    price->rate = more->rate > price->rate ? more->rate : price->rate;
}

void matrix_add(struct matrix *matrix, const struct run_options *run, const struct report *report)
{
    struct matrix_row *row = matrix_find_row(matrix, run->part);

    if (row == NULL) {
        return;
    }
    row->directories = memory_grow(row->directories, &row->capacity, row->runs + 1, sizeof *row->directories);
    row->directories[row->runs++] = memory_copy_text(run->directory, strlen(run->directory));
    switch (run_kind_of(run)) {
    case RUN_CLEAN: {
        struct matrix_price price = price_measure(report->history, &report->judgement->clients);
        add_price(&row->price, &price);
        break;
    }
    case RUN_NETWORK:
        cells_add_guarantees(row, run, report);
        break;
    case RUN_NODE:
        cells_add_survival(&row->cells[MATRIX_NODE], run, report, false);
        break;
    case RUN_COORDINATOR:
        cells_add_survival(&row->cells[MATRIX_COORDINATOR], run, report, true);
        break;
    }
}

void matrix_add_failure(struct matrix *matrix, const struct run_options *run, const char *reason)
{
    struct matrix_row *row = matrix_find_row(matrix, run->part);
    enum run_kind kind = run_kind_of(run);

    for (enum matrix_column column = 0; row != NULL && column < MATRIX_COLUMN_COUNT; column++) {
        bool told = column == MATRIX_NODE          ? kind == RUN_NODE
                    : column == MATRIX_COORDINATOR ? kind == RUN_COORDINATOR
                                                   : kind == RUN_NETWORK;
        if (told) {
            cells_add_failure(&row->cells[column], reason);
        }
    }
}

int matrix_add_run(struct matrix *matrix, const char *directory, struct error *error)
{
    struct run_options run;
    struct log_sources sources = {0};
    struct history history = {0};
    char path[4200];
    int code = run_read_description(directory, &run, error);

    for (unsigned i = 0; code == 0 && run_log_path(&run, i, path, sizeof path); i++) {
        code = log_sources_add(&sources, path, error);
    }
    code = code == 0 ? log_sources_read(&sources, &history, error) : code;
    if (code == 0) {
        struct judgement judgement;
        judge(&history, &judgement);
        matrix_add(matrix, &run, &(struct report){&history, &judgement, &sources});
        judgement_free(&judgement);
    }
    history_free(&history);
    log_sources_free(&sources);
    return code;
}

/* ---- the end ---- */

static void free_cell(struct matrix_cell *cell)
{
    buffer_free(&cell->why);
    buffer_free(&cell->proof.story);
    free(cell->proof.directory);
    for (size_t i = 0; i < cell->proof.line_count; i++) {
        buffer_free(&cell->proof.lines[i].text);
        buffer_free(&cell->proof.lines[i].words);
    }
}

void matrix_free(struct matrix *matrix)
{
    for (size_t r = 0; r < MATRIX_ROWS; r++) {
        struct matrix_row *row = &matrix->rows[r];
        for (size_t c = 0; c < MATRIX_COLUMN_COUNT; c++) {
            free_cell(&row->cells[c]);
        }
        for (size_t i = 0; i < row->runs; i++) {
            free(row->directories[i]);
        }
        free(row->directories);
    }
    *matrix = (struct matrix){0};
}
