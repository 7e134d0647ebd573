/* What the files of the client share:
 *
 *     client.c            the prompt, lines that wait for their turn, starting and leaving
 *     client_commands.c   what is typed, as a question
 *     client_answers.c    what the answer changes here, and what is shown */
#ifndef ORDEM_CHAT_CLIENT_PARTS_H
#define ORDEM_CHAT_CLIENT_PARTS_H

#include "common/term/prompt.h"
#include "parte5-chat/session.h"

#include <stdbool.h>
#include <stddef.h>

struct line {
    struct line *next;
    char *text; /* owned */
};

struct client {
    struct process process;
    struct session session;
    struct prompt prompt;
    struct line *lines, **last; /* a list, owned */
    size_t line_count;
    bool ended, failed;

    char user[NAME_MAX_LENGTH + 1];  /* "" before the login */
    char asked[NAME_MAX_LENGTH + 1]; /* the name or channel that the question under way is about */
    bool sets_clock;                 /* the question under way is sync_time's */
    bool wants_password;             /* `asked` is typing it; for this service: */
    enum chat_service entry;
};

/* ---- client.c ---- */

/* The lines that wait, until one of them has to be answered. */
void client_go_on(struct client *client);

/* The line was wrong. */
void client_refuse_line(struct client *client, const char *why);

/* Asks for a password, of which nothing shows; then for `service`, with it. On a terminal only. */
void client_want_password(struct client *client, enum chat_service service);

/* ---- client_commands.c ---- */

void client_obey(struct client *client, struct text line);

/* Is what follows perhaps a password? */
bool client_is_entry(struct text line);

void client_ask(struct client *client, struct chat_message *question);

/* ---- client_answers.c ---- */

void client_on_answer(struct session *session, const struct chat_message *answer);
void client_on_publication(struct session *session, const struct chat_message *said);

#endif
