/* A replica of the resources: read one, write all, by two-phase commit. See store.c for what a store does, and
 * coordinator.c for who tells it to. */
#ifndef ORDEM_PAXOS_STORE_H
#define ORDEM_PAXOS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum store_answer {
    STORE_READY,  /* the write is on its disk, and it will do as it is told */
    STORE_BUSY,   /* another write of that resource waits for its outcome */
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

struct store_resource {
    char *name;
    char *data; /* NULL before the first commit */
    size_t length;
    uint64_t version, timestamp; /* version 0: never written */

    char *pending; /* what it was ready for, if pending_number is not 0 */
    size_t pending_length;
    uint64_t pending_number, pending_timestamp, pending_since_ms;
};

struct store {
    struct store_resource *resources; /* by name */
    size_t count, capacity;
    bool serves; /* may answer reads: false from its start until it is synchronised */
};

/* Every change is to be made durable before its answer leaves. */

void store_init(struct store *store);
void store_free(struct store *store);

enum store_answer store_prepare(struct store *store, const char *name, const struct store_write *write,
                                uint64_t now_ms);
enum store_answer store_commit(struct store *store, const char *name, uint64_t number);
enum store_answer store_abort(struct store *store, const char *name, uint64_t number);

/* What another store has; only what is newer counts. Once all has come, `serves` may be set. */
void store_synchronize(struct store *store, const char *name, const struct store_write *write);

/* The resource; NULL if there is none. */
const struct store_resource *store_find(const struct store *store, const char *name);

/* The first resource from place `from` on whose pending write has waited for `patience_ms`: any coordinator is to be asked
 * for its outcome. NULL if there is none. */
const struct store_resource *store_in_doubt(const struct store *store, size_t from, uint64_t now_ms,
                                            uint64_t patience_ms);

#endif
