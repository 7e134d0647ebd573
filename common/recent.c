#include "common/recent.h"

#include "common/memory.h"
#include "common/uuid.h"

#include <stdlib.h>

#define uthash_fatal(message)                                                                                \
    do {                                                                                                     \
        memory_new(SIZE_MAX); /* uthash calls this only when memory has run out */                           \
    } while (0)
#include <uthash.h>

struct recent_entry {
    UT_hash_handle hh;
    uint8_t uuid[16];
    int64_t number;
};

static struct recent_entry *find(const struct recent *recent, const uint8_t uuid[16])
{
    struct recent_entry *entry;
    HASH_FIND(hh, recent->table, uuid, 16, entry);
    return entry;
}

void recent_add(struct recent *recent, struct text uuid, int64_t number)
{
    uint8_t bytes[16];

    uuid_to_bytes(uuid, bytes);
    struct recent_entry *entry = find(recent, bytes);
    if (entry != NULL) {
        entry->number = number;
        return;
    }
    if (recent->ring == NULL) {
        recent->ring = memory_new_zeroed(RECENT_MAX, sizeof *recent->ring);
    }
    entry = &recent->ring[recent->added % RECENT_MAX];
    if (recent->added >= RECENT_MAX) {
        HASH_DEL(recent->table, entry);
    }
    recent->added++;
    memcpy(entry->uuid, bytes, sizeof bytes);
    entry->number = number;
    HASH_ADD(hh, recent->table, uuid, sizeof entry->uuid, entry);
}

bool recent_find(const struct recent *recent, struct text uuid, int64_t *number)
{
    uint8_t bytes[16];

    uuid_to_bytes(uuid, bytes);
    const struct recent_entry *entry = find(recent, bytes);
    if (entry != NULL && number != NULL) {
        *number = entry->number;
    }
    return entry != NULL;
}

void recent_free(struct recent *recent)
{
    HASH_CLEAR(hh, recent->table);
    free(recent->ring);
    *recent = (struct recent){0};
}
