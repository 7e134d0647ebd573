#include "common/lab/report_html.h"

#include "common/lab/report_html_parts.h"
#include "common/memory.h"
#include "common/words.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define DEFLATE_LEVEL 5

/* ---- pieces of the file ---- */

static void put_base64(struct report_html *html, const unsigned char *bytes, size_t length)
{
    enum { PIECE = 3 * 1024 }; /* of whole triples: padding stands at the end alone */
    unsigned char text[PIECE / 3 * 4 + 1];

    for (size_t at = 0; at < length; at += PIECE) {
        size_t here = length - at < PIECE ? length - at : PIECE;
        int written = EVP_EncodeBlock(text, bytes + at, (int)here);
        fwrite(text, 1, (size_t)written, html->out);
    }
}

void html_put_data(struct report_html *html, const char *id, const struct buffer *data)
{
    uLongf length = compressBound(data->length);
    unsigned char *packed = memory_new(length);

    if (compress2(packed, &length, (const unsigned char *)data->bytes, data->length, DEFLATE_LEVEL) != Z_OK) {
        abort(); /* the room is what zlib says that it needs at most */
    }
    fprintf(html->out, "<script type=\"text/plain\" id=\"%s\">", id);
    put_base64(html, packed, length);
    fputs("</script>\n", html->out);
    free(packed);
}

/* The policy's name for a style or a script: what else the page might be made to hold does not run. */
static void put_digest(struct report_html *html, const char *text, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;

    if (EVP_Digest(text, size, digest, &length, EVP_sha256(), NULL) == 1) {
        fputs(" 'sha256-", html->out);
        put_base64(html, digest, length);
        fputc('\'', html->out);
    }
}

/* Words of ours, in the text of the page. */
static void put_words(struct report_html *html, const char *words)
{
    for (const char *c = words; *c != '\0'; c++) {
        if (*c == '&' || *c == '<' || *c == '"') {
            fprintf(html->out, "&#%d;", *c);
        } else {
            fputc(*c, html->out);
        }
    }
}

/* The language that the words are in, as HTML names it: what the head of gettext's catalogue says, "pt_BR", or else that
 * of the sources. */
static void put_language(struct report_html *html)
{
    const char *said = strstr(gettext(""), "Language: ");
    char language[16] = "en";

    if (said != NULL) {
        said += strlen("Language: ");
        snprintf(language, sizeof language, "%.*s", (int)strcspn(said, "\n"), said);
    }
    for (char *c = language; *c != '\0'; c++) {
        *c = *c == '_' ? '-' : *c;
    }
    put_words(html, language);
}

static void put_head(struct report_html *html)
{
    struct buffer words = {0};

    fputs("<!DOCTYPE html>\n<html lang=\"", html->out);
    put_language(html);
    fputs("\">\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src",
          html->out);
    put_digest(html, page_style, page_style_length);
    fputs("; script-src", html->out);
    put_digest(html, page_script, page_script_length);
    fputs("\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          html->out);
    put_words(html, _("Ordem: report"));
    fputs("</title>\n<style>", html->out);
    fwrite(page_style, 1, page_style_length, html->out);
    fputs("</style>\n<noscript>", html->out);
    put_words(html, _("This page draws with JavaScript."));
    fputs("</noscript>\n<main id=\"page\"></main>\n", html->out);
    html_write_words(&words);
    html_put_data(html, "words", &words);
    buffer_free(&words);
}

/* ---- the file ---- */

static int refuse(const struct report_html *html, struct error *error)
{
    error_set(error, ERROR_FILE, "%s", html->path);
    error_because_errno(error, errno != 0 ? errno : EIO);
    return ERROR_FILE;
}

/* Closes the file and removes it, if it is one: what --out names may be a device. */
void report_html_abandon(struct report_html *html)
{
    struct stat status;
    bool is_file = fstat(fileno(html->out), &status) == 0 && S_ISREG(status.st_mode);

    fclose(html->out);
    if (is_file) {
        unlink(html->path);
    }
}

int report_html_open(struct report_html *html, const char *path, struct error *error)
{
    *html = (struct report_html){0};
    int length = snprintf(html->path, sizeof html->path, "%s", path);
    if (length < 0 || (size_t)length >= sizeof html->path) {
        return error_set(error, ERROR_FILE, "the report's path is too long");
    }
    html->out = fopen(path, "we");
    if (html->out == NULL) {
        return refuse(html, error);
    }
    put_head(html);
    return 0;
}

int report_html_close(struct report_html *html, struct error *error)
{
    fputs("<script>", html->out);
    fwrite(page_script, 1, page_script_length, html->out);
    fputs("</script>\n</html>\n", html->out);
    errno = 0;
    if (fflush(html->out) == 0 && !ferror(html->out)) {
        errno = 0;
        return fclose(html->out) == 0 ? 0 : refuse(html, error);
    }
    int code = refuse(html, error);
    report_html_abandon(html);
    return code;
}

/* ---- a run ---- */

static int compare_times(const void *a, const void *b, void *events)
{
    uint32_t p = *(const uint32_t *)a;
    uint32_t q = *(const uint32_t *)b;
    int64_t first = ((const struct event *)events)[p].wall_us;
    int64_t second = ((const struct event *)events)[q].wall_us;

    return first != second ? (first > second) - (first < second) : (p > q) - (p < q);
}

static void prepare(struct html_run *run)
{
    const struct history *history = run->history;
    size_t count = history->event_count;

    run->drawn = memory_new_zeroed(count, sizeof *run->drawn);
    run->order = memory_new(count * sizeof *run->order);
    run->rank = memory_new(count * sizeof *run->rank);
    run->columns = memory_new_zeroed(history->incarnation_count, sizeof *run->columns);
    run->short_commands = memory_new_zeroed(history->command_count, sizeof *run->short_commands);
    run->short_texts = memory_new_zeroed(history->texts.count, sizeof *run->short_texts);
    for (uint32_t i = 0; i < count; i++) {
        run->order[i] = i;
    }
    qsort_r(run->order, count, sizeof *run->order, compare_times, history->events);
    for (uint32_t i = 0; i < count; i++) {
        run->rank[run->order[i]] = i;
    }
    if (count > 0) {
        run->start_us = history->events[run->order[0]].wall_us;
        run->end_us = history->events[run->order[count - 1]].wall_us;
    }
    html_run_find_causes(run);
}

static void release(struct html_run *run)
{
    for (size_t i = 0; i < run->history->incarnation_count; i++) {
        free(run->columns[i].commands);
        free(run->columns[i].places);
    }
    free(run->drawn);
    free(run->order);
    free(run->rank);
    free(run->columns);
    free(run->short_commands);
    free(run->short_texts);
    buffer_free(&run->line);
}

void report_html_add_run(struct report_html *html, const char *name, const struct report *report)
{
    struct html_run run = {.report = report, .history = report->history};
    struct buffer data = {0};
    char id[64];

    prepare(&run);
    snprintf(id, sizeof id, "run%zu", html->runs);
    html_run_write_head(&run, name, &data);
    html_put_data(html, id, &data);
    for (size_t block = 0; block * BLOCK_EVENTS < report->history->event_count; block++) {
        buffer_clear(&data);
        html_run_write_block(&run, block, &data);
        snprintf(id, sizeof id, "run%zu-%zu", html->runs, block);
        html_put_data(html, id, &data);
    }
    html->runs++;
    buffer_free(&data);
    release(&run);
}

int report_html_add_logs(struct report_html *html, const char *argument, struct error *error)
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

int report_html_write(const char *path, const char *name, const struct report *report, struct error *error)
{
    struct report_html html;
    int code = report_html_open(&html, path, error);

    if (code == 0) {
        report_html_add_run(&html, name, report);
        code = report_html_close(&html, error);
    }
    return code;
}

const char *report_html_name(const char *path)
{
    const char *name = path;

    for (const char *c = path; *c != '\0'; c++) {
        name = *c == '/' && c[1] != '\0' && c[1] != '/' ? c + 1 : name;
    }
    return name;
}
