#include "parte5-chat/pack.h"

#include <string.h>

const char *pack_kind_name(enum pack_kind kind)
{
    static const char *const names[] = {"nil",   "boolean", "integer", "float",    "string",
                                        "bytes", "array",   "map",     "extension"};
    return names[kind];
}

/* ---- reading ---- */

static int cut_short(struct error *error)
{
    return error_set(error, ERROR_NOT_MESSAGEPACK, "not MessagePack: cut short");
}

static size_t left(const struct pack_reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

/* A number of `size` bytes, the highest first. False: there are not so many. */
static bool read_unsigned(struct pack_reader *reader, size_t size, uint64_t *number)
{
    if (left(reader) < size) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        *number = *number << 8 | (unsigned char)*reader->at++;
    }
    return true;
}

static int read_integer(struct pack_reader *reader, unsigned char head, struct pack_value *value,
                        struct error *error)
{
    bool negative = head >= 0xd0;
    size_t size = (size_t)1 << (head & 3);
    uint64_t number;

    if (!read_unsigned(reader, size, &number)) {
        return cut_short(error);
    }
    if (negative && size < 8 && number >> (size * 8 - 1)) {
        number |= UINT64_MAX << (size * 8);
    }
    *value = (struct pack_value){.kind = PACK_INTEGER, .integer = (int64_t)number};
    if (!negative && number > INT64_MAX) {
        *value = (struct pack_value){.kind = PACK_FLOAT, .number = (double)number};
    }
    return 0;
}

static int read_float(struct pack_reader *reader, unsigned char head, struct pack_value *value,
                      struct error *error)
{
    uint64_t bits;

    *value = (struct pack_value){.kind = PACK_FLOAT};
    if (!read_unsigned(reader, head == 0xca ? 4 : 8, &bits)) {
        return cut_short(error);
    }
    if (head == 0xca) {
        uint32_t narrow = (uint32_t)bits;
        float number;
        memcpy(&number, &narrow, sizeof number);
        value->number = (double)number;
    } else {
        memcpy(&value->number, &bits, sizeof bits);
    }
    return 0;
}

static int read_text(struct pack_reader *reader, enum pack_kind kind, size_t length, struct pack_value *value,
                     struct error *error)
{
    if (left(reader) < length) {
        return cut_short(error);
    }
    *value = (struct pack_value){.kind = kind, .text = {reader->at, length}};
    reader->at += length;
    return 0;
}

/* No value is shorter than a byte: so many must be left. */
static int read_container(struct pack_reader *reader, enum pack_kind kind, uint64_t count,
                          struct pack_value *value, struct error *error)
{
    if (left(reader) / (kind == PACK_MAP ? 2 : 1) < count) {
        return cut_short(error);
    }
    *value = (struct pack_value){.kind = kind, .count = (uint32_t)count};
    return 0;
}

/* Those whose length stands behind the first byte: in 1, 2 or 4 bytes. */
static int read_sized(struct pack_reader *reader, unsigned char head, struct pack_value *value,
                      struct error *error)
{
    static const unsigned char sizes[] = {[0xc4 - 0xc4] = 1, [0xc5 - 0xc4] = 2, [0xc6 - 0xc4] = 4,
                                          [0xc7 - 0xc4] = 1, [0xc8 - 0xc4] = 2, [0xc9 - 0xc4] = 4,
                                          [0xd9 - 0xc4] = 1, [0xda - 0xc4] = 2, [0xdb - 0xc4] = 4,
                                          [0xdc - 0xc4] = 2, [0xdd - 0xc4] = 4, [0xde - 0xc4] = 2,
                                          [0xdf - 0xc4] = 4};
    uint64_t length;

    if (!read_unsigned(reader, sizes[head - 0xc4], &length)) {
        return cut_short(error);
    }
    if (head >= 0xdc) {
        return read_container(reader, head >= 0xde ? PACK_MAP : PACK_ARRAY, length, value, error);
    }
    if (head >= 0xd9) {
        return read_text(reader, PACK_STRING, length, value, error);
    }
    if (head >= 0xc7) { /* an extension's type stands before its bytes */
        return read_text(reader, PACK_EXTENSION, length + 1, value, error);
    }
    return read_text(reader, PACK_BYTES, length, value, error);
}

static int read_short(struct pack_reader *reader, unsigned char head, struct pack_value *value,
                      struct error *error)
{
    if (head <= 0x7f || head >= 0xe0) {
        *value = (struct pack_value){.kind = PACK_INTEGER, .integer = (signed char)head};
        return 0;
    }
    if (head <= 0x8f) {
        return read_container(reader, PACK_MAP, head & 0x0f, value, error);
    }
    if (head <= 0x9f) {
        return read_container(reader, PACK_ARRAY, head & 0x0f, value, error);
    }
    return read_text(reader, PACK_STRING, head & 0x1f, value, error);
}

int pack_read(struct pack_reader *reader, struct pack_value *value, struct error *error)
{
    if (reader->at == reader->end) {
        return cut_short(error);
    }
    unsigned char head = (unsigned char)*reader->at++;
    if (head < 0xc0 || head >= 0xe0) {
        return read_short(reader, head, value, error);
    }
    if (head == 0xc0 || head == 0xc2 || head == 0xc3) {
        *value = (struct pack_value){.kind = head == 0xc0 ? PACK_NIL : PACK_BOOLEAN, .boolean = head == 0xc3};
        return 0;
    }
    if (head == 0xc1) {
        return error_set(error, ERROR_NOT_MESSAGEPACK, "not MessagePack: byte 0xc1 has no meaning");
    }
    if (head == 0xca || head == 0xcb) {
        return read_float(reader, head, value, error);
    }
    if (head >= 0xcc && head <= 0xd3) {
        return read_integer(reader, head, value, error);
    }
    if (head >= 0xd4 && head <= 0xd8) {
        return read_text(reader, PACK_EXTENSION, ((size_t)1 << (head - 0xd4)) + 1, value, error);
    }
    return read_sized(reader, head, value, error);
}

static uint64_t values_in(const struct pack_value *head)
{
    return head->kind == PACK_MAP ? (uint64_t)head->count * 2 : head->kind == PACK_ARRAY ? head->count : 0;
}

int pack_skip(struct pack_reader *reader, const struct pack_value *head, struct error *error)
{
    uint64_t missing[PACK_DEPTH_MAX] = {values_in(head)}; /* of each level that is open */
    size_t depth = 1;
    int code = 0;

    while (code == 0 && depth > 0) {
        struct pack_value value = {0};
        if (missing[depth - 1] == 0) {
            depth--;
            continue;
        }
        missing[depth - 1]--;
        code = pack_read(reader, &value, error);
        if (code != 0 || values_in(&value) == 0) {
            continue;
        }
        if (depth == PACK_DEPTH_MAX) {
            return error_set(error, ERROR_NOT_MESSAGEPACK, "nested deeper than %d levels", PACK_DEPTH_MAX);
        }
        missing[depth++] = values_in(&value);
    }
    return code;
}

/* ---- writing ---- */

static int add_bytes(void *out, const char *bytes, size_t length)
{
    buffer_add(out, bytes, length);
    return 0;
}

msgpack_packer pack_onto(struct buffer *out)
{
    msgpack_packer packer;

    msgpack_packer_init(&packer, out, add_bytes);
    return packer;
}

void pack_text(msgpack_packer *packer, struct text text)
{
    msgpack_pack_str(packer, text.length);
    msgpack_pack_str_body(packer, text.bytes, text.length);
}
