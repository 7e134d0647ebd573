/* A connection to RabbitMQ that is kept: made in the background, and made again whenever it is lost.
 *
 * rabbitmq-c waits inside its calls, so each link has a thread of its own in which they may wait; the loop hands it
 * messages and takes deliveries, and never waits for it. Everything below is called, and every callback comes, on the
 * loop's thread.
 *
 * What the broker is to have (exchanges, queues, bindings) and what is to be consumed from it is a list of steps,
 * carried out at every connect. What exists already is joined as it is.
 *
 * A publish is done when the broker has confirmed it. What was not confirmed when a connection broke is published
 * again on the next one, in the same order: at least once, never lost. A delivery is the consumer's until it is
 * acknowledged; what was not when the connection broke is delivered again. */
#ifndef ORDEM_AMQP_LINK_H
#define ORDEM_AMQP_LINK_H

#include "common/error.h"
#include "common/log.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum amqp_step_type {
    AMQP_EXCHANGE, /* declare the fanout exchange `name` */
    AMQP_QUEUE,    /* declare the queue `name` */
    AMQP_BIND,     /* bind queue `name` to exchange `exchange` */
    AMQP_LOOK, /* hand out what waits in queue `name`, `looked_at`, and leave it there. Not while it is consumed */
    AMQP_CONSUME, /* consume queue `name`, with acknowledgements; begins when all other steps are done */
};

struct amqp_step {
    enum amqp_step_type type;
    const char *name, *exchange; /* at most 255 bytes; copied by amqp_link_open */
    unsigned max_length;         /* AMQP_QUEUE: messages that it keeps, the oldest go first; 0: all */
    /* AMQP_QUEUE: this connection's alone, and gone with it. Two that want one name are told apart so: the second is
     * refused, says so, and tries again. */
    bool exclusive;
};

struct amqp_options {
    /* AMQP_URL: amqp:// or amqps://, several separated by commas are tried in turn; not owned */
    const char *urls;
    bool durable;        /* AMQP_DURABLE: queues, exchanges and messages that survive the broker's restart */
    bool quorum;         /* AMQP_QUEUE_TYPE=quorum, else classic */
    unsigned window;     /* AMQP_WINDOW: publishes that wait for their confirm at once */
    unsigned prefetch;   /* AMQP_PREFETCH: deliveries that wait for their acknowledgement at once */
    unsigned heartbeat;  /* AMQP_HEARTBEAT: seconds */
    const char *ca_file; /* AMQP_CA_FILE: whom amqps:// trusts; NULL: the system's authorities; not owned */
};

#define AMQP_PENDING_MAX       20000 /* publishes that wait, confirmed or not; above that new ones are refused */
#define AMQP_PENDING_BYTES_MAX (64 * 1024 * 1024)

/* A publish under way. Embedded in, or owned by, whoever publishes; alive until on_done. */
struct amqp_publish {
    struct amqp_publish *prev, *next; /* the link's */

    /* `code` is 0 when the broker has it (and, if durable, has it on disk), ERROR_BROKER when it will never have it, or
     * when that is not known any more (the link was closed before the confirm). */
    void (*on_done)(struct amqp_publish *, int code);
};

struct amqp_delivery {
    struct text body, reply_to, queue; /* valid during the call */
    uint64_t tag, connection;          /* for amqp_link_ack; copy them */
    bool redelivered;
    bool looked_at; /* by AMQP_LOOK: it still is in its queue, and must not be acknowledged */
};

/* Told when it connects, when it is lost, and, while there is none, whenever there is a new reason why. */
struct amqp_connection_state {
    bool connected;
    bool queue_made; /* a queue that is consumed was not there before: what was sent until now is not in it */
    const char *broker; /* host:port; valid during the call, as is `reason` */
    const char *reason; /* why not connected, one sentence; NULL if it is */
};

struct amqp_thread;

struct amqp_link {
    struct log *log;
    const char *name; /* for the log: "publisher", "consumer"; not owned */
    uv_async_t wake;  /* the thread has something for us */
    uv_prepare_t flush;
    uv_timer_t patience; /* that acknowledgements, and later amqp_link_close, have */
    unsigned open_handles;
    struct amqp_thread *thread;     /* owned; NULL once it has ended */
    struct amqp_publish *publishes; /* a list, not owned: those that are not done yet, in order */
    size_t pending;                 /* how many they are */
    size_t pending_bytes;           /* copied for them */
    bool connected;
    bool closing;
    /* Set before opening, by whoever starts anew on each connection: what was not confirmed when one broke is not
     * published again, but done with ERROR_BROKER, while `connected` is false, before on_state. */
    bool forget;

    void (*on_state)(struct amqp_link *, const struct amqp_connection_state *); /* may be NULL */
    void (*on_delivery)(struct amqp_link *,
                        const struct amqp_delivery *); /* NULL where nothing is consumed */
    void (*on_closed)(struct amqp_link *);             /* after amqp_link_close; may be NULL */
};

/* Reads the AMQP_* variables. `standard_urls` holds where AMQP_URL is unset. ERROR_CONFIG. */
int amqp_options_read(struct amqp_options *options, const char *standard_urls, struct error *error);

/* Starts connecting; the callbacks and `forget` are set already. Every change of state is a log event (`connect`,
 * `disconnect`), without passwords. ERROR_CONFIG, ERROR_PROCESS: nothing is left open then, and on_closed never comes. */
int amqp_link_open(struct amqp_link *link, uv_loop_t *loop, struct log *log, const char *name,
                   const struct amqp_options *options, const struct amqp_step *steps, size_t step_count,
                   struct error *error);

/* Publishes to `exchange` ("" for the default one) with `routing_key`; `reply_to` may be empty. Bytes are copied.
 * Messages of one link reach the broker in the order of the calls. on_done comes later, never during the call.
 * Refused with ERROR_FULL when too much waits or the link is closing, ERROR_TOO_LONG when it would never fit; on_done
 * does not come then. */
int amqp_link_publish(struct amqp_link *link, struct amqp_publish *publish, const char *exchange,
                      const char *routing_key, struct text reply_to, struct text body, struct error *error);

/* The delivery was dealt with. Acknowledgements are gathered for some milliseconds; one of an earlier connection is
 * ignored (the broker delivers that message again). */
void amqp_link_ack(struct amqp_link *link, uint64_t connection, uint64_t tag);

/* Hands over what was acknowledged and published, then disconnects; publishes that are not confirmed within a second
 * get on_done with ERROR_BROKER. on_state and on_delivery come no more. on_closed comes after two seconds at most;
 * then the link's memory may go. */
void amqp_link_close(struct amqp_link *link);

#endif
