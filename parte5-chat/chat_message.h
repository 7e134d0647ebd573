/* What the processes of the chat say to each other, as bytes and as a struct.
 *
 * On the wire a message is a map, in MessagePack or, with the same shape, in JSON; the first byte tells which:
 *
 *     {"service": "publish", "data": {"timestamp": 1763689000250, "clock": 42, "request_id": "5f1d7a70-9f0d-…",
 *                                     "user": "ana", "channel": "geral", "message": "bom dia"}}
 *
 * An answer has the service of its question. chat_message_table.c says which fields each service has, in the question
 * and in the answer; what is not listed there is ignored, and a field that is null counts as absent. Of a name that
 * comes twice the last counts. Numbers are whole; one that came as a float is taken if it is (JavaScript writes large
 * ones so), and of a `timestamp` the fraction is dropped.
 *
 * Messages of other authors may lack `timestamp` and `clock`: both are 0 then, which no clock is put forward by. */
#ifndef ORDEM_CHAT_MESSAGE_H
#define ORDEM_CHAT_MESSAGE_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/text.h"
#include "parte5-chat/change.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHAT_MESSAGE_MAX  (1024 * 1024)     /* bytes, to and from clients */
#define CHAT_QUESTION_MAX (192 * 1024)      /* bytes: a text of nothing but \u0000, and more */
#define CHAT_NOTE_MAX     (2 * 1024 * 1024) /* bytes, between servers: REPLICATION_CHANGES_MAX of the longest */
#define CHAT_PASSWORD_MAX 1024              /* bytes */
#define CHAT_TOKEN_MAX    4096              /* bytes */
#define CHAT_REASON_MAX   1024              /* bytes of a description */

/* Why a write is refused between two primaries: who asks is to ask again a little later. */
#define CHAT_NO_PRIMARY "no primary at this moment: try again"

/* Why it is refused where nobody can write. */
#define CHAT_DISK_FULL "the disk is full: nothing is written until there is room again"
#define CHAT_DISK_LOST "the disk fails: nothing is written any more"

/* Why a question is refused where there are passwords: a login or register that brings none, or anything else without a
 * token, or with one that is not, or no more, valid. */
#define CHAT_PASSWORD_NEEDED "a password is needed"
#define CHAT_LOGIN_AGAIN     "no valid token: log in"

enum chat_encoding { CHAT_MESSAGEPACK, CHAT_JSON };

/* A question and what is published have one set of fields, an answer has another. */
enum chat_direction { CHAT_REQUEST, CHAT_ANSWER };

/* code, name on the wire */
#define CHAT_SERVICES(X)                                                                                     \
    /* clients ask servers */                                                                                \
    X(SERVICE_LOGIN, "login")                                                                                \
    X(SERVICE_REGISTER, "register")                                                                          \
    X(SERVICE_USERS, "users")                                                                                \
    X(SERVICE_CHANNEL, "channel")                                                                            \
    X(SERVICE_CHANNELS, "channels")                                                                          \
    X(SERVICE_SUBSCRIBE, "subscribe")                                                                        \
    X(SERVICE_LEAVE, "leave")                                                                                \
    X(SERVICE_PUBLISH, "publish")                                                                            \
    X(SERVICE_MESSAGE, "message")                                                                            \
    X(SERVICE_HISTORY, "history")                                                                            \
    X(SERVICE_TIME, "time")                                                                                  \
    /* servers publish */                                                                                    \
    X(SERVICE_PUBLICATION, "publication")                                                                    \
    X(SERVICE_PRIVATE_MESSAGE, "private_message")                                                            \
    X(SERVICE_SERVERS, "servers")                                                                            \
    /* servers ask the reference server */                                                                   \
    X(SERVICE_RANK, "rank")                                                                                  \
    X(SERVICE_LIST, "list")                                                                                  \
    X(SERVICE_HEARTBEAT, "heartbeat")                                                                        \
    /* servers ask each other */                                                                             \
    X(SERVICE_CLOCK, "clock")                                                                                \
    X(SERVICE_CORRECT, "correct")                                                                            \
    X(SERVICE_ELECTION, "election")                                                                          \
    /* notes of the replication: nobody waits for an answer, one that is due is a note itself */             \
    X(SERVICE_REPLICATE_LOGIN, "replicate_login")                                                            \
    X(SERVICE_REPLICATE_CHANNEL, "replicate_channel")                                                        \
    X(SERVICE_REPLICATE_PUBLISH, "replicate_publish")                                                        \
    X(SERVICE_REPLICATE_MESSAGE, "replicate_message")                                                        \
    X(SERVICE_REPLICATE_CHANGES, "replicate_changes") /* others, or several: also the state transfer */      \
    X(SERVICE_REPLICATE_ASK, "replicate_ask")                                                                \
    X(SERVICE_REPLICATE_ANSWER, "replicate_answer")                                                          \
    X(SERVICE_REPLICATE_FETCH, "replicate_fetch")                                                            \
    X(SERVICE_REPLICATE_ACK, "replicate_ack")                                                                \
    X(SERVICE_REPLICATE_REFUSE, "replicate_refuse")                                                          \
    X(SERVICE_REPLICATE_PING, "replicate_ping")                                                              \
    X(SERVICE_ERROR, "error") /* answers what has no service that we know */

enum chat_service {
#define X(code, name) code,
    CHAT_SERVICES(X)
#undef X
        SERVICE_COUNT,
};

enum chat_status {
    STATUS_NONE,
    STATUS_OK,    /* "sucesso" or "OK", as the service has it; either is understood */
    STATUS_ERROR, /* "erro" */
};

/* An entry of the reference server's list. */
struct chat_rank {
    struct text name;
    int64_t rank;
};

struct chat_names {
    struct text *items; /* owned; the texts are not */
    size_t count, capacity;
};

struct chat_ranks {
    struct chat_rank *items; /* owned; the texts are not */
    size_t count, capacity;
};

/* Zeroed to start with, and used again for one message after another: it keeps its memory. A text without bytes is an
 * absent field, and so is, where a field may be absent, a number that is 0, a list that is empty and a flag that is not
 * set. What the fields mean is said where the rules have them (change.h, replication.h, coordination.h, berkeley.h). */
struct chat_message {
    enum chat_service service;
    enum chat_encoding encoding; /* it came in this one */

    int64_t timestamp_ms, clock; /* in every message */
    struct text request_id;      /* a UUID; the same in every retry and in the answer */
    struct text token;           /* the session's */

    struct text user, channel, source, receiver, password;
    struct text message;   /* what is said; of an answer to that, why not */
    int64_t limit, before; /* of a history */

    enum chat_status status; /* of an answer */
    struct text description;
    struct chat_names users, channels;
    struct change_list messages; /* a history: publications and private messages */

    int64_t time, round, add; /* of clocks, in milliseconds */
    struct text election;     /* "OK" */
    struct text coordinator;  /* a server's name */
    struct text name;
    int64_t rank;
    struct chat_ranks list;

    int64_t from, epoch, seq, last_epoch, committed, said_ms, after_seq, after_epoch; /* of a note */
    bool counted, whole;
    struct change_list changes;

    int64_t type; /* of one change: an enum change_type */
    struct text target, body;

    struct buffer unpacked; /* what came as JSON, as MessagePack: the texts point into it */
};

const char *chat_service_name(enum chat_service service);

/* Reads `bytes`, of which there may be `limit` (CHAT_MESSAGE_MAX, CHAT_NOTE_MAX). The texts stay valid until the next
 * read or chat_message_free, and as long as `bytes` are there.
 * Errors name the field and what is allowed: ERROR_TOO_LONG, ERROR_NOT_MESSAGEPACK, ERROR_NOT_JSON, ERROR_NOT_UTF8,
 * ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE. Then the message holds nothing but the encoding, the service
 * (SERVICE_ERROR if that is not known) and the request id, if that is valid: enough to answer with chat_message_refuse. */
int chat_message_decode(struct chat_message *message, enum chat_direction direction, struct text bytes,
                        size_t limit, struct error *error);

/* Adds the message's bytes to `out`. ERROR_TOO_LONG: more than `limit`; `out` is as it was. */
int chat_message_encode(const struct chat_message *message, enum chat_direction direction,
                        enum chat_encoding encoding, size_t limit, struct buffer *out, struct error *error);

/* Empties the message; it keeps its memory. */
void chat_message_clear(struct chat_message *message);
void chat_message_free(struct chat_message *message);

/* Makes `answer` the one that says no to `request`, and why; clock and timestamp are still to be set. The texts are not
 * copied. */
void chat_message_refuse(struct chat_message *answer, const struct chat_message *request, struct text reason);

#endif
