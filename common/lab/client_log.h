/* What the clients of a run saw: for every request one line before it is sent and one line when it has ended, all in
 * one file and in the order in which it happened.
 *
 *   invoke    message_uuid sender_id command_type key value        sender_id: the node that is asked
 *   complete  message_uuid status seq epoch value command_type key latency_us reason
 *
 * The status is "ok"; "error", where it is certain that the request had no effect: it was never sent, or was refused;
 * or "unknown", where it may have had one: nothing came back. `value` is what a GET read. */
#ifndef ORDEM_CLIENT_LOG_H
#define ORDEM_CLIENT_LOG_H

#include "common/error.h"
#include "common/json.h"
#include "common/lab/workload.h"
#include "common/log.h"
#include "common/uuid.h"

#include <stdbool.h>
#include <stdint.h>

enum client_status { CLIENT_OK, CLIENT_ERROR, CLIENT_UNKNOWN };

struct client_log {
    struct log log;
    char path[4200];
    struct json_object reply, value; /* being read; their memory is reused */
    struct buffer json;
};

/* One request. */
struct invocation {
    char client[40];  /* who asks, and waits for the answer before it asks again: client1, or client1.7 */
    const char *node; /* who is asked; not owned */
    struct uuid uuid;
    struct workload_command command;
    uint64_t started_ns; /* uv_hrtime */
};

/* Starts an empty log. ERROR_FILE. */
int client_log_open(struct client_log *log, const char *path, struct error *error);

void client_log_invoke(struct client_log *log, const struct invocation *invocation);

/* The request has ended with a status of gRPC, and a reply or a sentence; `sent` as in grpc_client.h. */
enum client_status client_log_complete(struct client_log *log, const struct invocation *invocation,
                                       int grpc_status, struct text reply, bool sent);

/* A client will send no more of its commands: how many of them, and why. */
void client_log_give_up(struct client_log *log, const char *client, unsigned commands, const char *reason);

void client_log_close(struct client_log *log);

#endif
