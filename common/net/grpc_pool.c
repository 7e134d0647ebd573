#include "common/net/grpc_pool.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BUFFER_MIN 16384 /* bytes; what is smaller is no frame's buffer */
#define PLACE_SIZE 20480 /* whole pages, as few as hold such a buffer */

static size_t range_size(const struct grpc_pool *pool)
{
    return (size_t)pool->count * PLACE_SIZE;
}

static bool is_place(const struct grpc_pool *pool, const void *memory)
{
    uintptr_t at = (uintptr_t)memory;
    uintptr_t start = (uintptr_t)pool->pages;

    return pool->pages != NULL && at >= start && at < start + range_size(pool);
}

static void *take(size_t size, void *context)
{
    struct grpc_pool *pool = context;

    if (size < BUFFER_MIN || size > PLACE_SIZE || pool->spare_count == 0) {
        return malloc(size); /* nghttp2 copes with NULL */
    }
    return pool->pages + (size_t)pool->spare[--pool->spare_count] * PLACE_SIZE;
}

static void give_back(void *memory, void *context)
{
    struct grpc_pool *pool = context;

    if (!is_place(pool, memory)) {
        free(memory);
        return;
    }
    size_t place = (size_t)((char *)memory - pool->pages) / PLACE_SIZE;
    (void)madvise(memory, PLACE_SIZE, MADV_DONTNEED); /* if that fails, it only costs memory */
    pool->spare[pool->spare_count++] = (uint16_t)place;
}

static void *take_zeroed(size_t count, size_t size, void *context)
{
    (void)context;
    return calloc(count, size);
}

static void *resize(void *old, size_t size, void *context)
{
    if (old == NULL) {
        return take(size, context);
    }
    if (!is_place(context, old)) {
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

void grpc_pool_open(struct grpc_pool *pool, size_t count)
{
    *pool = (struct grpc_pool){.count = count};
    pool->memory = (nghttp2_mem){pool, take, give_back, take_zeroed, resize};
    void *pages = mmap(NULL, range_size(pool), PROT_READ | PROT_WRITE,
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
        munmap(pool->pages, range_size(pool));
    }
    free(pool->spare);
    *pool = (struct grpc_pool){0};
}
