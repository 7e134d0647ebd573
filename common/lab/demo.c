#include "common/lab/demo.h"

#include "common/container_of.h"
#include "common/json.h"
#include "common/lab/demo_children.h"
#include "common/lab/matrix.h"
#include "common/lab/report_html.h"
#include "common/memory.h"
#include "common/words.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct demo {
    const struct demo_options *options;
    struct run_host host;
    struct demo_children children;
    struct demo_run *runs; /* owned */
    size_t run_count;
    struct matrix matrix;
    FILE *out;
    bool colour, json;
    bool live;           /* the table is drawn over as it fills; else a row is printed once it is full */
    size_t rows_printed; /* not live: rows that are out */
    unsigned left[MATRIX_ROWS]; /* runs that a row waits for */
};

/* ---- the runs ---- */

/* Stage by stage; and first of all one that starts a broker of its own, which takes longest. */
static int rank_of(const struct demo_run *run)
{
    return run->own_broker ? 0 : 1 + (int)run->stage;
}

static void add_ranked(struct demo *demo, const struct demo_run *planned, size_t count, int rank)
{
    for (size_t i = 0; i < count; i++) {
        if (rank_of(&planned[i]) == rank) {
            demo->runs[demo->run_count++] = planned[i];
            demo->left[planned[i].row]++;
        }
    }
}

static int plan(struct demo *demo, struct error *error)
{
    struct demo_run *planned = memory_new(DEMO_RUNS_MAX * sizeof *planned);
    size_t count = 0;
    int code = 0;

    for (size_t row = 0; code == 0 && row < MATRIX_ROWS; row++) {
        if (demo->matrix.rows[row].is_built) {
            code = demo_plan_part(demo->options, demo->matrix.rows[row].part, row, planned, &count, error);
        }
    }
    demo->runs = memory_new_zeroed(DEMO_RUNS_MAX, sizeof *demo->runs);
    for (int rank = 0; code == 0 && rank <= 1 + (int)STAGE_ALONE; rank++) {
        add_ranked(demo, planned, count, rank);
    }
    free(planned);
    return code;
}

/* ---- the table ---- */

static void print_head(const struct demo *demo)
{
    const struct run_options *run = &demo->options->run;

    fprintf(demo->out,
            _("\n  One replicated store, one bad network, and rules of order from weak to strong. %u runs of "
              "each "
              "part: %u users\n  give %u commands on %u keys; each message is delayed by %u to %u ms, %g %% "
              "are lost "
              "and %g %% doubled where a\n  network may do so (a stream stalls instead). Then drills with "
              "kill -9, "
              "and the price. Seed %llu.\n\n"),
            demo_plan_seeds(demo->options), run->writers, run->operations, run->keys,
            run->network.delay_min_ms, run->network.delay_max_ms, run->network.loss * 100,
            run->network.duplicate * 100, (unsigned long long)run->network.seed);
    matrix_print_head(demo->out, demo->colour);
    fflush(demo->out);
}

static void print_rows(const struct demo *demo)
{
    for (size_t i = 0; i < MATRIX_ROWS; i++) {
        matrix_print_row(&demo->matrix.rows[i], demo->out, demo->colour);
    }
    fflush(demo->out);
}

static void draw(struct demo *demo)
{
    progress_clear(&demo->host.progress);
    if (demo->live) {
        fprintf(demo->out, "\x1b[%dA\r\x1b[J", MATRIX_ROWS);
        print_rows(demo);
    }
    while (!demo->json && !demo->live && demo->rows_printed < MATRIX_ROWS &&
           demo->left[demo->rows_printed] == 0) {
        matrix_print_row(&demo->matrix.rows[demo->rows_printed++], demo->out, demo->colour);
        fflush(demo->out);
    }
    if (demo->children.ended < demo->run_count) {
        progress_draw(&demo->host.progress, _("runs"), (unsigned)demo->children.ended,
                      (unsigned)demo->run_count);
    }
}

/* A run that did not come to its end: its cells cannot be told, and this is why. The part's other runs would hardly fare
 * better, and each may take half a minute to find that out. */
static void give_up(struct demo *demo, const struct demo_run *run)
{
    char words[200];

    demo_child_last_words(run, words, sizeof words);
    matrix_add_failure(&demo->matrix, &run->options, words[0] != '\0' ? words : _("the run broke off"));
    if (!run->own_broker) {
        demo->left[run->row] -= demo_children_give_up_row(&demo->children, run->row);
    }
}

static void on_run_end(struct demo_children *children, size_t number)
{
    struct demo *demo = container_of(children, struct demo, children);
    const struct demo_run *run = &demo->runs[number];
    struct error error;

    demo->left[run->row]--;
    if (demo->host.interrupts > 0) {
        return;
    }
    if (matrix_add_run(&demo->matrix, run->options.directory, &error) != 0) {
        give_up(demo, run);
    }
    draw(demo);
}

/* ---- the end ---- */

/* What each rule promises, and what it cannot give and so must be seen to break: else the network was not bad enough. */
static const struct {
    const char *part;
    unsigned keeps, breaks; /* bits, by column */
} promises[] = {
#define BIT(column) (1u << MATRIX_##column)
#define STREAM      (BIT(DELIVERY) | BIT(NO_DUPLICATES) | BIT(FIFO) | BIT(NO_CREATION))
#define ORDER       (STREAM | BIT(CAUSAL) | BIT(TOTAL) | BIT(CONVERGENCE) | BIT(GAP_FREE) | BIT(NODE))
    {"parte1", BIT(NO_CREATION), BIT(DELIVERY) | BIT(TOTAL) | BIT(NODE)},
    {"parte2", STREAM, BIT(TOTAL) | BIT(NODE) | BIT(COORDINATOR)},
    {"parte3", ORDER, BIT(COORDINATOR)},
    {"parte4", ORDER, BIT(COORDINATOR)},
    {"paxos", (ORDER & ~BIT(GAP_FREE)) | BIT(LINEARIZABLE) | BIT(COORDINATOR), 0},
#undef BIT
#undef STREAM
#undef ORDER
};

static enum demo_outcome outcome_of_cell(const struct matrix_cell *cell, bool keeps, bool breaks)
{
    if (!keeps && !breaks) {
        return DEMO_AS_PROMISED;
    }
    if (cell->outcome == CELL_UNKNOWN) {
        return DEMO_CANNOT_TELL;
    }
    return (cell->outcome == CELL_VIOLATED) == breaks ? DEMO_AS_PROMISED : DEMO_NOT_AS_PROMISED;
}

static enum demo_outcome outcome_of(struct demo *demo)
{
    enum demo_outcome outcome = DEMO_AS_PROMISED;

    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        const struct matrix_row *row = matrix_find_row(&demo->matrix, promises[i].part);
        for (enum matrix_column c = 0; row->is_built && c < MATRIX_COLUMN_COUNT; c++) {
            enum demo_outcome here = outcome_of_cell(&row->cells[c], (promises[i].keeps >> c & 1) != 0,
                                                     (promises[i].breaks >> c & 1) != 0);
            outcome = here == DEMO_NOT_AS_PROMISED || outcome == DEMO_AS_PROMISED ? here : outcome;
        }
    }
    return outcome;
}

static void print_json(const struct demo *demo, enum demo_outcome outcome, const char *page)
{
    static const char *const outcomes[] = {"as_promised", "not_as_promised", "cannot_tell", "interrupted"};
    struct buffer json = {0};

    buffer_add_format(&json, "{\"outcome\":\"%s\",\"seed\":%llu,\"directory\":", outcomes[outcome],
                      (unsigned long long)demo->options->run.network.seed);
    json_write_string(&json, text_of(demo->options->run.directory));
    buffer_add_string(&json, ",\"report\":");
    json_write_string(&json, text_of(page));
    buffer_add_char(&json, ',');
    matrix_json(&demo->matrix, &json);
    buffer_add_string(&json, "}\n");
    fwrite(json.bytes, 1, json.length, demo->out);
    buffer_free(&json);
}

static void print_end(const struct demo *demo, enum demo_outcome outcome, const char *page)
{
    static const char *const sentences[] = {
        [DEMO_AS_PROMISED] = N_("Each rule kept what it promises, and broke what it does not."),
        [DEMO_NOT_AS_PROMISED] =
            N_("Not what the rules promise, or not enough happened to show it: try another --seed."),
        [DEMO_CANNOT_TELL] =
            N_("Something that a rule promises could not be measured: see the question marks."),
        [DEMO_INTERRUPTED] = ""};

    matrix_print_foot(&demo->matrix, demo->out, demo->colour);
    fprintf(demo->out, "\n  %s\n", _(sentences[outcome]));
    fprintf(demo->out, _("  The logs: %s\n  The report: %s\n\n"), demo->options->run.directory, page);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The report shows of each part the first run and the drills, whatever came of them, so that parts can be compared. */
static size_t choose_shown(const struct demo *demo, const char **directories)
{
    size_t count = 0;

    for (size_t i = 0; i < demo->run_count; i++) {
        const struct demo_run *run = &demo->runs[i];
        if (run->stage == STAGE_JUDGED && run->options.network.seed == demo->options->run.network.seed) {
            directories[count++] = run->options.directory;
        }
    }
    qsort(directories, count, sizeof *directories, compare_names);
    return count;
}

static int tell(const struct demo *demo, enum demo_outcome outcome, struct error *error)
{
    const char *shown[DEMO_RUNS_MAX] = {NULL};
    size_t shown_count = choose_shown(demo, shown);
    char page[4200];
    int code;

    snprintf(page, sizeof page, "%s/report.html", demo->options->run.directory);
    code = report_html_write_matrix(page, &demo->matrix, shown, shown_count, error);
    if (code == 0) {
        demo->json ? print_json(demo, outcome, page) : print_end(demo, outcome, page);
        code = fflush(demo->out) == 0 ? 0 : error_set(error, ERROR_FILE, "standard output takes no more");
    }
    return code;
}

/* ---- all of it ---- */

static void on_interrupt(struct run_host *host)
{
    demo_children_interrupt(&container_of(host, struct demo, host)->children);
}

static void on_broker_ready(struct run_host *host)
{
    demo_children_go_on(&container_of(host, struct demo, host)->children);
}

/* Without ever having had one there is no demonstration; later runs that need it fail, and say so. */
static void on_broker_failed(struct run_host *host, const struct error *error)
{
    if (host->url == NULL) {
        demo_children_fail(&container_of(host, struct demo, host)->children, error);
    }
}

static int run_all(struct demo *demo, enum demo_outcome *outcome, struct error *error)
{
    demo->host.on_interrupt = on_interrupt;
    demo->host.on_broker_ready = on_broker_ready;
    demo->host.on_broker_failed = on_broker_failed;
    demo->children.host = &demo->host;
    demo->children.runs = demo->runs;
    demo->children.count = demo->run_count;
    demo->children.on_end = on_run_end;
    if (!demo->json) {
        print_head(demo);
    }
    if (demo->live) {
        print_rows(demo);
    }
    demo_children_begin(&demo->children);
    run_host_turn_until(&demo->host, &demo->children.finished);
    progress_clear(&demo->host.progress);
    if (demo->children.error.code != ERROR_NONE) {
        *error = demo->children.error;
        return error->code;
    }
    *outcome = demo->host.interrupts > 0 ? DEMO_INTERRUPTED : outcome_of(demo);
    return 0;
}

int demo_run(const struct demo_options *options, FILE *out, bool colour, bool json,
             enum demo_outcome *outcome, struct error *error)
{
    struct demo *demo = memory_new_zeroed(1, sizeof *demo);
    int code;

    *demo = (struct demo){.options = options,
                          .out = out,
                          .colour = colour,
                          .json = json,
                          .live = !json && isatty(fileno(out)) != 0};
    matrix_init(&demo->matrix);
    *outcome = DEMO_INTERRUPTED;
    code = plan(demo, error);
    if (code == 0) {
        code = run_host_begin(&demo->host, options->run.directory, options->run.brokers, error);
    }
    if (code == 0) {
        if (demo->host.interrupts == 0) {
            code = run_all(demo, outcome, error);
        }
        demo->host.on_broker_ready = NULL;
        demo->host.on_broker_failed = NULL;
        run_host_close(&demo->host);
    }
    if (code == 0 && *outcome != DEMO_INTERRUPTED) {
        code = tell(demo, *outcome, error);
    }
    demo_children_free(&demo->children);
    matrix_free(&demo->matrix);
    free(demo->runs);
    free(demo);
    return code;
}
