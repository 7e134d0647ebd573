/* A line being typed at a terminal, with editing and history (libedit), that does not block the event loop and that
 * steps aside while something else is written to the screen. One per process. */
#ifndef ORDEM_TERMINAL_H
#define ORDEM_TERMINAL_H

#include "common/error.h"

#include <histedit.h>
#include <stdbool.h>
#include <uv.h>

struct terminal {
    uv_poll_t readable;
    uv_signal_t redraw[2]; /* SIGWINCH, SIGCONT */
    EditLine *editor;
    History *history;
    char prompt[80];
    bool editing; /* a line is on the screen */
    bool hung_up; /* nothing more can be read */

    void (*on_line)(struct terminal *, const char *line); /* without its line break; valid during the call */
    void (*on_end)(struct terminal *); /* Ctrl-D on an empty line, or the terminal is gone */
};

/* Starts reading standard input, which must be a terminal. The callbacks are set already. Errors: ERROR_PROCESS. */
int terminal_open(struct terminal *terminal, uv_loop_t *loop, const char *name, struct error *error);

/* Takes the line being typed off the screen, so that other lines can be written; and brings it back below them. */
void terminal_hide(struct terminal *terminal);
void terminal_show(struct terminal *terminal);

/* Gives the terminal back as it was. The handles may be freed once the loop has run their close callbacks. */
void terminal_close(struct terminal *terminal);

#endif
