/* A replica of the resources: read one, write all, by two-phase commit. See store.c for what a store does, and
 * coordinator.c for who tells it to. */
#ifndef ORDEM_PAXOS_STORE_H
#define ORDEM_PAXOS_STORE_H

#include "paxos/resources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_PENDING_MAX 4096 /* writes that wait for their outcome, of all coordinators */

enum store_answer {
    STORE_READY,  /* the write is on its disk, and it will do as it is told */
    STORE_BUSY,   /* too many writes wait for their outcome */
    STORE_DONE,   /* committed, now or before; or aborted */
    STORE_UNKNOWN /* it was never ready for that write: it must synchronise */
};

/* A write, numbered by its place in the order that the learners apply: the version that the resource will have. */
struct store_write {
    uint64_t number;    /* from 1 */
    uint64_t timestamp; /* the client's, milliseconds since the epoch */
    const char *data;
    size_t length;
};

/* What the store said ready to, and waits to be told the outcome of. */
struct store_pending {
    char *name;
    char *data;
    size_t length;
    uint64_t number, timestamp, since_ms;
};

struct store {
    struct resources resources;     /* as they were last committed */
    struct store_pending *pendings; /* in no order */
    size_t pending_count, pending_capacity;
    uint64_t complete; /* every write up to this one is committed here, or a later one of its resource is */
    bool serves;       /* may answer reads: false from its start until it is synchronised */
};

/* Every change is to be made durable before its answer leaves. */

void store_init(struct store *store);
void store_free(struct store *store);

/* Several writes may wait on one resource: two learners drive the same writes, and one of them may be ahead. */
enum store_answer store_prepare(struct store *store, const char *name, const struct store_write *write,
                                uint64_t now_ms);
enum store_answer store_commit(struct store *store, const char *name, uint64_t number);
enum store_answer store_abort(struct store *store, const char *name, uint64_t number);

/* Coordinators send writes in batches without gaps. Does one that begins with `first` follow what this store has? If not,
 * it missed something: it may not serve until it is synchronised. */
bool store_follows(const struct store *store, uint64_t first);

/* All of a batch was committed, or all up to `last` was synchronised (`first` is 1 then). */
void store_completed(struct store *store, uint64_t first, uint64_t last);

/* What another store or a learner has; only what is newer counts. Once all has come, store_completed is to be told. */
void store_synchronize(struct store *store, const char *name, const struct store_write *write);

/* A learner says how far it has finished, from time to time: the store serves if it has all of that, and must synchronise if
 * not (false). Nothing else sets `serves`. */
bool store_compare(struct store *store, uint64_t finished);

/* May it answer a read that must see every write up to `number`? A store that was left out does not know it at once: who
 * asks must say what it has to have. */
bool store_may_read(const struct store *store, uint64_t number);

/* The resource as it was last committed; NULL if it never was. */
const struct resource *store_find(const struct store *store, const char *name);

/* Of the writes that the store is ready for, the one of that number; NULL if there is none. */
const struct store_pending *store_find_pending(const struct store *store, uint64_t number);

/* The first pending write from place `from` on that has waited for `patience_ms`: any coordinator is to be asked for its
 * outcome. NULL if there is none. */
const struct store_pending *store_in_doubt(const struct store *store, size_t from, uint64_t now_ms,
                                           uint64_t patience_ms);

#endif
