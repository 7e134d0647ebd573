/* The same tree of values in JSON and in MessagePack: a message in JSON is turned into MessagePack before anybody looks
 * at it, and one of ours that is to be JSON is turned into that at the end. So there is one set of rules for both. */
#ifndef ORDEM_CHAT_PACK_JSON_H
#define ORDEM_CHAT_PACK_JSON_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/text.h"

/* Adds one JSON object, as MessagePack, to `out`. Of names that repeat both stay, in order. ERROR_NOT_UTF8,
 * ERROR_NOT_JSON (also nesting deeper than PACK_DEPTH_MAX and half surrogate pairs); what was added is then nonsense. */
int pack_from_json(struct text json, struct buffer *out, struct error *error);

/* Adds to `out`, as JSON, one value that this program packed: maps have strings for names, and there is neither a float
 * nor an extension. */
void pack_to_json(struct text packed, struct buffer *out);

#endif
