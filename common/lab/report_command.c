#include "common/lab/report_command.h"

#include "common/lab/report_html.h"
#include "common/words.h"

#include <stdio.h>

static int add_run(struct report_html *html, const char *argument, struct error *error)
{
    struct log_sources sources = {0};
    struct history history = {0};
    struct judgement judgement;
    int code = log_sources_add(&sources, argument, error);

    if (code == 0) {
        code = log_sources_read(&sources, &history, error);
    }
    if (code == 0 && history.event_count == 0) {
        code = error_set(error, ERROR_FILE, "%.200s holds no line of an Ordem log", argument);
    }
    if (code == 0) {
        judge(&history, &judgement);
        report_html_add_run(html, report_html_name(argument),
                            &(struct report){&history, &judgement, &sources});
        judgement_free(&judgement);
    }
    history_free(&history);
    log_sources_free(&sources);
    return code;
}

int report_command(const struct lab_options *options, struct error *error)
{
    const char *path = options->run.directory[0] != '\0' ? options->run.directory : "report.html";
    struct report_html html;
    int code = report_html_open(&html, path, error);

    if (code != 0) {
        return code;
    }
    for (int i = 0; code == 0 && i < options->file_count; i++) {
        code = add_run(&html, options->files[i], error);
    }
    if (code != 0) {
        report_html_abandon(&html);
        return code;
    }
    code = report_html_close(&html, error);
    if (code == 0) {
        printf(_("The report: %s\n"), path);
    }
    return code;
}
