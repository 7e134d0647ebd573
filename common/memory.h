/* Memory that is there or ends the program.
 *
 * Everything that comes from outside is bounded before it is stored, so running out of memory means that the
 * machine is out of memory: one line on standard error and exit status 70 (EX_SOFTWARE), instead of a branch
 * after every allocation that no test ever takes. */
#ifndef ORDEM_MEMORY_H
#define ORDEM_MEMORY_H

#include <stddef.h>

/* Uninitialised memory; the caller frees it with free(). Never NULL. */
void *memory_new(size_t size);

/* Zeroed memory for `count` items; the caller frees it with free(). Never NULL. */
void *memory_new_zeroed(size_t count, size_t size);

/* As realloc(), never NULL. */
void *memory_resize(void *old, size_t size);

/* Makes room for `count` items of `size` bytes in a growing array: doubles `*capacity` as needed. */
void *memory_grow(void *array, size_t *capacity, size_t count, size_t size);

/* A copy of `length` bytes with a NUL behind them; the caller frees it. */
char *memory_copy_text(const char *bytes, size_t length);

/* Gives back to the system what was freed, also from between what is still held, where the C library can (glibc does it by
 * itself only at the end of the heap). For who has just freed much: it looks at all that is free, 0.2 ms for some MiB. */
void memory_give_back(void);

#endif
