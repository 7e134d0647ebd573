/* What gRPC puts inside HTTP/2: length-prefixed messages, and texts in headers. Pure.
 *
 *     message   flag (1 byte: 0, or 1 for compressed) | length (4 bytes, big-endian) | that many bytes
 *     timeout   "grpc-timeout: 10S"          1 to 8 digits and one of H M S m u n
 *     status    "grpc-message: 100%25 sure"  every byte but plain ASCII as % and two hexadecimal digits */
#ifndef ORDEM_GRPC_FRAME_H
#define ORDEM_GRPC_FRAME_H

#include "common/buffer.h"
#include "common/error.h"
#include "common/net/grpc_status.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GRPC_PREFIX_LENGTH  5
#define GRPC_TIMEOUT_LENGTH 9    /* characters, at most */
#define GRPC_SENTENCE_MAX   1024 /* bytes of a sentence in grpc-message, before it is encoded */

/* Reads the one message of a unary call from the pieces in which it comes. */
struct grpc_reader {
    size_t limit; /* bytes of the longest message that is taken */
    uint8_t prefix[GRPC_PREFIX_LENGTH];
    size_t prefix_length;  /* bytes of it that have come */
    size_t message_length; /* as the prefix tells, once it is whole */
    struct buffer message;
};

/* A reader of messages up to `limit` bytes. Keeps the memory that an earlier message left; zeroed before the first. */
void grpc_reader_start(struct grpc_reader *reader, size_t limit);

/* Takes the next piece. Memory grows with what came, not with what was announced. GRPC_OK, or the status with which
 * the call is to be refused and a sentence: RESOURCE_EXHAUSTED (longer than the limit), UNIMPLEMENTED (compressed, or
 * a second message), INTERNAL (no such flag). */
enum grpc_status grpc_reader_feed(struct grpc_reader *reader, const uint8_t *bytes, size_t length,
                                  struct error *error);

/* No more will come. GRPC_OK if exactly one message has; else UNIMPLEMENTED (none) or INTERNAL (cut short). */
enum grpc_status grpc_reader_end(const struct grpc_reader *reader, struct error *error);

void grpc_reader_free(struct grpc_reader *reader);

/* The prefix of an uncompressed message. */
void grpc_prefix_write(uint8_t out[GRPC_PREFIX_LENGTH], size_t message_length);

/* Milliseconds, rounded up; false if it is not a timeout. */
bool grpc_timeout_read(struct text text, uint64_t *timeout_ms);

/* Writes a timeout and a NUL; its length without the NUL. More than 99,999,999 seconds become that. */
size_t grpc_timeout_write(char out[GRPC_TIMEOUT_LENGTH + 1], uint64_t timeout_ms);

/* Adds a sentence in its encoded form; what is longer than GRPC_SENTENCE_MAX is cut. */
void grpc_sentence_encode(struct buffer *out, struct text sentence);

/* Adds the decoded form of what came as grpc-message, made fit for a log and a terminal. */
void grpc_sentence_decode(struct buffer *out, struct text encoded);

/* Is it "application/grpc", perhaps with "+proto" or ";charset" behind it? */
bool grpc_content_type_is_grpc(struct text content_type);

#endif
