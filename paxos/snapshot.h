/* The state of a learner on its way to another, page by page:
 *
 *     POST /snapshot  {"after":7,"resource":"x","noted":12}
 *          200        {"learnerId":1,"instanceId":40,"commands":120,"first":1,"last":90,"writes":[…],
 *                      "noted":120,"forgotten":0,"from":13,"sessions":[client,timestamp,client,timestamp,…],"part":true}
 *
 * Resources come in the order of their versions and remembered commands in their own, so that what changes meanwhile comes
 * behind (resources.h), and the last page makes the whole the state as of that page. Pure. */
#ifndef ORDEM_PAXOS_SNAPSHOT_H
#define ORDEM_PAXOS_SNAPSHOT_H

#include "common/buffer.h"
#include "common/json.h"
#include "paxos/learner_state.h"
#include "paxos/sessions.h"
#include "paxos/writes.h"

#include <stdbool.h>
#include <stdint.h>

/* What has come so far. Zeroed to start with. */
struct snapshot {
    bool whole;        /* all pages are there */
    uint64_t instance; /* as of this one, once it is whole */
    struct learner_state state;
    struct sessions sessions;
    struct buffer name;   /* of the last resource that came */
    struct writes writes; /* of the page being read */
};

/* Asks for the next page. */
void snapshot_put_question(struct buffer *out, const struct snapshot *snapshot);

/* Answers a question with a page of this state, as of that instance. Errors: ERROR_FIELD_TYPE, ERROR_FIELD_VALUE; then
 * nothing is written. An empty question is for the first page. */
int snapshot_put_page(struct buffer *out, uint32_t learner, uint64_t instance,
                      const struct learner_state *state, const struct sessions *sessions,
                      const struct json_object *question, struct error *error);

/* Takes a page. Errors, after which the snapshot is only to be freed: ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_TOO_LONG,
 * and ERROR_FIELD_VALUE, also where the page does not go on where the one before it ended: the other learner may have
 * forgotten commands meanwhile. */
int snapshot_take_page(struct snapshot *snapshot, const struct json_object *page, struct error *error);

void snapshot_free(struct snapshot *snapshot);

#endif
