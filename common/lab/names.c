#include "common/lab/names.h"

#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct name {
    UT_hash_handle hh;
    uint32_t number;
    uint32_t length;
    char text[];
};

static struct name *find(const struct names *names, struct text text, unsigned hash)
{
    struct name *name;
    HASH_FIND_BYHASHVALUE(hh, names->table, text.bytes, text.length, hash, name);
    return name;
}

static unsigned hash_of(struct text text)
{
    unsigned hash;
    HASH_VALUE(text.bytes, text.length, hash);
    return hash;
}

uint32_t names_number(struct names *names, struct text text)
{
    if (text.bytes == NULL) {
        text = text_of(""); /* no text at all is as good as an empty one here */
    }
    unsigned hash = hash_of(text);
    struct name *name = find(names, text, hash);
    if (name == NULL) {
        name = memory_new(sizeof *name + text.length);
        name->number = (uint32_t)names->count;
        name->length = (uint32_t)text.length;
        memcpy(name->text, text.bytes, text.length);
        HASH_ADD_KEYPTR_BYHASHVALUE(hh, names->table, name->text, text.length, hash, name);
        names->order = memory_grow(names->order, &names->capacity, names->count + 1, sizeof(struct name *));
        names->order[names->count++] = name;
    }
    return name->number;
}

uint32_t names_find(const struct names *names, struct text text)
{
    const struct name *name = find(names, text, hash_of(text));
    return name != NULL ? name->number : NAMES_NONE;
}

struct text names_text(const struct names *names, uint32_t number)
{
    if (number == NAMES_NONE) {
        return (struct text){"", 0};
    }
    return (struct text){names->order[number]->text, names->order[number]->length};
}

void names_free(struct names *names)
{
    HASH_CLEAR(hh, names->table);
    for (size_t i = 0; i < names->count; i++) {
        free(names->order[i]);
    }
    free(names->order);
    *names = (struct names){0};
}
