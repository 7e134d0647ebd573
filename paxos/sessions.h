/* Was this command applied before? The last SESSIONS_KEPT commands, whoever sent them, by client and timestamp exactly: no
 * order of timestamps is asked of a client, and one that has many commands under way is as good as any (van Renesse and
 * Altinbuken 2015, section 4: at most once). What is older is forgotten: a retry that comes SESSIONS_KEPT commands after
 * its first is taken for a new command. Part of the replicated state: what one learner takes for a repetition, each of
 * them must, so that nothing here may depend on chance or on time. */
#ifndef ORDEM_PAXOS_SESSIONS_H
#define ORDEM_PAXOS_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SESSIONS_KEPT (UINT64_C(1) << 20) /* 24 MiB at most */

struct session {
    uint64_t client, timestamp;
};

/* Zeroed to start with. */
struct sessions {
    uint64_t noted;       /* how many commands ever */
    uint64_t forgotten;   /* how many of them are not known any more */
    struct session *ring; /* command n, from 1, at (n - 1) % capacity; owned, as what follows */
    uint32_t *next; /* of each in the ring: the next in its bucket, as a place in the ring from 1; 0 ends */
    uint32_t *buckets; /* `capacity` of them: the first in each */
    size_t capacity;   /* a power of two, or 0 */
};

/* Notes the command; false if it is known already, and then nothing changes. */
bool sessions_note(struct sessions *sessions, uint64_t client, uint64_t timestamp);

/* The command of that number, from `forgotten` + 1 to `noted`. */
struct session sessions_get(const struct sessions *sessions, uint64_t number);

/* Of empty ones: so many commands were noted and forgotten before those that will be noted now. */
void sessions_forget(struct sessions *sessions, uint64_t noted);

void sessions_copy(struct sessions *to, const struct sessions *from);
void sessions_free(struct sessions *sessions);

#endif
