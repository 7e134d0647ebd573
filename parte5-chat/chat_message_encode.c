/* From a message to bytes: by the same tables as chat_message_decode.c. */
#include "common/memory.h"
#include "parte5-chat/chat_message_change.h"
#include "parte5-chat/chat_message_table.h"
#include "parte5-chat/pack.h"
#include "parte5-chat/pack_json.h"

#include <stdlib.h>

static void write_fields(msgpack_packer *packer, const struct field_sets *sets, struct chat_message *message);

/* ---- lists ---- */

static void write_names(msgpack_packer *packer, const struct chat_names *names)
{
    msgpack_pack_array(packer, names->count);
    for (size_t i = 0; i < names->count; i++) {
        pack_text(packer, names->items[i]);
    }
}

static void write_ranks(msgpack_packer *packer, const struct chat_ranks *ranks)
{
    struct field_sets sets = chat_item_sets(FIELD_RANKS);

    msgpack_pack_array(packer, ranks->count);
    for (size_t i = 0; i < ranks->count; i++) {
        struct chat_message item = {.name = ranks->items[i].name, .rank = ranks->items[i].rank};
        write_fields(packer, &sets, &item);
    }
}

static void write_changes(msgpack_packer *packer, enum field_kind kind, const struct change_list *changes)
{
    struct field_sets sets = chat_item_sets(kind);

    msgpack_pack_array(packer, changes->count);
    for (size_t i = 0; i < changes->count; i++) {
        struct chat_message item;
        item_from_change(changes->items[i], kind == FIELD_HISTORY, &item);
        write_fields(packer, &sets, &item);
    }
}

/* ---- fields ---- */

/* Is there anything that an optional field would say? */
static bool is_there(const struct field *field, struct chat_message *message)
{
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_MOMENT:
        return *field_number(field, message) != 0;
    case FIELD_FLAG:
        return *field_flag(field, message);
    case FIELD_STATUS:
        return message->status != STATUS_NONE;
    case FIELD_TYPE:
        return true;
    case FIELD_NAMES:
        return field_names(field, message)->count > 0;
    case FIELD_RANKS:
        return message->list.count > 0;
    case FIELD_HISTORY:
    case FIELD_CHANGES:
        return field_changes(field, message)->count > 0;
    default:
        return field_text(field, message)->length > 0;
    }
}

static void write_status(msgpack_packer *packer, const struct chat_message *message)
{
    pack_text(packer, text_of(message->status == STATUS_ERROR ? "erro" : chat_success(message->service)));
}

static void write_flag(msgpack_packer *packer, bool flag)
{
    if (flag) {
        msgpack_pack_true(packer);
    } else {
        msgpack_pack_false(packer);
    }
}

static void write_value(msgpack_packer *packer, const struct field *field, struct chat_message *message)
{
    switch (field->kind) {
    case FIELD_NUMBER:
    case FIELD_MOMENT:
        msgpack_pack_int64(packer, *field_number(field, message));
        break;
    case FIELD_FLAG:
        write_flag(packer, *field_flag(field, message));
        break;
    case FIELD_STATUS:
        write_status(packer, message);
        break;
    case FIELD_TYPE:
        pack_text(packer, text_of(change_type_name((enum change_type)message->type)));
        break;
    case FIELD_NAMES:
        write_names(packer, field_names(field, message));
        break;
    case FIELD_RANKS:
        write_ranks(packer, &message->list);
        break;
    case FIELD_HISTORY:
    case FIELD_CHANGES:
        write_changes(packer, field->kind, field_changes(field, message));
        break;
    default:
        pack_text(packer, *field_text(field, message));
        break;
    }
}

static void write_fields(msgpack_packer *packer, const struct field_sets *sets, struct chat_message *message)
{
    uint64_t written = 0;
    size_t count = 0;

    for (int i = 0; i < FIELD_COUNT; i++) {
        uint64_t bit = FIELD_BIT(i);
        if ((sets->needed & bit) || ((sets->allowed & bit) && is_there(&chat_fields[i], message))) {
            written |= bit;
            count++;
        }
    }
    msgpack_pack_map(packer, count);
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (written & FIELD_BIT(i)) {
            pack_text(packer, (struct text){chat_fields[i].name, chat_fields[i].name_length});
            write_value(packer, &chat_fields[i], message);
        }
    }
}

static void write_message(struct chat_message *message, enum chat_direction direction, struct buffer *out)
{
    msgpack_packer packer = pack_onto(out);
    struct field_sets sets = chat_field_sets(message->service, direction, message->status == STATUS_ERROR);

    sets.needed |= FIELD_BIT(FIELD_CODE_TIMESTAMP) | FIELD_BIT(FIELD_CODE_CLOCK);
    msgpack_pack_map(&packer, 2);
    pack_text(&packer, text_of("service"));
    pack_text(&packer, text_of(chat_service_name(message->service)));
    pack_text(&packer, text_of("data"));
    write_fields(&packer, &sets, message);
}

int chat_message_encode(const struct chat_message *message, enum chat_direction direction,
                        enum chat_encoding encoding, size_t limit, struct buffer *out, struct error *error)
{
    struct chat_message copy = *message; /* shallow: the tables point into what they may write to */
    size_t before = out->length;

    write_message(&copy, direction, out);
    if (encoding == CHAT_JSON) {
        struct buffer json = {0};
        pack_to_json((struct text){out->bytes + before, out->length - before}, &json);
        out->length = before;
        buffer_add(out, json.bytes, json.length);
        buffer_free(&json);
    }
    size_t length = out->length - before;
    if (length > limit) {
        out->length = before;
        return error_set(error, ERROR_TOO_LONG, "%zu bytes long, at most %zu are allowed", length, limit);
    }
    return 0;
}

void change_to_json(const struct change *change, struct buffer *out)
{
    struct field_sets sets = chat_item_sets(FIELD_CHANGES);
    struct chat_message item;
    struct buffer packed = {0};
    msgpack_packer packer = pack_onto(&packed);

    item_from_change(change, false, &item);
    write_fields(&packer, &sets, &item);
    pack_to_json(buffer_text(&packed), out);
    buffer_free(&packed);
}

/* ---- a message's memory ---- */

void chat_message_clear(struct chat_message *message)
{
    struct chat_message empty = {.users = {.items = message->users.items,
                                           .capacity = message->users.capacity},
                                 .channels = {.items = message->channels.items,
                                              .capacity = message->channels.capacity},
                                 .list = {.items = message->list.items, .capacity = message->list.capacity},
                                 .unpacked = message->unpacked};

    change_list_free(&message->messages);
    change_list_free(&message->changes);
    buffer_clear(&empty.unpacked);
    *message = empty;
}

void chat_message_free(struct chat_message *message)
{
    chat_message_clear(message);
    free(message->users.items);
    free(message->channels.items);
    free(message->list.items);
    buffer_free(&message->unpacked);
    *message = (struct chat_message){0};
}

void chat_message_refuse(struct chat_message *answer, const struct chat_message *request, struct text reason)
{
    bool says_why_in_message = request->service == SERVICE_PUBLISH || request->service == SERVICE_MESSAGE;

    chat_message_clear(answer);
    answer->service = request->service;
    answer->request_id = request->request_id;
    answer->status = STATUS_ERROR;
    if (says_why_in_message) {
        answer->message = reason;
    } else {
        answer->description = reason;
    }
}
