/* Several writes in one request between learners and stores:
 *
 *     {"first":8,"last":10,"writes":[{"number":9,"resource":"x","data":1,"timestamp":1763689000250}, …]}
 *
 * They stand for every write from `first` to `last`: what is not named was written over by one that is. With "part":true
 * more of them will come, and only then all are there. */
#ifndef ORDEM_PAXOS_WRITES_H
#define ORDEM_PAXOS_WRITES_H

#include "common/buffer.h"
#include "common/json.h"
#include "paxos/resources.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WRITES_MAX       1024         /* in one request */
#define WRITES_BYTES_MAX (512 * 1024) /* of one request, beyond its first write */

/* Zeroed to start with; used again, so that it stops allocating. */
struct writes {
    uint64_t first, last;
    bool part;
    struct resource *items; /* the number is the version; the names end with a NUL, too */
    size_t count, capacity;
    struct buffer bytes;
    struct json_object item; /* the one being read */
};

/* Reads them; each with its data, or only number and resource. The short form, a write's members in the body itself,
 * stands for that one write. Errors: ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE, ERROR_TOO_LONG. */
int writes_read(struct writes *writes, const struct json_object *body, bool with_data, struct error *error);

/* Writes `,"writes":[…]`: resources from `first` on, as many as fit. Returns the last one, NULL if there was none. */
const struct resource *writes_put(struct buffer *out, const struct resource *first);

/* Writes the page that was asked for by {"after":7,"resource":"x"}: what follows version 7, which x has or had, of resources
 * that are complete up to a write. Errors as of writes_read, and then nothing is written. */
int writes_put_page(struct buffer *out, const struct resources *resources, uint64_t complete,
                    const struct json_object *question, struct error *error);

/* Where that page begins. */
int writes_find_page(const struct resources *resources, const struct json_object *question,
                     const struct resource **first, struct error *error);

/* {"number":9,"resource":"x"}, with its data or without. */
void writes_put_one(struct buffer *out, const struct resource *write, bool with_data);

/* {"data":…,"version":…,"timestamp":…}; of NULL too: data null, version 0. */
void writes_put_value(struct buffer *out, const struct resource *resource);

void writes_free(struct writes *writes);

#endif
