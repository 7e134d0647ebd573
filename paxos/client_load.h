/* A load: operations at a rate, on keys drawn at random, and how long they took. It does not wait for one answer before the
 * next question (an open loop), up to LOAD_FLIGHT_MAX of them: what cannot be asked in time is left out, and counted. */
#ifndef ORDEM_PAXOS_CLIENT_LOAD_H
#define ORDEM_PAXOS_CLIENT_LOAD_H

#include "common/buffer.h"
#include "common/json.h"
#include "common/random.h"
#include "paxos/asker.h"
#include "paxos/client_request.h"
#include "paxos/latencies.h"

#define LOAD_FLIGHT_MAX     256
#define LOAD_RATE_MAX       20000 /* operations a second */
#define LOAD_OPERATIONS_MAX (UINT64_C(1) << 40)
#define LOAD_KEYS_MAX       1000000
#define LOAD_SIZE_MAX       65536 /* bytes of a value */
#define LOAD_TURN_MS        5     /* how often it is looked whether something is due */

struct load_item;

struct client_load_settings {
    uint64_t rate;       /* operations a second */
    uint64_t operations; /* altogether; 0: until it is stopped */
    uint64_t keys;
    double read_share; /* from 0 to 1 */
    uint64_t size;     /* bytes of a value */
};

struct client_load {
    /* Set before client_load_open. */
    struct asker *asker;
    struct client_identity *identity;
    uint64_t timeout_ms;
    void (*on_answer)(struct client_load *, const struct client_operation *, const struct ask_answer *);
    void (*on_end)(struct client_load *); /* all that was asked is answered */

    struct client_load_settings settings;
    bool running; /* it still asks */
    uint64_t sent, done, failed, left_out;
    struct latencies latencies; /* of those that were done */

    /* What follows is the implementation's. */

    uv_timer_t timer;
    uint64_t started_ns;
    struct random random;
    struct load_item *items; /* under way: a list, owned */
    struct load_item *spare;
    unsigned in_flight;
    struct buffer value; /* of settings.size, a JSON string */
    struct buffer resource, request;
};

void client_load_open(struct client_load *load, uv_loop_t *loop);

/* Reads {"rate", "operations", "keys", "readShare", "size"}, each of which may be left out. ERROR_FIELD_TYPE,
 * ERROR_FIELD_VALUE. */
int client_load_read(struct client_load_settings *settings, const struct json_object *object,
                     struct error *error);

/* Begins to ask, counting anew. It must not be running. */
void client_load_start(struct client_load *load, const struct client_load_settings *settings);

/* Asks no more; what is under way is still answered. */
void client_load_stop(struct client_load *load);

/* Adds members for /status: "running", "done", "failed", "leftOut", "inFlight", "p50Us", "p99Us", …, each behind a comma. */
void client_load_write(const struct client_load *load, struct buffer *out);

/* Once the asker is closed: nothing is under way then. */
void client_load_close(struct client_load *load);

/* Once the loop has run the close callbacks. */
void client_load_free(struct client_load *load);

#endif
