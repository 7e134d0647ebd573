#include "parte5-chat/change.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>

const char *change_type_name(enum change_type type)
{
    static const char *const names[] = {
#define X(code, name) [code] = (name),
        CHANGE_TYPES(X)
#undef X
    };
    return names[type];
}

static struct text copy_into(char **room, struct text text)
{
    struct text copy = {*room, text.length};

    if (text.length > 0) {
        memcpy(*room, text.bytes, text.length);
        *room += text.length;
    }
    return copy;
}

struct change *change_new(const struct change *fields)
{
    size_t length =
        fields->request_id.length + fields->user.length + fields->target.length + fields->body.length;
    struct change *change = memory_new(sizeof *change + length); /* one allocation: the text stands behind */
    char *room = (char *)(change + 1);

    *change = *fields;
    change->references = 1;
    change->request_id = copy_into(&room, fields->request_id);
    change->user = copy_into(&room, fields->user);
    change->target = copy_into(&room, fields->target);
    change->body = copy_into(&room, fields->body);
    return change;
}

struct change *change_number(const struct change *change, int64_t seq, int64_t epoch)
{
    struct change fields = *change;

    fields.seq = seq;
    fields.epoch = epoch;
    return change_new(&fields);
}

struct change *change_ref(struct change *change)
{
    change->references++;
    return change;
}

void change_unref(struct change *change)
{
    if (change != NULL && --change->references == 0) {
        free(change);
    }
}

void change_list_add(struct change_list *list, struct change *change)
{
    list->items = memory_grow(list->items, &list->capacity, list->count + 1, sizeof(struct change *));
    list->items[list->count++] = change_ref(change);
}

size_t change_list_below(const struct change_list *list, int64_t seq)
{
    size_t from = 0;
    size_t to = list->count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (list->items[middle]->seq < seq) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

void change_list_free(struct change_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        change_unref(list->items[i]);
    }
    free(list->items);
    *list = (struct change_list){0};
}
