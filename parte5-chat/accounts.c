/* The question: how does guessing passwords become slow, and nothing else?
 *
 * The rule: after ACCOUNTS_FREE_TRIES wrong passwords for a name, each further one doubles the time until the next is
 * looked at, up to ACCOUNTS_WAIT_MAX_MS; a right one starts afresh.
 *
 * It guarantees: bounded memory, whatever names are made up, since a name is only a place in a table; and answers that
 * do not tell which names exist, since the table does not know.
 *
 * It does not guarantee that nobody is kept waiting for another's mistakes: who shares a place, or a name, with somebody
 * who guesses, waits with him; so the wait is short. And a new leader counts from nothing.
 *
 * To break it: count only names that exist. Then the time of an answer says which do. */
#include "parte5-chat/accounts.h"

#include "common/random.h"

void accounts_init(struct accounts *accounts, uint64_t seed)
{
    *accounts = (struct accounts){.seed = seed};
}

static unsigned place_of(const struct accounts *accounts, struct text user)
{
    return (unsigned)(random_mix(accounts->seed, random_hash(user)) % ACCOUNTS_PLACES);
}

uint64_t accounts_wait_ms(const struct accounts *accounts, struct text user, uint64_t now_ms)
{
    const struct accounts_place *place = &accounts->places[place_of(accounts, user)];

    return place->free_ms > now_ms ? place->free_ms - now_ms : 0;
}

void accounts_note(struct accounts *accounts, struct text user, bool right, uint64_t now_ms)
{
    struct accounts_place *place = &accounts->places[place_of(accounts, user)];

    if (right) {
        *place = (struct accounts_place){0};
        return;
    }
    if (++place->failures > ACCOUNTS_FREE_TRIES) {
        uint64_t doublings = place->failures - ACCOUNTS_FREE_TRIES;
        uint64_t wait_ms = doublings < 16 ? UINT64_C(500) << doublings : ACCOUNTS_WAIT_MAX_MS;
        place->free_ms = now_ms + (wait_ms < ACCOUNTS_WAIT_MAX_MS ? wait_ms : ACCOUNTS_WAIT_MAX_MS);
    }
}
