#include "paxos/writes.h"

#include "common/memory.h"
#include "paxos/fields.h"
#include "paxos/limits.h"

#include <stdlib.h>

/* ---- reading ---- */

/* Puts the name, a NUL and the data into `bytes`; both are told where they are once `bytes` does not move any more. */
static int read_one(struct writes *writes, const struct json_object *object, bool with_data,
                    struct error *error)
{
    struct resource write = {0};
    int code = field_number(object, "number", 1, PAXOS_INSTANCE_MAX, &write.version, error);

    if (code == 0) {
        code = field_resource(object, &write.name, error);
    }
    if (code == 0) {
        code = field_number_or(object, "timestamp", 0, PAXOS_INSTANCE_MAX, 0, &write.timestamp, error);
    }
    const struct json_member *data = json_object_get(object, "data");
    if (code == 0 && with_data && data == NULL) {
        code = error_set(error, ERROR_FIELD_MISSING, "%s is missing", "data");
    }
    if (code != 0) {
        return code;
    }
    buffer_add(&writes->bytes, write.name.bytes, write.name.length);
    buffer_add_char(&writes->bytes, '\0');
    size_t before = writes->bytes.length;
    if (with_data) {
        json_write_member(&writes->bytes, data);
    }
    write.data.length = writes->bytes.length - before;
    writes->items = memory_grow(writes->items, &writes->capacity, writes->count + 1, sizeof *writes->items);
    writes->items[writes->count++] = write;
    return 0;
}

static int read_items(struct writes *writes, struct field_items *items, bool with_data, struct error *error)
{
    struct text item;
    int code = 0;

    while (code == 0 && field_next(items, &item)) {
        if (writes->count == WRITES_MAX) {
            return error_set(error, ERROR_TOO_LONG, "writes has more than %d items", WRITES_MAX);
        }
        code = json_object_read(&writes->item, item, error);
        if (code == 0) {
            code = read_one(writes, &writes->item, with_data, error);
        }
    }
    return code;
}

static void point_into_bytes(struct writes *writes)
{
    const char *bytes = writes->bytes.bytes;

    for (size_t i = 0; i < writes->count; i++) {
        struct resource *write = &writes->items[i];
        write->name.bytes = bytes;
        write->data.bytes = bytes + write->name.length + 1;
        bytes = write->data.bytes + write->data.length;
    }
}

static int read_range(struct writes *writes, const struct json_object *body, struct error *error)
{
    const struct json_member *part = json_object_get(body, "part");
    int code = field_number(body, "first", 1, PAXOS_INSTANCE_MAX, &writes->first, error);

    if (code == 0) {
        code = field_number(body, "last", writes->first - 1, PAXOS_INSTANCE_MAX, &writes->last, error);
    }
    if (code == 0 && part != NULL && part->kind != JSON_BOOLEAN) {
        code = error_set(error, ERROR_FIELD_TYPE, "%s must be of type %s, not %s", "part",
                         json_kind_name(JSON_BOOLEAN), json_kind_name(part->kind));
    }
    writes->part = code == 0 && part != NULL && part->text.bytes[0] == 't';
    return code;
}

int writes_read(struct writes *writes, const struct json_object *body, bool with_data, struct error *error)
{
    struct field_items items;
    int code;

    writes->count = 0;
    writes->part = false;
    buffer_clear(&writes->bytes);
    if (json_object_get(body, "writes") == NULL && json_object_get(body, "number") != NULL) {
        code = read_one(writes, body, with_data, error);
        writes->first = writes->last = code == 0 ? writes->items[0].version : 0;
    } else {
        code = read_range(writes, body, error);
        if (code == 0) {
            code = field_array(body, "writes", &items, error);
        }
        if (code == 0) {
            code = read_items(writes, &items, with_data, error);
        }
    }
    point_into_bytes(writes);
    return code;
}

void writes_free(struct writes *writes)
{
    free(writes->items);
    buffer_free(&writes->bytes);
    json_object_free(&writes->item);
    *writes = (struct writes){0};
}

/* ---- writing ---- */

void writes_put_one(struct buffer *out, const struct resource *write, bool with_data)
{
    buffer_add_string(out, "{\"number\":");
    buffer_add_int(out, (int64_t)write->version);
    buffer_add_string(out, ",\"resource\":");
    json_write_string(out, write->name);
    if (with_data) {
        buffer_add_string(out, ",\"data\":");
        buffer_add(out, write->data.bytes, write->data.length);
        buffer_add_string(out, ",\"timestamp\":");
        buffer_add_int(out, (int64_t)write->timestamp);
    }
    buffer_add_char(out, '}');
}

const struct resource *writes_put(struct buffer *out, const struct resource *first)
{
    const struct resource *last = NULL;
    size_t start = out->length;
    size_t count = 0;

    buffer_add_string(out, ",\"writes\":[");
    for (const struct resource *write = first; write != NULL && count < WRITES_MAX; write = write->next) {
        size_t size = write->name.length + write->data.length;
        if (count > 0 && out->length - start + size > WRITES_BYTES_MAX) {
            break;
        }
        buffer_add_string(out, count > 0 ? "," : "");
        writes_put_one(out, write, true);
        last = write;
        count++;
    }
    buffer_add_char(out, ']');
    return last;
}

int writes_find_page(const struct resources *resources, const struct json_object *question,
                     const struct resource **first, struct error *error)
{
    const struct json_member *name = json_object_get(question, "resource");
    uint64_t after = 0;
    int code = field_number_or(question, "after", 0, PAXOS_INSTANCE_MAX, 0, &after, error);

    if (code == 0 && name != NULL && name->kind != JSON_STRING) {
        code = error_set(error, ERROR_FIELD_TYPE, "%s must be of type %s, not %s", "resource",
                         json_kind_name(JSON_STRING), json_kind_name(name->kind));
    }
    if (code == 0) {
        *first = resources_after(resources, after, name != NULL ? name->text : (struct text){"", 0});
    }
    return code;
}

/* Whether it is the last one is known only once it is written. */
int writes_put_page(struct buffer *out, const struct resources *resources, uint64_t complete,
                    const struct json_object *question, struct error *error)
{
    const struct resource *first = NULL;
    int code = writes_find_page(resources, question, &first, error);

    if (code != 0) {
        return code;
    }
    buffer_add_format(out, "{\"first\":1,\"last\":%llu", (unsigned long long)complete);
    const struct resource *last = writes_put(out, first);
    buffer_add_format(out, ",\"part\":%s}", last != NULL && last->next != NULL ? "true" : "false");
    return 0;
}

void writes_put_value(struct buffer *out, const struct resource *resource)
{
    static const struct resource none = {.data = {"null", 4}};
    const struct resource *shown = resource != NULL ? resource : &none;

    buffer_add_string(out, "{\"data\":");
    buffer_add(out, shown->data.bytes, shown->data.length);
    buffer_add_string(out, ",\"version\":");
    buffer_add_int(out, (int64_t)shown->version);
    buffer_add_string(out, ",\"timestamp\":");
    buffer_add_int(out, (int64_t)shown->timestamp);
    buffer_add_char(out, '}');
}
