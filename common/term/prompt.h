/* The prompt: lines typed at a terminal (with editing and history), or read from a pipe or a file.
 *
 * On a terminal, what the log writes appears above the line being typed, which is drawn again below it. Without a
 * usable standard input (closed, /dev/null) there is no prompt and the node just runs. One per process. */
#ifndef ORDEM_PROMPT_H
#define ORDEM_PROMPT_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/log.h"
#include "common/term/terminal.h"
#include "common/text.h"

#include <stdbool.h>
#include <uv.h>

#define PROMPT_LINE_MAX (1024 * 1024) /* bytes; a longer line is refused and skipped */
#define PROMPT_BLOCK    65536         /* bytes that are read at once */

enum prompt_source { PROMPT_NONE, PROMPT_TERMINAL, PROMPT_PIPE, PROMPT_FILE };

struct prompt {
    enum prompt_source source;
    union {
        struct terminal terminal;
        uv_pipe_t pipe;
    } handle;
    uv_fs_t file_read;
    bool closed;
    bool held, ended;
    bool idle; /* of a file: it was held when its last block ended, and none is being read */
    uv_loop_t *loop;
    bool skipping;      /* inside a line that is too long */
    struct buffer line; /* of a pipe or file: what came after the last line break */
    char block[PROMPT_BLOCK];
    struct log *log;

    void (*on_line)(struct prompt *, struct text line); /* without its line break; valid during the call */
    void (*on_secret)(struct prompt *,
                      struct text secret); /* as asked for; wiped after the call. May be NULL */
    void (*on_refused)(struct prompt *, const struct error *); /* a line longer than PROMPT_LINE_MAX */
    void (*on_end)(struct prompt *); /* no more lines will come; called at most once, never for PROMPT_NONE */
};

/* Starts reading standard input; the callbacks are set already. `name` stands before the "> ".
 * Errors: ERROR_PROCESS. */
int prompt_open(struct prompt *prompt, uv_loop_t *loop, struct log *log, const char *name,
                struct error *error);

/* Shows an answer to what was typed, on standard output. */
void prompt_answer(struct prompt *prompt, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* On a terminal, the next line is a secret (terminal.h); elsewhere there is nothing to hide it from: this does nothing. */
void prompt_ask_secret(struct prompt *prompt, const char *question);

/* On a terminal, what is typed waits, unseen; asking for a secret ends that. Of a pipe or a file no more is read, but
 * lines of the block that came last still follow: less than PROMPT_BLOCK of them. */
void prompt_hold(struct prompt *prompt, bool held);

/* Gives the terminal back as it was; no callback comes any more. */
void prompt_close(struct prompt *prompt);

/* Frees what is left, once the loop has run the close callbacks. */
void prompt_free(struct prompt *prompt);

#endif
