/* A client's prompt: lines from a terminal, a pipe or a file, carried out by the cluster one after the other, each answered
 * by one line of JSON. */
#ifndef ORDEM_PAXOS_CLIENT_PROMPT_H
#define ORDEM_PAXOS_CLIENT_PROMPT_H

#include "common/command.h"
#include "common/json.h"
#include "common/term/line_queue.h"
#include "common/term/prompt.h"
#include "paxos/asker.h"
#include "paxos/client_request.h"

struct client_prompt {
    struct asker *asker;
    struct client_identity *identity;
    uint64_t timeout_ms;

    void (*on_end)(struct client_prompt *); /* no more lines will come, and all are answered; or EXIT */
    void (*on_answer)(struct client_prompt *, const struct client_operation *, const struct ask_answer *);

    bool failed; /* some command was not carried out, or nobody reads the answers */

    /* What follows is the implementation's. */

    struct prompt prompt;
    struct line_queue lines;
    struct ask ask;
    struct client_operation operation; /* the one under way */
    struct buffer resource, data;      /* that it points to */
    struct buffer request, output;
    struct json_object object;
    bool asking, ended, closed;
};

/* Starts reading standard input. `asker`, `identity`, `timeout_ms` and the callbacks are set already; the prompt's name
 * stands before the "> ". Without a standard input nothing happens: then client_prompt->prompt.source is PROMPT_NONE.
 * Errors: ERROR_PROCESS. */
int client_prompt_open(struct client_prompt *client, uv_loop_t *loop, struct log *log, const char *name,
                       struct error *error);

/* Did its input end, so that on_end does not mean EXIT? */
bool client_prompt_has_ended(const struct client_prompt *client);

/* Is there a line that has not been answered? */
bool client_prompt_is_busy(const struct client_prompt *client);

/* Gives the terminal back; on_end does not come any more. The asker is closed by its owner. */
void client_prompt_close(struct client_prompt *client);

/* Once the loop has run the close callbacks. */
void client_prompt_free(struct client_prompt *client);

#endif
