#include "common/recent.h"

#include "common/memory.h"
#include "common/uuid.h"

#include <stdlib.h>
#include <string.h>

/* A hash table with chains: every command of every node is looked up here and hardly any is found, so an entry is as
 * small as it can be, and looking touches little memory. An entry goes by its place in the ring, from 1; 0 is none. */
#define BUCKETS (2 * RECENT_MAX)

struct recent_entry {
    uint8_t uuid[16];
    int64_t number;
    uint32_t next; /* in its bucket */
};

static size_t bucket_of(const struct recent *recent, const uint8_t uuid[16])
{
    uint64_t halves[2];

    /* UUIDs may come from somebody who wants them all in one bucket, but hardly knows where our memory is. */
    memcpy(halves, uuid, sizeof halves);
    uint64_t mixed = (halves[0] ^ (uintptr_t)recent->ring) * 0x9E3779B97F4A7C15 + halves[1];
    mixed = (mixed ^ mixed >> 32) * 0x9E3779B97F4A7C15;
    return (size_t)(mixed >> 40) % BUCKETS;
}

/* What leads to the entry of that UUID; if there is none, the end of its bucket. */
static uint32_t *find_link(const struct recent *recent, const uint8_t uuid[16])
{
    uint32_t *link = &recent->buckets[bucket_of(recent, uuid)];

    while (*link != 0 && memcmp(recent->ring[*link - 1].uuid, uuid, 16) != 0) {
        link = &recent->ring[*link - 1].next;
    }
    return link;
}

void recent_add(struct recent *recent, struct text uuid, int64_t number)
{
    uint8_t bytes[16];

    if (recent->ring == NULL) {
        recent->ring = memory_new_zeroed(RECENT_MAX, sizeof *recent->ring);
        recent->buckets = memory_new_zeroed(BUCKETS, sizeof *recent->buckets);
    }
    uuid_to_bytes(uuid, bytes);
    uint32_t known = *find_link(recent, bytes);
    if (known != 0) {
        recent->ring[known - 1].number = number;
        return;
    }
    uint32_t place = (uint32_t)(recent->added % RECENT_MAX) + 1;
    struct recent_entry *entry = &recent->ring[place - 1];
    if (recent->added++ >= RECENT_MAX) {
        *find_link(recent, entry->uuid) = entry->next;
    }
    uint32_t *bucket = &recent->buckets[bucket_of(recent, bytes)];
    memcpy(entry->uuid, bytes, sizeof bytes);
    entry->number = number;
    entry->next = *bucket;
    *bucket = place;
}

bool recent_find(const struct recent *recent, struct text uuid, int64_t *number)
{
    uint8_t bytes[16];

    if (recent->ring == NULL) {
        return false;
    }
    uuid_to_bytes(uuid, bytes);
    uint32_t known = *find_link(recent, bytes);
    if (known != 0 && number != NULL) {
        *number = recent->ring[known - 1].number;
    }
    return known != 0;
}

void recent_free(struct recent *recent)
{
    free(recent->ring);
    free(recent->buckets);
    *recent = (struct recent){0};
}
