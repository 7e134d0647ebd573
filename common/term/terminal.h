/* A line being typed at a terminal, with editing and history (libedit), that does not block the event loop and that
 * steps aside while something else is written to the screen. One per process. */
#ifndef ORDEM_TERMINAL_H
#define ORDEM_TERMINAL_H

#include "common/error.h"

#include <histedit.h>
#include <stdbool.h>
#include <uv.h>

#define SECRET_MAX 4095 /* bytes of a secret that is typed; more of them are ignored */

struct terminal {
    uv_poll_t readable;
    uv_signal_t redraw[2]; /* SIGWINCH, SIGCONT */
    EditLine *editor;
    History *history;
    char prompt[80];
    bool editing; /* a line is on the screen */
    bool hung_up; /* nothing more can be read */

    bool
        secretive; /* what is typed is a secret: it is read here, and libedit, which shows and remembers, knows nothing */
    char question[80], secret[SECRET_MAX + 1];
    size_t secret_length;

    void (*on_line)(struct terminal *, const char *line); /* without its line break; valid during the call */
    void (*on_secret)(struct terminal *,
                      const char *secret); /* the same; wiped after the call. May be NULL */
    void (*on_end)(struct terminal *);     /* Ctrl-D on an empty line, or the terminal is gone */
};

/* Starts reading standard input, which must be a terminal. The callbacks are set already. Errors: ERROR_PROCESS. */
int terminal_open(struct terminal *terminal, uv_loop_t *loop, const char *name, struct error *error);

/* Takes the line being typed off the screen, so that other lines can be written; and brings it back below them. */
void terminal_hide(struct terminal *terminal);
void terminal_show(struct terminal *terminal);

/* The next line is a secret: behind the `question` nothing of it shows, and it goes to on_secret, and into no history. */
void terminal_ask_secret(struct terminal *terminal, const char *question);

/* While held, no keys are read: what is typed waits, unseen. */
void terminal_hold(struct terminal *terminal, bool held);

/* Gives the terminal back as it was. The handles may be freed once the loop has run their close callbacks. */
void terminal_close(struct terminal *terminal);

#endif
