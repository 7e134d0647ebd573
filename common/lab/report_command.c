#include "common/lab/report_command.h"

#include "common/directory.h"
#include "common/lab/report_html.h"
#include "common/words.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The folder that the page is to stand in. */
static int make_folder(const char *path, struct error *error)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (slash == NULL || slash == path || (size_t)(slash - path) >= sizeof folder) {
        return 0; /* it is there, or opening the page will tell */
    }
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    return directory_make(folder, "--out", error);
}

int report_command(const struct lab_options *options, struct error *error)
{
    const char *path = options->run.directory[0] != '\0' ? options->run.directory : "report.html";
    struct report_html html;
    int code = make_folder(path, error);

    if (code == 0) {
        code = report_html_open(&html, path, error);
    }
    if (code != 0) {
        return code;
    }
    for (int i = 0; code == 0 && i < options->file_count; i++) {
        code = report_html_add_logs(&html, options->files[i], error);
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
