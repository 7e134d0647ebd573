/* What clients ask of the key-value service, and what it answers, as JSON. Pure. */
#ifndef ORDEM_KV_REQUEST_H
#define ORDEM_KV_REQUEST_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/json.h"
#include "common/message.h"
#include "common/text.h"
#include "common/uuid.h"

#include <stdbool.h>
#include <stdint.h>

/* One that is well formed; its texts point into the object that it was read with, or into itself. */
struct kv_request {
    struct text key;     /* without bytes for Print */
    struct buffer value; /* canonical JSON; empty but for Set; owned, its memory is reused */
    struct uuid uuid;    /* message_uuid in lower case; "" where the client gave none */
    bool wait;
};

/* Reads a request into `request`, which is zeroed before the first one. Members that it does not know mean nothing.
 * Errors: those of json_object_read; ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE and what
 * message_check_key refuses, with the member's name; ERROR_TOO_LONG, where the command would not fit
 * MESSAGE_STREAM_MAX. */
int kv_request_read(struct kv_request *request, enum command_type type, struct json_object *object,
                    struct text text, struct error *error);

void kv_request_free(struct kv_request *request);

/* What a reply says. */
struct kv_reply {
    bool ok;                           /* status "ok", else "error" */
    const char *message;               /* for people */
    struct text local_value, snapshot; /* JSON text; without bytes where the reply has none */
    int64_t seq;                       /* MESSAGE_NO_SEQ where it has none */
    int64_t epoch;                     /* likewise, MESSAGE_NO_EPOCH */
    const char *leader;                /* NULL where it names none */
};

/* Adds the reply of the node of that name, as one JSON object. */
void kv_reply_write(struct buffer *out, struct text node, const struct kv_reply *reply);

#endif
