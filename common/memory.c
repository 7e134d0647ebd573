#include "common/memory.h"

#include "common/words.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

static void *or_die(void *memory)
{
    if (memory == NULL) {
        fputs(_("ordem: out of memory\n"), stderr);
        _Exit(70);
    }
    return memory;
}

void *memory_new(size_t size)
{
    return or_die(malloc(size > 0 ? size : 1));
}

void *memory_new_zeroed(size_t count, size_t size)
{
    return or_die(calloc(count > 0 ? count : 1, size));
}

void *memory_resize(void *old, size_t size)
{
    return or_die(realloc(old, size > 0 ? size : 1));
}

void *memory_grow(void *array, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity) {
        return array;
    }
    size_t larger = *capacity > 0 ? *capacity : 8;
    while (larger < count) {
        larger = larger > SIZE_MAX / 2 ? count : larger * 2;
    }
    *capacity = larger;
    return memory_resize(array, larger > SIZE_MAX / size ? SIZE_MAX : larger * size);
}

char *memory_copy_text(const char *bytes, size_t length)
{
    char *copy = memory_new(length + 1);
    if (length > 0) { /* no text at all may be NULL */
        memcpy(copy, bytes, length);
    }
    copy[length] = '\0';
    return copy;
}

void memory_give_back(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}
