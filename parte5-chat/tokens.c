#include "parte5-chat/tokens.h"

#include <errno.h>
#include <jwt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making ---- */

static int add_claims(jwt_t *jwt, struct text user, int64_t now_s, int64_t lifetime_s)
{
    char name[NAME_MAX_LENGTH + 1];
    int reason;

    snprintf(name, sizeof name, "%.*s", (int)user.length, user.bytes);
    reason = jwt_add_grant(jwt, "user", name);
    if (reason == 0) {
        reason = jwt_add_grant_int(jwt, "iat", (long)now_s);
    }
    return reason == 0 ? jwt_add_grant_int(jwt, "exp", (long)(now_s + lifetime_s)) : reason;
}

int token_make(const struct token_key *key, struct text user, int64_t now_s, int64_t lifetime_s,
               struct token *token, struct error *error)
{
    jwt_t *jwt = NULL;
    char *encoded = NULL;
    int reason = jwt_new(&jwt);

    if (reason == 0) {
        reason = jwt_set_alg(jwt, JWT_ALG_HS256, key->bytes, key->length);
    }
    if (reason == 0) {
        reason = add_claims(jwt, user, now_s, lifetime_s);
    }
    if (reason == 0) {
        encoded = jwt_encode_str(jwt);
        reason = encoded == NULL ? ENOMEM : 0;
    }
    jwt_free(jwt);
    if (reason != 0) {
        error_set(error, ERROR_PROCESS, "no token can be made");
        error_because_errno(error, reason);
        return ERROR_PROCESS;
    }
    snprintf(token->text, sizeof token->text, "%s", encoded);
    sodium_memzero(encoded, strlen(encoded));
    free(encoded);
    return 0;
}

/* ---- checking ---- */

/* libjwt takes the token's own word for how it is to be checked, `none` included, and would read our secret as an RSA key if
 * told to. So that word is looked at first, in a reading that checks nothing. */
static bool claims_our_algorithm(const char *token)
{
    jwt_t *jwt = NULL;
    bool ours = false;

    if (jwt_decode(&jwt, token, NULL, 0) == 0) {
        const char *name = jwt_get_header(jwt, "alg");
        ours = name != NULL && strcmp(name, "HS256") == 0;
    }
    jwt_free(jwt);
    return ours;
}

/* What a signed token says: whose it is, and that it has not ended. */
static bool read_claims(jwt_t *jwt, int64_t now_s, char user[NAME_MAX_LENGTH + 1])
{
    const char *name = jwt_get_grant(jwt, "user"); /* NULL where it is no string */

    if (name == NULL || name_check(text_of(name), "user", NULL) != 0) {
        return false;
    }
    errno = 0;
    long end_s = jwt_get_grant_int(jwt, "exp");
    if (errno != 0 || end_s <= now_s) { /* it has none, or no whole number, or it is over */
        return false;
    }
    snprintf(user, NAME_MAX_LENGTH + 1, "%s", name);
    return true;
}

bool token_check(const struct token_key *key, struct text token, int64_t now_s,
                 char user[NAME_MAX_LENGTH + 1])
{
    struct token copy;
    jwt_t *jwt = NULL;

    if (token.length == 0 || token.length > CHAT_TOKEN_MAX ||
        memchr(token.bytes, '\0', token.length) != NULL) {
        return false;
    }
    snprintf(copy.text, sizeof copy.text, "%.*s", (int)token.length, token.bytes);
    bool valid = claims_our_algorithm(copy.text) &&
                 jwt_decode(&jwt, copy.text, key->bytes, key->length) == 0 &&
                 jwt_get_alg(jwt) == JWT_ALG_HS256 && read_claims(jwt, now_s, user);
    jwt_free(jwt);
    sodium_memzero(&copy, sizeof copy);
    return valid;
}
