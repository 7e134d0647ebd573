#include "common/term/terminal.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define KEY_PAUSE_MS  50 /* the bytes of one key come closer together than this */
#define HISTORY_LINES 1000
#define CTRL_D        '\x04' /* what libedit makes of it on an empty line: a line of its own */
#define CTRL_U        '\x15'
#define BACKSPACE     '\x08'
#define DELETE        '\x7f'

static void on_readable(uv_poll_t *handle, int status, int events);

/* ---- reading keys ---- */

/* libedit asks for one character. The first is there (the loop said so); the rest of a key that sends several, as the
 * arrows do, is waited for a moment, so that Escape alone holds nobody up. 1: a character; 0: none. */
static int read_character(EditLine *editor, wchar_t *character)
{
    struct terminal *terminal;
    mbstate_t state = {0};

    el_get(editor, EL_CLIENTDATA, (void **)&terminal);
    for (;;) {
        struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
        char byte;
        if (poll(&wait, 1, KEY_PAUSE_MS) <= 0) {
            return 0;
        }
        ssize_t length = read(STDIN_FILENO, &byte, 1);
        if (length < 0 && (errno == EINTR || errno == EAGAIN)) {
            continue;
        }
        if (length <= 0) {
            terminal->hung_up = true;
            return 0;
        }
        size_t used = mbrtowc(character, &byte, 1, &state);
        if (used == (size_t)-1) { /* not a character: start anew with the next byte */
            state = (mbstate_t){0};
        } else if (used != (size_t)-2) {
            return 1;
        }
    }
}

/* ---- lines ---- */

/* libedit starts the next line, with its prompt, before this one is answered: between lines the terminal would be in
 * its ordinary mode, and what is typed ahead would not be edited. */
static void finish_line(struct terminal *terminal, const char *typed, int length)
{
    HistEvent event;
    char *line = memory_copy_text(typed, (size_t)length);

    line[strcspn(line, "\r\n")] = '\0';
    if (*line != '\0') {
        history(terminal->history, &event, H_ENTER, line);
    }
    el_set(terminal->editor, EL_UNBUFFERED, 0);
    el_set(terminal->editor, EL_UNBUFFERED, 1);
    terminal->on_line(terminal, line);
    free(line);
}

/* ---- secrets ---- */

static void forget_secret(struct terminal *terminal)
{
    explicit_bzero(terminal->secret, sizeof terminal->secret);
    terminal->secret_length = 0;
}

static void finish_secret(struct terminal *terminal)
{
    fputs("\n", stdout);
    terminal->secretive = false;
    terminal_show(terminal);
    terminal->on_secret(terminal, terminal->secret);
    forget_secret(terminal);
}

/* A character may have several bytes. */
static void erase_character(struct terminal *terminal)
{
    while (terminal->secret_length > 0 &&
           ((unsigned char)terminal->secret[--terminal->secret_length] & 0xC0) == 0x80) {
    }
    terminal->secret[terminal->secret_length] = '\0';
}

/* One byte of a secret, or a key to edit it with. False: the end, as on an empty line. */
static bool take_secret_byte(struct terminal *terminal, char byte)
{
    if (byte == '\n' || byte == '\r') {
        finish_secret(terminal);
    } else if (byte == CTRL_D && terminal->secret_length == 0) {
        return false;
    } else if (byte == BACKSPACE || byte == DELETE) {
        erase_character(terminal);
    } else if (byte == CTRL_U) {
        forget_secret(terminal);
    } else if ((unsigned char)byte >= ' ' && terminal->secret_length < SECRET_MAX) {
        terminal->secret[terminal->secret_length++] = byte;
    }
    return true;
}

/* Byte by byte: what follows the line break is libedit's again. */
static bool read_secret(struct terminal *terminal)
{
    char byte;
    ssize_t length = read(STDIN_FILENO, &byte, 1);

    if (length < 0 && (errno == EINTR || errno == EAGAIN)) {
        return true;
    }
    return length > 0 && take_secret_byte(terminal, byte);
}

void terminal_ask_secret(struct terminal *terminal, const char *question)
{
    terminal_hide(terminal);
    snprintf(terminal->question, sizeof terminal->question, "%s", question);
    forget_secret(terminal);
    terminal->secretive = true;
    terminal_show(terminal);
}

/* ---- keys ---- */

void terminal_hold(struct terminal *terminal, bool held)
{
    if (held) {
        uv_poll_stop(&terminal->readable);
    } else if (!uv_is_active((uv_handle_t *)&terminal->readable)) {
        uv_poll_start(&terminal->readable, UV_READABLE, on_readable);
    }
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    struct terminal *terminal = container_of(handle, struct terminal, readable);
    int length = -1;

    (void)events;
    if (terminal->secretive && status == 0) {
        if (!read_secret(terminal)) {
            uv_poll_stop(handle);
            terminal->on_end(terminal);
        }
        return;
    }
    const char *line = status < 0 ? NULL : el_gets(terminal->editor, &length);
    if (line != NULL && length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
        finish_line(terminal, line, length);
    } else if (status < 0 || terminal->hung_up || (line != NULL && length == 1 && line[0] == CTRL_D)) {
        uv_poll_stop(handle);
        terminal->on_end(terminal);
    }
}

/* ---- stepping aside ---- */

/* The rows between the start of the prompt and the cursor, on a screen that wraps lines. */
static size_t rows_above_cursor(const struct terminal *terminal)
{
    struct winsize size;
    const LineInfo *line = el_line(terminal->editor);
    size_t columns = 80;
    size_t width = strlen(terminal->prompt);

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        columns = size.ws_col;
    }
    for (const char *c = line->buffer; c < line->cursor; c++) {
        width += ((unsigned char)*c & 0xC0) != 0x80;
    }
    return width / columns;
}

void terminal_hide(struct terminal *terminal)
{
    if (!terminal->editing) {
        return;
    }
    size_t rows = terminal->secretive ? 0 : rows_above_cursor(terminal);
    if (rows > 0) {
        printf("\x1b[%zuA", rows);
    }
    fputs("\r\x1b[J", stdout);
    fflush(stdout);
}

void terminal_show(struct terminal *terminal)
{
    if (terminal->secretive) {
        fputs(terminal->question, stdout);
        fflush(stdout);
    } else if (terminal->editing) {
        el_set(terminal->editor, EL_REFRESH);
    }
}

/* The window has another size (docker attach says so when it begins), or the node was stopped and goes on. */
static void on_redraw(uv_signal_t *handle, int number)
{
    struct terminal *terminal = handle->data;

    el_resize(terminal->editor);
    terminal_hide(terminal);
    if (number == SIGCONT && terminal->editing) { /* the shell has changed the settings meanwhile */
        el_set(terminal->editor, EL_PREP_TERM, 0);
        el_set(terminal->editor, EL_PREP_TERM, 1);
    }
    terminal_show(terminal);
}

/* ---- opening and closing ---- */

static char *get_prompt(EditLine *editor)
{
    struct terminal *terminal;
    el_get(editor, EL_CLIENTDATA, (void **)&terminal);
    return terminal->prompt;
}

/* What is typed is UTF-8 here, even where nobody set a locale, as in most containers. */
static void use_utf8(void)
{
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) {
        setlocale(LC_CTYPE, "C.UTF-8");
    }
}

int terminal_open(struct terminal *terminal, uv_loop_t *loop, const char *name, struct error *error)
{
    HistEvent event;

    int status = uv_poll_init(loop, &terminal->readable, STDIN_FILENO);
    if (status != 0) {
        error_set(error, ERROR_PROCESS, "the terminal cannot be read");
        error_because(error, uv_strerror(status));
        return ERROR_PROCESS;
    }
    /* uv_poll_init made it non-blocking, and so, as they are one open file, what the log writes to and what the shell
     * will read from: a burst of lines would be cut short. read_character polls, so nothing here needs it. */
    (void)fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) & ~O_NONBLOCK);
    use_utf8();
    snprintf(terminal->prompt, sizeof terminal->prompt, "%s> ", name);
    terminal->hung_up = terminal->secretive = false;
    terminal->editor = el_init("ordem", stdin, stdout, stderr);
    terminal->history = history_init();
    if (terminal->editor == NULL || terminal->history == NULL) {
        return error_set(error, ERROR_PROCESS, "the terminal cannot be edited on");
    }
    history(terminal->history, &event, H_SETSIZE, HISTORY_LINES);
    history(terminal->history, &event, H_SETUNIQUE, 1);
    el_set(terminal->editor, EL_CLIENTDATA, terminal);
    el_set(terminal->editor, EL_PROMPT, get_prompt);
    el_set(terminal->editor, EL_EDITOR, "emacs");
    el_set(terminal->editor, EL_HIST, history, terminal->history);
    el_set(terminal->editor, EL_GETCFN, read_character);
    el_set(terminal->editor, EL_UNBUFFERED, 1);
    terminal->editing = true;
    uv_poll_start(&terminal->readable, UV_READABLE, on_readable);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop, &terminal->redraw[i]);
        terminal->redraw[i].data = terminal;
        uv_signal_start(&terminal->redraw[i], on_redraw, i == 0 ? SIGWINCH : SIGCONT);
    }
    return 0;
}

void terminal_close(struct terminal *terminal)
{
    terminal_hide(terminal);
    terminal->editing = terminal->secretive = false;
    forget_secret(terminal);
    el_set(terminal->editor, EL_UNBUFFERED, 0);
    el_end(terminal->editor);
    history_end(terminal->history);
    terminal->editor = NULL;
    uv_close((uv_handle_t *)&terminal->readable, NULL);
    uv_close((uv_handle_t *)&terminal->redraw[0], NULL);
    uv_close((uv_handle_t *)&terminal->redraw[1], NULL);
}
