/* What the clients of a run saw: for every request one line before it is sent and one line when it has ended, all in
 * one file and in the order in which it happened.
 *
 *   invoke    message_uuid sender_id command_type key value        sender_id: the node that is asked, which takes the
 *                                                                  command as its own; or the client itself, where any
 *                                                                  member will do
 *   complete  message_uuid status seq epoch value command_type key latency_us reason
 *
 * Of the chat also what its clients say and hear, message by message, and what its listeners hear (as in
 * parte5-chat/trace.h), from one `start` of theirs on:
 *
 *   send, receive    message_id service clock
 *   deliver, discard message_uuid sender_id command_type key value seq epoch ordem_local
 *
 * The status is "ok"; "error", where it is certain that the request had no effect: it was never sent, or was refused;
 * or "unknown", where it may have had one: nothing came back. `value` is what a GET read. */
#ifndef ORDEM_CLIENT_LOG_H
#define ORDEM_CLIENT_LOG_H

#include "common/error.h"
#include "common/lab/client_reply.h"
#include "common/lab/workload.h"
#include "common/log.h"
#include "common/uuid.h"

#include <stdbool.h>
#include <stdint.h>

struct client_log {
    struct log log;
    char path[4200];
};

/* One request. */
struct invocation {
    char client[40];    /* who asks, and waits for the answer before it asks again: client1, or client1.7 */
    const char *sender; /* in whose name: the node's that is asked, or its own; not owned */
    const char *type;   /* where it is neither a SET nor a GET: what the part calls it; static, or NULL */
    struct uuid uuid;
    struct workload_command command;
    uint64_t started_ns; /* uv_hrtime */
};

/* Starts an empty log. ERROR_FILE. */
int client_log_open(struct client_log *log, const char *path, struct error *error);

void client_log_invoke(struct client_log *log, const struct invocation *invocation);

/* The request has ended. */
void client_log_complete(struct client_log *log, const struct invocation *invocation,
                         const struct client_outcome *outcome);

/* A message, in these bytes, with Lamport's clock after that. */
void client_log_said(struct client_log *log, const char *client, const char *service, struct text bytes,
                     int64_t clock);
void client_log_heard(struct client_log *log, const char *client, const char *service, struct text bytes,
                      int64_t clock);

/* What was published, as a listener heard it. */
struct client_hearing {
    const char *listener, *type;
    struct text uuid, sender, target, said;
    int64_t seq, epoch; /* 0: it does not say */
    uint64_t number;    /* from 1; 0: it was heard before */
};

void client_log_listen(struct client_log *log, const char *listener, const char *part);
void client_log_hearing(struct client_log *log, const struct client_hearing *hearing);

/* A client will send no more of its commands: how many of them, and why. */
void client_log_give_up(struct client_log *log, const char *client, unsigned commands, const char *reason);

void client_log_close(struct client_log *log);

#endif
