/* Who may try a password; see accounts.c. The hashes themselves are part of the chat's state (chat_account), and are made
 * and compared by whoever may do arithmetic for that long: this is only the counting. */
#ifndef ORDEM_ACCOUNTS_H
#define ORDEM_ACCOUNTS_H

#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define ACCOUNTS_PLACES      4096
#define ACCOUNTS_FREE_TRIES  3
#define ACCOUNTS_WAIT_MAX_MS 30000 /* after so long everybody may try again */

struct accounts_place {
    uint64_t failures;
    uint64_t free_ms; /* no try before */
};

struct accounts {
    uint64_t seed;
    struct accounts_place places[ACCOUNTS_PLACES]; /* by a name's hash */
};

/* `seed`: not to be guessed. */
void accounts_init(struct accounts *accounts, uint64_t seed);

/* So long must whoever wants to log in under this name wait before the password is even looked at; 0: it may be. The
 * same for names that exist and for names that do not. */
uint64_t accounts_wait_ms(const struct accounts *accounts, struct text user, uint64_t now_ms);

/* The password was looked at, and was right or wrong. */
void accounts_note(struct accounts *accounts, struct text user, bool right, uint64_t now_ms);

#endif
