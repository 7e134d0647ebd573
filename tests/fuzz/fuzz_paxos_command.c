/* Whatever a client sends: what is read has a canonical form, which reads as the same command and is its own canonical
 * form; and any bytes may be asked for their name. What is plain reads the same both ways. */
#include "paxos/command_json.h"

#include <assert.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const struct client_command *a, const struct client_command *b)
{
    assert(a->client == b->client && a->timestamp == b->timestamp);
    assert(text_equal((struct text){a->bytes, a->length}, (struct text){b->bytes, b->length}));
}

static void check_plain(struct text text, struct json_object *object, struct buffer *bytes)
{
    struct operation operation, other_operation;
    struct client_command command, other;
    struct error error = {0};
    size_t length = command_json_read_plain(text, &operation, &command);

    if (length == 0) {
        return;
    }
    assert(json_object_read(object, (struct text){text.bytes, length}, &error) == 0);
    assert(command_json_read(object, bytes, &other_operation, &other, &error) == 0);
    check_same(&command, &other);
    assert(operation.type == other_operation.type && other_operation.notify.bytes == NULL);
    assert(text_equal(operation.resource, other_operation.resource));
    assert(text_equal(operation.data, other_operation.data));
    assert(text_equal(operation.client, other_operation.client));
    assert(text_equal(operation.timestamp, other_operation.timestamp));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct json_object object, again;
    static struct buffer bytes, more;
    const struct text text = {(const char *)data, size};
    struct operation operation;
    struct client_command command, other;
    struct error error = {0};
    struct uuid uuid;

    command_json_identify(text, &command);
    check_plain(text, &object, &bytes);
    if (json_object_read(&object, text, &error) != 0) {
        return 0;
    }
    if (command_json_read(&object, &bytes, &operation, &command, &error) != 0) {
        assert(error.code != ERROR_NONE && error.text[0] != '\0');
        assert(text_is_utf8(text_of(error.text)) && !text_has_control(text_of(error.text)));
        return 0;
    }
    struct message message = command_json_message(&operation, &command, &uuid);
    assert(uuid_is_valid(message.message_uuid) && message.sender_id.length > 0);
    assert(command_json_identify(buffer_text(&bytes), &other));
    check_same(&command, &other);
    assert(json_object_read(&again, buffer_text(&bytes), &error) == 0);
    assert(command_json_read(&again, &more, &operation, &other, &error) == 0);
    check_same(&command, &other);
    return 0;
}
