/* The message of parts 1 to 4: one command on its way to every replica.
 *
 * On the wire it is one JSON object; unknown members are ignored:
 *
 *     {"command_type": "SET", "key": "x", "value": "1", "sender_id": "node1",
 *      "message_uuid": "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10", "timestamp": 1763689000.25, "seq": 7}
 *
 * A message never changes once it is made, so it is shared by counting references instead of being copied: the
 * network, a fault that delays it and a hold-back queue may all keep one. */
#ifndef ORDEM_MESSAGE_H
#define ORDEM_MESSAGE_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/text.h"
#include "common/uuid.h"

#include <stddef.h>
#include <stdint.h>

#define MESSAGE_KEY_MAX       256           /* bytes */
#define MESSAGE_SENDER_MAX    256           /* bytes */
#define MESSAGE_DATAGRAM_MAX  (60 * 1024)   /* bytes of an encoded message that must fit one UDP datagram */
#define MESSAGE_STREAM_MAX    (1024 * 1024) /* bytes of an encoded message anywhere else */
#define MESSAGE_TIMESTAMP_MAX 32            /* characters */
#define MESSAGE_NO_SEQ        (-1)
#define MESSAGE_NO_EPOCH      0 /* epochs count from 1 */

/* Levels of arrays and objects in a value. Python's json module gives up a little below 1000 in all, so that the
 * originals can read what is stored here; and a snapshot in a log is two levels deeper than the values in it. */
#define MESSAGE_VALUE_DEPTH_MAX 900

enum command_type { COMMAND_SET, COMMAND_GET, COMMAND_PRINT };

struct message {
    unsigned references;
    enum command_type command_type;
    struct text key;       /* 1 to MESSAGE_KEY_MAX bytes without control characters; no bytes for PRINT */
    struct text value;     /* canonical JSON of any kind; "null" where there is none */
    struct text sender_id; /* the node that a client gave the command to */
    struct text message_uuid;
    struct text
        timestamp; /* seconds since the epoch by the sender's clock, a JSON number digit for digit as it was
                            * written; "0" where there was none. No rule reads it: no clock orders anything here */
    int64_t seq;   /* its place in the total order; MESSAGE_NO_SEQ before it has one */
    int64_t epoch; /* the leader's that numbered it; MESSAGE_NO_EPOCH where there is none */
};

/* "SET", "GET", "PRINT". */
const char *command_type_name(enum command_type type);

/* What a key must be; `key` is named in the error. ERROR_FIELD_VALUE or ERROR_NOT_UTF8. */
int message_check_key(struct text key, struct error *error);

/* A copy of `fields`, whose texts stay their owner's; the caller holds the one reference. */
struct message *message_new(const struct message *fields);

/* A copy that has its place in the total order; the caller holds its one reference. */
struct message *message_number(const struct message *message, int64_t seq, int64_t epoch);

/* Another holder; returns its argument. */
struct message *message_ref(struct message *message);

/* One holder less; the last one frees it. NULL is nothing. */
void message_unref(struct message *message);

/* The wire format, behind what `out` holds. */
void message_encode(const struct message *message, struct buffer *out);

/* Reads the wire format, of at most `limit` bytes (MESSAGE_DATAGRAM_MAX or MESSAGE_STREAM_MAX).
 * Returns a message with one reference, or NULL and in `error` which field is wrong and what is allowed. */
struct message *message_decode(struct text bytes, size_t limit, struct error *error);

#endif
