/* What stands before a question: the way back to whoever asked.
 *
 *     [address]…[][question]     each ROUTER on the way puts one address in front; REQ puts the empty frame
 *     [address][question]        a DEALER may leave that out; so will the answer
 *
 * An answer has the same frames before it. They are kept while it is awaited, so there may be few, and short ones. */
#ifndef ORDEM_CHAT_ENVELOPE_H
#define ORDEM_CHAT_ENVELOPE_H

#include "common/error.h"
#include "common/net/zmq_socket.h"
#include "common/text.h"

#include <stddef.h>

#define ENVELOPE_FRAMES_MAX  8
#define ENVELOPE_ADDRESS_MAX 255 /* bytes; no ROUTER gives a longer one */

_Static_assert(ENVELOPE_FRAMES_MAX + 1 < ZMQ_FRAMES_MAX,
               "of a message that is cut short none must be taken for whole");

/* How many of a message's frames lead back: an answer behind them finds whoever sent this, whatever else is in it. The
 * first is the address that our own ROUTER put there. */
size_t envelope_length(const struct text *frames, size_t count);

/* Is it one question, in an envelope that may be kept? ERROR_FIELD_VALUE, ERROR_TOO_LONG. */
int envelope_check(const struct text *frames, size_t count, struct error *error);

#endif
