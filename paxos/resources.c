#include "paxos/resources.h"

#include "common/memory.h"

#include <stdlib.h>

#define BUCKETS_MIN 64

/* ---- by name ---- */

/* FNV-1a, and its high bits mixed in. */
static struct resource **bucket_of(const struct resources *resources, struct text name)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);

    for (size_t i = 0; i < name.length; i++) {
        hash = (hash ^ (unsigned char)name.bytes[i]) * UINT64_C(0x100000001B3);
    }
    return &resources->buckets[(hash ^ hash >> 32) & (resources->bucket_count - 1)];
}

struct resource *resources_find(const struct resources *resources, struct text name)
{
    struct resource *resource = resources->bucket_count > 0 ? *bucket_of(resources, name) : NULL;

    while (resource != NULL && !text_equal(resource->name, name)) {
        resource = resource->chain;
    }
    return resource;
}

static void put_into_bucket(struct resources *resources, struct resource *resource)
{
    struct resource **bucket = bucket_of(resources, resource->name);

    resource->chain = *bucket;
    *bucket = resource;
}

static void grow(struct resources *resources)
{
    if (resources->count < resources->bucket_count) {
        return;
    }
    resources->bucket_count = resources->bucket_count == 0 ? BUCKETS_MIN : 2 * resources->bucket_count;
    free(resources->buckets);
    resources->buckets = memory_new_zeroed(resources->bucket_count, sizeof(struct resource *));
    for (struct resource *resource = resources->first; resource != NULL; resource = resource->next) {
        put_into_bucket(resources, resource);
    }
}

/* ---- by version ---- */

static void take_out(struct resources *resources, struct resource *resource)
{
    if (resource == resources->first) {
        resources->first = resource->next;
    } else {
        resource->prev->next = resource->next;
    }
    if (resource->next != NULL) {
        resource->next->prev = resource->prev;
    } else if (resources->first != NULL) {
        resources->first->prev = resource->prev;
    }
}

static void put_behind(struct resources *resources, struct resource *resource)
{
    struct resource *last = resources->first == NULL ? NULL : resources->first->prev;

    while (last != NULL && last->version > resource->version) {
        last = last == resources->first ? NULL : last->prev;
    }
    struct resource **link = last == NULL ? &resources->first : &last->next;
    struct resource *tail = resources->first == NULL ? resource : resources->first->prev;
    resource->next = *link;
    resource->prev = last == NULL ? tail : last;
    *link = resource;
    if (resource->next != NULL) {
        resource->next->prev = resource;
    } else {
        resources->first->prev = resource;
    }
}

uint64_t resources_version(const struct resources *resources)
{
    return resources->first == NULL ? 0 : resources->first->prev->version;
}

const struct resource *resources_after(const struct resources *resources, uint64_t version, struct text name)
{
    const struct resource *resource = resources_find(resources, name);

    if (version == 0) {
        return resources->first;
    }
    if (resource != NULL && resource->version == version) {
        return resource->next;
    }
    if (resources->first == NULL || resources->first->prev->version <= version) {
        return NULL;
    }
    resource = resources->first->prev;
    while (resource != resources->first && resource->prev->version > version) {
        resource = resource->prev;
    }
    return resource;
}

/* ---- writing ---- */

static struct text copy(struct text text)
{
    return (struct text){memory_copy_text(text.length > 0 ? text.bytes : "", text.length), text.length};
}

void resources_set(struct resources *resources, const struct resource *written)
{
    struct resource *resource = resources_find(resources, written->name);

    if (resource == NULL) {
        grow(resources);
        resource = memory_new_zeroed(1, sizeof *resource);
        resource->name = copy(written->name);
        put_into_bucket(resources, resource);
        resources->count++;
    } else if (written->version > resource->version) {
        take_out(resources, resource);
    } else {
        return;
    }
    struct text old = resource->data;
    resource->data = copy(written->data);
    free((char *)old.bytes);
    resource->version = written->version;
    resource->timestamp = written->timestamp;
    put_behind(resources, resource);
}

void resources_free(struct resources *resources)
{
    for (struct resource *resource = resources->first; resource != NULL;) {
        struct resource *next = resource->next;
        free((char *)resource->name.bytes);
        free((char *)resource->data.bytes);
        free(resource);
        resource = next;
    }
    free(resources->buckets);
    *resources = (struct resources){0};
}
