/* An HTTP/1.1 connection on which many requests are under way at a time: they go out together, once in each turn of the
 * loop, and the answers come in the order of the requests (RFC 9112, section 9.3.2). So a request costs whoever measures
 * a server little more than its bytes.
 *
 * Whatever goes wrong ends the program: a measurement in which something failed is none. */
#ifndef ORDEM_BENCH_PIPELINE_H
#define ORDEM_BENCH_PIPELINE_H

#include "common/buffer.h"
#include "common/net/wire.h"
#include "common/text.h"

#include <llhttp.h>
#include <stdbool.h>
#include <uv.h>

/* A request under way. Owned by the caller, alive until on_answer. */
struct pipeline_ask {
    struct pipeline_ask *next;
    void (*on_answer)(struct pipeline_ask *, int status, struct text body); /* valid during the call */
};

struct pipeline {
    struct wire wire;
    llhttp_t parser;
    uv_connect_t connect;
    bool connected;
    const char *target;                /* not owned */
    struct buffer requests, body;      /* not sent yet; of the answer that is coming */
    struct pipeline_ask *first, *last; /* a list: who is still to be answered */
};

/* For all the pipelines of a loop. */
void pipeline_hub_open(struct wire_hub *hub, uv_loop_t *loop);

/* Begins to connect to an IPv4 address, "127.0.0.1:8001". The pipeline is zeroed, and stays where it is. */
void pipeline_open(struct pipeline *pipeline, struct wire_hub *hub, const char *target);

/* POSTs a body (copied) to a path. */
void pipeline_post(struct pipeline *pipeline, struct pipeline_ask *ask, const char *path, struct text body);

#endif
