/* The replicated key-value store: what a node has made of the commands delivered to it so far.
 *
 * A state machine (Schneider 1990): two stores to which the same commands were applied in the same order are equal,
 * and equal stores have snapshots equal to the byte. Nothing here knows where the order comes from. */
#ifndef ORDEM_KV_STORE_H
#define ORDEM_KV_STORE_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/message.h"
#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

struct kv_entry;

struct kv_store {
    struct kv_entry *entries; /* a uthash table, owned */
    uint64_t ordem_local;     /* how many commands this node has processed: the last one's place, from 1 */
};

/* An empty store. */
void kv_store_init(struct kv_store *store);

void kv_store_free(struct kv_store *store);

/* Processes one delivered command, whatever its type, and returns its place in the local order (ordem_local). */
uint64_t kv_store_apply(struct kv_store *store, const struct message *message);

/* Replaces all keys by those of a snapshot (ordem_local stays). ERROR_NOT_JSON, ERROR_FIELD_VALUE (a key that no
 * command could have set); the store is unchanged then. */
int kv_store_restore(struct kv_store *store, struct text snapshot, struct error *error);

/* The value as JSON text, "null" where the key has none; valid until the next apply. */
struct text kv_store_get(const struct kv_store *store, struct text key);

/* How many keys it holds. */
size_t kv_store_count(const struct kv_store *store);

/* Every key and its value, one after the other and in no special order: starts with NULL, ends with NULL. */
const struct kv_entry *kv_store_next(const struct kv_store *store, const struct kv_entry *entry,
                                     struct text *key, struct text *value);

/* The whole dictionary as one line of JSON, keys in bytewise order, behind what `out` holds. */
void kv_store_snapshot(struct kv_store *store, struct buffer *out);

#endif
