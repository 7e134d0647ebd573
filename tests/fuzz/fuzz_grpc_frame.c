/* Whatever a peer may send of gRPC: the same message comes out however it is cut into pieces, and requests, replies,
 * timeouts and sentences are refused or become text that is fit for JSON and for a terminal.
 *
 * The first byte of the input says how the rest is cut. */
#include "common/net/grpc_frame.h"
#include "common/net/kv_client_line.h"
#include "common/net/kv_request.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIMIT 4096

static enum grpc_status read_in_pieces(struct grpc_reader *reader, const uint8_t *bytes, size_t length,
                                       size_t piece)
{
    struct error error = {0};

    grpc_reader_start(reader, LIMIT);
    for (size_t at = 0; at < length; at += piece) {
        enum grpc_status status =
            grpc_reader_feed(reader, bytes + at, length - at < piece ? length - at : piece, &error);
        assert(reader->message.length <= LIMIT);
        if (status != GRPC_OK) {
            assert(error.code != ERROR_NONE);
            return status;
        }
    }
    return grpc_reader_end(reader, &error);
}

static void check_line(const struct buffer *line)
{
    assert(line->length > 0 && line->bytes[line->length - 1] == '\n');
    struct text shown = {line->bytes, line->length - 1};
    assert(text_is_utf8(shown) && !text_has_control(shown));
}

static void check_request(struct text text, enum command_type type)
{
    static struct kv_request request;
    static struct json_object object;
    struct error error = {0};

    if (kv_request_read(&request, type, &object, text, &error) != 0) {
        assert(error.code != ERROR_NONE && text_is_utf8(text_of(error.text)));
        return;
    }
    assert(type == COMMAND_PRINT || message_check_key(request.key, &error) == 0);
    assert((type == COMMAND_SET) == (request.value.length > 0));
    assert(request.uuid.text[0] == '\0' || uuid_is_valid(text_of(request.uuid.text)));
}

static void check_texts(struct text text)
{
    static struct buffer encoded;
    static struct buffer decoded;
    static struct buffer line;
    static struct json_object object;
    uint64_t milliseconds;
    char timeout[GRPC_TIMEOUT_LENGTH + 1];

    buffer_clear(&encoded);
    buffer_clear(&decoded);
    grpc_sentence_encode(&encoded, text);
    for (size_t i = 0; i < encoded.length; i++) {
        assert(encoded.bytes[i] >= 0x20 && encoded.bytes[i] <= 0x7E);
    }
    grpc_sentence_decode(&decoded, text);
    assert(text_is_utf8(buffer_text(&decoded)) && !text_has_control(buffer_text(&decoded)));
    if (grpc_timeout_read(text, &milliseconds)) {
        assert(grpc_timeout_write(timeout, milliseconds) <= GRPC_TIMEOUT_LENGTH);
    }
    (void)grpc_content_type_is_grpc(text);
    buffer_clear(&line);
    (void)kv_client_reply(&line, text, &object);
    check_line(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct grpc_reader whole;
    static struct grpc_reader cut;

    if (size == 0) {
        return 0;
    }
    size_t piece = (size_t)data[0] % 32 + 1;
    enum grpc_status status = read_in_pieces(&whole, data + 1, size - 1, size);
    assert(read_in_pieces(&cut, data + 1, size - 1, piece) == status);
    struct text rest = {(const char *)data + 1, size - 1};
    if (status == GRPC_OK) {
        assert(text_equal(buffer_text(&whole.message), buffer_text(&cut.message)));
        rest = buffer_text(&whole.message);
    }
    check_request(rest, COMMAND_SET);
    check_request(rest, COMMAND_GET);
    check_request(rest, COMMAND_PRINT);
    check_texts(rest);
    return 0;
}
