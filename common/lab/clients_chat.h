/* Clients of the chat: they ask through its broker, in its own messages, and hear through its proxy. What of a client does
 * one thing after the other (a slot) is a user of its own; what a client hears goes into the log of its listener.
 *
 * A user logs in, and the first one creates the channels, before the first command of any of them. A SET then is something
 * said in the channel that its key names, every fifth to another user alone; a GET asks for a channel's history. As users
 * do, it asks again under the same request id until somebody answers or its time is up. */
#ifndef ORDEM_CLIENTS_CHAT_H
#define ORDEM_CLIENTS_CHAT_H

#include "common/lab/clients_parts.h"
#include "common/net/zmq_socket.h"
#include "parte5-chat/chat_message.h"
#include "parte5-chat/lamport.h"

/* One user, who asks. */
struct chat_talk {
    struct client_slot *slot;
    struct zmq_socket socket; /* ZMQ_DEALER at the broker: [][question], [][answer] */
    struct lamport clock;
    struct invocation greeting; /* what it asks before its commands, one after the other: */
    unsigned greeted;           /* so many of them are answered */
    struct invocation *asking;  /* the greeting, or the slot's; NULL: nothing is being asked */
    struct buffer question;     /* as it is sent, also again; owned */
    uint64_t again_ms, deadline_ms;
    unsigned tries;
    struct chat_message heard;
};

/* What one client hears. */
struct chat_ear {
    struct client *client;
    struct zmq_socket socket; /* ZMQ_SUB at the proxy: [topic][publication] */
    struct lamport clock;
    char name[40];
    int64_t last_seq; /* the highest place that it has heard */
    uint64_t heard_count;
    struct chat_message heard;
};

/* ---- clients_listen.c ---- */

/* ERROR_CONFIG, ERROR_NETWORK, ERROR_PROCESS. */
int chat_ear_open(struct client *client, struct error *error);
void chat_ear_close(struct client *client);
void chat_ear_free(struct client *client);

#endif
