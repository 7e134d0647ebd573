#include "common/json_reader.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

/* A member of a nested object, as written so far: `"name":value`, without a comma. */
struct nested_member {
    size_t start, end; /* offsets into the text */
    size_t name_start; /* its decoded name, an offset into the reader's names */
    size_t name_length;
};

/* An array or object inside a member's value that is not closed yet. */
struct frame {
    bool is_object;
    size_t start;        /* where its bracket stands */
    size_t items;        /* of an array: how many values it has so far */
    size_t first_nested; /* of an object: its first entry among the nested members */
};

struct json_reader {
    yajl_handle parser; /* NULL until the first read, and after an error */
    struct json_object *object;
    struct frame *frames;
    size_t depth, frames_capacity; /* depth 0: inside the outer object */
    bool outer_open, outer_seen;
    size_t outer_end; /* bytes up to where the outer object closed */
    struct nested_member *nested;
    size_t nested_count, nested_capacity;
    struct buffer names; /* of the nested members, as characters: escapes would sort differently */
    struct buffer scratch;
    struct error error;
};

static int refuse(struct json_reader *reader, const char *what)
{
    error_set(&reader->error, ERROR_NOT_JSON, "%s", what);
    return 0;
}

/* ---- values ---- */

/* A value starts: the outer object must be open, and in an array a comma may be due. */
static int value_begin(struct json_reader *reader, enum json_kind kind)
{
    struct json_object *object = reader->object;

    if (!reader->outer_open) {
        return refuse(reader, "not a JSON object");
    }
    if (reader->depth == 0) {
        struct json_member *member = &object->members[object->count - 1];
        member->kind = kind;
        member->text_offset = object->text.length;
    } else {
        struct frame *frame = &reader->frames[reader->depth - 1];
        if (!frame->is_object && frame->items++ > 0) {
            buffer_add_char(&object->text, ',');
        }
    }
    return 1;
}

static void value_end(struct json_reader *reader)
{
    struct json_object *object = reader->object;

    if (reader->depth == 0) {
        struct json_member *member = &object->members[object->count - 1];
        member->text.length = object->text.length - member->text_offset;
    } else if (reader->frames[reader->depth - 1].is_object) {
        reader->nested[reader->nested_count - 1].end = object->text.length;
    }
}

static int on_literal(struct json_reader *reader, enum json_kind kind, const char *bytes, size_t length)
{
    if (!value_begin(reader, kind)) {
        return 0;
    }
    buffer_add(&reader->object->text, bytes, length);
    value_end(reader);
    return 1;
}

static int on_null(void *context)
{
    return on_literal(context, JSON_NULL, "null", 4);
}

static int on_boolean(void *context, int value)
{
    return on_literal(context, JSON_BOOLEAN, value ? "true" : "false", value ? 4 : 5);
}

static int on_number(void *context, const char *digits, size_t length)
{
    return on_literal(context, JSON_NUMBER, digits, length);
}

static int on_string(void *context, const unsigned char *bytes, size_t length)
{
    struct json_reader *reader = context;

    if (reader->depth == 0) {
        return on_literal(reader, JSON_STRING, (const char *)bytes, length);
    }
    if (!value_begin(reader, JSON_STRING)) {
        return 0;
    }
    json_write_string(&reader->object->text, (struct text){(const char *)bytes, length});
    value_end(reader);
    return 1;
}

/* ---- arrays and objects ---- */

static int container_begin(struct json_reader *reader, bool is_object)
{
    if (!value_begin(reader, is_object ? JSON_OBJECT : JSON_ARRAY)) {
        return 0;
    }
    if (reader->depth == JSON_DEPTH_MAX) {
        return refuse(reader, "nested deeper than 1000 levels");
    }
    reader->frames =
        memory_grow(reader->frames, &reader->frames_capacity, reader->depth + 1, sizeof *reader->frames);
    reader->frames[reader->depth++] = (struct frame){.is_object = is_object,
                                                     .start = reader->object->text.length,
                                                     .first_nested = reader->nested_count};
    struct json_member *member = &reader->object->members[reader->object->count - 1];
    member->depth = reader->depth > member->depth ? reader->depth : member->depth;
    buffer_add_char(&reader->object->text, is_object ? '{' : '[');
    return 1;
}

static struct text nested_name(const struct buffer *names, const struct nested_member *member)
{
    return (struct text){names->bytes + member->name_start, member->name_length};
}

/* By name, then by place, so that of two with one name the later stands behind. */
static int nested_compare(const void *a, const void *b, void *names)
{
    const struct nested_member *first = a;
    const struct nested_member *second = b;
    int order = text_compare(nested_name(names, first), nested_name(names, second));
    return order != 0 ? order : (first->start > second->start) - (first->start < second->start);
}

/* Writes the members of the object that closes once more, sorted and each name once. */
static void object_canonicalise(struct json_reader *reader, const struct frame *frame)
{
    struct buffer *text = &reader->object->text;
    struct buffer *names = &reader->names;
    size_t count = reader->nested_count - frame->first_nested;

    if (count == 0) {
        return;
    }
    struct nested_member *members = reader->nested + frame->first_nested;
    names->length = members[0].name_start; /* forgotten after this; the bytes stay until the next name */
    qsort_r(members, count, sizeof *members, nested_compare, names);
    buffer_clear(&reader->scratch);
    for (size_t i = 0; i < count; i++) {
        bool repeated =
            i + 1 < count && text_equal(nested_name(names, &members[i]), nested_name(names, &members[i + 1]));
        if (repeated) {
            continue;
        }
        if (reader->scratch.length > 0) {
            buffer_add_char(&reader->scratch, ',');
        }
        buffer_add(&reader->scratch, text->bytes + members[i].start, members[i].end - members[i].start);
    }
    text->length = frame->start + 1;
    buffer_add(text, reader->scratch.bytes, reader->scratch.length);
}

static int container_end(struct json_reader *reader)
{
    struct frame *frame = &reader->frames[reader->depth - 1];

    if (frame->is_object) {
        object_canonicalise(reader, frame);
        reader->nested_count = frame->first_nested;
    }
    buffer_add_char(&reader->object->text, frame->is_object ? '}' : ']');
    reader->depth--;
    value_end(reader);
    return 1;
}

static int on_array_begin(void *context)
{
    return container_begin(context, false);
}

static int on_array_end(void *context)
{
    return container_end(context);
}

static int on_object_begin(void *context)
{
    struct json_reader *reader = context;

    if (!reader->outer_seen) {
        reader->outer_seen = reader->outer_open = true;
        return 1;
    }
    return container_begin(reader, true);
}

static int on_object_end(void *context)
{
    struct json_reader *reader = context;

    if (reader->depth == 0) {
        reader->outer_open = false;
        reader->outer_end = yajl_get_bytes_consumed(reader->parser);
        return 1;
    }
    return container_end(reader);
}

static int on_name(void *context, const unsigned char *bytes, size_t length)
{
    struct json_reader *reader = context;
    struct json_object *object = reader->object;
    struct text name = {(const char *)bytes, length};

    if (reader->depth == 0) {
        object->members =
            memory_grow(object->members, &object->capacity, object->count + 1, sizeof *object->members);
        struct json_member *member = &object->members[object->count++];
        *member = (struct json_member){.name_offset = object->text.length, .name.length = length};
        buffer_add(&object->text, name.bytes, name.length);
        return 1;
    }
    reader->nested = memory_grow(reader->nested, &reader->nested_capacity, reader->nested_count + 1,
                                 sizeof *reader->nested);
    struct nested_member *member = &reader->nested[reader->nested_count++];
    member->start = object->text.length;
    member->name_start = reader->names.length;
    member->name_length = length;
    buffer_add(&reader->names, name.bytes, name.length);
    buffer_add_char(&reader->names, '\0'); /* so that an empty name stands somewhere too */
    json_write_string(&object->text, name);
    buffer_add_char(&object->text, ':');
    return 1;
}

/* ---- reading ---- */

/* yajl's own words, without its line break. */
static void explain_failure(struct json_reader *reader, yajl_handle parser)
{
    if (reader->error.code != ERROR_NONE) {
        return;
    }
    unsigned char *words = yajl_get_error(parser, 0, NULL, 0);
    int length = words != NULL ? (int)strcspn((char *)words, "\n") : 0;
    error_set(&reader->error, ERROR_NOT_JSON, "not JSON: %.*s at byte %zu", length,
              words != NULL ? (char *)words : "", yajl_get_bytes_consumed(parser));
    yajl_free_error(parser, words);
}

static void prepare(struct json_reader *reader, struct json_object *object)
{
    static const yajl_callbacks callbacks = {.yajl_null = on_null,
                                             .yajl_boolean = on_boolean,
                                             .yajl_number = on_number,
                                             .yajl_string = on_string,
                                             .yajl_start_map = on_object_begin,
                                             .yajl_map_key = on_name,
                                             .yajl_end_map = on_object_end,
                                             .yajl_start_array = on_array_begin,
                                             .yajl_end_array = on_array_end};

    reader->object = object;
    reader->depth = reader->nested_count = 0;
    reader->outer_open = reader->outer_seen = false;
    reader->error.code = ERROR_NONE;
    buffer_clear(&reader->names);
    if (reader->parser == NULL) {
        reader->parser = yajl_alloc(&callbacks, NULL, reader);
        if (reader->parser == NULL) {
            memory_new(SIZE_MAX); /* ends the program, as all want of memory does */
        }
        yajl_config(reader->parser, yajl_dont_validate_strings, 1); /* text_is_utf8 is stricter */
        yajl_config(reader->parser, yajl_allow_multiple_values,
                    1); /* one parser for one text after another */
    }
}

/* Exactly one object? If not, the reader's error says why. */
static bool parse(struct json_reader *reader, struct text text)
{
    yajl_status status = yajl_parse(reader->parser, (const unsigned char *)text.bytes, text.length);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(reader->parser);
    }
    if (status != yajl_status_ok) {
        explain_failure(reader, reader->parser);
        return false;
    }
    if (!reader->outer_seen || reader->outer_open) { /* nothing but blanks */
        refuse(reader, "not JSON: empty");
        return false;
    }
    /* A parser that takes several values would keep the beginning of another one for the next text. */
    struct text rest = {text.bytes + reader->outer_end, text.length - reader->outer_end};
    if (text_trim(rest).length > 0) {
        refuse(reader, "not JSON: something stands behind the object");
        return false;
    }
    return true;
}

struct json_reader *json_reader_new(void)
{
    return memory_new_zeroed(1, sizeof(struct json_reader));
}

int json_reader_read(struct json_reader *reader, struct json_object *object, struct text text,
                     struct error *error)
{
    prepare(reader, object);
    if (!parse(reader, text)) {
        yajl_free(reader->parser); /* what it makes of the next text must not depend on this one */
        reader->parser = NULL;
        if (error != NULL) {
            *error = reader->error;
        }
        return reader->error.code;
    }
    return 0;
}

void json_reader_free(struct json_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->parser != NULL) {
        yajl_free(reader->parser);
    }
    free(reader->frames);
    free(reader->nested);
    buffer_free(&reader->names);
    buffer_free(&reader->scratch);
    free(reader);
}
