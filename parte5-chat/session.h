/* A client's side of the chat: one question at a time, asked again until there is an answer, and what it subscribed to. */
#ifndef ORDEM_CHAT_SESSION_H
#define ORDEM_CHAT_SESSION_H

#include "common/uuid.h"
#include "parte5-chat/names.h"
#include "parte5-chat/process.h"
#include "parte5-chat/tokens.h"

#include <stdbool.h>
#include <stdint.h>

#define SESSION_TRIES 10 /* time-outs, until nobody is said to answer */

struct session {
    struct process *process;     /* not owned */
    struct zmq_socket questions; /* ZMQ_DEALER at the broker: [][question], [][answer] */
    struct zmq_socket publications;
    enum chat_encoding encoding;
    uint64_t timeout_ms; /* of each try */
    char (*topics)[NAME_MAX_LENGTH +
                   1]; /* owned: what it subscribed to. ZeroMQ's topics are beginnings of topics */
    size_t topic_count, topic_capacity;

    bool asking;
    struct uuid request_id; /* the same in every try: however often it arrives, it takes effect once */
    enum chat_service service;
    uint64_t retry_at_ms, give_up_at_ms;
    struct buffer question; /* as it is sent, also again */
    uint64_t asked_us;      /* when it was sent first, by the monotonic clock */
    struct chat_message heard;
    struct token token; /* of the last login: every question bears it; "" where there are no passwords */

    /* The question is answered; NULL: nobody did. Another may be asked from within. */
    void (*on_answer)(struct session *, const struct chat_message *answer);
    void (*on_publication)(struct session *, const struct chat_message *publication);
};

/* Reads BROKER, PROXY, ENCODING and REQUEST_TIMEOUT_MS, and connects. The callbacks are set already. */
int session_open(struct session *session, struct process *process, struct error *error);

/* Asks, while nothing is being asked. The request id, timestamp, clock and token are the session's business.
 * ERROR_TOO_LONG. */
int session_ask(struct session *session, struct chat_message *question, struct error *error);

int session_subscribe(struct session *session, struct text topic, struct error *error);
void session_unsubscribe(struct session *session, struct text topic);

/* Time passed. */
void session_tick(struct session *session, uint64_t now_ms);

/* Closes the sockets. */
void session_close(struct session *session);

/* When the process has ended. */
void session_free(struct session *session);

#endif
