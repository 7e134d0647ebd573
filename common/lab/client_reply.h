/* What a client makes of an answer: is it done, surely not done, or may it have been done? Pure. */
#ifndef ORDEM_CLIENT_REPLY_H
#define ORDEM_CLIENT_REPLY_H

#include "common/json.h"
#include "common/lab/workload.h"

#include <stdbool.h>
#include <stdint.h>

enum client_status { CLIENT_OK, CLIENT_ERROR, CLIENT_UNKNOWN };

struct client_outcome {
    enum client_status status;
    char reason[200];   /* of what is not ok */
    int64_t seq, epoch; /* 0 where the answer has none */
    struct text value;  /* that a GET read: canonical JSON; without bytes where the answer has none */
};

/* What reading answers needs; zeroed to start with, reused from one to the next. */
struct client_replies {
    struct json_object reply, value;
    struct buffer json;
};

/* A call of gRPC ended with that status, and a reply or a sentence; `sent` as in grpc_client.h. The outcome's value is
 * valid until the next one is read. */
void client_reply_grpc(struct client_replies *replies, const struct workload_command *command, int status,
                       struct text reply, bool sent, struct client_outcome *outcome);

/* A proposer answered 200, with that body. Likewise. */
void client_reply_decided(struct client_replies *replies, const struct workload_command *command,
                          struct text body, struct client_outcome *outcome);

/* What is not ok, and why: `prefix`, and what of `text` fits behind it. */
void client_reply_say(struct client_outcome *outcome, enum client_status status, const char *prefix,
                      struct text text);

void client_replies_free(struct client_replies *replies);

#endif
