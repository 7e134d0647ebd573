#include "common/lab/log_source.h"

#include "common/memory.h"
#include "common/words.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK (1024 * 1024) /* bytes read at a time */

/* ---- opening ---- */

static int refuse(const char *path, struct error *error)
{
    error_set(error, ERROR_FILE, "%s", path);
    error_because_errno(error, errno);
    return ERROR_FILE;
}

static void add(struct log_sources *sources, const char *path, int descriptor)
{
    char *shown = memory_copy_text(path, strlen(path)); /* only that: the file is open */

    text_make_printable(shown);
    sources->items =
        memory_grow(sources->items, &sources->capacity, sources->count + 1, sizeof *sources->items);
    sources->items[sources->count++] = (struct log_source){shown, descriptor};
}

static int write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);
        if (written < 0 && errno != EINTR) {
            return -1;
        }
        if (written > 0) {
            bytes += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

/* A pipe can be read only once: what comes out of it goes to a nameless file. */
static int spool(int from, const char *path, struct error *error)
{
    char name[] = "/tmp/ordem-lab-XXXXXX";
    int spooled = mkostemp(name, O_CLOEXEC);
    if (spooled < 0) {
        return refuse("a temporary file", error);
    }
    unlink(name);
    char *block = memory_new(BLOCK);
    ssize_t length;
    do {
        length = read(from, block, BLOCK);
        if ((length < 0 && errno != EINTR) ||
            (length > 0 && write_all(spooled, block, (size_t)length) != 0)) {
            free(block);
            close(spooled);
            return refuse(path, error);
        }
    } while (length != 0);
    free(block);
    return spooled;
}

static int add_file(struct log_sources *sources, const char *path, struct error *error)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);

    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        return refuse(path, error);
    }
    if (!S_ISREG(status.st_mode)) {
        int spooled = spool(descriptor, path, error);
        close(descriptor);
        if (spooled < 0) {
            return spooled;
        }
        descriptor = spooled;
    }
    add(sources, path, descriptor);
    return 0;
}

static int add_pattern(struct log_sources *sources, const char *pattern, struct error *error)
{
    glob_t found;
    int code = 0;

    if (glob(pattern, 0, NULL, &found) != 0) {
        return error_set(error, ERROR_FILE, "%s: no such file", pattern);
    }
    for (size_t i = 0; code == 0 && i < found.gl_pathc; i++) {
        code = add_file(sources, found.gl_pathv[i], error);
    }
    globfree(&found);
    return code;
}

int log_sources_add(struct log_sources *sources, const char *argument, struct error *error)
{
    struct stat status;

    if (strcmp(argument, "-") == 0) {
        int spooled = spool(STDIN_FILENO, "standard input", error);
        if (spooled >= 0) {
            add(sources, argument, spooled);
        }
        return spooled < 0 ? spooled : 0;
    }
    if (stat(argument, &status) != 0) {
        return add_pattern(sources, argument, error);
    }
    if (S_ISDIR(status.st_mode)) {
        char pattern[4096];
        snprintf(pattern, sizeof pattern, "%s/*.jsonl", argument);
        return add_pattern(sources, pattern, error);
    }
    return add_file(sources, argument, error);
}

/* ---- reading ---- */

struct scan {
    struct history *history;
    struct log_line_reader reader;
    const char *name;
    struct line_place place; /* of the next line */
    uint64_t damaged;
    uint32_t first_damaged; /* line number */
    bool torn;              /* the line before is cut: by a kill, if its process starts again now */
};

static void count_damaged(struct scan *scan, uint32_t line)
{
    if (scan->damaged++ == 0) {
        scan->first_damaged = line;
    }
}

static void scan_line(struct scan *scan, struct text line)
{
    struct log_record record;
    enum log_line_kind kind = log_line_read(&scan->reader, line, &record);

    if (scan->torn && !(kind == LOG_LINE_RECORD && history_is_restart(scan->history, &record))) {
        count_damaged(scan, scan->place.number);
    }
    scan->torn = kind == LOG_LINE_DAMAGED;
    scan->place.number++;
    if (kind == LOG_LINE_RECORD) {
        history_add(scan->history, &record, scan->place);
    }
    scan->place.offset += line.length + 1;
}

/* The last line lacks its line break: perhaps it was cut there. */
static void scan_last_line(struct scan *scan, struct text line)
{
    scan_line(scan, line);
    if (scan->torn) {
        scan->torn = false;
        history_add_tear(scan->history, scan->name, scan->place);
    }
}

/* Takes the whole lines out of `pending`; what follows the last line break stays. */
static void scan_lines(struct scan *scan, struct buffer *pending)
{
    const char *line = pending->bytes;
    const char *end = pending->bytes + pending->length;
    const char *line_end;

    while (line < end && (line_end = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        scan_line(scan, (struct text){line, (size_t)(line_end - line)});
        line = line_end + 1;
    }
    pending->length = (size_t)(end - line);
    memmove(pending->bytes, line, pending->length);
}

static int scan_source(struct scan *scan, const struct log_source *source, struct error *error)
{
    struct buffer pending = {0};
    off_t offset = 0;
    ssize_t length;

    for (;;) {
        length = pread(source->descriptor, buffer_reserve(&pending, BLOCK), BLOCK, offset);
        if (length < 0 && errno == EINTR) {
            continue;
        }
        if (length <= 0) {
            break;
        }
        offset += length;
        pending.length += (size_t)length;
        scan_lines(scan, &pending);
        if (pending.length > LOG_LINE_MAX) {
            length = -1;
            errno = EFBIG;
            break;
        }
    }
    if (length == 0 && pending.length > 0) {
        scan_last_line(scan, buffer_text(&pending));
    }
    if (scan->torn) {
        count_damaged(scan, scan->place.number);
    }
    buffer_free(&pending);
    return length < 0 ? refuse(source->path, error) : 0;
}

int log_sources_read(struct log_sources *sources, struct history *history, struct error *error)
{
    struct scan scan = {.history = history};
    int code = 0;

    for (size_t i = 0; code == 0 && i < sources->count; i++) {
        scan.place = (struct line_place){.source = (uint32_t)i};
        scan.name = log_sources_name(sources, (uint32_t)i);
        scan.damaged = 0;
        scan.torn = false;
        uint64_t lines_before = history->lines;
        code = scan_source(&scan, &sources->items[i], error);
        if (scan.damaged > 0) {
            history_distrust_source(history, (uint32_t)i);
            history_add_problem(history, HISTORY_NONE, true,
                                ngettext("%s: %" PRIu64 " damaged or cut line, line %" PRIu32,
                                         "%s: %" PRIu64 " damaged or cut lines, the first is line %" PRIu32,
                                         scan.damaged),
                                scan.name, scan.damaged, scan.first_damaged);
        } else if (code == 0 && history->lines == lines_before) {
            history_add_problem(history, HISTORY_NONE, true, "%s holds no line of an Ordem log", scan.name);
        }
    }
    log_line_reader_free(&scan.reader);
    history_complete(history);
    return code;
}

void log_sources_line(const struct log_sources *sources, struct line_place place, struct buffer *out)
{
    buffer_clear(out);
    for (;;) {
        off_t offset = (off_t)(place.offset + out->length);
        char *room = buffer_reserve(out, 4096);
        ssize_t length = pread(sources->items[place.source].descriptor, room, 4096, offset);
        if (length <= 0 || out->length > LOG_LINE_MAX) {
            return;
        }
        const char *end = memchr(room, '\n', (size_t)length);
        out->length += end != NULL ? (size_t)(end - room) : (size_t)length;
        if (end != NULL) {
            return;
        }
    }
}

const char *log_sources_name(const struct log_sources *sources, uint32_t source)
{
    const char *path = sources->items[source].path;
    const char *slash = strrchr(path, '/');

    if (strcmp(path, "-") == 0) {
        return "standard input";
    }
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

void log_sources_free(struct log_sources *sources)
{
    for (size_t i = 0; i < sources->count; i++) {
        free(sources->items[i].path);
        close(sources->items[i].descriptor);
    }
    free(sources->items);
    *sources = (struct log_sources){0};
}
