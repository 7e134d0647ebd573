/* What a client of the cluster asks for, and what became of it, as JSON. Pure. */
#ifndef ORDEM_PAXOS_CLIENT_REQUEST_H
#define ORDEM_PAXOS_CLIENT_REQUEST_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/json.h"
#include "common/text.h"
#include "common/uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define CLIENT_SHORT_MAX 240 /* bytes of a value in a history */

/* Who asks. A timestamp is given once, so that (clientId, timestamp) names a command. */
struct client_identity {
    char id[80];        /* "client-1.5f1d7a70": another one each time that the program starts */
    const char *notify; /* "host:port" of who is told when a command is applied; NULL for nobody; not owned */
    uint64_t last_stamp; /* microseconds since the epoch, or one more than the last */
};

/* Names the client, with something of a random UUID. */
void client_identity_init(struct client_identity *identity, const char *name, const struct uuid *uuid);

/* One command. Its texts are somebody else's. */
struct client_operation {
    struct text operation; /* "SET", "GET", "PRINT", … */
    struct text resource;  /* JSON; no bytes at all where there is none */
    struct text data;      /* likewise */
    bool stale;            /* a read may be answered with what a learner has, without asking the acceptors */
};

/* Reads {"operation", "resource", "data", "stale"}: whether the cluster knows the operation is its business. Only as long
 * as `object` is. `scratch` is for the texts. Errors: ERROR_FIELD_MISSING, ERROR_FIELD_TYPE. */
int client_operation_read(struct client_operation *operation, const struct json_object *object,
                          struct buffer *scratch, struct error *error);

/* The path to ask it at; static. */
const char *client_operation_path(const struct client_operation *operation);

/* Adds the body that a proposer takes, under a new timestamp: `now_us`, or one more than the last. */
void client_operation_write(struct buffer *out, struct client_identity *identity,
                            const struct client_operation *operation, int64_t now_us);

/* A proposer's answer, or that there was none. */
struct client_result {
    int status;           /* of HTTP */
    struct text body;     /* the proposer's, JSON */
    const char *error;    /* a sentence, in place of a body; NULL if there is one */
    const char *proposer; /* its address; NULL if none answered */
    unsigned tries;
    uint64_t latency_us;
};

/* Adds it as one JSON object: the members of the proposer's answer, {"error"} where it is not understood or there is none,
 * and "proposer", "tries" and "latencyUs". With `brief` long values are cut and become strings. `object` is for reading.
 * Returns whether the command was carried out. */
bool client_result_write(struct buffer *out, const struct client_result *result, bool brief,
                         struct json_object *object);

/* Adds JSON text, cut to CLIENT_SHORT_MAX bytes and then a string. */
void client_write_brief(struct buffer *out, struct text json);

#endif
