#include "common/log.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EVENT_WIDTH 10           /* columns, so that the fields of most events stand below each other */
#define PENDING_MAX (256 * 1024) /* bytes gathered before a write that nobody asked for */

static const char *const level_names[] = {"debug", "info", "warning", "error", NULL};

static const struct {
    const char *tag, *colour;
} level_looks[] = {[LOG_DEBUG] = {"[DEBUG]  ", "\x1b[2m"},
                   [LOG_INFO] = {"[INFO]   ", ""},
                   [LOG_WARNING] = {"[WARNING]", "\x1b[33m"},
                   [LOG_ERROR] = {"[ERROR]  ", "\x1b[31m"}};

/* ---- opening and closing ---- */

int log_options_read(struct log_options *options, const char *node, struct error *error)
{
    static const char *const formats[] = {"text", "json", NULL};
    int level;
    int format;

    *options =
        (struct log_options){.node = node, .screen = STDERR_FILENO, .file = config_text("LOG_FILE", NULL)};
    int code = config_choice("LOG_LEVEL", level_names, LOG_INFO, &level, error);
    if (code == 0) {
        code = config_choice("LOG_FORMAT", formats, 0, &format, error);
    }
    if (code == 0) {
        options->level = (enum log_level)level;
        options->screen_json = format == 1;
        options->colour = isatty(STDERR_FILENO) && config_text("NO_COLOR", NULL) == NULL;
    }
    return code;
}

/* A crash may have cut the last line of an earlier run. */
static bool ends_inside_line(const char *path)
{
    struct stat status;
    char last = '\n';
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        pread(descriptor, &last, 1, status.st_size - 1) != 1) {
        last = '\n'; /* not readable: leave it as it is */
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return last != '\n';
}

int log_open(struct log *log, const struct log_options *options, struct error *error)
{
    *log = (struct log){.options = *options,
                        .screen = {.descriptor = options->screen},
                        .file = {.descriptor = -1}};
    if (options->file == NULL) {
        return 0;
    }
    log->file.descriptor = open(options->file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log->file.descriptor >= 0 && ends_inside_line(options->file)) {
        buffer_add_char(&log->file.pending, '\n');
    }
    if (log->file.descriptor < 0) {
        return error_set(error, ERROR_FILE, "LOG_FILE %s cannot be opened: %s", options->file,
                         strerror(errno));
    }
    return 0;
}

void log_close(struct log *log)
{
    log_flush(log);
    if (log->file.descriptor >= 0) {
        close(log->file.descriptor);
    }
    buffer_free(&log->screen.pending);
    buffer_free(&log->file.pending);
    buffer_free(&log->json);
    buffer_free(&log->line);
    buffer_free(&log->line_end);
    *log = (struct log){.screen = {.descriptor = -1}, .file = {.descriptor = -1}};
}

/* ---- writing an event ---- */

static bool screen_is_text(const struct log *log)
{
    return log->screen.descriptor >= 0 && !log->options.screen_json;
}

static bool needs_json(const struct log *log)
{
    return log->file.descriptor >= 0 || (log->screen.descriptor >= 0 && log->options.screen_json);
}

bool log_begin(struct log *log, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_LENGTH + 1];

    if (level < log->options.level || (log->screen.descriptor < 0 && log->file.descriptor < 0)) {
        return false;
    }
    log->urgent = level == LOG_ERROR;
    clock_format(clock_wall_us(), now);
    if (needs_json(log)) {
        buffer_clear(&log->json);
        buffer_add_string(&log->json, "{\"ts\":\"");
        buffer_add(&log->json, now, CLOCK_TEXT_LENGTH);
        buffer_add_string(&log->json, "\",\"level\":\"");
        buffer_add_string(&log->json, level_names[level]);
        buffer_add_string(&log->json, "\",\"node\":\"");
        buffer_add_string(&log->json, log->options.node);
        buffer_add_string(&log->json, "\",\"event\":\"");
        buffer_add_string(&log->json, event);
        buffer_add_char(&log->json, '"');
    }
    if (screen_is_text(log)) {
        buffer_clear(&log->line);
        buffer_add_string(&log->line, log->options.colour ? level_looks[level].colour : "");
        buffer_add(&log->line, now, CLOCK_TEXT_LENGTH);
        buffer_add_char(&log->line, ' ');
        buffer_add_string(&log->line, level_looks[level].tag);
        buffer_add_string(&log->line, " [node=");
        buffer_add_string(&log->line, log->options.node);
        buffer_add_string(&log->line, "] ");
        buffer_add_string(&log->line, event);
        for (size_t width = strlen(event); width < EVENT_WIDTH; width++) {
            buffer_add_char(&log->line, ' ');
        }
    }
    return true;
}

/* On the screen a string stands bare where that cannot be misread, and as JSON where it can. */
static bool may_stand_bare(struct text text)
{
    if (text.length == 0 || text.bytes[0] == '{' || text.bytes[0] == '[') {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.bytes[i];
        if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7F) {
            return false;
        }
    }
    return true;
}

static void begin_json_field(struct log *log, const char *name)
{
    buffer_add_string(&log->json, ",\"");
    buffer_add_string(&log->json, name);
    buffer_add_string(&log->json, "\":");
}

static void begin_screen_field(struct buffer *line, const char *name)
{
    buffer_add_char(line, ' ');
    buffer_add_string(line, name);
    buffer_add_char(line, '=');
}

static void begin_field(struct log *log, const char *name)
{
    if (needs_json(log)) {
        begin_json_field(log, name);
    }
    if (screen_is_text(log)) {
        begin_screen_field(&log->line, name);
    }
}

static void add_text(struct log *log, const char *name, struct text text, struct buffer *line)
{
    if (needs_json(log)) {
        begin_json_field(log, name);
        json_write_string(&log->json, text);
    }
    if (screen_is_text(log)) {
        begin_screen_field(line, name);
        if (may_stand_bare(text)) {
            buffer_add(line, text.bytes, text.length);
        } else {
            json_write_string(line, text);
        }
    }
}

void log_text(struct log *log, const char *name, struct text text)
{
    add_text(log, name, text, &log->line);
}

void log_id(struct log *log, const char *name, struct text text)
{
    add_text(log, name, text, &log->line_end);
}

void log_json(struct log *log, const char *name, struct text json)
{
    begin_field(log, name);
    if (needs_json(log)) {
        buffer_add(&log->json, json.bytes, json.length);
    }
    if (screen_is_text(log)) {
        buffer_add(&log->line, json.bytes, json.length);
    }
}

void log_int(struct log *log, const char *name, int64_t number)
{
    begin_field(log, name);
    if (needs_json(log)) {
        buffer_add_int(&log->json, number);
    }
    if (screen_is_text(log)) {
        buffer_add_int(&log->line, number);
    }
}

void log_double(struct log *log, const char *name, double number)
{
    begin_field(log, name);
    if (needs_json(log)) {
        json_write_double(&log->json, number);
    }
    if (screen_is_text(log)) {
        json_write_double(&log->line, number);
    }
}

static void gather(struct log_sink *sink, const struct buffer *line, const char *end)
{
    if (sink->descriptor < 0) {
        return;
    }
    if (sink->failed) {
        sink->lost_lines++;
        return;
    }
    buffer_add(&sink->pending, line->bytes, line->length);
    buffer_add_string(&sink->pending, end);
}

void log_end(struct log *log)
{
    if (needs_json(log)) {
        buffer_add_char(&log->json, '}');
        gather(&log->file, &log->json, "\n");
    }
    if (screen_is_text(log)) {
        buffer_add(&log->line, log->line_end.bytes, log->line_end.length);
        buffer_clear(&log->line_end);
        gather(&log->screen, &log->line, log->options.colour ? "\x1b[0m\n" : "\n");
    } else {
        gather(&log->screen, &log->json, "\n");
    }
    if (log->urgent || log->screen.pending.length + log->file.pending.length > PENDING_MAX) {
        log_flush(log);
    }
}

void log_say(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
    if (!log_begin(log, level, event)) {
        return;
    }
    char sentence[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    text_make_printable(sentence);
    log_text(log, "message", text_of(sentence));
    log_end(log);
}

/* ---- reaching the disk and the screen ---- */

/* Writes all that is pending; false, with errno, if the destination takes no more. What it did take is gone. */
static bool sink_write(struct log_sink *sink)
{
    size_t done = 0;

    while (done < sink->pending.length) {
        ssize_t written = write(sink->descriptor, sink->pending.bytes + done, sink->pending.length - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            break;
        }
        done += (size_t)written;
    }
    if (done > 0) {
        sink->torn = sink->pending.bytes[done - 1] != '\n';
    }
    bool complete = done == sink->pending.length;
    for (size_t i = done; i < sink->pending.length; i++) {
        sink->lost_lines += sink->pending.bytes[i] == '\n';
    }
    buffer_clear(&sink->pending);
    return complete;
}

/* A destination that failed is tried with a line that says what is missing, so that the log never hides a gap. */
static void sink_retry(struct log *log, struct log_sink *sink)
{
    char now[CLOCK_TEXT_LENGTH + 1];
    uint64_t lost = sink->lost_lines;

    clock_format(clock_wall_us(), now);
    buffer_add_string(&sink->pending, sink->torn ? "\n" : "");
    buffer_add_format(&sink->pending,
                      "{\"ts\":\"%s\",\"level\":\"error\",\"node\":\"%s\",\"event\":\"fault\","
                      "\"fault\":\"log_gap\",\"lines\":%" PRIu64 "}\n",
                      now, log->options.node, lost);
    if (sink_write(sink)) {
        sink->failed = false;
        sink->lost_lines = 0;
    } else {
        sink->lost_lines = lost;
    }
}

static void flush_file(struct log *log)
{
    struct log_sink *file = &log->file;

    if (file->failed) {
        if (file->lost_lines > 0) {
            sink_retry(log, file);
        }
    } else if (!sink_write(file)) {
        file->failed = true;
        log_say(log, LOG_ERROR, "fault", "LOG_FILE %s cannot be written: %s; lines are lost until it can",
                log->options.file, strerror(errno));
    }
}

void log_flush(struct log *log)
{
    if (log->file.descriptor >= 0 && (log->file.pending.length > 0 || log->file.failed)) {
        flush_file(log);
    }
    if (log->screen.descriptor >= 0 && log->screen.pending.length > 0) {
        if (log->hide_prompt != NULL) {
            log->hide_prompt();
        }
        sink_write(&log->screen); /* a screen that is gone is nobody's loss */
        if (log->show_prompt != NULL) {
            log->show_prompt();
        }
    }
}
