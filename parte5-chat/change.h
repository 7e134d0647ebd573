/* One write: what a client asked for, and what the servers store, replicate and hand over.
 *
 * A change never changes once it is made, so it is shared by counting references: the state, the messages to several
 * backups and the record on its way to the disk are the same one. */
#ifndef ORDEM_CHANGE_H
#define ORDEM_CHANGE_H

#include "common/text.h"

#include <stdint.h>

#define CHANGE_NO_SEQ 0 /* places count from 1 */

/* code, name in files and logs */
#define CHANGE_TYPES(X)                                                                                      \
    X(CHANGE_REGISTER, "register")                                                                           \
    X(CHANGE_LOGIN, "login")                                                                                 \
    X(CHANGE_CHANNEL, "channel")                                                                             \
    X(CHANGE_SUBSCRIBE, "subscribe")                                                                         \
    X(CHANGE_LEAVE, "leave")                                                                                 \
    X(CHANGE_PUBLISH, "publish")                                                                             \
    X(CHANGE_MESSAGE, "message")                                                                             \
    X(CHANGE_REIGN, "reign") /* nobody's: a new primary begins with it; see replication.c */

enum change_type {
#define X(code, name) code,
    CHANGE_TYPES(X)
#undef X
        CHANGE_TYPE_COUNT
};

struct change {
    unsigned references;
    enum change_type type;
    struct text
        request_id;     /* the client's, the same in every retry: the text of a UUID. CHANGE_REIGN has none */
    struct text user;   /* who asks; of CHANGE_CHANNEL perhaps nobody */
    struct text target; /* the channel; of CHANGE_MESSAGE the receiver; else nothing */
    struct text body;   /* what is said; of CHANGE_REGISTER the password's hash, never the password */
    int64_t timestamp_ms; /* since the epoch, by the clock of the server that took it. No rule reads it */
    int64_t clock;        /* Lamport's */

    int64_t seq;   /* its place among all changes, CHANGE_NO_SEQ before it has one, */
    int64_t epoch; /* and whose reign gave it that */
};

/* "login", "publish" … */
const char *change_type_name(enum change_type type);

/* A copy of `fields`, whose texts stay their owner's; the caller holds the one reference. */
struct change *change_new(const struct change *fields);

/* A copy that has its place; the caller holds its one reference. */
struct change *change_number(const struct change *change, int64_t seq, int64_t epoch);

/* Another holder; returns its argument. */
struct change *change_ref(struct change *change);

/* One holder less; the last one frees it. NULL is nothing. */
void change_unref(struct change *change);

/* A list of changes that holds a reference to each. Zeroed to start with. */
struct change_list {
    struct change **items;
    size_t count, capacity;
};

void change_list_add(struct change_list *list, struct change *change);

/* How many of a list whose places grow are below `seq`. */
size_t change_list_below(const struct change_list *list, int64_t seq);

void change_list_free(struct change_list *list);

#endif
