/* The fields of a map, by the tables: those that are lists, and all together. */
#include "common/memory.h"
#include "parte5-chat/chat_message_change.h"
#include "parte5-chat/chat_message_table.h"
#include "parte5-chat/names.h"
#include "parte5-chat/pack.h"

#include <inttypes.h>
#include <string.h>

/* ---- lists ---- */

static int read_names(struct pack_reader *reader, const struct field *field, uint32_t count,
                      struct chat_names *names, struct error *error)
{
    int code = 0;

    names->count = 0;
    for (uint32_t i = 0; i < count && code == 0; i++) {
        struct pack_value value;
        code = pack_read(reader, &value, error);
        if (code == 0 && value.kind != PACK_STRING) {
            code =
                error_set(error, ERROR_FIELD_TYPE, "%s holds what is of type %s, it must be of type string",
                          field->name, pack_kind_name(value.kind));
        }
        if (code == 0) {
            code = name_check(value.text, field->name, error);
        }
        if (code == 0) {
            names->items =
                memory_grow(names->items, &names->capacity, names->count + 1, sizeof *names->items);
            names->items[names->count++] = value.text;
        }
    }
    return code;
}

/* Its fields are those of a message, though fewer; none of them is a list. */
static int read_item(struct pack_reader *reader, const struct field *field, struct chat_message *item,
                     struct error *error)
{
    struct field_sets sets = chat_item_sets(field->kind);
    struct pack_value head;
    int code = pack_read(reader, &head, error);

    if (code == 0 && head.kind != PACK_MAP) {
        code = error_set(error, ERROR_FIELD_TYPE, "%s holds what is of type %s, it must be of type map",
                         field->name, pack_kind_name(head.kind));
    }
    return code != 0 ? code : fields_read(reader, head.count, &sets, item, error);
}

static int read_ranks(struct pack_reader *reader, const struct field *field, uint32_t count,
                      struct chat_ranks *ranks, struct error *error)
{
    int code = 0;

    ranks->count = 0;
    for (uint32_t i = 0; i < count && code == 0; i++) {
        struct chat_message item = {0};
        code = read_item(reader, field, &item, error);
        if (code == 0) {
            ranks->items =
                memory_grow(ranks->items, &ranks->capacity, ranks->count + 1, sizeof *ranks->items);
            ranks->items[ranks->count++] = (struct chat_rank){item.name, item.rank};
        }
    }
    return code;
}

static int read_changes(struct pack_reader *reader, const struct field *field, uint32_t count,
                        struct change_list *changes, struct error *error)
{
    int code = 0;

    change_list_free(changes);
    for (uint32_t i = 0; i < count && code == 0; i++) {
        struct chat_message item = {0};
        struct change fields;
        code = read_item(reader, field, &item, error);
        if (code == 0) {
            code = change_from_item(&item, field->kind == FIELD_HISTORY, &fields, error);
        }
        if (code == 0) {
            struct change *change = change_new(&fields);
            change_list_add(changes, change);
            change_unref(change);
        }
    }
    return code;
}

static int read_list(struct pack_reader *reader, const struct field *field, const struct pack_value *head,
                     struct chat_message *into, struct error *error)
{
    if (head->kind != PACK_ARRAY) {
        return field_wrong_kind(field, head, PACK_ARRAY, error);
    }
    if (field->kind == FIELD_NAMES) {
        return read_names(reader, field, head->count, field_names(field, into), error);
    }
    if (head->count > (uint64_t)field->most) {
        return error_set(error, ERROR_FIELD_VALUE, "%s: %" PRIu32 " items, at most %" PRId64 " are allowed",
                         field->name, head->count, field->most);
    }
    if (field->kind == FIELD_RANKS) {
        return read_ranks(reader, field, head->count, &into->list, error);
    }
    return read_changes(reader, field, head->count, field_changes(field, into), error);
}

/* ---- all fields ---- */

static bool is_list(const struct field *field)
{
    return field->kind >= FIELD_NAMES;
}

/* The field of that name, if it is one of the set; FIELD_COUNT if there is none. */
static int find_field(const struct pack_value *name, uint64_t allowed)
{
    int i = 0;

    if (name->kind != PACK_STRING) {
        return FIELD_COUNT;
    }
    for (; i < FIELD_COUNT; i++) {
        const struct field *field = &chat_fields[i];
        if (field->name_length == name->text.length && (allowed & FIELD_BIT(i)) &&
            memcmp(field->name, name->text.bytes, field->name_length) == 0) {
            break;
        }
    }
    return i;
}

/* A name and its value. */
static int read_pair(struct pack_reader *reader, uint64_t allowed, struct chat_message *into, uint64_t *seen,
                     struct error *error)
{
    struct pack_value name;
    struct pack_value value;
    int code = pack_read(reader, &name, error);

    if (code == 0) {
        code = pack_skip(reader, &name, error); /* no name of ours has anything in it */
    }
    if (code == 0) {
        code = pack_read(reader, &value, error);
    }
    if (code != 0) {
        return code;
    }
    int field = find_field(&name, allowed);
    if (field == FIELD_COUNT || value.kind == PACK_NIL) {
        return pack_skip(reader, &value, error);
    }
    *seen |= FIELD_BIT(field);
    if (is_list(&chat_fields[field])) {
        return read_list(reader, &chat_fields[field], &value, into, error);
    }
    code = field_read(&chat_fields[field], &value, into, error);
    return code != 0 ? code : pack_skip(reader, &value, error);
}

int fields_read(struct pack_reader *reader, uint32_t pairs, const struct field_sets *sets,
                struct chat_message *into, struct error *error)
{
    uint64_t seen = 0;
    int code = 0;

    for (uint32_t i = 0; i < pairs && code == 0; i++) {
        code = read_pair(reader, sets->allowed, into, &seen, error);
    }
    for (int i = 0; i < FIELD_COUNT && code == 0; i++) {
        bool refusal = into->status == STATUS_ERROR && FIELD_BIT(i) != FIELD_BIT(FIELD_CODE_STATUS);
        if ((sets->needed & ~seen & FIELD_BIT(i)) && !refusal) {
            code = error_set(error, ERROR_FIELD_MISSING, "%s is missing", chat_fields[i].name);
        }
    }
    return code;
}
