/* Resources by name, and in the order of their versions: what a learner or a store has made of the writes so far.
 *
 * A write's number is the version of its resource, and nothing is ever removed, so that the resources beyond a version are
 * all that changed since. Who has everything up to one and takes those beyond it, page by page until there are no more, has
 * the state as of the last page, whatever was written meanwhile: a resource that is written again moves to the end. */
#ifndef ORDEM_PAXOS_RESOURCES_H
#define ORDEM_PAXOS_RESOURCES_H

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

#define RESOURCE_NAME_MAX 256 /* bytes, as the keys of parts 1 to 4 */

struct resource {
    struct text name;            /* owned, as is data */
    struct text data;            /* JSON */
    uint64_t version, timestamp; /* the timestamp is the client's, milliseconds since the epoch */
    struct resource *next;       /* by version; NULL for the last one */

    struct resource *prev; /* the first one's is the last one */
    struct resource *chain;
};

/* Zeroed to start with. */
struct resources {
    struct resource *first; /* the lowest version */
    size_t count;
    struct resource **buckets; /* by name; owned */
    size_t bucket_count;       /* a power of two, or 0 */
};

/* The resource of that name; NULL if it was never written. */
struct resource *resources_find(const struct resources *resources, struct text name);

/* Writes it. A version that is not higher than all is put into its place, which takes time: versions are expected to come
 * in their order. One that is not beyond the resource's own changes nothing. */
void resources_set(struct resources *resources, const struct resource *written);

/* The first resource beyond `version`; NULL if there is none. Where `name` is the resource that had that version, and has
 * it still, it is found at once; else by going back from the end. */
const struct resource *resources_after(const struct resources *resources, uint64_t version, struct text name);

/* The highest version; 0 if there is none. */
uint64_t resources_version(const struct resources *resources);

void resources_free(struct resources *resources);

#endif
