/* common/message as bytes: encoding, sizes, broken input, and who holds a message. */
#include "common/message.h"

#include "common/json.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <string.h>

#define WIRE                                                                                                 \
    "{\"command_type\":\"SET\",\"key\":\"cor\",\"value\":{\"a\":[1,null],\"b\":\"\xC3\xA9\"},\"sender_id\":" \
    "\"node1\","                                                                                             \
    "\"message_uuid\":\"5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10\",\"timestamp\":1763689000.25,\"seq\":7}"

static struct message *decode(struct text wire)
{
    struct error error = {0};
    struct message *message = message_decode(wire, MESSAGE_STREAM_MAX, &error);
    assert_int_equal(message == NULL, error.code != ERROR_NONE);
    return message;
}

static void assert_same(const struct message *a, const struct message *b)
{
    assert_int_equal(a->command_type, b->command_type);
    assert_int_equal(a->key.bytes == NULL, b->key.bytes == NULL);
    assert_text_equal(a->key, b->key);
    assert_text_equal(a->value, b->value);
    assert_text_equal(a->sender_id, b->sender_id);
    assert_text_equal(a->message_uuid, b->message_uuid);
    assert_text_equal(a->timestamp, b->timestamp);
    assert_true(a->seq == b->seq);
}

/* What decodes must encode, decode to the same message, and encode to the same bytes. */
static void assert_lasts(const struct message *message)
{
    struct buffer first = {0};
    struct buffer second = {0};
    message_encode(message, &first);
    struct message *again = message_decode(buffer_text(&first), SIZE_MAX, NULL);
    assert_non_null(again);
    assert_same(message, again);
    message_encode(again, &second);
    assert_text_equal(buffer_text(&second), buffer_text(&first));
    message_unref(again);
    buffer_free(&first);
    buffer_free(&second);
}

static void a_message_is_encoded_as_the_wire_format_says(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct message *message = decode(TEXT(WIRE));
    buffer_add_string(&out, "before");
    message_encode(message, &out);
    assert_text_equal(buffer_text(&out), TEXT("before" WIRE));
    assert_lasts(message);
    message_unref(message);
    buffer_free(&out);
}

static void no_key_is_null_and_no_seq_is_absent(void **state)
{
    (void)state;
    struct buffer out = {0};
    struct message *message = message_new(&(struct message){.command_type = COMMAND_PRINT,
                                                            .value = TEXT("null"),
                                                            .sender_id = TEXT("n"),
                                                            .message_uuid = TEXT("u"),
                                                            .seq = MESSAGE_NO_SEQ});
    message_encode(message, &out);
    assert_text_equal(buffer_text(&out),
                      TEXT("{\"command_type\":\"PRINT\",\"key\":null,\"value\":null,\"sender_id\":"
                           "\"n\",\"message_uuid\":\"u\",\"timestamp\":0}"));
    message_unref(message);
    buffer_free(&out);
}

/* A SET of exactly `length` bytes. */
static void write_long(struct buffer *out, size_t length)
{
    static const char head[] =
        "{\"command_type\":\"SET\",\"key\":\"x\",\"sender_id\":\"node1\",\"message_uuid\":"
        "\"5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10\",\"value\":\"";
    buffer_clear(out);
    buffer_add_string(out, head);
    while (out->length < length - 2) {
        buffer_add_char(out, 'v');
    }
    buffer_add_string(out, "\"}");
}

static void a_message_may_be_as_long_as_its_limit(void **state)
{
    (void)state;
    static const size_t limits[] = {MESSAGE_DATAGRAM_MAX, MESSAGE_STREAM_MAX};
    struct buffer wire = {0};
    for (size_t i = 0; i < 2; i++) {
        struct error error = {0};
        write_long(&wire, limits[i]);
        assert_int_equal(wire.length, limits[i]);
        struct message *message = message_decode(buffer_text(&wire), limits[i], &error);
        assert_non_null(message);
        assert_lasts(message);
        message_unref(message);
        write_long(&wire, limits[i] + 1);
        assert_null(message_decode(buffer_text(&wire), limits[i], &error));
        assert_int_equal(error.code, ERROR_TOO_LONG);
        assert_null(message_decode(buffer_text(&wire), limits[i], NULL));
    }
    buffer_free(&wire);
}

static void a_value_may_be_nested_so_deep_that_a_snapshot_of_it_is_still_read(void **state)
{
    (void)state;
    struct buffer wire = {0};
    struct buffer line = {0};
    struct json_object object = {0};

    for (size_t levels = MESSAGE_VALUE_DEPTH_MAX; levels <= MESSAGE_VALUE_DEPTH_MAX + 1; levels++) {
        struct error error = {0};
        buffer_clear(&wire);
        buffer_add_string(&wire,
                          "{\"command_type\":\"SET\",\"key\":\"x\",\"sender_id\":\"n\",\"message_uuid\":"
                          "\"5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10\",\"value\":[[],");
        for (size_t i = 1; i < levels; i++) {
            buffer_add_string(&wire, i % 2 == 0 ? "[" : "{\"k\":");
        }
        buffer_add_string(&wire, "1");
        for (size_t i = levels - 1; i > 0; i--) {
            buffer_add_string(&wire, i % 2 == 0 ? "]" : "}");
        }
        buffer_add_string(&wire, ",{}],\"other\":[]}");
        struct message *message = message_decode(buffer_text(&wire), MESSAGE_DATAGRAM_MAX, &error);
        if (levels > MESSAGE_VALUE_DEPTH_MAX) {
            assert_null(message);
            assert_int_equal(error.code, ERROR_FIELD_VALUE);
            assert_non_null(strstr(error.text, "value"));
            continue;
        }
        assert_non_null(message);
        assert_lasts(message);
        buffer_add_string(&line, "{\"event\":\"deliver\",\"snapshot\":{\"x\":");
        buffer_add(&line, message->value.bytes, message->value.length);
        buffer_add_string(&line, "}}");
        assert_int_equal(json_object_read(&object, buffer_text(&line), NULL), 0);
        message_unref(message);
    }
    json_object_free(&object);
    buffer_free(&line);
    buffer_free(&wire);
}

static void a_message_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof WIRE - 1; length++) {
        assert_null(decode((struct text){WIRE, length}));
    }
    assert_null(decode((struct text){0}));
}

static void random_bytes_never_make_a_message(void **state)
{
    (void)state;
    struct random random = {17};
    for (int i = 0; i < 20000; i++) {
        char bytes[64];
        size_t length = random_below(&random, sizeof bytes + 1);
        for (size_t at = 0; at < length; at++) {
            bytes[at] = (char)random_next(&random);
        }
        assert_null(decode((struct text){bytes, length}));
    }
}

static void a_message_with_wrong_bytes_in_it_is_refused_or_lasts(void **state)
{
    (void)state;
    static const char likely[] = "{}[]\",:\\u0019-+.eE \xC3\xA9\xFF";
    struct random random = {19};
    size_t taken = 0;
    for (int i = 0; i < 100000; i++) {
        char bytes[] = WIRE;
        for (uint64_t left = 1 + random_below(&random, 3); left > 0; left--) {
            bytes[random_below(&random, sizeof bytes - 1)] = likely[random_below(&random, sizeof likely)];
        }
        struct message *message = decode((struct text){bytes, sizeof bytes - 1});
        if (message != NULL) {
            taken++;
            assert_lasts(message);
        }
        message_unref(message);
    }
    assert_true(taken > 1000);
}

static void a_message_has_its_own_copy_of_its_texts(void **state)
{
    (void)state;
    char key[] = "key";
    struct message *message = message_new(&(struct message){
        .key = {key, 3}, .value = TEXT("1"), .sender_id = TEXT("n"), .message_uuid = TEXT("u")});
    struct message *first = decode(TEXT(WIRE));
    struct message *second =
        decode(TEXT("{\"command_type\":\"GET\",\"key\":\"other\",\"sender_id\":\"node2\",\"message_"
                    "uuid\":\"00000000-9f0d-4a43-bb2b-0f2f7a8b9d10\",\"value\":[]}"));
    memset(key, '?', sizeof key);
    assert_text_equal(message->key, TEXT("key"));
    assert_text_equal(first->key, TEXT("cor"));
    assert_text_equal(first->value, TEXT("{\"a\":[1,null],\"b\":\"\xC3\xA9\"}"));
    message_unref(first);
    assert_text_equal(second->key, TEXT("other"));
    message_unref(second);
    message_unref(message);
}

static void the_last_holder_frees_it_and_nobody_before(void **state)
{
    (void)state;
    struct message *message = decode(TEXT(WIRE));
    assert_ptr_equal(message_ref(message), message);
    assert_int_equal(message->references, 2);
    message_unref(message);
    assert_int_equal(message->references, 1);
    assert_text_equal(message->key, TEXT("cor"));
    message_unref(message); /* the leak checker tells whether this was the last */
    message_unref(NULL);
}

static void a_key_is_checked_by_itself_too(void **state)
{
    (void)state;
    struct error error = {0};
    assert_int_equal(message_check_key(TEXT("k"), &error), 0);
    assert_int_equal(error.code, 0);
    assert_int_equal(message_check_key(TEXT(""), &error), ERROR_FIELD_VALUE);
    assert_non_null(strstr(error.text, "key"));
    assert_int_equal(message_check_key((struct text){0}, NULL), ERROR_FIELD_VALUE);
    assert_int_equal(message_check_key(TEXT("\xC0\x80"), &error), ERROR_NOT_UTF8);
    assert_int_equal(message_check_key(TEXT("a\0"), &error), ERROR_FIELD_VALUE);
}

UNIT_MAIN(cmocka_unit_test(a_message_is_encoded_as_the_wire_format_says),
          cmocka_unit_test(no_key_is_null_and_no_seq_is_absent),
          cmocka_unit_test(a_message_may_be_as_long_as_its_limit),
          cmocka_unit_test(a_value_may_be_nested_so_deep_that_a_snapshot_of_it_is_still_read),
          cmocka_unit_test(a_message_cut_at_any_byte_is_refused),
          cmocka_unit_test(random_bytes_never_make_a_message),
          cmocka_unit_test(a_message_with_wrong_bytes_in_it_is_refused_or_lasts),
          cmocka_unit_test(a_message_has_its_own_copy_of_its_texts),
          cmocka_unit_test(the_last_holder_frees_it_and_nobody_before),
          cmocka_unit_test(a_key_is_checked_by_itself_too))
