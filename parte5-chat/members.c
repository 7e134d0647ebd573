#include "parte5-chat/members.h"

#include "common/config.h"
#include "common/net/target.h"

#include <stdio.h>
#include <string.h>

static int refuse(struct error *error, const char *held)
{
    return error_set(
        error, ERROR_CONFIG,
        "SERVERS is \"%.100s\": 1 to %d servers like server1=127.0.0.1:5560, each with a name of its "
        "own and separated by commas, are allowed",
        held, SERVERS_MAX);
}

unsigned members_find(const struct chat_members *members, struct text name)
{
    for (unsigned i = 0; i < members->count; i++) {
        if (text_equal(text_of(members->items[i].name), name)) {
            return i + 1;
        }
    }
    return NO_SERVER;
}

/* One "name=host:port" of `length` bytes. */
static bool add(struct chat_members *members, const char *entry, size_t length)
{
    const char *equals = memchr(entry, '=', length);
    struct target target;

    if (equals == NULL || members->count == SERVERS_MAX) {
        return false;
    }
    struct text name = {entry, (size_t)(equals - entry)};
    struct text address = {equals + 1, length - name.length - 1};
    struct server_address *member = &members->items[members->count];
    if (name_check(name, "SERVERS", NULL) != 0 || address.length >= sizeof member->address ||
        members_find(members, name) != NO_SERVER) {
        return false;
    }
    memcpy(member->name, name.bytes, name.length);
    memcpy(member->address, address.bytes, address.length);
    members->count++;
    return target_read(&target, member->address, NULL) == 0;
}

int members_read(struct chat_members *members, const char *standard, struct error *error)
{
    const char *held = config_text("SERVERS", standard);
    const char *at = held;

    *members = (struct chat_members){0};
    for (;;) {
        size_t length = strcspn(at, ",");
        if (!add(members, at, length)) {
            return refuse(error, held);
        }
        if (at[length] == '\0') {
            return 0;
        }
        at += length + 1;
    }
}
