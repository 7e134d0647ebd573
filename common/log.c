#include "common/log.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/json.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int log_open(struct log *log, const struct log_options *options, struct error *error)
{
    *log = (struct log){.options = *options,
                        .screen = {.descriptor = options->screen},
                        .file = {.descriptor = -1}};
    if (options->file == NULL) {
        return 0;
    }
    return log_sink_open(&log->file, options->file, error);
}

void log_close(struct log *log)
{
    log_flush(log);
    if (log->file.descriptor >= 0) {
        close(log->file.descriptor);
    }
    log_sink_free(&log->screen);
    log_sink_free(&log->file);
    buffer_free(&log->json);
    buffer_free(&log->line);
    buffer_free(&log->line_end);
    *log = (struct log){.screen = {.descriptor = -1}, .file = {.descriptor = -1}};
}

/* ---- writing an event ---- */

/* In which forms is the event that is being written needed? */
static bool screen_is_text(const struct log *log)
{
    return log->told && log->screen.descriptor >= 0 && !log->options.screen_json;
}

static bool needs_json(const struct log *log)
{
    return log->watched || (log->told && (log->file.descriptor >= 0 ||
                                          (log->screen.descriptor >= 0 && log->options.screen_json)));
}

bool log_wants(const struct log *log, enum log_level level)
{
    return level >= log->options.level && (log->screen.descriptor >= 0 || log->file.descriptor >= 0);
}

bool log_begin(struct log *log, enum log_level level, const char *event)
{
    char now[CLOCK_TEXT_LENGTH + 1];

    log->told = log_wants(log, level);
    log->watched = log->watcher != NULL && log->watcher->wants(log->watcher, level, event);
    if (!log->told && !log->watched) {
        return false;
    }
    log->level = level;
    log->event = event;
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

static void tell(struct log *log)
{
    log_sink_add(&log->file, &log->json, "\n");
    if (screen_is_text(log)) {
        buffer_add(&log->line, log->line_end.bytes, log->line_end.length);
        buffer_clear(&log->line_end);
        log_sink_add(&log->screen, &log->line, log->options.colour ? "\x1b[0m\n" : "\n");
    } else {
        log_sink_add(&log->screen, &log->json, "\n");
    }
}

void log_end(struct log *log)
{
    if (needs_json(log)) {
        buffer_add_char(&log->json, '}');
    }
    if (log->told) {
        tell(log);
    }
    if (log->watched) {
        log->watcher->take(log->watcher, log->level, log->event, buffer_text(&log->json));
    }
    if (log->level == LOG_ERROR || log->screen.pending.length + log->file.pending.length > PENDING_MAX) {
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

void log_flush(struct log *log)
{
    bool file_works = log->file.descriptor < 0 || log_sink_flush(&log->file, log->options.node);

    if (!file_works) {
        log_say(log, LOG_ERROR, "fault", "LOG_FILE %s cannot be written: %s; lines are lost until it can",
                log->options.file, strerrordesc_np(errno));
    }
    if (log->screen.descriptor >= 0 && (log->screen.pending.length > 0 || log->screen.failed)) {
        if (log->hide_prompt != NULL) {
            log->hide_prompt();
        }
        log_sink_flush(&log->screen, log->options.node);
        if (log->show_prompt != NULL) {
            log->show_prompt();
        }
    }
    if (log->watcher != NULL) {
        log->watcher->flush(log->watcher);
    }
}
