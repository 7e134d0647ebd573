/* What is on its way in a simulated chat: events by the time at which they happen; of two at one time the one that was
 * scheduled first. */
#ifndef ORDEM_CHAT_EVENTS_H
#define ORDEM_CHAT_EVENTS_H

#include "parte5-chat/coordination.h"
#include "parte5-chat/replication.h"

/* A client's request, or the answer to it. */
struct chat_request {
    unsigned client, number;
    unsigned attempt; /* in the request id only if the clients are broken */
    unsigned hops;    /* servers that passed it on */
    bool refused;     /* of an answer */
};

enum chat_event_kind {
    EVENT_TICK,        /* of server `to` */
    EVENT_NOTE,        /* for server `to`, or the volume */
    EVENT_NOTICE,      /* for server `to` */
    EVENT_HEARTBEAT,   /* at the reference server */
    EVENT_READ_LOCK,   /* at the volume */
    EVENT_SWAP_LOCK,   /* at the volume */
    EVENT_REQUEST,     /* at server `to` */
    EVENT_ANSWER,      /* at a client */
    EVENT_CLIENT,      /* a client has waited long enough */
    EVENT_PUBLICATION, /* at the subscriber */
    EVENT_FAULT,       /* it is time for one */
    EVENT_STALL,       /* all stands still */
    EVENT_RETURN,      /* server `to` starts again, goes on, or can be reached again */
};

struct chat_event {
    uint64_t at_ms, order;
    enum chat_event_kind kind;
    unsigned from, to; /* processes */
    unsigned life;     /* of a server: what is for an earlier life is lost */
    int64_t clock;     /* Lamport's, of what is a message; 0 of what is none */
    struct notice notice;
    struct replication_note note; /* owned, with its changes */
    struct lock found, wanted;
    struct chat_request request;
    struct change *change; /* a reference, or NULL */
};

/* A heap. Zeroed to start with. */
struct chat_events {
    struct chat_event **items; /* owned */
    size_t count, capacity;
    uint64_t added;
};

/* Takes over what the event owns. */
void chat_events_add(struct chat_events *events, const struct chat_event *event);

/* The next one; the caller frees it with chat_event_free. NULL if there is none. */
struct chat_event *chat_events_take(struct chat_events *events);

void chat_event_free(struct chat_event *event);
void chat_events_free(struct chat_events *events);

#endif
