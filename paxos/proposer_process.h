/* The process around a proposer: what its files share; nobody else includes it.
 *
 *   proposer_main.c      starts, tells the time, ends
 *   proposer_messages.c  carries out what the role wants done, and gives it what others say
 *   proposer_clients.c   POST /propose: commands under way and who waits for them
 *   proposer_reading.c   reads: one, from the request to the answer
 *   proposer_batches.c   and many: once the role lets them through, a learner is asked
 *   proposer_status.c    what may be asked about it, and /debug/config
 *   proposer_state.c     its disk */
#ifndef ORDEM_PAXOS_PROPOSER_PROCESS_H
#define ORDEM_PAXOS_PROPOSER_PROCESS_H

#include "common/event.h"
#include "common/random.h"
#include "paxos/command_json.h"
#include "paxos/peers.h"
#include "paxos/process.h"
#include "paxos/proposer.h"
#include "paxos/proposer_state.h"

/* A name of 16 bytes or 8 is hashed as any text is. */
#define HASH_FUNCTION(key, length, hash)                                                                     \
    (hash) = (unsigned)random_hash((struct text){(const char *)(key), (length)})
#include <uthash.h>

#define PROPOSER_WINDOW      4     /* instances under way; all but the first of them full */
#define PROPOSER_WAIT_MS     10000 /* that somebody waits for a decision, or a read */
#define PROPOSER_SIGHTS      600 /* heartbeats that are remembered: a minute's, unless they are set otherwise */
#define PROPOSER_DRAWS       64
#define PROPOSER_TIME_MAX_MS 60000

/* Who waits for an answer. */
struct asker {
    struct http_exchange *exchange;
    struct asker *next;
};

/* A command under way here. */
struct asked {
    struct asked_name {
        uint64_t client, timestamp;
    } name;
    uint64_t since_ms;
    struct asker *askers; /* nobody, where the answer was 202 */
    UT_hash_handle hh;
};

/* A read under way here. */
struct reading {
    uint64_t token;
    struct http_exchange *exchange; /* NULL once it was told that it takes too long */
    uint64_t since_ms;
    bool is_stale;
    struct text resource; /* no bytes for PRINT; owned */
    struct reading *next; /* of its batch */
    UT_hash_handle hh;    /* while it waits to be let through */
};

/* Reads that one learner is asked in one request. */
struct read_batch {
    uint64_t tag;
    uint32_t tried; /* the set of learners that were asked */
    size_t count;
    struct reading *readings, *last; /* in the order of the request */
    struct buffer body;
    UT_hash_handle hh;
};

/* At that moment all before `first` was decided, and it was news. */
struct sight {
    uint64_t at_ms, first;
};

struct proposer_stats {
    uint64_t submitted, joined, decided, unknown, refused, redirected, late;
    uint64_t instances, reads, reads_stale, reads_failed;
    uint64_t elections, step_downs, bad_replies;
};

struct proposer_process {
    struct process process;
    struct proposer proposer;
    struct proposer_state state;
    struct paxos_actions actions;
    struct peers acceptors, proposers, learners;
    uv_timer_t clock;  /* some times per heartbeat */
    uv_check_t turn;   /* all that came in one turn of the loop was submitted */
    bool disk_is_well; /* what was last said about it */

    bool gathers;          /* the next instance waits, until */
    size_t gather_wanted;  /* so many commands do, or */
    uv_timer_t gather_due; /* time is up */
    unsigned gather_rest;  /* so many instances do not wait */

    struct asked *asked; /* a hash table, the oldest first */
    struct reading *readings;
    struct read_batch *batches; /* that learners were asked, likewise */
    uint64_t last_token, last_tag;

    struct sight sights[PROPOSER_SIGHTS]; /* a ring */
    size_t sights_count, sights_next;

    struct json_object object; /* of what peers and learners answer */
    struct buffer bytes;       /* the canonical form of a command */
    struct buffer text;        /* of a query, a path, a message that is sent */
    uint64_t draws[PROPOSER_DRAWS];
    size_t draws_left;
    uint64_t checkpoint_at_ms;
    struct proposer_stats stats;
    struct discards discards; /* answers that cannot be read */
};

struct proposer_process *proposer_of(struct process *process);

/* proposer_main.c */
bool proposer_logs_commands(const struct proposer_process *proposer);
uint64_t proposer_draw(struct proposer_process *proposer);
void proposer_set_clock(struct proposer_process *proposer);

/* proposer_messages.c */
void proposer_perform(struct proposer_process *proposer);
void messages_answered(struct peers *peers, struct peer *peer, const struct peer_reply *reply);
void messages_log_sent(struct proposer_process *proposer);
void post_heartbeat(struct process *process, struct http_exchange *exchange,
                    const struct http_request *request, struct text id);
void post_fetch(struct process *process, struct http_exchange *exchange, const struct http_request *request,
                struct text id);

/* proposer_clients.c */
void post_propose(struct process *process, struct http_exchange *exchange, const struct http_request *request,
                  struct text id);
void clients_tell(struct proposer_process *proposer, const struct paxos_action *action);
void clients_refuse(struct proposer_process *proposer, struct http_exchange *exchange, uint32_t leader,
                    struct text query);
void clients_tick(struct proposer_process *proposer, uint64_t now_ms);
void clients_leave(struct proposer_process *proposer);

/* proposer_gather.c */
void gather_open(struct proposer_process *proposer);
void gather_begin(struct proposer_process *proposer, size_t answered);
bool gather_is_over(struct proposer_process *proposer);
void gather_close(struct proposer_process *proposer);

/* proposer_reading.c */
extern const char reading_bad_answer[];
void reading_begin(struct proposer_process *proposer, struct http_exchange *exchange,
                   const struct operation *operation, bool is_stale, struct text query);
void reading_free(struct reading *reading);
void reading_fail(struct proposer_process *proposer, struct reading *reading, const char *sentence);
void reading_reply(struct proposer_process *proposer, struct reading *reading, uint64_t applied,
                   struct text item);
void reading_refused(struct proposer_process *proposer, const struct paxos_action *action);
void reading_see(struct proposer_process *proposer, uint64_t now_ms);
void reading_tick(struct proposer_process *proposer, uint64_t now_ms);
void reading_leave(struct proposer_process *proposer);

/* proposer_batches.c */
void batches_send_one(struct proposer_process *proposer, struct reading *reading);
void batches_let_through(struct proposer_process *proposer, const struct paxos_actions *actions);
void batches_answered(struct peers *peers, struct peer *peer, const struct peer_reply *reply);

/* proposer_status.c */
void proposer_write_status(struct process *process, struct buffer *out);
void proposer_write_stats(struct process *process, struct buffer *out);
void get_leader_status(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id);
void post_debug_config(struct process *process, struct http_exchange *exchange,
                       const struct http_request *request, struct text id);

#endif
