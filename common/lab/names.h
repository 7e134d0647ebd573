/* Texts that occur again and again (nodes, keys, values, message UUIDs), each kept once and known by a number. */
#ifndef ORDEM_NAMES_H
#define ORDEM_NAMES_H

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

#define NAMES_NONE UINT32_MAX

struct name;

/* Zeroed to start with. */
struct names {
    struct name *table;  /* a uthash table, owned */
    struct name **order; /* by number */
    size_t count, capacity;
};

/* The number of `text`, from 0; a new text gets the next one and is copied. */
uint32_t names_number(struct names *names, struct text text);

/* The number of `text`, NAMES_NONE if it is not there. */
uint32_t names_find(const struct names *names, struct text text);

/* The text of a number; an empty text for NAMES_NONE. */
struct text names_text(const struct names *names, uint32_t number);

void names_free(struct names *names);

#endif
