#include "common/net/grpc_pool.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUFFER_MIN 16384 /* bytes; what is smaller is no frame's buffer */
#define PLACE_SIZE 20480 /* whole pages, as few as hold such a buffer */

/* ---- what a session asks for ---- */

static void *take(size_t size, void *context)
{
    struct grpc_place *place = context;
    struct grpc_pool *pool = place->pool;

    if (!place->open || size < BUFFER_MIN || size > PLACE_SIZE || pool->spare_count == 0) {
        return malloc(size); /* nghttp2 copes with NULL */
    }
    place->open = false;
    place->buffer = pool->pages + (size_t)pool->spare[--pool->spare_count] * PLACE_SIZE;
    return place->buffer;
}

static void give_back(void *memory, void *context)
{
    struct grpc_place *place = context;
    struct grpc_pool *pool = place->pool;

    if (memory == NULL || memory != place->buffer) {
        free(memory);
        return;
    }
    grpc_place_rest(place);
    pool->spare[pool->spare_count++] = (uint16_t)((size_t)(place->buffer - pool->pages) / PLACE_SIZE);
    place->buffer = NULL;
}

static void *take_zeroed(size_t count, size_t size, void *context)
{
    (void)context;
    return calloc(count, size);
}

static void *resize(void *old, size_t size, void *context)
{
    const struct grpc_place *place = context;

    if (old == NULL) {
        return take(size, context);
    }
    if (old != place->buffer) {
        return realloc(old, size);
    }
    if (size <= PLACE_SIZE) {
        return old;
    }
    void *larger = malloc(size);
    if (larger != NULL) {
        memcpy(larger, old, PLACE_SIZE);
        give_back(old, context);
    }
    return larger;
}

/* ---- places ---- */

void grpc_place_open(struct grpc_place *place, struct grpc_pool *pool)
{
    *place = (struct grpc_place){.memory = {place, take, give_back, take_zeroed, resize},
                                 .pool = pool,
                                 .open = true};
}

void grpc_place_settle(struct grpc_place *place)
{
    place->open = false;
}

void grpc_place_rest(struct grpc_place *place)
{
    if (place->buffer != NULL) {
        (void)madvise(place->buffer, PLACE_SIZE, MADV_DONTNEED); /* if that fails, it only costs memory */
    }
}

/* ---- the pool ---- */

void grpc_pool_open(struct grpc_pool *pool, size_t count)
{
    *pool = (struct grpc_pool){.count = count};
    void *pages = mmap(NULL, count * PLACE_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pages == MAP_FAILED) {
        return;
    }
    pool->pages = pages;
    pool->spare = memory_new(count * sizeof *pool->spare);
    while (pool->spare_count < count) { /* the first places are taken first */
        pool->spare[pool->spare_count] = (uint16_t)(count - 1 - pool->spare_count);
        pool->spare_count++;
    }
}

void grpc_pool_close(struct grpc_pool *pool)
{
    if (pool->pages != NULL) {
        munmap(pool->pages, pool->count * PLACE_SIZE);
    }
    free(pool->spare);
    *pool = (struct grpc_pool){0};
}
