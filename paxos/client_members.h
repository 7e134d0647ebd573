/* The members of the cluster as a client sees them: their status and the important lines of their logs, asked for about once
 * a second and only while somebody looks, however many look; and questions that somebody asks a member through it. */
#ifndef ORDEM_PAXOS_CLIENT_MEMBERS_H
#define ORDEM_PAXOS_CLIENT_MEMBERS_H

#include "common/clock.h"
#include "common/json.h"
#include "paxos/client_history.h"
#include "paxos/peers.h"
#include "paxos/process.h"

#define MEMBERS_POLL_MS   1000
#define MEMBERS_LOOK_MS   4000  /* after somebody looked */
#define MEMBERS_WAIT_MS   1000  /* that a member has to answer */
#define MEMBERS_ASKED_MAX 64    /* questions of others under way */
#define MEMBERS_STATUS    16384 /* bytes of a status; of a larger one nothing is shown */

enum member_state { MEMBER_UNKNOWN, MEMBER_UP, MEMBER_DOWN };

struct member {
    enum member_state state;
    struct buffer status;                  /* JSON, as it told last; kept when it is down */
    uint64_t status_ms;                    /* uv_now, when it told */
    bool polled, read;                     /* its status, its log: asked for and not answered yet */
    char log_path[80];                     /* where its log goes on; "" until something of it is known */
    char log_after[CLOCK_TEXT_LENGTH + 1]; /* the time of its last line that is known */
};

/* Those of one role. */
struct member_role {
    struct peers peers;
    struct client_members *members;
    struct member items[PAXOS_MEMBERS_MAX]; /* items[i] is number i + 1 */
};

struct member_question;

struct client_members {
    struct process *process;
    struct member_role roles[5];
    struct client_history lines;       /* of their logs, in the order in which they were told */
    struct member_question *questions; /* under way: a list, owned */
    unsigned question_count;
    uint64_t last_tag;
    uint64_t looked_ms, polled_ms; /* uv_now; 0 for never */
    struct json_object object;
};

/* Reads PROPOSERS, ACCEPTORS, LEARNERS, STORES and CLIENTS, each of which may be missing. ERROR_CONFIG. */
int client_members_open(struct client_members *members, struct process *process, struct error *error);

/* Somebody looks. */
void client_members_look(struct client_members *members);

/* To be called often. */
void client_members_tick(struct client_members *members);

/* Adds an array with what is known of each. */
void client_members_write(const struct client_members *members, struct buffer *out);

/* Answers with what the member of that name answers to GET `path` (static). */
void client_members_ask(struct client_members *members, struct http_exchange *exchange, struct text name,
                        const char *path);

/* The address of this process among the clients, as the others know it; NULL if they do not. */
const char *client_members_address(const struct client_members *members);

/* Once the process has run. */
void client_members_free(struct client_members *members);

#endif
