#include "common/lab/report_page.h"

#include <string.h>

#define LINE_WIDTH 100

void page_set_style(const struct page *page, enum style style)
{
    static const char *const codes[] = {"\x1b[0m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[1m", "\x1b[2m"};
    if (page->colour) {
        fputs(codes[style], page->out);
    }
}

void page_print(const struct page *page, enum style style, const char *text)
{
    page_set_style(page, style);
    fputs(text, page->out);
    page_set_style(page, STYLE_PLAIN);
}

void page_print_heading(const struct page *page, const char *text)
{
    fputs("\n  ", page->out);
    page_print(page, STYLE_STRONG, text);
    fputc('\n', page->out);
}

/* How many bytes the first `columns` columns of a text take. */
static size_t bytes_of_columns(struct text text, size_t columns)
{
    size_t bytes = 0;

    for (; bytes < text.length; bytes++) {
        bool starts_character = ((unsigned char)text.bytes[bytes] & 0xC0) != 0x80;
        if (starts_character && columns == 0) {
            break;
        }
        columns -= starts_character;
    }
    return bytes;
}

void page_print_cell(const struct page *page, enum style style, struct text text, size_t width)
{
    bool cut = text_width(text) > CELL_MAX;
    size_t bytes = cut ? bytes_of_columns(text, CELL_MAX - 1) : text.length;
    size_t used = cut ? CELL_MAX : text_width(text);

    page_set_style(page, style);
    fprintf(page->out, "%.*s%s", (int)bytes, text.bytes, cut ? "…" : "");
    page_set_style(page, STYLE_PLAIN);
    fprintf(page->out, "%*s", used < width ? (int)(width - used) : 0, "");
}

void page_print_padded(const struct page *page, const char *text, size_t width)
{
    size_t used = text_width(text_of(text));
    fprintf(page->out, "%s%*s", text, used < width ? (int)(width - used) : 0, "");
}

size_t page_cell_width(struct text text)
{
    size_t width = text_width(text);
    return width < CELL_MAX ? width : CELL_MAX;
}

void page_print_wrapped(const struct page *page, struct text text, size_t column, size_t indent)
{
    while (text.length > 0) {
        const char *blank = memchr(text.bytes, ' ', text.length);
        struct text word = {text.bytes, blank != NULL ? (size_t)(blank - text.bytes) : text.length};
        size_t width = text_width(word);
        if (column + width > LINE_WIDTH && column > indent) {
            fprintf(page->out, "\n%*s", (int)indent, "");
            column = indent;
        }
        fprintf(page->out, "%.*s", (int)word.length, word.bytes);
        column += width + 1;
        text.bytes += word.length;
        text.length -= word.length;
        if (text.length > 0) {
            fputc(' ', page->out);
            text.bytes++;
            text.length--;
        }
    }
}
