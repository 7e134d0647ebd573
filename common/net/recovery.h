/* How replicas of parts 3 and 4 help each other: over a fanout exchange beside that of the commands, which the original
 * systems do not know. Three kinds of JSON messages:
 *
 *     {"type":"ask","node":"node2","epoch":1,"from_seq":17}                to all: who has what I lack?
 *     {"type":"state","node":"node1","epoch":1,"seq":40,"snapshot":{…}}    to the one who asked: this is my store
 *     {"type":"leader","node":"node1","epoch":1,"seq":40}                  to all: I lead, and have come so far
 *
 * Every node has an exclusive queue there, named after it. It is also what keeps two nodes from having one name. */
#ifndef ORDEM_RECOVERY_H
#define ORDEM_RECOVERY_H

#include "common/error.h"
#include "common/json.h"
#include "common/net/amqp_link.h"
#include "common/text.h"

#include <stdint.h>

/* What such a message says. */
struct recovery_note {
    struct text node;
    int64_t epoch;
    int64_t seq;          /* "from_seq" of an ask */
    struct text snapshot; /* of a state: the store as JSON text */
    struct text reply_to; /* of an ask */
};

struct recovery {
    struct amqp_link *link; /* messages go out through it; not owned */
    struct text node;       /* this node; not owned */
    const char *exchange, *queue;
    struct json_object note; /* being read; its memory is reused */
    struct buffer out;

    void (*on_ask)(struct recovery *, const struct recovery_note *);
    void (*on_state)(struct recovery *, const struct recovery_note *);
    void (*on_leader)(struct recovery *, const struct recovery_note *);
    void (*on_echo)(struct recovery *); /* its own ask came back: all who are there have it; or NULL */
};

/* Each sends what its name says; what cannot be sent now is asked again by whoever still lacks it. */
void recovery_ask(struct recovery *recovery, int64_t epoch, int64_t from_seq);
void recovery_answer(struct recovery *recovery, struct text reply_to, int64_t epoch, int64_t seq,
                     struct text snapshot);
void recovery_announce(struct recovery *recovery, int64_t epoch, int64_t seq);

/* Something came to this node's queue: calls one of the three; or on_echo, for an ask of this node itself.
 * Errors: what is wrong with it (ERROR_NOT_JSON, ERROR_FIELD_…). */
int recovery_receive(struct recovery *recovery, const struct amqp_delivery *delivery, struct error *error);

void recovery_free(struct recovery *recovery);

#endif
