/* Who leads, among those who elect one of them: asked of each when it matters, as nobody else knows for certain. */
#ifndef ORDEM_LEADER_FINDER_H
#define ORDEM_LEADER_FINDER_H

#include "common/error.h"
#include "common/json.h"
#include "common/net/http_client.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define LEADER_NOBODY UINT32_MAX

enum finder_state { FINDER_IDLE, FINDER_ASKS, FINDER_KNOWS };

struct finder_link {
    struct leader_finder *finder;
    struct http_client client;
    struct http_call call;
};

/* Zeroed to start with. */
struct leader_finder {
    struct finder_link *links; /* owned */
    unsigned count, open;
    unsigned waiting; /* answers that are still to come */
    enum finder_state state;
    unsigned leader;         /* FINDER_KNOWS: from 0; LEADER_NOBODY if nobody says that it leads */
    uint64_t round;          /* of its ballot */
    struct json_object body; /* of an answer, */
    struct json_object ballot;

    void (*on_closed)(struct leader_finder *);
};

/* Prepares to ask `count` proposers, whose services are at these ports of 127.0.0.1. on_closed is set already; it is to be
 * closed also on failure. ERROR_CONFIG. */
int leader_finder_open(struct leader_finder *finder, uv_loop_t *loop, const uint16_t *ports, unsigned count,
                       struct error *error);

/* Asks all of them, at GET /status, and again until one says that it leads: to be called often. True once it is known, and
 * then that is forgotten again: the next call asks anew. Of two that say that they lead, the one with the higher ballot
 * does. */
bool leader_finder_poll(struct leader_finder *finder, unsigned *leader);

/* on_closed comes later, or at once if nothing is open. */
void leader_finder_close(struct leader_finder *finder);
void leader_finder_free(struct leader_finder *finder);

#endif
