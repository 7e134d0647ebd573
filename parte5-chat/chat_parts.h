/* What chat.c and chat_read.c share: how users and channels are kept. */
#ifndef ORDEM_CHAT_PARTS_H
#define ORDEM_CHAT_PARTS_H

#include "common/memory.h"
#include "parte5-chat/chat.h"

#define uthash_fatal(message)                                                                                \
    do {                                                                                                     \
        memory_new(SIZE_MAX); /* uthash calls this only when memory has run out */                           \
    } while (0)
#include <uthash.h>

struct chat_user {
    UT_hash_handle hh;
    struct change *named_by;   /* a reference: the name is its user */
    struct change *registered; /* a reference; NULL where there is no password */
    struct change_list messages;
};

struct chat_member {
    UT_hash_handle hh;
    const struct chat_user *user;
};

struct chat_channel {
    UT_hash_handle hh;
    struct change *created_by; /* a reference: the name is its target */
    struct chat_member *members;
    struct change_list publications;
};

/* NULL where there is none. */
struct chat_user *chat_find_user(const struct chat *chat, struct text name);
struct chat_channel *chat_find_channel(const struct chat *chat, struct text name);
struct chat_member *chat_find_member(const struct chat_channel *channel, const struct chat_user *user);

#endif
