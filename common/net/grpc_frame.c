#include "common/net/grpc_frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- messages ---- */

void grpc_reader_start(struct grpc_reader *reader, size_t limit)
{
    reader->limit = limit;
    reader->prefix_length = reader->message_length = 0;
    buffer_clear(&reader->message);
}

static enum grpc_status check_prefix(struct grpc_reader *reader, struct error *error)
{
    const uint8_t *prefix = reader->prefix;

    reader->message_length =
        (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | (size_t)prefix[4];
    if (prefix[0] == 1) {
        error_set(error, ERROR_FIELD_VALUE, "the message is compressed: only identity is understood here");
        return GRPC_UNIMPLEMENTED;
    }
    if (prefix[0] != 0) {
        error_set(error, ERROR_FIELD_VALUE, "the message starts with the flag %u: 0 and 1 are known",
                  (unsigned)prefix[0]);
        return GRPC_INTERNAL;
    }
    if (reader->message_length > reader->limit) {
        error_set(error, ERROR_TOO_LONG, "the message is %zu bytes long, at most %zu are allowed",
                  reader->message_length, reader->limit);
        return GRPC_RESOURCE_EXHAUSTED;
    }
    return GRPC_OK;
}

enum grpc_status grpc_reader_feed(struct grpc_reader *reader, const uint8_t *bytes, size_t length,
                                  struct error *error)
{
    while (length > 0 && reader->prefix_length < GRPC_PREFIX_LENGTH) {
        reader->prefix[reader->prefix_length++] = *bytes++;
        length--;
        if (reader->prefix_length == GRPC_PREFIX_LENGTH) {
            enum grpc_status status = check_prefix(reader, error);
            if (status != GRPC_OK) {
                return status;
            }
        }
    }
    if (length > reader->message_length - reader->message.length) {
        error_set(error, ERROR_TOO_LONG, "more than one message in a call that takes one");
        return GRPC_UNIMPLEMENTED;
    }
    buffer_add(&reader->message, (const char *)bytes, length);
    return GRPC_OK;
}

enum grpc_status grpc_reader_end(const struct grpc_reader *reader, struct error *error)
{
    if (reader->prefix_length == 0) {
        error_set(error, ERROR_FIELD_MISSING, "no message in a call that takes one");
        return GRPC_UNIMPLEMENTED;
    }
    if (reader->prefix_length < GRPC_PREFIX_LENGTH || reader->message.length < reader->message_length) {
        error_set(error, ERROR_TOO_LONG, "the message is cut short: %zu of %zu bytes came",
                  reader->prefix_length + reader->message.length,
                  GRPC_PREFIX_LENGTH + reader->message_length);
        return GRPC_INTERNAL;
    }
    return GRPC_OK;
}

void grpc_reader_free(struct grpc_reader *reader)
{
    buffer_free(&reader->message);
}

void grpc_prefix_write(uint8_t out[GRPC_PREFIX_LENGTH], size_t message_length)
{
    out[0] = 0;
    out[1] = (uint8_t)(message_length >> 24);
    out[2] = (uint8_t)(message_length >> 16);
    out[3] = (uint8_t)(message_length >> 8);
    out[4] = (uint8_t)message_length;
}

/* ---- timeouts ---- */

bool grpc_timeout_read(struct text text, uint64_t *timeout_ms)
{
    uint64_t number = 0;

    if (text.length < 2 || text.length > GRPC_TIMEOUT_LENGTH) {
        return false;
    }
    for (size_t i = 0; i + 1 < text.length; i++) {
        if (text.bytes[i] < '0' || text.bytes[i] > '9') {
            return false;
        }
        number = number * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    switch (text.bytes[text.length - 1]) {
    case 'H':
        *timeout_ms = number * 3600 * 1000;
        return true;
    case 'M':
        *timeout_ms = number * 60 * 1000;
        return true;
    case 'S':
        *timeout_ms = number * 1000;
        return true;
    case 'm':
        *timeout_ms = number;
        return true;
    case 'u':
        *timeout_ms = (number + 999) / 1000;
        return true;
    case 'n':
        *timeout_ms = (number + 999999) / 1000000;
        return true;
    default:
        return false;
    }
}

size_t grpc_timeout_write(char out[GRPC_TIMEOUT_LENGTH + 1], uint64_t timeout_ms)
{
    char text[32];
    bool in_seconds = timeout_ms % 1000 == 0 || timeout_ms > 99999999;
    uint64_t number = in_seconds ? timeout_ms / 1000 : timeout_ms;

    if (number > 99999999) {
        number = 99999999;
    }
    int length = snprintf(text, sizeof text, "%llu%c", (unsigned long long)number, in_seconds ? 'S' : 'm');
    memcpy(out, text, (size_t)length + 1);
    return (size_t)length;
}

/* ---- sentences ---- */

void grpc_sentence_encode(struct buffer *out, struct text sentence)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t length = sentence.length < GRPC_SENTENCE_MAX ? sentence.length : GRPC_SENTENCE_MAX;

    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)sentence.bytes[i];
        if (c >= 0x20 && c <= 0x7E && c != '%') {
            buffer_add_char(out, (char)c);
        } else {
            buffer_add(out, (char[]){'%', digits[c >> 4], digits[c & 15]}, 3);
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void grpc_sentence_decode(struct buffer *out, struct text encoded)
{
    size_t start = out->length;

    for (size_t i = 0; i < encoded.length; i++) {
        char c = encoded.bytes[i];
        if (c == '%' && i + 2 < encoded.length && hex_value(encoded.bytes[i + 1]) >= 0 &&
            hex_value(encoded.bytes[i + 2]) >= 0) {
            c = (char)(hex_value(encoded.bytes[i + 1]) << 4 | hex_value(encoded.bytes[i + 2]));
            i += 2;
        }
        buffer_add_char(out, c != '\0' ? c : '?');
    }
    buffer_add_char(out, '\0');
    text_make_printable(out->bytes + start); /* it may become shorter by that */
    out->length = start + strlen(out->bytes + start);
}

/* ---- content types ---- */

bool grpc_content_type_is_grpc(struct text content_type)
{
    static const char wanted[] = "application/grpc";
    const size_t length = sizeof wanted - 1;

    if (content_type.length < length || strncasecmp(content_type.bytes, wanted, length) != 0) {
        return false;
    }
    return content_type.length == length || content_type.bytes[length] == '+' ||
           content_type.bytes[length] == ';';
}
