/* Primary and backups; see replication.c. */
#ifndef ORDEM_REPLICATION_H
#define ORDEM_REPLICATION_H

#include "parte5-chat/chat.h"
#include "parte5-chat/coordination.h"

#define REPLICATION_CHANGES_MAX 64 /* in one note: at most about a megabyte */

/* The peer that is no server: where servers share a volume, the primary replicates to that and to nobody else. Whoever
 * writes its files answers in its name, as a backup would. */
#define VOLUME 0

enum replication_note_type {
    NOTE_ASK,     /* who takes over, to all: I begin this epoch; how far are you? */
    NOTE_ANSWER,  /* so far; and I follow no earlier epoch any more */
    NOTE_FETCH,   /* I am so far: what comes after that? */
    NOTE_CHANGES, /* this does: to whoever fetched; and, as they happen, from the primary to its backups */
    NOTE_ACK,     /* of the primary's changes I have all up to `seq`, on disk */
    NOTE_REFUSE,  /* there is a later epoch than yours */
    NOTE_PING,    /* the primary, to all: I lead, and am so far */
};

/* `epoch` is the highest that its sender knew; (`seq`, `last_epoch`) its last change, or, of an ACK, one before. */
struct replication_note {
    enum replication_note_type type;
    unsigned from;
    int64_t epoch, seq, last_epoch;

    int64_t committed; /* of a PING: so far all has been acknowledged to clients; */
    bool counted;      /* and you get all changes; */
    int64_t
        said_ms; /* of an ACK: when it was said, by the backup's own clock; of a PING: when your last one was, if the
                        * primary waits for you since; 0 if it does not */

    bool
        whole; /* of CHANGES: they begin at the beginning; whoever gets them forgets all that it has. If not, */
    int64_t after_seq, after_epoch; /* they follow this one */
    struct change_list changes;     /* at most REPLICATION_CHANGES_MAX, their places growing */
};

enum replication_action_type {
    REPLICATION_SEND,    /* give `note` to peer `to` */
    REPLICATION_FORGET,  /* on disk there shall be nothing but what follows */
    REPLICATION_RECORD,  /* have `change` on disk before anything that follows */
    REPLICATION_PROMISE, /* have `note.epoch` on disk before anything that follows: no earlier one is obeyed */
    REPLICATION_ANSWER,  /* tell whoever waits for this request that it has taken effect */
    REPLICATION_PUBLISH,  /* tell the subscribers of `change`, if it is a publication or a message */
    REPLICATION_LEADING,  /* the takeover is done: announce the coordinator */
    REPLICATION_DEPOSED,  /* `note.epoch` is another's: forget who waits, and tell the coordination */
    REPLICATION_DROPPED,  /* peer `to` did not answer in time: the primary goes on without it */
    REPLICATION_RETURNED, /* peer `to` has all that it missed, and counts again */
};

struct replication_action {
    enum replication_action_type type;
    unsigned to;
    struct replication_note note; /* owned, with its changes */
    struct change *change;        /* a reference, or NULL */
};

/* What is to be done, in this order. Zeroed to start with. */
struct replication_actions {
    struct replication_action *items; /* owned */
    size_t count, capacity;
};

enum replication_role { ROLE_BACKUP, ROLE_TAKING_OVER, ROLE_PRIMARY };

/* How the primary stands with a peer. */
enum member_state {
    MEMBER_OUT,     /* it gets pings only */
    MEMBER_JOINING, /* it gets all changes, and nobody waits for it yet */
    MEMBER_COUNTED, /* no change is acknowledged to a client before this one has it */
};

struct replication_member {
    enum member_state state;
    int64_t acked;      /* it has all changes up to this one */
    uint64_t waited_ms; /* so long has it owed an acknowledgement */
    int64_t said_ms;    /* of its last one: when, by its own clock */
    bool answered;      /* in a takeover: it follows us, and has said how far it is: */
    int64_t seq, last_epoch;
};

struct replication_options {
    unsigned self;
    uint64_t peers;       /* a set, without this server */
    uint64_t patience_ms; /* a live peer answers sooner */
    bool never_drops;     /* of the volume: there is no going on without it */
    int64_t promised;     /* the last REPLICATION_PROMISE on the disk; 0 for none */
};

struct replication {
    struct replication_options options;
    struct chat *chat; /* not owned */
    enum replication_role role;
    int64_t epoch; /* the highest heard of */
    uint64_t last_tick_ms;

    /* primary */
    struct replication_member members[SERVERS_MAX + 1];
    int64_t reign_seq; /* where its own epoch begins */
    int64_t committed; /* so far all has been acknowledged to clients; a backup hears it */

    /* taking over */
    unsigned source; /* from whom it fetches; its own number: from nobody */
    uint64_t waited_ms;

    /* backup */
    unsigned primary;         /* whose notes count; its own number: nobody's */
    bool on_line;             /* what we have is a beginning of what the primary has */
    uint64_t fetching_ms;     /* an answer to a FETCH may still come for so long */
    uint64_t counts_until_ms; /* the primary acknowledges nothing without us before, by our own clock */
};

/* `chat` holds what is on the disk. */
void replication_init(struct replication *replication, const struct replication_options *options,
                      struct chat *chat, uint64_t now_ms);

/* The coordination says that this server leads, and with which epoch. It does once REPLICATION_LEADING comes. */
void replication_lead(struct replication *replication, int64_t epoch, struct replication_actions *out);

/* The coordination says that it leads no more. */
void replication_step_down(struct replication *replication);

/* The primary's last changes did not reach the disk, nobody has heard of them, and they are gone from the chat. Only for one
 * without peers. */
void replication_rewind(struct replication *replication);

/* Does it take writes? (And does the coordination agree? Ask both before each write.) */
bool replication_leads(const struct replication *replication);

/* Does this backup have all that was acknowledged before this moment? False also where it cannot know. */
bool replication_is_current(const struct replication *replication, uint64_t now_ms);

/* A client asked for `change`, perhaps again. 0: REPLICATION_ANSWER follows, now or later. Else it is refused, and
 * `error` says why: what chat_check does, or ERROR_NETWORK if this is not the primary. */
int replication_submit(struct replication *replication, struct change *change,
                       struct replication_actions *out, struct error *error);

/* A peer's note came; it stays the caller's. */
void replication_hear(struct replication *replication, const struct replication_note *note,
                      struct replication_actions *out);

/* Time passed: `now_ms` is milliseconds since some moment, and never goes back. */
void replication_tick(struct replication *replication, uint64_t now_ms, struct replication_actions *out);

void replication_actions_clear(struct replication_actions *actions);
void replication_actions_free(struct replication_actions *actions);
void replication_note_free(struct replication_note *note);

#endif
