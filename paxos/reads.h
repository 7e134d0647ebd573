/* Several reads in one request: {"reads":[{"resource":"x"},{"all":true}]} is answered by {"values":[…]}, a value
 * {"data","version","timestamp"} for each resource, {"snapshot":{…}} for all of them. */
#ifndef ORDEM_PAXOS_READS_H
#define ORDEM_PAXOS_READS_H

#include "common/buffer.h"
#include "common/json.h"
#include "paxos/resources.h"

#define READS_MAX   4096               /* in one request */
#define READS_BYTES (48 * 1024 * 1024) /* of one answer: what an HTTP client takes, and a good deal less */

/* Adds the array of values that `question` asks for; `item` is overwritten with each of its items. Errors, after which what
 * was added is meaningless: ERROR_FIELD_MISSING, ERROR_FIELD_TYPE, ERROR_FIELD_VALUE; ERROR_TOO_LONG for too many reads, or
 * too long an answer. */
int reads_answer(const struct resources *resources, const struct json_object *question,
                 struct json_object *item, struct buffer *out, struct error *error);

/* Is that a question, without answering it? Its errors. */
int reads_check(const struct json_object *question, struct json_object *item, struct error *error);

/* All resources as one JSON object, names in bytewise order, as parts 1 to 4 show their stores. */
void reads_snapshot(const struct resources *resources, struct buffer *out);

#endif
