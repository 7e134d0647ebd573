/* Tokens: who shows one has logged in, at whichever server and under whichever leader, for they all sign and check with one
 * secret; no server keeps a list of sessions.
 *
 * A token is a JSON Web Token (RFC 7519), signed with HMAC-SHA256, whose claims are `user`, `iat` (since when) and `exp`
 * (until when), in seconds since the epoch. It cannot be taken back before it ends. */
#ifndef ORDEM_CHAT_TOKENS_H
#define ORDEM_CHAT_TOKENS_H

#include "common/error.h"
#include "common/text.h"
#include "parte5-chat/chat_message.h"
#include "parte5-chat/names.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_KEY_MIN 32 /* bytes: as many as the signature has (RFC 7518, section 3.2) */
#define TOKEN_KEY_MAX 1024

struct token_key {
    unsigned char bytes[TOKEN_KEY_MAX];
    int length;
};

struct token {
    char text[CHAT_TOKEN_MAX + 1];
};

/* The key out of the setting JWT_SECRET. ERROR_CONFIG: too short, or too long; the error does not say what it is. */
int token_key_from_text(struct token_key *key, struct text secret, struct error *error);

/* The key in the folder's file `jwt_secret`, which is made if there is none: 32 random bytes, for this user alone. Servers
 * that do this at the same moment, in one folder, all end with the same key. ERROR_FILE: others may read it, it holds
 * something else, or cannot be made. */
int token_key_from_folder(struct token_key *key, const char *folder, struct error *error);

/* A token for `user`, from now on and for that long. ERROR_PROCESS: no memory. */
int token_make(const struct token_key *key, struct text user, int64_t now_s, int64_t lifetime_s,
               struct token *token, struct error *error);

/* Is it one of ours, and still good? Then `user` is whose it is. */
bool token_check(const struct token_key *key, struct text token, int64_t now_s,
                 char user[NAME_MAX_LENGTH + 1]);

#endif
