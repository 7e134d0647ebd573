/* A server of the chat: the rules (chat.c, replication.c, bully.c or lease.c) between sockets and a disk.
 *
 *     server_main.c       settings, the loop, time, leaving
 *     server_replicated.c what is so only where every server has its own data, and
 *     server_shared.c     where all share a volume: compare the two
 *     server_questions.c  what clients ask, and the answers
 *     server_askers.c     who waits for an answer
 *     server_accounts.c   who may ask, where there are passwords,
 *     server_tokens.c     and for whom
 *     server_peers.c      what servers, and the reference server, say to each other
 *     server_notes.c      what the replication says, gathered
 *     server_clocks.c     its clock, and how it is kept near those of the others
 *     server_disk.c       a disk that takes nothing any more
 *     server_actions.c    what the rules want done: nothing leaves before what it rests on is on the disk */
#ifndef ORDEM_CHAT_SERVER_H
#define ORDEM_CHAT_SERVER_H

#include "parte5-chat/bad_network.h"
#include "parte5-chat/berkeley.h"
#include "parte5-chat/bully.h"
#include "parte5-chat/lease.h"
#include "parte5-chat/lock_file.h"
#include "parte5-chat/members.h"
#include "parte5-chat/process.h"
#include "parte5-chat/replication.h"
#include "parte5-chat/server_accounts.h"
#include "parte5-chat/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct outgoing;
struct asker;
struct server;

/* Where the two ways to put a chat together differ. Each has these functions, in this order, in a file of its own. */
struct composition {
    bool leader_only; /* who does not lead has nothing to answer from */

    /* Before the log is open. */
    int (*read_settings)(struct server *, struct error *);
    /* The disk, and then the rules. */
    int (*open_store)(struct server *, struct error *);
    void (*start_rules)(struct server *);
    /* Where all servers look; NULL: there is no such place. Not owned. */
    const char *(*common_folder)(const struct server *);
    /* All but the publisher. */
    int (*open_sockets)(struct server *, struct error *);

    void (*tick)(struct server *, uint64_t now_ms, struct coordinations *out);
    void (*hear)(struct server *, const struct notice *, struct coordinations *out);
    /* May this server take a write at this moment, as far as the coordination knows? */
    bool (*may_serve)(const struct server *);
    /* Does a server that does not lead have all that was acknowledged? */
    bool (*is_current)(const struct server *);
    /* Passes a question on to who leads. False: nobody is known to. */
    bool (*pass_on)(struct server *, const struct text *frames, size_t count);

    /* Asked before and after a commit: does what this server writes count? If not, nothing may leave that rests on it. */
    bool (*keeps)(const struct server *);

    /* The coordination says so. */
    void (*lead)(struct server *, int64_t epoch);
    void (*step_down)(struct server *);
    /* The disk takes nothing, and `chat` is what it holds. False: there is no going on like that. */
    bool (*suspend)(struct server *);
    /* About to stop, with everything on the disk. */
    void (*leave)(struct server *, struct coordinations *out);
    void (*close)(struct server *);
};

/* A leader reads the volume in a thread of its own, and renews its lease meanwhile. */
struct taking_over {
    uv_work_t work;
    bool busy;
    int64_t fence; /* of the reign that it is for */

    /* The thread's, while it is busy. */
    const char *volume;             /* not owned */
    struct log_options log_options; /* its log is its own: the server's is not for two threads */
    struct log log;
    struct store store;
    struct chat chat;
    int code;
    struct error error;
};

/* The machine's clock, made wrong on purpose (CLOCK_DRIFT_MS, CLOCK_DRIFT_PPM), and put near the others' again. */
struct server_clock {
    int64_t drift_ms;  /* so far is it ahead when the server starts, */
    int64_t drift_ppm; /* and from then on it gains so many microseconds in each second */
    int64_t since_us;
    struct berkeley_member member;
    int64_t epoch, round;   /* in which it was corrected last */
    struct berkeley rounds; /* where this server is the coordinator */
};

enum server_disk {
    DISK_TAKES,
    DISK_FULL,
    DISK_LOST, /* nobody knows what it holds: see store.h */
};

struct server {
    const struct composition *composition; /* not owned */
    struct process process;
    struct chat_members members;
    unsigned self; /* its number */
    uint64_t timeout_ms, heartbeat_ms, patience_ms;

    struct zmq_socket
        clients; /* ZMQ_DEALER at the broker: [client][][question], and the same with the answer */
    struct zmq_socket publisher; /* ZMQ_PUB at the proxy: [topic][publication] */
    struct zmq_socket reference; /* ZMQ_DEALER at the reference server: [][question] */
    struct zmq_socket listener;  /* ZMQ_ROUTER: what other servers say to this one; see server_peers.c */
    struct zmq_socket peers[SERVERS_MAX + 1]; /* ZMQ_DEALER, by number: what this one says to them */

    struct chat chat;
    struct bully bully;
    struct replication replication;
    struct store store;
    enum server_disk disk;
    uint64_t disk_since_ms, next_try_ms; /* it takes nothing since, and is tried again then */
    bool mute; /* and so this server takes no part in the election and the replication */
    struct server_clock clock;
    uint64_t recorded;          /* changes that clients asked for, since it started */
    uv_prepare_t commit;        /* before the loop waits */
    struct bad_network network; /* on the way from other servers and the reference server */
    uint64_t next_heartbeat_ms;
    bool ranked; /* the reference server knows it */

    struct asker *askers;        /* a uthash table: who waits for a write, by request id; owned */
    struct outgoing *outgoing;   /* a list: what is sent after the next commit; owned */
    struct change_list answered; /* by what is in that list */
    struct replication_note gathered[SERVERS_MAX + 1]; /* for these peers, */
    uint64_t gathering;                                /* a set */
    int64_t told_seq[SERVERS_MAX + 1];                 /* the last change that each was told of */

    struct server_accounts accounts;

    /* With a shared volume. */
    struct lease lease;
    struct lock_file lock;
    bool lock_owes;                /* what leader.lock holds is not known: ask again, */
    struct coordination lock_owed; /* this */
    struct log_limit lock_failures;
    int64_t followed; /* the fence of the leader that the log has told of */
    struct taking_over taking_over;
    char broker[PROCESS_ENDPOINT_MAX]; /* where `clients` is connected to, while this server leads */

    struct chat_message heard, said;
    struct buffer encoded;
};

#define SERVER_BROKER "127.0.0.1:5556" /* where BROKER is unset */

/* ---- server_main.c ---- */

int server_main(void);

extern const struct zmq_options server_clients_options;

/* What is stored bears times; the logical clock must not go back behind them. */
void server_restore_clock(struct server *server);
void server_ignore_message(struct zmq_socket *socket, const struct text *frames, size_t count);

/* ---- server_questions.c ---- */

/* A question came: the last frame is the question, those before it lead back to who asks. `passed`: another server, which
 * does not lead, passed it on. */
void server_hear_question(struct server *server, const struct text *frames, size_t count, bool passed);

/* Says why not to the question in `server->heard`; `frames` is the way back. */
void server_refuse(struct server *server, const struct text *frames, size_t count, const char *why);

/* May it take writes at this moment? */
bool server_leads(const struct server *server);

/* Takes the write that the question in `server->heard` asks for, as who leads; `frames` is the way back. */
void server_take_write(struct server *server, const struct change *asked, const struct text *frames,
                       size_t count);

/* A question for who leads, which this server does not. */
void server_pass_or_refuse(struct server *server, const struct text *frames, size_t count, bool passed);

/* ---- server_askers.c ---- */

/* Whoever asked what is in `server->heard` waits for the write with that request id; `frames` is the way back. False: too
 * many wait already. */
bool server_remember_asker(struct server *server, struct text request_id, bool named_it,
                           const struct text *frames, size_t count);

void server_forget_asker(struct server *server, struct text request_id);

/* A write has taken effect: tells who waits for it. */
void server_answer_write(struct server *server, struct change *change);

/* Forgets those who wait; with `all` false only those that have waited for long: they ask again. */
void server_forget_askers(struct server *server, bool all);

/* Forgets those who wait, and tells those whose request left no trace in the chat why not. */
void server_refuse_askers(struct server *server, const char *why);

/* ---- server_peers.c ---- */

void server_hear_peer(struct server *server, const struct text *frames, size_t count);

/* Which server these came from; false if that is none, or none that says so. */
bool server_peer_name(struct server *server, const struct text *frames, size_t count, struct text *name);

void server_hear_reference(struct server *server, const struct text *frames, size_t count);
void server_send_notice(struct server *server, unsigned to, const struct notice *notice);
void server_ask_reference(struct server *server);
void server_announce(struct server *server);
bool server_pass_to_peer(struct server *server, unsigned to, const struct text *frames, size_t count);

/* Sends `server->said`, if there is such a peer. */
void server_say_to_peer(struct server *server, unsigned to, enum chat_direction direction);

/* ---- server_notes.c ---- */

/* Sends it after the next commit, perhaps as one with others; copied. */
void server_send_note(struct server *server, unsigned to, const struct replication_note *note);

/* What was gathered for this peer goes before anything that is said to it now. */
void server_flush_notes(struct server *server, unsigned to);

/* Nothing of what was gathered is said any more. */
void server_drop_notes(struct server *server);

/* Of what was gathered, that goes which need not wait. */
void server_end_turn_of_notes(struct server *server);

/* ---- server_replicated.c ---- */

extern const struct composition server_replicated;

/* ---- server_shared.c ---- */

extern const struct composition server_shared;

/* The lease wants to know what leader.lock holds, perhaps after it has been written. */
void server_ask_lock(struct server *server, const struct coordination *action);

/* ---- server_clocks.c ---- */

int server_read_clock_settings(struct server *server, struct error *error);

/* What this server's clock shows: milliseconds since the epoch. */
int64_t server_now_ms(const struct server *server);

/* It leads from now on. */
void server_begin_clock_rounds(struct server *server);

/* It leads, and a client asked it something: every so many, clocks are compared. */
void server_count_message(struct server *server);

/* `server->heard` came from a server. False: it is not about clocks. */
bool server_hear_clock(struct server *server, enum chat_direction direction);

/* Time passed. */
void server_tick_clocks(struct server *server);

/* What the clock shows at the end. */
void server_log_clock(struct server *server);

/* ---- server_disk.c ---- */

/* A commit did not succeed: goes on without writing, or ends. */
void server_suspend(struct server *server, int code, const struct error *error);

/* Tries, now and then, whether there is room again. */
void server_tick_disk(struct server *server, uint64_t now_ms);

/* Why a write is refused at this moment. */
const char *server_why_not(const struct server *server);

/* ---- server_actions.c ---- */

void server_do_coordination(struct server *server, struct coordinations *list);
void server_do_replication(struct server *server, struct replication_actions *list);
void server_hear_notice(struct server *server, const struct notice *notice);
void server_log_epoch(struct server *server, const char *event, const char *state, int64_t epoch);

/* Sends it after the next commit; copied. */
void server_send(struct server *server, struct zmq_socket *to, const struct text *frames, size_t count);

/* What was given to server_send last rests on the changes up to this one only. If these are on the disk already, it does
 * not wait for others. */
void server_rests_on(struct server *server, int64_t seq);

/* As server_send, for `server->said` behind `count` frames, stamped and encoded. */
void server_say(struct server *server, struct zmq_socket *to, const struct text *frames, size_t count,
                enum chat_direction direction, enum chat_encoding encoding);

/* Writes what is to be on the disk, and then sends what waited for that. */
void server_commit(struct server *server);

/* Nothing of what waits is sent any more. */
void server_drop_outgoing(struct server *server);

#endif
