/* lab: runs a part of Ordem, and judges the logs of any run. */
#include "common/lab/broker_command.h"
#include "common/lab/demo.h"
#include "common/lab/guard.h"
#include "common/lab/judge.h"
#include "common/lab/log_source.h"
#include "common/lab/options.h"
#include "common/lab/report.h"
#include "common/lab/report_command.h"
#include "common/lab/report_html.h"
#include "common/lab/run.h"
#include "common/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_CANNOT_TELL 2
#define EXIT_INTERRUPTED 130

static int refuse(const struct error *error)
{
    fprintf(stderr, "lab: %s\n", error->words);
    return EXIT_CANNOT_TELL;
}

static bool wants_colour(void)
{
    const char *no_colour = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (no_colour == NULL || no_colour[0] == '\0');
}

/* ---- judging ---- */

static int exit_status_of(enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_HOLDS:
        return 0;
    case OUTCOME_VIOLATED:
        return 1;
    case OUTCOME_UNKNOWN:
        break;
    }
    return EXIT_CANNOT_TELL;
}

/* Tells the judgement in the form that was asked for. */
static int tell(const struct lab_options *options, const struct report *report)
{
    struct error error;

    if (options->shiviz != NULL && report_shiviz(report, options->shiviz, &error) != 0) {
        return refuse(&error);
    }
    if (!options->json) {
        report_text(report, stdout, wants_colour());
    } else if (report_json(report, stdout) != 0) {
        error_set(&error, ERROR_FILE, "standard output takes no more");
        return refuse(&error);
    }
    return exit_status_of(judgement_outcome(report->judgement));
}

/* Reads, judges, tells; `page` is the path of the report to write, NULL for none. */
static int judge_sources(const struct lab_options *options, struct log_sources *sources, const char *page)
{
    struct history history = {0};
    struct judgement judgement;
    struct error error;
    int status;

    if (log_sources_read(sources, &history, &error) != 0) {
        history_free(&history);
        return refuse(&error);
    }
    judge(&history, &judgement);
    struct report report = {&history, &judgement, sources};
    status = tell(options, &report);
    if (page != NULL &&
        report_html_write(page, report_html_name(options->run.directory), &report, &error) != 0) {
        status = refuse(&error);
    }
    judgement_free(&judgement);
    history_free(&history);
    return status;
}

static int compare(const struct lab_options *options)
{
    struct log_sources sources = {0};
    struct error error;
    int code = 0;

    for (int i = 0; code == 0 && i < options->file_count; i++) {
        code = log_sources_add(&sources, options->files[i], &error);
    }
    int status = code != 0 ? refuse(&error) : judge_sources(options, &sources, NULL);
    log_sources_free(&sources);
    return status;
}

/* ---- running ---- */

/* The logs of this run, and no other file that may lie there. */
static int add_logs(const struct run_options *run, struct log_sources *sources, struct error *error)
{
    char path[4200];
    int code = 0;

    for (unsigned i = 0; code == 0 && run_log_path(run, i, path, sizeof path); i++) {
        code = log_sources_add(sources, path, error);
    }
    return code;
}

static int run_and_judge(const struct lab_options *options)
{
    struct log_sources sources = {0};
    struct error error;
    bool interrupted = false;
    int code = run_part(&options->run, &interrupted, &error);

    if (interrupted) {
        return EXIT_INTERRUPTED;
    }
    if (code == 0) {
        code = add_logs(&options->run, &sources, &error);
    }
    char page[4200];
    snprintf(page, sizeof page, "%s/report.html", options->run.directory);
    int status = code != 0 ? refuse(&error) : judge_sources(options, &sources, page);
    log_sources_free(&sources);
    if (!options->json && code == 0) {
        printf(_("  The logs: %s\n  The report: %s\n"), options->run.directory, page);
    }
    return status;
}

static int demo(const struct lab_options *options)
{
    static const int statuses[] = {[DEMO_AS_PROMISED] = 0,
                                   [DEMO_NOT_AS_PROMISED] = 1,
                                   [DEMO_CANNOT_TELL] = EXIT_CANNOT_TELL,
                                   [DEMO_INTERRUPTED] = EXIT_INTERRUPTED};
    const struct demo_options demo = {.run = options->run, .seeds = options->seeds, .quick = options->quick};
    enum demo_outcome outcome;
    struct error error;

    if (demo_run(&demo, stdout, wants_colour(), options->json, &outcome, &error) != 0) {
        return refuse(&error);
    }
    return statuses[outcome];
}

int main(int argc, char **argv)
{
    struct lab_options options;
    struct error error;

    words_open();
    if (argc > 1 && strcmp(argv[1], "guard") == 0) { /* a child of this program, about to become another */
        return guard_become(argc - 2, argv + 2);
    }
    if (lab_options_read(&options, argc, argv, &error) != 0) {
        return refuse(&error);
    }
    switch (options.command) {
    case LAB_HELP:
        lab_usage(stdout);
        return 0;
    case LAB_RUN:
        return run_and_judge(&options);
    case LAB_COMPARE:
        return compare(&options);
    case LAB_REPORT:
        return report_command(&options, &error) == 0 ? 0 : refuse(&error);
    case LAB_DEMO:
        return demo(&options);
    case LAB_BROKER:
        return broker_command(options.run.members[MEMBER_NODE], options.run.directory, &error) == 0
                   ? 0
                   : refuse(&error);
    }
    return EXIT_CANNOT_TELL;
}
