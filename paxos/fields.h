/* What requests between learners and stores are made of: members of JSON objects, taken with a check of what they hold. */
#ifndef ORDEM_PAXOS_FIELDS_H
#define ORDEM_PAXOS_FIELDS_H

#include "common/json.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

/* A whole number from `low` to `high`. ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE, as for those below; the
 * sentence names the member. */
int field_number(const struct json_object *object, const char *name, uint64_t low, uint64_t high,
                 uint64_t *number, struct error *error);

/* The same; `standard` where the member is not there. */
int field_number_or(const struct json_object *object, const char *name, uint64_t low, uint64_t high,
                    uint64_t standard, uint64_t *number, struct error *error);

/* A resource's name: what message_check_key allows. It is the object's. */
int field_resource(const struct json_object *object, struct text *name, struct error *error);

/* The items of an array, one after the other, as JSON text. */
struct field_items {
    struct text rest;
};

int field_array(const struct json_object *object, const char *name, struct field_items *items,
                struct error *error);
bool field_next(struct field_items *items, struct text *item);

/* An item that is a whole number; false if it is none. */
bool field_item_number(struct text item, uint64_t *number);

#endif
