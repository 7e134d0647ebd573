/* What the parts of the report on the terminal share; nobody else includes it. */
#ifndef ORDEM_REPORT_PAGE_H
#define ORDEM_REPORT_PAGE_H

#include "common/buffer.h"
#include "common/lab/report.h"

enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_DOUBT, STYLE_STRONG, STYLE_FAINT };

struct page {
    const struct report *report;
    FILE *out;
    bool colour;
    struct buffer scratch;
};

#define CELL_MAX 24 /* columns */

void page_set_style(const struct page *page, enum style style);
void page_print(const struct page *page, enum style style, const char *text);
void page_print_heading(const struct page *page, const char *text);

/* At most CELL_MAX columns of `text`, padded to `width`. */
void page_print_cell(const struct page *page, enum style style, struct text text, size_t width);

/* All of `text`, padded to `width` columns. */
void page_print_padded(const struct page *page, const char *text, size_t width);

/* The columns that a cell takes. */
size_t page_cell_width(struct text text);

/* Prints `text` in lines of a bearable length that start `indent` columns in; `column` is where it begins. */
void page_print_wrapped(const struct page *page, struct text text, size_t column, size_t indent);

/* The keys that replicas disagree on. */
void page_print_differences(struct page *page);

/* The place where the delivery orders part. */
void page_print_orders(struct page *page);

/* For each broken guarantee what happened, and the lines that prove it. */
void page_print_counterexamples(struct page *page);

#endif
