/* The question: what do the servers agree on?
 *
 * The rule: the state is what a sequence of changes adds up to, nothing else; the same changes in the same order make
 * the same state on every server ("state machine": Lamport 1978, Schneider 1990). A request that comes again is known
 * by its id, and has its effect once.
 *
 * It guarantees: names that are safe wherever they turn up; that a user and a channel never share a name, for then
 * they would share a topic, and private messages would be heard in the channel; that the millionth message costs what
 * the first did, and so does looking at a history, wherever it is looked at.
 *
 * It does not guarantee: that a request is known again after RECENT_MAX others; then it takes effect a second time.
 * Nor that a request that was refused stays without effect: a copy of it that is still on its way may find what the
 * first one missed.
 *
 * To break it: in chat_apply, leave recent_add out. A client that tries again after a time-out says it twice. */
#include "parte5-chat/chat.h"

#include "common/memory.h"
#include "common/uuid.h"
#include "parte5-chat/chat_parts.h"
#include "parte5-chat/names.h"

#include <stdlib.h>

void chat_init(struct chat *chat)
{
    *chat = (struct chat){0};
}

static void free_users(struct chat *chat)
{
    struct chat_user *user = chat->users;

    HASH_CLEAR(hh, chat->users); /* the table; the users stay linked to each other */
    while (user != NULL) {
        struct chat_user *next = user->hh.next;
        change_unref(user->named_by);
        change_unref(user->registered);
        change_list_free(&user->messages);
        free(user);
        user = next;
    }
}

static void free_members(struct chat_channel *channel)
{
    struct chat_member *member = channel->members;

    HASH_CLEAR(hh, channel->members);
    while (member != NULL) {
        struct chat_member *next = member->hh.next;
        free(member);
        member = next;
    }
}

static void free_channels(struct chat *chat)
{
    struct chat_channel *channel = chat->channels;

    HASH_CLEAR(hh, chat->channels);
    while (channel != NULL) {
        struct chat_channel *next = channel->hh.next;
        free_members(channel);
        change_unref(channel->created_by);
        change_list_free(&channel->publications);
        free(channel);
        channel = next;
    }
}

void chat_free(struct chat *chat)
{
    free_users(chat);
    free_channels(chat);
    recent_free(&chat->requests);
    change_list_free(&chat->changes);
    chat_init(chat);
}

/* ---- what may be asked ---- */

static int refuse(struct error *error, const char *what, struct text name, const char *why)
{
    return error_set(error, ERROR_FIELD_VALUE, "%s %.*s %s", what, (int)name.length, name.bytes, why);
}

static int check_new_user(const struct chat *chat, const struct change *change, struct error *error)
{
    const struct chat_user *user = chat_find_user(chat, change->user);

    if (chat_find_channel(chat, change->user) != NULL) {
        return refuse(error, "user", change->user, "has the name of a channel");
    }
    if (change->type == CHANGE_REGISTER && user != NULL) {
        return refuse(error, "user", change->user, "exists already");
    }
    return 0;
}

static int check_new_channel(const struct chat *chat, const struct change *change, struct error *error)
{
    if (chat_find_user(chat, change->target) != NULL) {
        return refuse(error, "channel", change->target, "has the name of a user");
    }
    if (chat_find_channel(chat, change->target) != NULL) {
        return refuse(error, "channel", change->target, "exists already");
    }
    return 0;
}

static int check_parties(const struct chat *chat, const struct change *change, struct error *error)
{
    if (chat_find_user(chat, change->user) == NULL) {
        return refuse(error, "user", change->user, "is not known");
    }
    if (change->type == CHANGE_MESSAGE) {
        return chat_find_user(chat, change->target) != NULL
                   ? 0
                   : refuse(error, "user", change->target, "is not known");
    }
    return chat_find_channel(chat, change->target) != NULL
               ? 0
               : refuse(error, "channel", change->target, "does not exist");
}

static int check_texts(const struct change *change, struct error *error)
{
    bool is_entry = change->type == CHANGE_LOGIN || change->type == CHANGE_REGISTER;
    bool is_anonymous = change->type == CHANGE_CHANNEL && change->user.length == 0;
    int code = 0;

    if (!uuid_is_valid(change->request_id)) {
        return error_set(error, ERROR_FIELD_VALUE, "request_id: not a UUID");
    }
    if (!is_anonymous && (code = name_check(change->user, "user", error)) != 0) {
        return code;
    }
    if (!is_entry &&
        (code = name_check(change->target, change->type == CHANGE_MESSAGE ? "dst" : "channel", error)) != 0) {
        return code;
    }
    if (change->body.length > CHAT_BODY_MAX) {
        return error_set(error, ERROR_TOO_LONG, "message: %zu bytes, at most %d are allowed",
                         change->body.length, CHAT_BODY_MAX);
    }
    return text_is_utf8(change->body) ? 0 : error_set(error, ERROR_NOT_UTF8, "message: not valid UTF-8");
}

int chat_check(const struct chat *chat, const struct change *change, struct error *error)
{
    int code = change->type == CHANGE_REIGN ? 0 : check_texts(change, error);

    if (code != 0) {
        return code;
    }
    switch (change->type) {
    case CHANGE_REGISTER:
    case CHANGE_LOGIN:
        return check_new_user(chat, change, error);
    case CHANGE_CHANNEL:
        return check_new_channel(chat, change, error);
    case CHANGE_REIGN:
        return 0;
    default:
        return check_parties(chat, change, error);
    }
}

/* ---- taking effect ---- */

static void add_user(struct chat *chat, struct change *change)
{
    struct chat_user *user = chat_find_user(chat, change->user);

    if (user == NULL) {
        user = memory_new_zeroed(1, sizeof *user);
        user->named_by = change_ref(change);
        HASH_ADD_KEYPTR(hh, chat->users, user->named_by->user.bytes, user->named_by->user.length, user);
    }
    if (change->type == CHANGE_REGISTER) {
        user->registered = change_ref(change);
    }
}

static void add_channel(struct chat *chat, struct change *change)
{
    struct chat_channel *channel = memory_new_zeroed(1, sizeof *channel);

    channel->created_by = change_ref(change);
    HASH_ADD_KEYPTR(hh, chat->channels, change->target.bytes, change->target.length, channel);
}

static void subscribe(struct chat_channel *channel, const struct chat_user *user)
{
    if (chat_find_member(channel, user) == NULL) {
        struct chat_member *member = memory_new_zeroed(1, sizeof *member);
        member->user = user;
        HASH_ADD_PTR(channel->members, user, member);
    }
}

static void leave(struct chat_channel *channel, const struct chat_user *user)
{
    struct chat_member *member = chat_find_member(channel, user);

    if (member != NULL) {
        HASH_DEL(channel->members, member);
        free(member);
    }
}

static void add_message(struct chat *chat, struct change *change)
{
    change_list_add(&chat_find_user(chat, change->user)->messages, change);
    if (!text_equal(change->user, change->target)) {
        change_list_add(&chat_find_user(chat, change->target)->messages, change);
    }
}

static void take_effect(struct chat *chat, struct change *change)
{
    switch (change->type) {
    case CHANGE_REGISTER:
    case CHANGE_LOGIN:
        add_user(chat, change);
        break;
    case CHANGE_CHANNEL:
        add_channel(chat, change);
        break;
    case CHANGE_SUBSCRIBE:
        subscribe(chat_find_channel(chat, change->target), chat_find_user(chat, change->user));
        break;
    case CHANGE_LEAVE:
        leave(chat_find_channel(chat, change->target), chat_find_user(chat, change->user));
        break;
    case CHANGE_PUBLISH:
        change_list_add(&chat_find_channel(chat, change->target)->publications, change);
        break;
    default:
        add_message(chat, change);
    }
}

void chat_apply(struct chat *chat, struct change *change)
{
    bool valid = chat_check(chat, change, NULL) == 0;

    change_list_add(&chat->changes, change);
    if (valid && change->type != CHANGE_REIGN) {
        recent_add(&chat->requests, change->request_id, change->seq);
        take_effect(chat, change);
    }
}

/* There is no way back from a state: a new one is made, from the changes that made this one. */
void chat_cut(struct chat *chat, int64_t seq)
{
    struct chat whole = *chat;
    size_t count = change_list_below(&whole.changes, seq + 1);

    chat_init(chat);
    for (size_t i = 0; i < count; i++) {
        chat_apply(chat, whole.changes.items[i]);
    }
    chat_free(&whole);
}
