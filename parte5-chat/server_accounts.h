/* Passwords and tokens at a server, where ACCOUNTS=passwords asks for them; see server_accounts.c and server_tokens.c. */
#ifndef ORDEM_CHAT_SERVER_ACCOUNTS_H
#define ORDEM_CHAT_SERVER_ACCOUNTS_H

#include "parte5-chat/accounts.h"
#include "parte5-chat/passwords.h"
#include "parte5-chat/tokens.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct server;
struct entry;

struct server_accounts {
    bool on;
    int64_t token_s; /* how long a token is good */
    struct token_key key;
    struct passwords passwords;
    struct accounts tries;
    struct entry *entries;             /* a list: who waits for a password to be looked at; owned */
    struct token token;                /* the one that is being handed out */
    char speaker[NAME_MAX_LENGTH + 1]; /* whose token the question bears that is being answered */
};

/* Reads ACCOUNTS, TOKEN_HOURS and JWT_SECRET. Where that is unset, the secret is a file in `folder`; NULL: servers have no
 * folder in common, so that it has to be set. ERROR_CONFIG, ERROR_FILE, ERROR_PROCESS. */
int server_accounts_open(struct server *server, const char *folder, struct error *error);

/* Looks at the question in `server->heard` before anybody answers it. True: that is taken care of, now or later: it is
 * refused, or waits for its password to be looked at. False: go on; who asks is who it says, and is named in it. */
bool server_hold_question(struct server *server, const struct text *frames, size_t count, bool passed);

/* Nobody is answered any more. */
void server_accounts_close(struct server *server);

/* ---- server_tokens.c ---- */

/* Is who asks who it says, by its token? Names it in `server->heard`. False: it is refused. */
bool server_check_token(struct server *server, const struct text *frames, size_t count);

/* The token for who has just logged in, for an answer; no text at all where there are no passwords. */
struct text server_new_token(struct server *server, struct text user);

#endif
