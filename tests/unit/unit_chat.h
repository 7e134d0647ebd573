/* What the tests of chat messages share: messages with any value in any field, made by the tables of the protocol. */
#ifndef ORDEM_UNIT_CHAT_H
#define ORDEM_UNIT_CHAT_H

#include "parte5-chat/chat_message.h"
#include "parte5-chat/chat_message_table.h"
#include "parte5-chat/pack.h"

#include "tests/unit/unit.h"

#define UUID "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"

struct fixture {
    struct chat_message message;
    struct buffer bytes, again;
    struct error error;
};

static inline int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){0};
    *state = &f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    chat_message_free(&f->message);
    buffer_free(&f->bytes);
    buffer_free(&f->again);
    return 0;
}

static inline int decode(struct fixture *f, enum chat_direction direction, struct text bytes)
{
    return chat_message_decode(&f->message, direction, bytes, CHAT_MESSAGE_MAX, &f->error);
}

static inline void pack_string(msgpack_packer *packer, const char *string)
{
    pack_text(packer, text_of(string));
}

static inline void pack_valid(msgpack_packer *packer, int field);

static inline void pack_item(msgpack_packer *packer, enum field_kind kind)
{
    uint64_t all = chat_item_sets(kind).allowed;

    if (kind == FIELD_HISTORY) { /* of a publication, or of a private message: not both */
        all &= ~(FIELD_BIT(FIELD_CODE_SRC) | FIELD_BIT(FIELD_CODE_DST));
    }
    msgpack_pack_map(packer, (size_t)__builtin_popcountll(all));
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (all & FIELD_BIT(i)) {
            pack_string(packer, chat_fields[i].name);
            pack_valid(packer, i);
        }
    }
}

static inline void pack_valid(msgpack_packer *packer, int field)
{
    enum field_kind kind = chat_fields[field].kind;

    switch (kind) {
    case FIELD_TEXT:
        pack_string(packer, "Ol\xc3\xa1!");
        break;
    case FIELD_NAME:
        pack_string(packer, "Jo\xc3\xa3o da Silva");
        break;
    case FIELD_UUID:
        pack_string(packer, UUID);
        break;
    case FIELD_NUMBER:
    case FIELD_MOMENT:
        msgpack_pack_int64(packer, chat_fields[field].most);
        break;
    case FIELD_FLAG:
        msgpack_pack_true(packer);
        break;
    case FIELD_STATUS:
        pack_string(packer, "OK");
        break;
    case FIELD_TYPE:
        pack_string(packer, "publish");
        break;
    case FIELD_NAMES:
        msgpack_pack_array(packer, 2);
        pack_string(packer, "ana");
        pack_string(packer, "rui");
        break;
    default:
        msgpack_pack_array(packer, 2);
        pack_item(packer, kind);
        pack_item(packer, kind);
        break;
    }
}

/* A message with these fields, all valid; but in place of the value of field `odd` stand the bytes `value`. */
static inline void make(struct buffer *out, enum chat_service service, uint64_t fields, int odd,
                        struct text value)
{
    buffer_clear(out);
    msgpack_packer packer = pack_onto(out);
    msgpack_pack_map(&packer, 2);
    pack_string(&packer, "service");
    pack_string(&packer, chat_service_name(service));
    pack_string(&packer, "data");
    msgpack_pack_map(&packer, (size_t)__builtin_popcountll(fields));
    for (int i = 0; i < FIELD_COUNT; i++) {
        if ((fields & FIELD_BIT(i)) == 0) {
            continue;
        }
        pack_string(&packer, chat_fields[i].name);
        if (i == odd) {
            buffer_add(out, value.bytes, value.length);
        } else {
            pack_valid(&packer, i);
        }
    }
}

/* Calls `check` for every service, both ways, with all fields that it may have. */
static inline void for_all_services(struct fixture *f,
                                    void (*check)(struct fixture *, enum chat_service, enum chat_direction,
                                                  const struct field_sets *))
{
    for (int service = 0; service < SERVICE_COUNT; service++) {
        for (int direction = CHAT_REQUEST; direction <= CHAT_ANSWER; direction++) {
            struct field_sets sets =
                chat_field_sets((enum chat_service)service, (enum chat_direction)direction, false);
            check(f, (enum chat_service)service, (enum chat_direction)direction, &sets);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
