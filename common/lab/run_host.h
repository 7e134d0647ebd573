/* What runs share: the event loop, the signals that interrupt them, and the private RabbitMQ. */
#ifndef ORDEM_RUN_HOST_H
#define ORDEM_RUN_HOST_H

#include "common/error.h"
#include "common/lab/broker.h"
#include "common/term/progress.h"

#include <stdbool.h>
#include <uv.h>

struct run_host {
    uv_loop_t loop;
    uv_signal_t signals[3];
    uv_timer_t draw; /* of the progress of starting RabbitMQ */
    struct progress progress;
    struct broker broker;
    bool has_broker; /* `broker` is ours, and runs */
    const char *url; /* the brokers'; NULL if none was asked for, or as long as none is ready; not owned */
    unsigned interrupts;
    struct error error; /* why there is no broker any more */

    struct run *run; /* the one that is under way, if it is this program's own; NULL between runs */

    /* Set by whoever uses the host; NULL between runs. */
    void (*on_interrupt)(struct run_host *);
    void (*on_broker_ready)(struct run_host *);
    void (*on_broker_failed)(struct run_host *, const struct error *);
};

/* Opens the loop. With `brokers` above 0 also finds a broker: the one that AMQP_URL names, or else a private RabbitMQ of
 * so many nodes, with its scratch folder in `directory` if it can be there; returns when it is ready. Shows progress on a
 * terminal, and RabbitMQ's last words if it does not start. The user may interrupt it: `interrupts` is above 0 then.
 * Errors: those of broker_start, and its on_failed; nothing is open then. */
int run_host_open(struct run_host *host, const char *directory, unsigned brokers, struct error *error);

/* The same, but it does not wait for the broker: on_broker_ready or on_broker_failed, which the caller sets afterwards, tells
 * what comes of it, unless `url` is there at once. Shows no progress. */
int run_host_begin(struct run_host *host, const char *directory, unsigned brokers, struct error *error);

/* Turns the loop until `*done`. */
void run_host_turn_until(struct run_host *host, const bool *done);

/* Stops the broker, if it is ours, and closes everything. */
void run_host_close(struct run_host *host);

#endif
