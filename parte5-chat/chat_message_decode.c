/* From bytes to a message: the map outside; what is in `data` is read by chat_message_fields.c. */
#include "parte5-chat/chat_message_change.h"
#include "parte5-chat/chat_message_table.h"
#include "parte5-chat/pack.h"
#include "parte5-chat/pack_json.h"

/* ---- the map outside ---- */

struct envelope {
    struct pack_value service, data; /* heads; PACK_NIL where there is none */
    struct pack_reader data_reader;  /* at what is in `data` */
};

static int read_envelope(struct pack_reader *reader, struct envelope *envelope, struct error *error)
{
    struct pack_value head;
    int code = pack_read(reader, &head, error);

    if (code == 0 && head.kind != PACK_MAP) {
        code = error_set(error, ERROR_NOT_MESSAGEPACK, "not a map, neither in MessagePack nor in JSON");
    }
    for (uint32_t i = 0; code == 0 && i < head.count; i++) {
        struct pack_value name;
        struct pack_value value;
        if ((code = pack_read(reader, &name, error)) != 0 || (code = pack_skip(reader, &name, error)) != 0 ||
            (code = pack_read(reader, &value, error)) != 0) {
            break;
        }
        if (name.kind == PACK_STRING && text_equal(name.text, text_of("service"))) {
            envelope->service = value;
        } else if (name.kind == PACK_STRING && text_equal(name.text, text_of("data"))) {
            envelope->data = value;
            envelope->data_reader = *reader;
        }
        code = pack_skip(reader, &value, error);
    }
    if (code == 0 && reader->at != reader->end) {
        code = error_set(error, ERROR_NOT_MESSAGEPACK, "something stands behind the message");
    }
    return code;
}

static int check_envelope(const struct envelope *envelope, struct error *error)
{
    if (envelope->service.kind == PACK_NIL || envelope->data.kind == PACK_NIL) {
        return error_set(error, ERROR_FIELD_MISSING, "%s is missing",
                         envelope->service.kind == PACK_NIL ? "service" : "data");
    }
    if (envelope->service.kind != PACK_STRING) {
        return error_set(error, ERROR_FIELD_TYPE, "%s is of type %s, it must be of type %s", "service",
                         pack_kind_name(envelope->service.kind), pack_kind_name(PACK_STRING));
    }
    if (envelope->data.kind != PACK_MAP) {
        return error_set(error, ERROR_FIELD_TYPE, "%s is of type %s, it must be of type %s", "data",
                         pack_kind_name(envelope->data.kind), pack_kind_name(PACK_MAP));
    }
    return 0;
}

static int find_service(struct text name, enum chat_service *service, struct error *error)
{
    for (int i = 0; i < SERVICE_COUNT; i++) {
        if (text_equal(name, text_of(chat_service_name((enum chat_service)i)))) {
            *service = (enum chat_service)i;
            return 0;
        }
    }
    return error_set(error, ERROR_FIELD_VALUE, "service: not one that is known here");
}

static int read_message(struct chat_message *message, enum chat_direction direction, struct text packed,
                        struct error *error)
{
    struct pack_reader reader = {packed.bytes, packed.bytes + packed.length};
    struct envelope envelope = {.service = {.kind = PACK_NIL}, .data = {.kind = PACK_NIL}};
    int code = read_envelope(&reader, &envelope, error);

    if (code == 0) {
        code = check_envelope(&envelope, error);
    }
    if (code == 0) {
        code = find_service(envelope.service.text, &message->service, error);
    }
    if (code != 0) {
        return code;
    }
    struct field_sets sets = chat_field_sets(message->service, direction, false);
    struct pack_reader data = envelope.data_reader;
    code = fields_read(&data, envelope.data.count, &sets, message, error);
    if (code != 0) { /* who asked shall know which question was refused, wherever its id stands */
        sets = (struct field_sets){0, FIELD_BIT(FIELD_CODE_REQUEST_ID)};
        (void)fields_read(&envelope.data_reader, envelope.data.count, &sets, message, NULL);
    }
    return code;
}

/* JSON begins with a brace, perhaps behind white space; as MessagePack these would be numbers, and no map. */
static bool is_json(struct text bytes)
{
    struct text trimmed = text_trim(bytes);
    return trimmed.length > 0 && trimmed.bytes[0] == '{';
}

int chat_message_decode(struct chat_message *message, enum chat_direction direction, struct text bytes,
                        size_t limit, struct error *error)
{
    int code = 0;

    chat_message_clear(message);
    message->service = SERVICE_ERROR;
    message->encoding = is_json(bytes) ? CHAT_JSON : CHAT_MESSAGEPACK;
    if (bytes.length > limit) {
        return error_set(error, ERROR_TOO_LONG, "%zu bytes long, at most %zu are allowed", bytes.length,
                         limit);
    }
    if (message->encoding == CHAT_JSON) {
        code = pack_from_json(bytes, &message->unpacked, error);
        bytes = buffer_text(&message->unpacked);
    }
    if (code == 0) {
        code = read_message(message, direction, bytes, error);
    }
    if (code != 0) { /* nothing that was refused may be taken for what was said */
        struct chat_message rest = {.service = message->service,
                                    .encoding = message->encoding,
                                    .request_id = message->request_id};
        chat_message_clear(message);
        message->service = rest.service;
        message->encoding = rest.encoding;
        message->request_id = rest.request_id;
    }
    return code;
}

int change_from_json(struct text json, struct change *fields, struct buffer *unpacked, struct error *error)
{
    struct field_sets sets = chat_item_sets(FIELD_CHANGES);
    struct chat_message item = {0};
    struct pack_value head;

    buffer_clear(unpacked);
    int code = pack_from_json(json, unpacked, error);
    struct pack_reader reader = {unpacked->bytes, unpacked->bytes + unpacked->length};
    if (code == 0) {
        code = pack_read(&reader, &head, error);
    }
    if (code == 0) {
        code = fields_read(&reader, head.count, &sets, &item, error);
    }
    return code == 0 ? change_from_item(&item, false, fields, error) : code;
}
