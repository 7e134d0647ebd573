/* The report as one HTML file that needs nothing else: no network, no other file. It holds the page (the folder page/,
 * built into this program), the words in the user's language, and the runs.
 *
 * What comes out of a log goes into it only as base64 of deflated bytes, so that no log can break the page or script it;
 * the browser inflates it. Events are cut into blocks of BLOCK_EVENTS in the order of time, each of which can be read
 * without the others: the page loads those that it shows. */
#ifndef ORDEM_REPORT_HTML_H
#define ORDEM_REPORT_HTML_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/lab/matrix.h"
#include "common/lab/report.h"

#include <stddef.h>
#include <stdio.h>

struct report_html {
    FILE *out;
    char path[4200];
    size_t runs;
};

/* Starts the file. ERROR_FILE. */
int report_html_open(struct report_html *html, const char *path, struct error *error);

/* Adds a run under a name that its reader knows it by. The report is not needed afterwards. */
void report_html_add_run(struct report_html *html, const char *name, const struct report *report);

/* Adds a run out of its logs, in a folder or a file, under the last part of its path, judging it first. ERROR_FILE. */
int report_html_add_logs(struct report_html *html, const char *argument, struct error *error);

/* Adds the matrix: at most one. */
void report_html_add_matrix(struct report_html *html, const struct matrix *matrix);

/* Ends the file and closes it. ERROR_FILE, also of everything that was added before; the file is removed then. */
int report_html_close(struct report_html *html, struct error *error);

/* Gives the file up, and removes it. */
void report_html_abandon(struct report_html *html);

/* All of these, for one run. */
int report_html_write(const char *path, const char *name, const struct report *report, struct error *error);

/* A demonstration: the matrix, the runs in these directories, and those that the matrix's proofs come from. */
int report_html_write_matrix(const char *path, const struct matrix *matrix, const char *const *directories,
                             size_t count, struct error *error);

/* A run's name: the last part of the path of its folder. */
const char *report_html_name(const char *path);

#endif
