#include "common/kv_store.h"

#include "common/json.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

#define uthash_fatal(message)                                                                                \
    do {                                                                                                     \
        memory_new(SIZE_MAX); /* uthash calls this only when memory has run out */                           \
    } while (0)
#include <uthash.h>

struct kv_entry {
    UT_hash_handle hh;
    char *value; /* JSON text, owned */
    uint32_t value_length;
    uint16_t key_length;
    char key[]; /* behind the entry: one allocation for both */
};

void kv_store_init(struct kv_store *store)
{
    *store = (struct kv_store){0};
}

void kv_store_free(struct kv_store *store)
{
    struct kv_entry *entry = store->entries;

    HASH_CLEAR(hh, store->entries); /* the table; the entries stay linked to each other */
    while (entry != NULL) {
        struct kv_entry *next = entry->hh.next;
        free(entry->value);
        free(entry);
        entry = next;
    }
    kv_store_init(store);
}

static struct kv_entry *find(const struct kv_store *store, struct text key)
{
    struct kv_entry *entry;
    HASH_FIND(hh, store->entries, key.bytes, key.length, entry);
    return entry;
}

static void set(struct kv_store *store, struct text key, struct text value)
{
    struct kv_entry *entry = find(store, key);

    if (entry == NULL) {
        entry = memory_new(sizeof *entry + key.length);
        entry->value = NULL;
        entry->value_length = 0;
        entry->key_length = (uint16_t)key.length;
        memcpy(entry->key, key.bytes, key.length);
        HASH_ADD_KEYPTR(hh, store->entries, entry->key, entry->key_length, entry);
    }
    if (entry->value == NULL || entry->value_length != value.length) {
        entry->value = memory_resize(entry->value, value.length);
        entry->value_length = (uint32_t)value.length;
    }
    memcpy(entry->value, value.bytes, value.length);
}

uint64_t kv_store_apply(struct kv_store *store, const struct message *message)
{
    if (message->command_type == COMMAND_SET) {
        set(store, message->key, message->value);
    }
    return ++store->ordem_local;
}

int kv_store_restore(struct kv_store *store, struct text snapshot, struct error *error)
{
    struct json_object object = {0};
    struct buffer value = {0};
    uint64_t ordem_local = store->ordem_local;
    int code = json_object_read(&object, snapshot, error);

    for (size_t i = 0; code == 0 && i < object.count; i++) {
        code = message_check_key(object.members[i].name, error);
    }
    if (code == 0) {
        kv_store_free(store);
        store->ordem_local = ordem_local;
    }
    for (size_t i = 0; code == 0 && i < object.count; i++) {
        buffer_clear(&value);
        json_write_member(&value, &object.members[i]);
        set(store, object.members[i].name, buffer_text(&value));
    }
    buffer_free(&value);
    json_object_free(&object);
    return code;
}

struct text kv_store_get(const struct kv_store *store, struct text key)
{
    const struct kv_entry *entry = find(store, key);
    return entry != NULL ? (struct text){entry->value, entry->value_length} : text_of("null");
}

size_t kv_store_count(const struct kv_store *store)
{
    return HASH_COUNT(store->entries);
}

const struct kv_entry *kv_store_next(const struct kv_store *store, const struct kv_entry *entry,
                                     struct text *key, struct text *value)
{
    const struct kv_entry *next = entry == NULL ? store->entries : entry->hh.next;

    if (next != NULL) {
        *key = (struct text){next->key, next->key_length};
        *value = (struct text){next->value, next->value_length};
    }
    return next;
}

static int compare_keys(const struct kv_entry *a, const struct kv_entry *b)
{
    return text_compare((struct text){a->key, a->key_length}, (struct text){b->key, b->key_length});
}

void kv_store_snapshot(struct kv_store *store, struct buffer *out)
{
    HASH_SORT(store->entries, compare_keys);
    buffer_add_char(out, '{');
    for (const struct kv_entry *entry = store->entries; entry != NULL; entry = entry->hh.next) {
        if (entry != store->entries) {
            buffer_add_char(out, ',');
        }
        json_write_string(out, (struct text){entry->key, entry->key_length});
        buffer_add_char(out, ':');
        buffer_add(out, entry->value, entry->value_length);
    }
    buffer_add_char(out, '}');
}
