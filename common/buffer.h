/* Bytes that grow at the end: what is written piece by piece and sent or saved as a whole. */
#ifndef ORDEM_BUFFER_H
#define ORDEM_BUFFER_H

#include "common/text.h"

#include <stddef.h>
#include <stdint.h>

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

/* Room for `more` bytes behind the content; the caller writes them and adds to `length`. */
char *buffer_reserve(struct buffer *buffer, size_t more);

void buffer_add(struct buffer *buffer, const char *bytes, size_t length);
void buffer_add_string(struct buffer *buffer, const char *string);
void buffer_add_char(struct buffer *buffer, char c);
void buffer_add_int(struct buffer *buffer, int64_t number);
void buffer_add_format(struct buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
