/* The servers of a chat, as all its processes are told: SERVERS=server1=host:port,server2=host:port,… The number that the
 * rules have for a server is its place in this list, and its rank. */
#ifndef ORDEM_CHAT_MEMBERS_H
#define ORDEM_CHAT_MEMBERS_H

#include "common/error.h"
#include "common/text.h"
#include "parte5-chat/coordination.h"
#include "parte5-chat/names.h"

#define MEMBERS_ADDRESS_MAX 300

struct server_address {
    char name[NAME_MAX_LENGTH + 1];
    char address[MEMBERS_ADDRESS_MAX]; /* "host:port" */
};

struct chat_members {
    struct server_address items[SERVERS_MAX]; /* the server of number n is items[n - 1] */
    unsigned count;
};

/* Reads the setting; where it is unset, there is one server, `standard`. ERROR_CONFIG. */
int members_read(struct chat_members *members, const char *standard, struct error *error);

/* The number of that server; NO_SERVER if it is not one. */
unsigned members_find(const struct chat_members *members, struct text name);

#endif
