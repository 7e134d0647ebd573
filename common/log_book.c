#include "common/log_book.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TAIL_BYTES (256 * 1024) /* of the file, read for what an earlier run said last */

/* ---- in memory ---- */

static void keep(struct log_book *book, struct text line)
{
    struct buffer *kept = &book->lines[book->next];

    if (line.length > LOG_BOOK_LINE) {
        return;
    }
    buffer_clear(kept);
    buffer_add(kept, line.bytes, line.length);
    book->next = (book->next + 1) % LOG_BOOK_KEPT;
    book->count += book->count < LOG_BOOK_KEPT;
}

/* Every line starts with its time, and times that are written alike are in the order of their bytes. */
static bool is_after(const struct buffer *line, struct text after)
{
    static const char start[] = "{\"ts\":\"";
    const size_t skipped = sizeof start - 1;

    return after.length == 0 || line->length < skipped + CLOCK_TEXT_LENGTH ||
           memcmp(line->bytes, start, skipped) != 0 ||
           text_compare((struct text){line->bytes + skipped, CLOCK_TEXT_LENGTH}, after) > 0;
}

void log_book_write(const struct log_book *book, struct text after, struct buffer *out)
{
    size_t first = (book->next + LOG_BOOK_KEPT - book->count) % LOG_BOOK_KEPT;
    bool some = false;

    buffer_add_char(out, '[');
    for (size_t i = 0; i < book->count; i++) {
        const struct buffer *line = &book->lines[(first + i) % LOG_BOOK_KEPT];
        if (is_after(line, after)) {
            buffer_add_string(out, some ? ",\n" : "\n");
            buffer_add(out, line->bytes, line->length);
            some = true;
        }
    }
    buffer_add_char(out, ']');
}

/* ---- the file ---- */

/* A crash, or somebody's editor, may have left anything in it: only what is JSON is told. */
static void recall(struct log_book *book, struct text tail)
{
    struct json_object object = {0};

    while (tail.length > 0) {
        const char *end = memchr(tail.bytes, '\n', tail.length);
        struct text line = {tail.bytes, end != NULL ? (size_t)(end - tail.bytes) : tail.length};
        if (json_object_read(&object, line, NULL) == 0) {
            keep(book, line);
        }
        size_t used = end != NULL ? line.length + 1 : line.length;
        tail = (struct text){tail.bytes + used, tail.length - used};
    }
    json_object_free(&object);
}

static void recall_file(struct log_book *book)
{
    struct buffer tail = {0};
    struct stat status;
    int descriptor = open(book->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0) {
        return;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
        off_t from = status.st_size > TAIL_BYTES ? status.st_size - TAIL_BYTES : 0;
        ssize_t length = pread(descriptor, buffer_reserve(&tail, TAIL_BYTES), TAIL_BYTES, from);
        tail.length = length > 0 ? (size_t)length : 0;
        book->size = (uint64_t)status.st_size;
    }
    close(descriptor);
    recall(book, buffer_text(&tail));
    buffer_free(&tail);
}

int log_book_open(struct log_book *book, const char *path, struct error *error)
{
    snprintf(book->path, sizeof book->path, "%s", path);
    recall_file(book);
    if (log_sink_open(&book->sink, book->path, NULL) != 0) {
        error_set(error, ERROR_FILE, "%s cannot be opened (DATA_DIR says where it is)", book->path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    book->open = true;
    return 0;
}

void log_book_add(struct log_book *book, struct text line)
{
    struct buffer whole = {.bytes = (char *)line.bytes, .length = line.length};

    if (!book->open) {
        return;
    }
    keep(book, line);
    log_sink_add(&book->sink, &whole, "\n");
    book->size += line.length + 1;
}

/* Whoever reads the old file goes on reading it under its new name. */
static void rotate(struct log_book *book)
{
    char old[sizeof book->path + 2];
    int fresh;

    snprintf(old, sizeof old, "%s.1", book->path);
    if (rename(book->path, old) != 0) {
        book->size = 0; /* not now: again after as many bytes */
        return;
    }
    fresh = open(book->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fresh >= 0) {
        close(book->sink.descriptor);
        book->sink.descriptor = fresh;
    }
    book->size = 0;
}

void log_book_flush(struct log_book *book, const char *node)
{
    if (book->open && (book->sink.pending.length > 0 || book->sink.failed)) {
        log_sink_flush(&book->sink, node);
        if (book->size >= LOG_BOOK_BYTES) {
            rotate(book);
        }
    }
}

void log_book_close(struct log_book *book)
{
    if (book->open) {
        close(book->sink.descriptor);
    }
    log_sink_free(&book->sink);
    for (size_t i = 0; i < LOG_BOOK_KEPT; i++) {
        buffer_free(&book->lines[i]);
    }
    *book = (struct log_book){0};
}
