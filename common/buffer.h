/* Bytes that grow at the end: what is written piece by piece and sent or saved as a whole. */
#ifndef ORDEM_BUFFER_H
#define ORDEM_BUFFER_H

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct buffer {
    char *bytes; /* owned; NULL until the first byte is added; not NUL-terminated */
    size_t length;
    size_t capacity;
};

/* Frees the bytes; the buffer is empty afterwards and may be used again. */
void buffer_free(struct buffer *buffer);

/* Forgets the content and keeps the memory: a buffer that is reused stops allocating. */
static inline void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

static inline struct text buffer_text(const struct buffer *buffer)
{
    return (struct text){buffer->bytes, buffer->length};
}

/* Makes the memory larger, so that `more` bytes fit behind the content. */
void buffer_grow(struct buffer *buffer, size_t more);

/* Room for `more` bytes behind the content; the caller writes them and adds to `length`. Inline, as what follows:
 * every byte of a log goes through here. */
static inline char *buffer_reserve(struct buffer *buffer, size_t more)
{
    if (buffer->bytes == NULL || buffer->capacity - buffer->length < more) {
        buffer_grow(buffer, more);
    }
    return buffer->bytes + buffer->length;
}

static inline void buffer_add(struct buffer *buffer, const char *bytes, size_t length)
{
    if (length > 0) {
        memcpy(buffer_reserve(buffer, length), bytes, length);
        buffer->length += length;
    }
}

static inline void buffer_add_string(struct buffer *buffer, const char *string)
{
    buffer_add(buffer, string, strlen(string));
}

static inline void buffer_add_char(struct buffer *buffer, char c)
{
    *buffer_reserve(buffer, 1) = c;
    buffer->length++;
}

void buffer_add_int(struct buffer *buffer, int64_t number);
void buffer_add_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
