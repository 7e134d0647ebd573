/* Whatever comes from the network: what decodes must encode, decode to the same message, and encode to the same bytes. */
#include "common/message.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fields(const struct message *message)
{
    assert(message->references == 1);
    assert((message->key.bytes == NULL) == (message->command_type == COMMAND_PRINT));
    assert(message->key.bytes == NULL || message_check_key(message->key, NULL) == 0);
    assert(message->sender_id.length > 0 && !text_has_control(message->sender_id));
    assert(message->value.length > 0 && text_is_utf8(message->value) && !text_has_control(message->value));
    assert(message->seq >= MESSAGE_NO_SEQ);
}

static bool is_same(const struct message *a, const struct message *b)
{
    return a->command_type == b->command_type && text_equal(a->key, b->key) &&
           text_equal(a->value, b->value) && text_equal(a->sender_id, b->sender_id) &&
           text_equal(a->message_uuid, b->message_uuid) && text_equal(a->timestamp, b->timestamp) &&
           a->seq == b->seq;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct buffer first;
    static struct buffer second;
    struct error error = {0};

    struct message *message =
        message_decode((struct text){(const char *)data, size}, MESSAGE_STREAM_MAX, &error);
    if (message == NULL) {
        assert(error.code != ERROR_NONE && error.text[0] != '\0');
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
        return 0;
    }
    check_fields(message);
    buffer_clear(&first);
    message_encode(message, &first);
    struct message *again =
        message_decode(buffer_text(&first), SIZE_MAX, &error); /* escapes may have made it longer */
    assert(again != NULL && is_same(message, again));
    buffer_clear(&second);
    message_encode(again, &second);
    assert(text_equal(buffer_text(&first), buffer_text(&second)));
    message_unref(again);
    message_unref(message);
    return 0;
}
