/* What the files clients*.c share; nobody else includes it. */
#ifndef ORDEM_CLIENTS_PARTS_H
#define ORDEM_CLIENTS_PARTS_H

#include "common/lab/clients.h"

#define CLIENTS_NOBODY UINT32_MAX

/* How commands reach a group: by gRPC, by HTTP, or through the chat's broker. */
struct clients_protocol {
    /* Prepares a client's connections, each of which counts in clients->open. ERROR_CONFIG. */
    int (*open)(struct client *client, uv_loop_t *loop, struct error *error);

    /* Whom the client will ask first, from 0; CLIENTS_NOBODY if everybody who could be asked is lost. */
    unsigned (*choose)(const struct client *client, const struct workload_command *command);

    /* Makes of the slot's command what this part has instead; NULL: nothing. */
    void (*prepare)(struct client_slot *slot);

    /* Sends the slot's invocation; clients_end_slot is called later, never during this call. */
    void (*send)(struct client_slot *slot);

    /* Time has passed for a slot that is busy. */
    void (*turn)(struct client_slot *slot);

    /* Does what comes before the first command, called until it is true; NULL: nothing does. */
    bool (*greet)(struct clients *clients);

    /* Ends what is under way and closes the connections; clients_close_one is called for each of them. */
    void (*close)(struct client *client);

    void (*free)(struct client *client);

    bool own_name; /* a command is its client's own, and not the node's that is asked */
};

extern const struct clients_protocol clients_grpc, clients_http, clients_chat;

/* The slot's command has ended so; `timed_out` where nobody answered in time. */
void clients_end_slot(struct client_slot *slot, const struct client_outcome *outcome, bool timed_out);

void clients_close_one(struct clients *clients);

#endif
