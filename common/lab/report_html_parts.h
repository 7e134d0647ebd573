/* What the parts of the HTML report share; nobody else includes it. */
#ifndef ORDEM_REPORT_HTML_PARTS_H
#define ORDEM_REPORT_HTML_PARTS_H

#include "common/lab/report_html.h"

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_EVENTS    32768
#define EXACT_MAX       (INT64_C(1) << 53) /* a browser's numbers are doubles */
#define TEXT_SHOWN      4096               /* bytes of a key or value that go into the report */
#define LINE_SHOWN      4096               /* bytes of a line */
#define LINES_SHOWN     50000              /* lines that go into the report as they are */
#define KEYS_SHOWN      5000               /* keys, of those that differ and of those that do not */
#define LATENCY_DECADES 8                  /* from 1 us to 100 s */
#define LATENCY_BINS    (100 * LATENCY_DECADES)

/* One event, as it is drawn. */
struct drawn_event {
    uint32_t cause; /* the event that it comes of; HISTORY_NONE */
    uint32_t place; /* of a delivery, in its life, from 1 */
    uint32_t life;  /* of a delivery, among the history's incarnations */
    bool repeated;  /* a message that came once more */
    bool lost;      /* a message that did not come, then or later */
};

/* One life's deliveries, a column of the table of orders. A command's place is its seq, where it has one, so that lives
 * which begin with an installed state stand right; else it is counted. */
struct order_column {
    uint32_t *commands, *places; /* in the order of delivery; owned */
    uint32_t count;
    bool numbered; /* the places are those of seq */
};

/* Numbers of the whole run that have a short one in the block being written; kept from block to block. */
struct short_number {
    uint32_t block; /* valid there, from 1 */
    uint32_t number;
};

/* A run on its way into the file. */
struct html_run {
    const struct report *report;
    const struct history *history;
    struct drawn_event *drawn;                         /* by event; owned */
    uint32_t *order;                                   /* events in the order of time; owned */
    uint32_t *rank;                                    /* by event: its place there; owned */
    struct order_column *columns;                      /* by incarnation; owned */
    int64_t start_us, end_us;                          /* of its first and last event */
    struct short_number *short_commands, *short_texts; /* by command; by text; owned */
    size_t lines_shown;                                /* lines that went into it as they are */
    struct buffer line;
};

/* ---- report_html_causes.c ---- */

/* Fills in `drawn` and `columns`. */
void html_run_find_causes(struct html_run *run);

/* ---- report_html_events.c ---- */

/* Block `number` of the events. */
void html_run_write_block(struct html_run *run, size_t number, struct buffer *out);

/* ---- report_html_head.c, report_html_figures.c: members of the JSON object that tells of the run as a whole ---- */

void html_run_write_head(struct html_run *run, const char *name, struct buffer *out);
void html_run_write_figures(const struct html_run *run, struct buffer *out);

/* The line of an event, fit to be shown, in run->line. */
struct text html_run_line(struct html_run *run, uint32_t event);

/* How much of a text goes into the report: no character is cut in two. */
size_t html_shown_length(struct text text, size_t most);

/* "name": with a comma before it. */
void html_add_name(struct buffer *out, const char *name);

/* ---- report_html_words.c ---- */

/* The page's words in the user's language: one JSON object. */
void html_write_words(struct buffer *out);

/* ---- report_html.c ---- */

/* Puts data into the file, deflated, as an element that the browser neither shows nor runs. */
void html_put_data(struct report_html *html, const char *id, const struct buffer *data);

/* ---- page/page.S: the page's own texts ---- */

extern const char page_style[], page_script[];
extern const uint64_t page_style_length, page_script_length; /* bytes */

#endif
