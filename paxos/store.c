/* When may a store show a write?
 *
 * Rule: say ready only with the write on disk, and from then on do as the coordinator says, never as one thinks oneself
 * (Gray 1978, "Notes on Data Base Operating Systems", two-phase commit).
 *
 * Guarantees: a resource's version only grows; a write is shown only once it is committed; prepare, commit and abort may
 * come twice. Does not guarantee: an end to waiting by itself. A store that said ready is in doubt until it is told; but
 * the writes are in Paxos's log, so every learner knows them and any of them can tell: a coordinator that dies between the
 * phases blocks nobody (Gray and Lamport 2006, "Consensus on Transaction Commit").
 *
 * To break it: leave the comparison with `version` in store_prepare out, and let a prepare come late. */
#include "paxos/store.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

void store_init(struct store *store)
{
    *store = (struct store){0};
}

static void free_pending(struct store_pending *pending)
{
    free(pending->name);
    free(pending->data);
}

void store_free(struct store *store)
{
    resources_free(&store->resources);
    for (size_t i = 0; i < store->pending_count; i++) {
        free_pending(&store->pendings[i]);
    }
    free(store->pendings);
    *store = (struct store){0};
}

/* ---- resources ---- */

const struct resource *store_find(const struct store *store, const char *name)
{
    return resources_find(&store->resources, text_of(name));
}

static uint64_t version_of(const struct store *store, const char *name)
{
    const struct resource *resource = store_find(store, name);
    return resource == NULL ? 0 : resource->version;
}

/* ---- pending writes ---- */

static struct store_pending *find_pending(const struct store *store, uint64_t number)
{
    for (size_t i = 0; i < store->pending_count; i++) {
        if (store->pendings[i].number == number) {
            return &store->pendings[i];
        }
    }
    return NULL;
}

const struct store_pending *store_find_pending(const struct store *store, uint64_t number)
{
    return find_pending(store, number);
}

static void drop_pending(struct store *store, struct store_pending *pending)
{
    free_pending(pending);
    *pending = store->pendings[--store->pending_count];
}

/* Writes of a resource that is beyond them already have had their outcome. */
static void drop_passed(struct store *store, const char *name, uint64_t version)
{
    for (size_t i = store->pending_count; i-- > 0;) {
        if (store->pendings[i].number <= version && strcmp(store->pendings[i].name, name) == 0) {
            drop_pending(store, &store->pendings[i]);
        }
    }
}

const struct store_pending *store_in_doubt(const struct store *store, size_t from, uint64_t now_ms,
                                           uint64_t patience_ms)
{
    for (size_t i = from; i < store->pending_count; i++) {
        const struct store_pending *pending = &store->pendings[i];
        if (now_ms >= pending->since_ms && now_ms - pending->since_ms >= patience_ms) {
            return pending;
        }
    }
    return NULL;
}

/* ---- the two phases ---- */

/* Phase 1. What it has already, it is ready for. */
enum store_answer store_prepare(struct store *store, const char *name, const struct store_write *write,
                                uint64_t now_ms)
{
    if (write->number <= version_of(store, name) || find_pending(store, write->number) != NULL) {
        return STORE_READY;
    }
    if (store->pending_count >= STORE_PENDING_MAX) {
        return STORE_BUSY;
    }
    store->pendings = memory_grow(store->pendings, &store->pending_capacity, store->pending_count + 1,
                                  sizeof *store->pendings);
    store->pendings[store->pending_count++] =
        (struct store_pending){.name = memory_copy_text(name, strlen(name)),
                               .data = memory_copy_text(write->length > 0 ? write->data : "", write->length),
                               .length = write->length,
                               .number = write->number,
                               .timestamp = write->timestamp,
                               .since_ms = now_ms};
    return STORE_READY;
}

/* Phase 2. */
enum store_answer store_commit(struct store *store, const char *name, uint64_t number)
{
    if (number <= version_of(store, name)) {
        return STORE_DONE;
    }
    struct store_pending *pending = find_pending(store, number);
    if (pending == NULL || strcmp(pending->name, name) != 0) {
        return STORE_UNKNOWN;
    }
    resources_set(&store->resources, &(struct resource){.name = text_of(name),
                                                        .data = {pending->data, pending->length},
                                                        .version = number,
                                                        .timestamp = pending->timestamp});
    drop_passed(store, name, number);
    return STORE_DONE;
}

/* Phase 2, where some store was not ready. What was never ready needs no undoing. */
enum store_answer store_abort(struct store *store, const char *name, uint64_t number)
{
    struct store_pending *pending = find_pending(store, number);

    if (pending != NULL && strcmp(pending->name, name) == 0) {
        drop_pending(store, pending);
    }
    return STORE_DONE;
}

/* ---- coming back ---- */

bool store_follows(const struct store *store, uint64_t first)
{
    return first <= store->complete + 1;
}

void store_completed(struct store *store, uint64_t first, uint64_t last)
{
    if (store_follows(store, first) && last > store->complete) {
        store->complete = last;
    }
}

/* What others committed is committed: also a write that this store is in doubt about, and those before it. */
void store_synchronize(struct store *store, const char *name, const struct store_write *write)
{
    resources_set(&store->resources, &(struct resource){.name = text_of(name),
                                                        .data = {write->data, write->length},
                                                        .version = write->number,
                                                        .timestamp = write->timestamp});
    drop_passed(store, name, version_of(store, name));
}

bool store_compare(struct store *store, uint64_t finished)
{
    store->serves = store->complete >= finished;
    return store->serves;
}

bool store_may_read(const struct store *store, uint64_t number)
{
    return store->serves && store->complete >= number;
}
