/* Whatever comes from the network: what decodes must encode, in both encodings, and decode to the same message. The
 * first byte says which way the message goes. */
#include "parte5-chat/chat_message_change.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(const struct chat_message *message, enum chat_direction direction,
                   enum chat_encoding encoding, struct buffer *out)
{
    buffer_clear(out);
    assert(chat_message_encode(message, direction, encoding, SIZE_MAX, out, NULL) == 0);
}

/* What it says to the rules must be theirs to free, whatever it is. */
static void tell_the_rules(const struct chat_message *message, enum chat_direction direction)
{
    struct replication_note note;
    struct notice notice;
    struct change change;

    if (note_from_message(message, &note)) {
        assert(note.from <= SERVERS_MAX && note.changes.count <= REPLICATION_CHANGES_MAX);
        replication_note_free(&note);
    }
    if (notice_from_message(message, direction, &notice)) {
        assert(notice.from <= SERVERS_MAX);
    }
    if (change_from_request(message, &change)) {
        assert(text_is_utf8(change.body) && !text_has_control(change.target));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct chat_message message, again;
    static struct buffer first, second, json;
    struct error error = {0};

    if (size == 0) {
        return 0;
    }
    enum chat_direction direction = data[0] & 1 ? CHAT_ANSWER : CHAT_REQUEST;
    struct text bytes = {(const char *)data + 1, size - 1};
    if (chat_message_decode(&message, direction, bytes, CHAT_MESSAGE_MAX, &error) != 0) {
        assert(error.code != ERROR_NONE && error.text[0] != '\0');
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
        chat_message_refuse(&again, &message, text_of(error.text)); /* it can be answered */
        encode(&again, CHAT_ANSWER, message.encoding, &first);
        return 0;
    }
    tell_the_rules(&message, direction);
    encode(&message, direction, CHAT_MESSAGEPACK, &first);
    encode(&message, direction, CHAT_JSON, &json);
    assert(chat_message_decode(&again, direction, buffer_text(&first), SIZE_MAX, &error) == 0);
    encode(&again, direction, CHAT_MESSAGEPACK, &second);
    assert(text_equal(buffer_text(&first), buffer_text(&second)));
    assert(chat_message_decode(&again, direction, buffer_text(&json), SIZE_MAX, &error) == 0);
    encode(&again, direction, CHAT_MESSAGEPACK, &second);
    assert(text_equal(buffer_text(&first), buffer_text(&second)));
    return 0;
}
