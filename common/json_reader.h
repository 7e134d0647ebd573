/* The parser behind json_object_read: yajl's events, put together as members with canonical text. Kept from one text to
 * the next, because making a parser costs as much as parsing a message. Nobody but json.c includes this. */
#ifndef ORDEM_JSON_READER_H
#define ORDEM_JSON_READER_H

#include "common/error.h"
#include "common/json.h"
#include "common/text.h"

/* The caller frees it. */
struct json_reader *json_reader_new(void);

/* Adds the members of the one object in `text`, valid UTF-8, to an empty `object`: with offsets, for its text may
 * still move. Errors: ERROR_NOT_JSON; the object's content is then meaningless. */
int json_reader_read(struct json_reader *reader, struct json_object *object, struct text text,
                     struct error *error);

/* NULL is nothing. */
void json_reader_free(struct json_reader *reader);

#endif
