/* Was this command applied before? Per client, the last timestamp that was: a client has one command under way at a time
 * and its timestamps grow, so that one number is enough (van Renesse and Altinbuken 2015, section 4: at-most-once). Part
 * of the replicated state: what one learner takes for a repetition, each of them must. */
#ifndef ORDEM_PAXOS_SESSIONS_H
#define ORDEM_PAXOS_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session {
    uint64_t client, timestamp;
};

struct sessions {
    struct session *items; /* by client */
    size_t count, capacity;
};

/* Notes the command; false if it, or a later one of its client, was noted before. */
bool sessions_note(struct sessions *sessions, uint64_t client, uint64_t timestamp);

void sessions_copy(struct sessions *to, const struct sessions *from);
void sessions_free(struct sessions *sessions);

#endif
