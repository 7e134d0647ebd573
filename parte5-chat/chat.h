/* The state of the chat; see chat.c. */
#ifndef ORDEM_CHAT_H
#define ORDEM_CHAT_H

#include "common/error.h"
#include "common/recent.h"
#include "parte5-chat/change.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAT_BODY_MAX    (16 * 1024) /* bytes */
#define CHAT_HISTORY_MAX 1000        /* changes in one answer */

struct chat_user;
struct chat_channel;

struct chat {
    struct change_list changes; /* all, by their places: the state is what they add up to */
    struct chat_user *users;    /* uthash tables, by name, in the order in which they came; owned */
    struct chat_channel *channels;
    struct recent requests; /* the places of what was asked for of late, by request id */
};

/* Zeroed. */
void chat_init(struct chat *chat);
void chat_free(struct chat *chat);

/* May this take effect now? Says why not: ERROR_FIELD_VALUE, ERROR_TOO_LONG or ERROR_NOT_UTF8. */
int chat_check(const struct chat *chat, const struct change *change, struct error *error);

/* The next change takes effect; its place is beyond chat_last_seq(). Takes a reference. What chat_check would refuse
 * (a damaged or foreign record) keeps its place and does nothing. */
void chat_apply(struct chat *chat, struct change *change);

/* The state as it was after that place: what came later never was. */
void chat_cut(struct chat *chat, int64_t seq);

/* The place of the last change, and its epoch; 0 before the first. */
int64_t chat_last_seq(const struct chat *chat);
int64_t chat_last_epoch(const struct chat *chat);

/* Is there a change in that place, and of that epoch? Place 0 is before the first, in epoch 0. */
bool chat_has(const struct chat *chat, int64_t seq, int64_t epoch);

/* The change that this request became, if it was among the last RECENT_MAX; else NULL. Stays the chat's. */
struct change *chat_find_request(const struct chat *chat, struct text request_id);

/* ---- what clients ask ---- */

bool chat_has_user(const struct chat *chat, struct text user);
bool chat_has_channel(const struct chat *chat, struct text channel);
bool chat_is_subscribed(const struct chat *chat, struct text user, struct text channel);

/* The hash that this user registered with; no text at all if there is no such account. */
struct text chat_account(const struct chat *chat, struct text user);

/* The names, in the order in which they came: each call gives the next, from a cursor that starts as NULL. */
bool chat_next_user(const struct chat *chat, const struct chat_user **cursor, struct text *name);
bool chat_next_channel(const struct chat *chat, const struct chat_channel **cursor, struct text *name);

/* The newest publications in a channel, or private messages from or to a user, that have places below `before` (0 for
 * no bound), at most `limit` of them, oldest first. Returns where they stand, and in `*count` how many; they stay the
 * chat's, until it changes. */
struct change *const *chat_channel_history(const struct chat *chat, struct text channel, size_t limit,
                                           int64_t before, size_t *count);
struct change *const *chat_user_history(const struct chat *chat, struct text user, size_t limit,
                                        int64_t before, size_t *count);

#endif
