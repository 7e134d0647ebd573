#include "parte5-chat/pack_json.h"

#include "common/json.h"
#include "common/memory.h"
#include "common/words.h"
#include "parte5-chat/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* ---- from JSON ---- */

/* An array or object that is not closed yet. How many values it has is known when it closes: its head is written with
 * the widest count, which is filled in then. */
struct level {
    size_t head; /* where it stands in `out` */
    uint32_t values;
    bool is_map;
};

struct from_json {
    struct buffer *out;
    msgpack_packer packer;
    struct level levels[PACK_DEPTH_MAX];
    size_t depth;
    const char *refusal; /* in English; NULL while all is well */
};

static int refuse(struct from_json *from, const char *why)
{
    from->refusal = why;
    return 0;
}

/* A value comes: is there an object for it to be in? */
static bool count_value(struct from_json *from)
{
    if (from->depth == 0) {
        return refuse(from, N_("it must be an object"));
    }
    from->levels[from->depth - 1].values++;
    return true;
}

static int on_null(void *context)
{
    struct from_json *from = context;
    return count_value(from) && msgpack_pack_nil(&from->packer) == 0;
}

static int on_boolean(void *context, int value)
{
    struct from_json *from = context;
    return count_value(from) &&
           (value ? msgpack_pack_true(&from->packer) : msgpack_pack_false(&from->packer)) == 0;
}

static int on_number(void *context, const char *digits, size_t length)
{
    struct from_json *from = context;
    char *copy = memory_copy_text(digits, length);
    bool whole = strpbrk(copy, ".eE") == NULL;

    errno = 0;
    int64_t integer = whole ? strtoll(copy, NULL, 10) : 0;
    whole = whole && errno == 0;
    double number = whole ? 0 : strtod(copy, NULL);
    free(copy);
    if (!count_value(from)) {
        return 0;
    }
    return (whole ? msgpack_pack_int64(&from->packer, integer)
                  : msgpack_pack_double(&from->packer, number)) == 0;
}

static int on_string(void *context, const unsigned char *bytes, size_t length)
{
    struct from_json *from = context;
    if (!count_value(from)) {
        return 0;
    }
    pack_text(&from->packer, (struct text){(const char *)bytes, length});
    return 1;
}

static int on_name(void *context, const unsigned char *bytes, size_t length)
{
    struct from_json *from = context;
    pack_text(&from->packer, (struct text){(const char *)bytes, length});
    return 1;
}

static int open_level(struct from_json *from, bool is_map)
{
    if (from->depth > 0) {
        from->levels[from->depth - 1].values++;
    } else if (!is_map) {
        return refuse(from, N_("it must be an object"));
    }
    if (from->depth == PACK_DEPTH_MAX) {
        return refuse(from, N_("nested too deeply"));
    }
    from->levels[from->depth++] = (struct level){.head = from->out->length, .is_map = is_map};
    buffer_add(from->out, (const char[5]){0}, 5);
    return 1;
}

static int on_map_begin(void *context)
{
    return open_level(context, true);
}

static int on_array_begin(void *context)
{
    return open_level(context, false);
}

static int close_level(void *context)
{
    struct from_json *from = context;
    struct level *level = &from->levels[--from->depth];
    unsigned char *head = (unsigned char *)from->out->bytes + level->head;

    head[0] = level->is_map ? 0xdf : 0xdd;
    for (int i = 0; i < 4; i++) {
        head[1 + i] = (unsigned char)(level->values >> (24 - 8 * i));
    }
    return 1;
}

static int parse(struct from_json *from, struct text json, struct error *error)
{
    static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                             .yajl_boolean = on_boolean,
                                             .yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_map_begin,
                                             .yajl_map_key = on_name,
                                             .yajl_end_map = close_level,
                                             .yajl_start_array = on_array_begin,
                                             .yajl_end_array = close_level};
    yajl_handle parser = yajl_alloc(&callbacks, NULL, from);

    if (parser == NULL) {
        memory_new(SIZE_MAX); /* ends the program, as all want of memory does */
    }
    yajl_config(parser, yajl_dont_validate_strings, 1); /* text_is_utf8 is stricter */
    yajl_status status = yajl_parse(parser, (const unsigned char *)json.bytes, json.length);
    size_t read = yajl_get_bytes_consumed(parser);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(parser);
    }
    yajl_free(parser);
    if (status == yajl_status_ok) {
        return 0;
    }
    error_set(error, ERROR_NOT_JSON, "not JSON: wrong at byte %zu", read);
    if (from->refusal != NULL) {
        error_because(error, from->refusal);
    }
    return ERROR_NOT_JSON;
}

int pack_from_json(struct text json, struct buffer *out, struct error *error)
{
    struct from_json from = {.out = out, .packer = pack_onto(out)};

    if (!text_is_utf8(json)) {
        return error_set(error, ERROR_NOT_UTF8, "not valid UTF-8");
    }
    if (!json_surrogates_are_paired(json)) {
        return error_set(error, ERROR_NOT_JSON, "not JSON: half of a surrogate pair in a \\u escape");
    }
    return parse(&from, json, error);
}

/* ---- to JSON ---- */

static void write_plain(struct buffer *out, const struct pack_value *value)
{
    switch (value->kind) {
    case PACK_STRING:
        json_write_string(out, value->text);
        break;
    case PACK_INTEGER:
        buffer_add_int(out, value->integer);
        break;
    case PACK_BOOLEAN:
        buffer_add_string(out, value->boolean ? "true" : "false");
        break;
    default:
        buffer_add_string(out, "null");
        break;
    }
}

/* An array or map that is being written: how many values it has, and how many of them stand there. */
struct open {
    uint64_t values, written;
    bool is_map;
};

/* What stands between two values. */
static void write_separator(struct buffer *out, const struct open *open)
{
    if (open->written > 0) {
        buffer_add_char(out, open->is_map && open->written % 2 == 1 ? ':' : ',');
    }
}

void pack_to_json(struct text packed, struct buffer *out)
{
    struct pack_reader reader = {packed.bytes, packed.bytes + packed.length};
    struct open levels[PACK_DEPTH_MAX];
    size_t depth = 0;
    struct pack_value value;

    while (pack_read(&reader, &value, NULL) == 0) {
        bool opens = value.kind == PACK_MAP || value.kind == PACK_ARRAY;
        if (depth > 0) {
            write_separator(out, &levels[depth - 1]);
            levels[depth - 1].written++;
        }
        if (opens && depth < PACK_DEPTH_MAX) {
            bool is_map = value.kind == PACK_MAP;
            levels[depth++] =
                (struct open){.values = is_map ? (uint64_t)value.count * 2 : value.count, .is_map = is_map};
            buffer_add_char(out, is_map ? '{' : '[');
        } else {
            write_plain(out, &value);
        }
        while (depth > 0 && levels[depth - 1].written == levels[depth - 1].values) {
            buffer_add_char(out, levels[--depth].is_map ? '}' : ']');
        }
        if (depth == 0) {
            break;
        }
    }
}
