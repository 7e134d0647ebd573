/* MessagePack, value by value: what is between bytes and the fields of a message.
 *
 *     [ 0x82 ][ 0xa7 "service" ][ 0xa5 "login" ][ 0xa4 "data" ][ 0x83 … ]
 *       map      string            string          string        map
 *       of 2
 *
 * Writing is msgpack-c's. Reading is not, for its reader believes what it is told: five bytes that claim an array of a
 * hundred million values make it reserve 4 GiB before it looks for the first one. This one walks over the bytes where
 * they are: it reserves nothing, does not recurse, and believes no claim that the bytes behind it cannot keep. */
#ifndef ORDEM_CHAT_PACK_H
#define ORDEM_CHAT_PACK_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/text.h"

#include <msgpack.h>
#include <stdbool.h>
#include <stdint.h>

#define PACK_DEPTH_MAX 32 /* levels of arrays and maps, in MessagePack and in JSON */

enum pack_kind {
    PACK_NIL,
    PACK_BOOLEAN,
    PACK_INTEGER,
    PACK_FLOAT, /* also a whole number beyond 63 bits */
    PACK_STRING,
    PACK_BYTES,
    PACK_ARRAY,
    PACK_MAP,
    PACK_EXTENSION,
};

/* A value; of an array or a map only its head: the values in it come next. */
struct pack_value {
    enum pack_kind kind;
    bool boolean;
    int64_t integer;
    double number;
    struct text text; /* of a string or bytes: where they stand; perhaps not UTF-8 */
    uint32_t count;   /* values of an array, pairs of a map */
};

/* What is left to read. */
struct pack_reader {
    const char *at;
    const char *end;
};

/* "string", "array" … for messages to people. */
const char *pack_kind_name(enum pack_kind kind);

/* The next value. ERROR_NOT_MESSAGEPACK: the bytes are cut short, claim more than there is, or are no MessagePack. */
int pack_read(struct pack_reader *reader, struct pack_value *value, struct error *error);

/* Passes over the rest of a value of which pack_read gave the head: all that is in it, if it is an array or a map.
 * ERROR_NOT_MESSAGEPACK, also where it is nested deeper than PACK_DEPTH_MAX. */
int pack_skip(struct pack_reader *reader, const struct pack_value *head, struct error *error);

/* A packer (msgpack-c's) that adds to `out`, which must stay where it is. */
msgpack_packer pack_onto(struct buffer *out);

void pack_text(msgpack_packer *packer, struct text text);

#endif
