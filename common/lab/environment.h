/* The environment that a process is started with: what is set here, and the rest of this process's own. */
#ifndef ORDEM_ENVIRONMENT_H
#define ORDEM_ENVIRONMENT_H

#include <stddef.h>

struct environment {
    char **variables; /* "NAME=value", owned; ends with NULL once it is complete */
    size_t count, capacity;
};

/* Adds "NAME=value". Of two with one name the first counts. */
void environment_add(struct environment *environment, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Completes it with this process's own variables, but for those whose names begin with one of `without` (a list that
 * ends with NULL; NULL for none). */
void environment_inherit(struct environment *environment, const char *const *without);

void environment_free(struct environment *environment);

#endif
