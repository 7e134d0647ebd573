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

void store_free(struct store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        free(store->resources[i].name);
        free(store->resources[i].data);
        free(store->resources[i].pending);
    }
    free(store->resources);
    *store = (struct store){0};
}

/* ---- finding ---- */

/* Where the resource is, or would be. */
static size_t find_place(const struct store *store, const char *name)
{
    size_t low = 0;
    size_t high = store->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(store->resources[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct store_resource *find(const struct store *store, const char *name)
{
    size_t place = find_place(store, name);

    if (place < store->count && strcmp(store->resources[place].name, name) == 0) {
        return &store->resources[place];
    }
    return NULL;
}

const struct store_resource *store_find(const struct store *store, const char *name)
{
    return find(store, name);
}

static struct store_resource *find_or_add(struct store *store, const char *name)
{
    struct store_resource *resource = find(store, name);

    if (resource == NULL) {
        size_t place = find_place(store, name);
        store->resources =
            memory_grow(store->resources, &store->capacity, store->count + 1, sizeof *store->resources);
        resource = &store->resources[place];
        memmove(resource + 1, resource, (store->count - place) * sizeof *resource);
        *resource = (struct store_resource){.name = memory_copy_text(name, strlen(name))};
        store->count++;
    }
    return resource;
}

/* ---- the two phases ---- */

static void drop_pending(struct store_resource *resource)
{
    free(resource->pending);
    resource->pending = NULL;
    resource->pending_number = 0;
}

/* Phase 1. What it has already, it is ready for. */
enum store_answer store_prepare(struct store *store, const char *name, const struct store_write *write,
                                uint64_t now_ms)
{
    struct store_resource *resource = find_or_add(store, name);

    if (write->number <= resource->version || write->number == resource->pending_number) {
        return STORE_READY;
    }
    if (resource->pending_number != 0) {
        return STORE_BUSY;
    }
    resource->pending = memory_copy_text(write->length > 0 ? write->data : "", write->length);
    resource->pending_length = write->length;
    resource->pending_number = write->number;
    resource->pending_timestamp = write->timestamp;
    resource->pending_since_ms = now_ms;
    return STORE_READY;
}

/* Phase 2. */
enum store_answer store_commit(struct store *store, const char *name, uint64_t number)
{
    struct store_resource *resource = find(store, name);

    if (resource != NULL && number <= resource->version) {
        return STORE_DONE;
    }
    if (resource == NULL || number == 0 || resource->pending_number != number) {
        return STORE_UNKNOWN;
    }
    free(resource->data);
    resource->data = resource->pending;
    resource->length = resource->pending_length;
    resource->version = number;
    resource->timestamp = resource->pending_timestamp;
    resource->pending = NULL;
    resource->pending_number = 0;
    return STORE_DONE;
}

/* Phase 2, where some store was not ready. What was never ready needs no undoing. */
enum store_answer store_abort(struct store *store, const char *name, uint64_t number)
{
    struct store_resource *resource = find(store, name);

    if (resource != NULL && number != 0 && resource->pending_number == number) {
        drop_pending(resource);
    }
    return STORE_DONE;
}

/* ---- coming back ---- */

/* What others committed is committed: also a write that this store is in doubt about, and those before it. */
void store_synchronize(struct store *store, const char *name, const struct store_write *write)
{
    struct store_resource *resource = find_or_add(store, name);

    if (write->number > resource->version) {
        free(resource->data);
        resource->data = memory_copy_text(write->length > 0 ? write->data : "", write->length);
        resource->length = write->length;
        resource->version = write->number;
        resource->timestamp = write->timestamp;
    }
    if (resource->pending_number != 0 && resource->pending_number <= resource->version) {
        drop_pending(resource);
    }
}

const struct store_resource *store_in_doubt(const struct store *store, size_t from, uint64_t now_ms,
                                            uint64_t patience_ms)
{
    for (size_t i = from; i < store->count; i++) {
        const struct store_resource *resource = &store->resources[i];
        if (resource->pending_number != 0 && now_ms >= resource->pending_since_ms &&
            now_ms - resource->pending_since_ms >= patience_ms) {
            return resource;
        }
    }
    return NULL;
}
