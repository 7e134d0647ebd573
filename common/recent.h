/* The commands of late, by UUID, each with a number to remember about it. Networks that promise "at least once" bring
 * some of them again; whoever has to act once asks here. Bounded: the oldest is forgotten for the newest. */
#ifndef ORDEM_RECENT_H
#define ORDEM_RECENT_H

#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECENT_MAX 65536 /* commands remembered: about 2.5 MiB */

struct recent_entry;

/* Zeroed to start with. */
struct recent {
    struct recent_entry *ring; /* by age; owned */
    uint32_t *buckets;         /* by UUID; owned */
    uint64_t added;
};

/* Remembers a UUID (text, UUID_LENGTH bytes); of one that is known already only the number changes. */
void recent_add(struct recent *recent, struct text uuid, int64_t number);

/* Is it known? `*number` (which may be NULL) is what was remembered about it. */
bool recent_find(const struct recent *recent, struct text uuid, int64_t *number);

/* Forgets everything. */
void recent_free(struct recent *recent);

#endif
