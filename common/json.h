/* JSON objects read without losing anything, and JSON text written in one canonical form.
 *
 * Reading gives the members of one object. A string is given decoded; every other value as canonical JSON text:
 * no white space, nested members sorted by name, numbers digit for digit as they came (a 64-bit integer survives).
 * Of two members with one name the last counts, as in Python. Parsing is yajl's: it does not recurse, and so is
 * not hurt by nesting. */
#ifndef ORDEM_JSON_H
#define ORDEM_JSON_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>

#define JSON_DEPTH_MAX 1000 /* levels of one member's value */

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member {
    struct text name;
    struct text text; /* of a string the decoded characters, of anything else canonical JSON */
    enum json_kind kind;
    size_t depth; /* how many levels of arrays and objects its value has; 0 for a plain one */
    size_t name_offset, text_offset; /* into the object's buffer, while it is being read */
};

struct json_reader;

struct json_object {
    struct json_member *members; /* in the order of the text */
    size_t count, capacity;
    struct buffer text;         /* what the members point into */
    struct json_reader *reader; /* the parser and its memory, kept from read to read; owned */
};

/* Reads `text` as one JSON object, in place of what `object` held; a zeroed `object` is an empty one.
 * The members are valid until the next read or json_object_free.
 * Errors: ERROR_NOT_UTF8; ERROR_NOT_JSON (also nesting deeper than JSON_DEPTH_MAX and escapes that are halves of
 * a surrogate pair); `object` is then empty. */
int json_object_read(struct json_object *object, struct text text, struct error *error);

/* The last member of that name, NULL if there is none. */
const struct json_member *json_object_find(const struct json_object *object, struct text name);

/* The same for a name in the program; inline, so that its length is known when it is compiled. */
static inline const struct json_member *json_object_get(const struct json_object *object, const char *name)
{
    return json_object_find(object, text_of(name));
}

void json_object_free(struct json_object *object);

/* Do the \u escapes that are halves of a surrogate pair come in pairs? For those who parse with yajl themselves: it
 * would turn a lone half into '?' or into bytes that are not UTF-8. */
bool json_surrogates_are_paired(struct text text);

/* A member's value as JSON text again, quotes and escapes included. */
void json_write_member(struct buffer *out, const struct json_member *member);

/* `text` (valid UTF-8) as a JSON string, quotes included; only what must be escaped is, and the other control
 * characters (U+007F to U+009F), which a terminal would obey. */
void json_write_string(struct buffer *out, struct text text);

/* A finite number, in the first of 15, 16 and 17 digits that read back as the same double. */
void json_write_double(struct buffer *out, double number);

/* "null", "boolean", … for messages to people. */
const char *json_kind_name(enum json_kind kind);

#endif
