#include "paxos/reads.h"

#include "common/memory.h"
#include "paxos/fields.h"
#include "paxos/writes.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    const struct resource *const *first = a;
    const struct resource *const *second = b;

    return text_compare((*first)->name, (*second)->name);
}

void reads_snapshot(const struct resources *resources, struct buffer *out)
{
    const struct resource **sorted = memory_new_zeroed(resources->count + 1, sizeof(struct resource *));
    size_t count = 0;

    for (const struct resource *resource = resources->first; resource != NULL; resource = resource->next) {
        sorted[count++] = resource;
    }
    qsort(sorted, count, sizeof(struct resource *), by_name);
    buffer_add_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        buffer_add_string(out, i > 0 ? ", " : "");
        json_write_string(out, sorted[i]->name);
        buffer_add_string(out, ": ");
        buffer_add(out, sorted[i]->data.bytes, sorted[i]->data.length);
    }
    buffer_add_char(out, '}');
    free(sorted);
}

/* One question: which resource, or all of them (no bytes). */
static int read_item(struct text text, struct json_object *item, struct text *name, struct error *error)
{
    int code = json_object_read(item, text, error);
    const struct json_member *all = code == 0 ? json_object_get(item, "all") : NULL;

    *name = (struct text){0};
    if (code == 0 && (all == NULL || all->kind != JSON_BOOLEAN || all->text.bytes[0] != 't')) {
        code = field_resource(item, name, error);
    }
    return code;
}

static void answer_one(const struct resources *resources, struct text name, struct buffer *out)
{
    if (name.bytes != NULL) {
        writes_put_value(out, resources_find(resources, name));
        return;
    }
    buffer_add_string(out, "{\"snapshot\":");
    reads_snapshot(resources, out);
    buffer_add_char(out, '}');
}

/* `resources` and `out` are NULL where only the question is checked. */
static int each_read(const struct resources *resources, const struct json_object *question,
                     struct json_object *item, struct buffer *out, struct error *error)
{
    struct field_items items;
    struct text text;
    struct text name;
    unsigned count = 0;
    int code = field_array(question, "reads", &items, error);

    for (; code == 0 && field_next(&items, &text); count++) {
        code = count < READS_MAX
                   ? read_item(text, item, &name, error)
                   : error_set(error, ERROR_TOO_LONG, "reads has more than %d items", READS_MAX);
        if (code == 0 && out != NULL && out->length > READS_BYTES) {
            code =
                error_set(error, ERROR_TOO_LONG, "the values that are asked for are too long for one answer");
        }
        if (code == 0 && out != NULL) {
            buffer_add_string(out, count > 0 ? "," : "");
            answer_one(resources, name, out);
        }
    }
    return code;
}

int reads_answer(const struct resources *resources, const struct json_object *question,
                 struct json_object *item, struct buffer *out, struct error *error)
{
    buffer_add_char(out, '[');
    int code = each_read(resources, question, item, out, error);
    buffer_add_char(out, ']');
    return code;
}

int reads_check(const struct json_object *question, struct json_object *item, struct error *error)
{
    return each_read(NULL, question, item, NULL, error);
}
