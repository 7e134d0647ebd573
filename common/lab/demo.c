#include "common/lab/demo.h"

#include "common/lab/judge.h"
#include "common/lab/log_source.h"
#include "common/lab/report.h"

#include <string.h>

/* The parts, from weak to strong, and the columns of the table. */
static const struct {
    const char *name, *title;
    bool orders; /* it promises total order */
} parts[] = {{"parte1", "Parte 1  UDP multicast", false},
             {"parte2", "Parte 2  many publishers, a broker", false},
             {"parte3", "Parte 3  a sequencer", true},
             {"parte4", "Parte 4  a leader", true}};

static const struct {
    enum guarantee guarantee;
    const char *title;
} columns[] = {{GUARANTEE_DELIVERY, "delivery"},
               {GUARANTEE_NO_DUPLICATES, "no dup."},
               {GUARANTEE_FIFO, "FIFO"},
               {GUARANTEE_CAUSAL, "causal"},
               {GUARANTEE_TOTAL, "total"},
               {GUARANTEE_CONVERGENCE, "converge"},
               {GUARANTEE_LINEARIZABLE, "linear. reads"}};

#define PART_COUNT   (sizeof parts / sizeof *parts)
#define COLUMN_COUNT (sizeof columns / sizeof *columns)
#define TITLE_WIDTH  35

/* ---- the table ---- */

static void print_head(const struct run_options *options, FILE *out)
{
    fprintf(out,
            "\n  One replicated store, four rules of order, one bad network. %u users give %u commands on %u "
            "keys;\n"
            "  each message is delayed by %u to %u ms, %g %% are lost and %g %% doubled where a network may "
            "do so\n"
            "  (a stream stalls instead; seed %llu).\n\n",
            options->writers, options->operations, options->keys, options->network.delay_min_ms,
            options->network.delay_max_ms, options->network.loss * 100, options->network.duplicate * 100,
            (unsigned long long)options->network.seed);
    fprintf(out, "  %-*s", TITLE_WIDTH, "");
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        fprintf(out, "%s%s", columns[i].title, i + 1 < COLUMN_COUNT ? "  " : "\n");
    }
    fflush(out);
}

static void print_mark(const struct verdict *verdict, size_t width, bool colour, FILE *out)
{
    static const struct {
        const char *mark, *code;
    } marks[] = {[OUTCOME_HOLDS] = {"✓", "\x1b[32m"},
                 [OUTCOME_VIOLATED] = {"✗", "\x1b[31m"},
                 [OUTCOME_UNKNOWN] = {"?", "\x1b[33m"}};

    const char *mark = verdict->not_applicable ? "–" : marks[verdict->outcome].mark;
    const char *code = verdict->not_applicable ? "\x1b[2m" : marks[verdict->outcome].code;
    fprintf(out, "%s%s%s%*s", colour ? code : "", mark, colour ? "\x1b[0m" : "", (int)width - 1, "");
}

static void print_row(size_t part, const struct judgement *judgement, bool colour, FILE *out)
{
    fprintf(out, "  %s%-*s%s", colour ? "\x1b[1m" : "", TITLE_WIDTH, parts[part].title,
            colour ? "\x1b[0m" : "");
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        print_mark(&judgement->verdicts[columns[i].guarantee], strlen(columns[i].title) + 2, colour, out);
    }
    fputc('\n', out);
}

/* ---- a part ---- */

static bool is(const struct judgement *judgement, enum guarantee guarantee, enum outcome outcome)
{
    return judgement->verdicts[guarantee].outcome == outcome;
}

/* The proof of the worst that happened. */
static void print_proof(const struct report *report, bool colour, FILE *out)
{
    static const enum guarantee worst_first[] = {GUARANTEE_TOTAL, GUARANTEE_CONVERGENCE, GUARANTEE_DELIVERY,
                                                 GUARANTEE_LINEARIZABLE};

    for (size_t i = 0; i < sizeof worst_first / sizeof *worst_first; i++) {
        if (is(report->judgement, worst_first[i], OUTCOME_VIOLATED)) {
            report_counterexample(report, worst_first[i], out, colour);
            fputc('\n', out);
            return;
        }
    }
}

static int read_logs(const struct run_options *options, struct log_sources *sources, struct history *history,
                     struct error *error)
{
    char path[4200];
    int code = 0;

    for (unsigned i = 0; code == 0 && run_log_path(options, i, path, sizeof path); i++) {
        code = log_sources_add(sources, path, error);
    }
    return code == 0 ? log_sources_read(sources, history, error) : code;
}

static int judge_part(size_t part, const struct run_options *options, FILE *out, bool colour,
                      bool *as_expected, struct error *error)
{
    struct log_sources sources = {0};
    struct history history = {0};
    struct judgement judgement;
    int code = read_logs(options, &sources, &history, error);

    if (code == 0) {
        enum outcome expected = parts[part].orders ? OUTCOME_HOLDS : OUTCOME_VIOLATED;
        judge(&history, &judgement);
        print_row(part, &judgement, colour, out);
        print_proof(&(struct report){&history, &judgement, &sources}, colour, out);
        fflush(out);
        *as_expected = *as_expected && is(&judgement, GUARANTEE_TOTAL, expected) &&
                       (!parts[part].orders || is(&judgement, GUARANTEE_CONVERGENCE, OUTCOME_HOLDS));
        judgement_free(&judgement);
    }
    history_free(&history);
    log_sources_free(&sources);
    return code;
}

/* ---- all of them ---- */

int demo_run(const struct run_options *options, FILE *out, bool colour, bool *as_expected, bool *interrupted,
             struct error *error)
{
    struct run_host host;
    int code = run_host_open(&host, options->directory, options->brokers, error);

    *as_expected = true;
    if (code != 0) {
        return code;
    }
    print_head(options, out);
    for (size_t i = 0; code == 0 && host.interrupts == 0 && i < PART_COUNT; i++) {
        struct run_options run = *options;
        run.part = parts[i].name;
        int length = snprintf(run.directory, sizeof run.directory, "%s/%s", options->directory, run.part);
        code = length < (int)sizeof run.directory ? run_part_on(&run, &host, error)
                                                  : error_set(error, ERROR_CONFIG, "--out is too long");
        if (code == 0 && host.interrupts == 0) {
            code = judge_part(i, &run, out, colour, as_expected, error);
        }
    }
    *interrupted = host.interrupts > 0;
    run_host_close(&host);
    return code;
}
