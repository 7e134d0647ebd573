#include "common/term/prompt.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The prompt of this process: the log's callbacks do not say for whom they are called. */
static struct prompt *the_prompt;

static void end_input(struct prompt *prompt)
{
    if (!prompt->closed) {
        prompt->on_end(prompt);
    }
}

static void refuse_long_line(struct prompt *prompt)
{
    struct error error;
    error_set(&error, ERROR_TOO_LONG, "the line is longer than %d bytes", PROMPT_LINE_MAX);
    prompt->on_refused(prompt, &error);
}

/* ---- a terminal ---- */

static void on_terminal_line(struct terminal *terminal, const char *line)
{
    struct prompt *prompt = container_of(terminal, struct prompt, handle.terminal);

    if (strlen(line) > PROMPT_LINE_MAX) {
        refuse_long_line(prompt);
    } else {
        prompt->on_line(prompt, text_of(line));
    }
}

static void on_terminal_secret(struct terminal *terminal, const char *secret)
{
    struct prompt *prompt = container_of(terminal, struct prompt, handle.terminal);

    prompt->on_secret(prompt, text_of(secret));
}

static void on_terminal_end(struct terminal *terminal)
{
    end_input(container_of(terminal, struct prompt, handle.terminal));
}

static void hide_prompt(void)
{
    terminal_hide(&the_prompt->handle.terminal);
}

static void show_prompt(void)
{
    terminal_show(&the_prompt->handle.terminal);
}

static int open_terminal(struct prompt *prompt, uv_loop_t *loop, const char *name, struct error *error)
{
    the_prompt = prompt;
    prompt->handle.terminal.on_line = on_terminal_line;
    prompt->handle.terminal.on_secret = on_terminal_secret;
    prompt->handle.terminal.on_end = on_terminal_end;
    int code = terminal_open(&prompt->handle.terminal, loop, name, error);
    if (code == 0) {
        prompt->log->hide_prompt = hide_prompt;
        prompt->log->show_prompt = show_prompt;
    }
    return code;
}

/* ---- a pipe or a file ---- */

/* Cuts what was read into lines. */
static void take_bytes(struct prompt *prompt, const char *bytes, size_t length)
{
    while (length > 0 && !prompt->closed) {
        const char *end = memchr(bytes, '\n', length);
        size_t piece = end != NULL ? (size_t)(end - bytes) : length;

        if (!prompt->skipping && prompt->line.length + piece > PROMPT_LINE_MAX) {
            prompt->skipping = true;
            refuse_long_line(prompt);
        }
        if (!prompt->skipping) {
            buffer_add(&prompt->line, bytes, piece);
        }
        if (end == NULL) {
            return;
        }
        if (!prompt->skipping) {
            prompt->on_line(prompt, buffer_text(&prompt->line));
        }
        buffer_clear(&prompt->line);
        prompt->skipping = false;
        bytes += piece + 1;
        length -= piece + 1;
    }
}

/* The last line may lack its line break. */
static void take_end(struct prompt *prompt)
{
    prompt->ended = true;
    if (prompt->line.length > 0 && !prompt->skipping && !prompt->closed) {
        prompt->on_line(prompt, buffer_text(&prompt->line));
    }
    end_input(prompt);
}

static void on_pipe_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct prompt *prompt = container_of((uv_pipe_t *)handle, struct prompt, handle.pipe);
    (void)suggested;
    *room = uv_buf_init(prompt->block, sizeof prompt->block);
}

static void on_pipe_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct prompt *prompt = container_of((uv_pipe_t *)stream, struct prompt, handle.pipe);

    if (length < 0) {
        uv_read_stop(stream);
        take_end(prompt);
    } else {
        take_bytes(prompt, bytes->base, (size_t)length);
    }
}

static int open_pipe(struct prompt *prompt, uv_loop_t *loop, struct error *error)
{
    int status = uv_pipe_init(loop, &prompt->handle.pipe, 0);
    if (status == 0) {
        status = uv_pipe_open(&prompt->handle.pipe, STDIN_FILENO);
    }
    if (status == 0) {
        status = uv_read_start((uv_stream_t *)&prompt->handle.pipe, on_pipe_room, on_pipe_read);
    }
    if (status != 0) {
        error_set(error, ERROR_PROCESS, "standard input cannot be read");
        error_because(error, uv_strerror(status));
        return ERROR_PROCESS;
    }
    return 0;
}

static void hold_pipe(uv_stream_t *pipe, bool held)
{
    if (held) {
        uv_read_stop(pipe);
    } else {
        (void)uv_read_start(pipe, on_pipe_room, on_pipe_read); /* it was readable before */
    }
}

static void on_file_read(uv_fs_t *request);

static void read_file_block(struct prompt *prompt)
{
    uv_buf_t room = uv_buf_init(prompt->block, sizeof prompt->block);

    prompt->idle = false;
    if (uv_fs_read(prompt->loop, &prompt->file_read, STDIN_FILENO, &room, 1, -1, on_file_read) != 0) {
        take_end(prompt);
    }
}

static void on_file_read(uv_fs_t *request)
{
    struct prompt *prompt = container_of(request, struct prompt, file_read);
    ssize_t length = request->result;

    uv_fs_req_cleanup(request);
    if (prompt->closed) {
        return;
    }
    if (length <= 0) {
        take_end(prompt);
        return;
    }
    take_bytes(prompt, prompt->block, (size_t)length);
    prompt->idle = prompt->held;
    if (!prompt->closed && !prompt->idle) {
        read_file_block(prompt);
    }
}

/* ---- all of them ---- */

static enum prompt_source find_source(void)
{
    struct stat status;

    switch (uv_guess_handle(STDIN_FILENO)) {
    case UV_TTY:
        return PROMPT_TERMINAL;
    case UV_NAMED_PIPE:
        return PROMPT_PIPE;
    case UV_FILE: /* also /dev/null and its like, which have nothing to say */
        return fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode) ? PROMPT_FILE : PROMPT_NONE;
    default:
        return PROMPT_NONE;
    }
}

int prompt_open(struct prompt *prompt, uv_loop_t *loop, struct log *log, const char *name,
                struct error *error)
{
    prompt->log = log;
    prompt->loop = loop;
    prompt->closed = prompt->skipping = prompt->held = prompt->ended = prompt->idle = false;
    prompt->line = (struct buffer){0};
    prompt->source = find_source();
    switch (prompt->source) {
    case PROMPT_TERMINAL:
        return open_terminal(prompt, loop, name, error);
    case PROMPT_PIPE:
        return open_pipe(prompt, loop, error);
    case PROMPT_FILE:
        read_file_block(prompt);
        return 0;
    case PROMPT_NONE:
        break;
    }
    return 0;
}

static bool is_on_terminal(const struct prompt *prompt)
{
    return prompt->source == PROMPT_TERMINAL && !prompt->closed;
}

void prompt_answer(struct prompt *prompt, const char *format, ...)
{
    bool on_terminal = is_on_terminal(prompt);
    va_list arguments;

    if (on_terminal) {
        hide_prompt();
    }
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    fflush(stdout);
    if (on_terminal) {
        show_prompt();
    }
}

void prompt_ask_secret(struct prompt *prompt, const char *question)
{
    if (is_on_terminal(prompt)) {
        terminal_ask_secret(&prompt->handle.terminal, question);
        terminal_hold(&prompt->handle.terminal, false);
    }
}

void prompt_hold(struct prompt *prompt, bool held)
{
    bool changes = held != prompt->held && !prompt->ended && !prompt->closed;

    prompt->held = held;
    if (is_on_terminal(prompt)) {
        terminal_hold(&prompt->handle.terminal, held);
    } else if (changes && prompt->source == PROMPT_PIPE) {
        hold_pipe((uv_stream_t *)&prompt->handle.pipe, held);
    } else if (changes && prompt->source == PROMPT_FILE && prompt->idle) {
        read_file_block(prompt); /* it was held when the last block ended */
    }
}

void prompt_close(struct prompt *prompt)
{
    if (prompt->closed) {
        return;
    }
    prompt->closed = true;
    if (prompt->source == PROMPT_TERMINAL) {
        log_flush(prompt->log);
        prompt->log->hide_prompt = prompt->log->show_prompt = NULL;
        terminal_close(&prompt->handle.terminal);
    } else if (prompt->source == PROMPT_PIPE) {
        uv_close((uv_handle_t *)&prompt->handle.pipe, NULL);
    }
}

void prompt_free(struct prompt *prompt)
{
    buffer_free(&prompt->line);
}
