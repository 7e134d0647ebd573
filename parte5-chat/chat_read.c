/* What is read from the chat's state; see chat.c for the state. Nothing here walks through more than it returns. */
#include "parte5-chat/chat_parts.h"

struct chat_user *chat_find_user(const struct chat *chat, struct text name)
{
    struct chat_user *user;

    HASH_FIND(hh, chat->users, name.bytes, name.length, user);
    return user;
}

struct chat_channel *chat_find_channel(const struct chat *chat, struct text name)
{
    struct chat_channel *channel;

    HASH_FIND(hh, chat->channels, name.bytes, name.length, channel);
    return channel;
}

struct chat_member *chat_find_member(const struct chat_channel *channel, const struct chat_user *user)
{
    struct chat_member *member;

    HASH_FIND_PTR(channel->members, &user, member);
    return member;
}

/* ---- the sequence of changes ---- */

int64_t chat_last_seq(const struct chat *chat)
{
    return chat->changes.count > 0 ? chat->changes.items[chat->changes.count - 1]->seq : CHANGE_NO_SEQ;
}

int64_t chat_last_epoch(const struct chat *chat)
{
    return chat->changes.count > 0 ? chat->changes.items[chat->changes.count - 1]->epoch : 0;
}

static struct change *find_place(const struct chat *chat, int64_t seq)
{
    size_t place = change_list_below(&chat->changes, seq);

    return place < chat->changes.count && chat->changes.items[place]->seq == seq ? chat->changes.items[place]
                                                                                 : NULL;
}

bool chat_has(const struct chat *chat, int64_t seq, int64_t epoch)
{
    const struct change *change = find_place(chat, seq);

    return change != NULL ? change->epoch == epoch : seq == CHANGE_NO_SEQ && epoch == 0;
}

struct change *chat_find_request(const struct chat *chat, struct text request_id)
{
    int64_t seq;

    return recent_find(&chat->requests, request_id, &seq) ? find_place(chat, seq) : NULL;
}

/* ---- what clients ask ---- */

bool chat_has_user(const struct chat *chat, struct text user)
{
    return chat_find_user(chat, user) != NULL;
}

bool chat_has_channel(const struct chat *chat, struct text channel)
{
    return chat_find_channel(chat, channel) != NULL;
}

bool chat_is_subscribed(const struct chat *chat, struct text user, struct text channel)
{
    const struct chat_user *who = chat_find_user(chat, user);
    const struct chat_channel *where = chat_find_channel(chat, channel);

    return who != NULL && where != NULL && chat_find_member(where, who) != NULL;
}

struct text chat_account(const struct chat *chat, struct text user)
{
    const struct chat_user *found = chat_find_user(chat, user);

    return found != NULL && found->registered != NULL ? found->registered->body : (struct text){0};
}

bool chat_next_user(const struct chat *chat, const struct chat_user **cursor, struct text *name)
{
    *cursor = *cursor == NULL ? chat->users : (*cursor)->hh.next;
    *name = *cursor != NULL ? (*cursor)->named_by->user : (struct text){0};
    return *cursor != NULL;
}

bool chat_next_channel(const struct chat *chat, const struct chat_channel **cursor, struct text *name)
{
    *cursor = *cursor == NULL ? chat->channels : (*cursor)->hh.next;
    *name = *cursor != NULL ? (*cursor)->created_by->target : (struct text){0};
    return *cursor != NULL;
}

/* The last ones of a list that are below `before`. */
static struct change *const *look_back(const struct change_list *list, size_t limit, int64_t before,
                                       size_t *count)
{
    size_t end = before > 0 ? change_list_below(list, before) : list->count;

    limit = limit < CHAT_HISTORY_MAX ? limit : CHAT_HISTORY_MAX;
    *count = end < limit ? end : limit;
    return *count > 0 ? list->items + (end - *count) : NULL;
}

struct change *const *chat_channel_history(const struct chat *chat, struct text channel, size_t limit,
                                           int64_t before, size_t *count)
{
    const struct chat_channel *found = chat_find_channel(chat, channel);

    return look_back(found != NULL ? &found->publications : &(struct change_list){0}, limit, before, count);
}

struct change *const *chat_user_history(const struct chat *chat, struct text user, size_t limit,
                                        int64_t before, size_t *count)
{
    const struct chat_user *found = chat_find_user(chat, user);

    return look_back(found != NULL ? &found->messages : &(struct change_list){0}, limit, before, count);
}
