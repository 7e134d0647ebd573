/* common/net/grpc_frame: messages that come in any pieces, timeouts and sentences in headers. */
#include "common/net/grpc_frame.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

/* Feeds bytes in pieces of one size; the first status that is not OK, or that of the end. */
static enum grpc_status feed(struct grpc_reader *reader, struct text bytes, size_t piece, struct error *error)
{
    for (size_t at = 0; at < bytes.length; at += piece) {
        size_t length = bytes.length - at < piece ? bytes.length - at : piece;
        enum grpc_status status = grpc_reader_feed(reader, (const uint8_t *)bytes.bytes + at, length, error);
        if (status != GRPC_OK) {
            return status;
        }
    }
    return grpc_reader_end(reader, error);
}

static void a_message_is_read_from_any_pieces(void **state)
{
    (void)state;
    const struct text bytes = TEXT("\0\0\0\0\x0bhello world");
    struct grpc_reader reader = {0};
    struct error error;
    for (size_t piece = 1; piece <= bytes.length; piece++) {
        grpc_reader_start(&reader, 11);
        assert_int_equal(feed(&reader, bytes, piece, &error), GRPC_OK);
        assert_text_equal(buffer_text(&reader.message), TEXT("hello world"));
    }
    grpc_reader_free(&reader);
}

static void an_empty_message_is_a_message(void **state)
{
    (void)state;
    struct grpc_reader reader = {0};
    struct error error;
    grpc_reader_start(&reader, 0);
    assert_int_equal(feed(&reader, TEXT("\0\0\0\0\0"), 2, &error), GRPC_OK);
    assert_int_equal(reader.message.length, 0);
    grpc_reader_free(&reader);
}

static void what_is_not_one_message_is_refused(void **state)
{
    (void)state;
    const struct {
        struct text bytes;
        enum grpc_status status;
    } cases[] = {
        {TEXT(""), GRPC_UNIMPLEMENTED},
        {TEXT("\0\0"), GRPC_INTERNAL},
        {TEXT("\0\0\0\0\2a"), GRPC_INTERNAL},
        {TEXT("\0\0\0\0\1ab"), GRPC_UNIMPLEMENTED},
        {TEXT("\0\0\0\0\0\0\0\0\0\0"), GRPC_UNIMPLEMENTED},
        {TEXT("\1\0\0\0\1a"), GRPC_UNIMPLEMENTED},
        {TEXT("\2\0\0\0\1a"), GRPC_INTERNAL},
        {TEXT("\0\0\0\0\7abcdefg"), GRPC_RESOURCE_EXHAUSTED},
        {TEXT("\0\xff\xff\xff\xff"), GRPC_RESOURCE_EXHAUSTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t piece = 1; piece <= 10; piece++) {
            struct grpc_reader reader = {0};
            struct error error = {0};
            grpc_reader_start(&reader, 6);
            assert_int_equal(feed(&reader, cases[i].bytes, piece, &error), cases[i].status);
            assert_true(strlen(error.text) > 0);
            grpc_reader_free(&reader);
        }
    }
}

static void memory_grows_with_what_came_and_not_with_what_was_announced(void **state)
{
    (void)state;
    struct grpc_reader reader = {0};
    struct error error;
    grpc_reader_start(&reader, 1 << 30);
    assert_int_equal(grpc_reader_feed(&reader,
                                      (const uint8_t *)"\0\x3f\xff\xff\xff"
                                                       "abc",
                                      8, &error),
                     GRPC_OK);
    assert_true(reader.message.capacity < 1024);
    grpc_reader_free(&reader);
}

static void a_prefix_is_what_a_reader_reads(void **state)
{
    (void)state;
    uint8_t prefix[GRPC_PREFIX_LENGTH];
    grpc_prefix_write(prefix, 0x01020304);
    assert_memory_equal(prefix, "\0\1\2\3\4", sizeof prefix);
}

static void timeouts_have_a_number_and_a_unit(void **state)
{
    (void)state;
    const struct {
        struct text text;
        uint64_t milliseconds;
    } good[] = {{TEXT("1H"), 3600000}, {TEXT("2M"), 120000}, {TEXT("10S"), 10000},
                {TEXT("1500m"), 1500}, {TEXT("1u"), 1},      {TEXT("1001u"), 2},
                {TEXT("1n"), 1},       {TEXT("0S"), 0},      {TEXT("99999999H"), UINT64_C(359999996400000)}};
    const struct text bad[] = {TEXT(""),     TEXT("S"),          TEXT("1"),   TEXT("10"),
                               TEXT("1s"),   TEXT("-1S"),        TEXT("1 S"), TEXT("+1S"),
                               TEXT("1.5S"), TEXT("123456789S"), TEXT("1S ")};
    uint64_t milliseconds;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(grpc_timeout_read(good[i].text, &milliseconds));
        assert_int_equal(milliseconds, good[i].milliseconds);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(grpc_timeout_read(bad[i], &milliseconds));
    }
}

static void a_timeout_that_was_written_is_read(void **state)
{
    (void)state;
    const uint64_t values[] = {0, 1, 999, 1000, 1001, 10000, 99999999, 100000000, UINT64_C(99999999000)};
    char text[GRPC_TIMEOUT_LENGTH + 1];
    uint64_t milliseconds;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        size_t length = grpc_timeout_write(text, values[i]);
        assert_int_equal(length, strlen(text));
        assert_true(grpc_timeout_read((struct text){text, length}, &milliseconds));
        assert_int_equal(milliseconds, values[i]);
    }
    grpc_timeout_write(text, UINT64_MAX);
    assert_string_equal(text, "99999999S");
}

static void sentences_are_plain_ascii_on_the_wire_and_come_back(void **state)
{
    (void)state;
    struct buffer encoded = {0};
    struct buffer decoded = {0};
    grpc_sentence_encode(&encoded, TEXT("100% n\xc3\xa3o\n\x7f~ "));
    assert_text_equal(buffer_text(&encoded), TEXT("100%25 n%C3%A3o%0A%7F~ "));
    grpc_sentence_decode(&decoded, buffer_text(&encoded));
    assert_text_equal(buffer_text(&decoded), TEXT("100% n\xc3\xa3o??~ ")); /* fit for a terminal */
    buffer_clear(&decoded);
    grpc_sentence_decode(&decoded, TEXT("%zz%4%41%00%1b[2J%"));
    assert_text_equal(buffer_text(&decoded), TEXT("%zz%4A??[2J%"));
    buffer_clear(&decoded);
    grpc_sentence_decode(&decoded, TEXT("a%C2%9Bb")); /* two bytes, one control character */
    assert_text_equal(buffer_text(&decoded), TEXT("a?b"));
    buffer_clear(&encoded);
    char *endless = malloc(5000);
    memset(endless, 'a', 5000);
    grpc_sentence_encode(&encoded, (struct text){endless, 5000});
    assert_int_equal(encoded.length, GRPC_SENTENCE_MAX);
    free(endless);
    buffer_free(&encoded);
    buffer_free(&decoded);
}

static void content_types_of_grpc(void **state)
{
    (void)state;
    assert_true(grpc_content_type_is_grpc(TEXT("application/grpc")));
    assert_true(grpc_content_type_is_grpc(TEXT("application/grpc+json")));
    assert_true(grpc_content_type_is_grpc(TEXT("Application/gRPC;x=y")));
    assert_false(grpc_content_type_is_grpc(TEXT("application/grpc-web")));
    assert_false(grpc_content_type_is_grpc(TEXT("application/grp")));
    assert_false(grpc_content_type_is_grpc(TEXT("")));
}

static void statuses_have_names(void **state)
{
    (void)state;
    assert_string_equal(grpc_status_name(GRPC_OK), "OK");
    assert_string_equal(grpc_status_name(GRPC_DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED");
    assert_string_equal(grpc_status_name(16), "UNAUTHENTICATED");
    assert_string_equal(grpc_status_name(99), "STATUS_99");
}

UNIT_MAIN(cmocka_unit_test(a_message_is_read_from_any_pieces),
          cmocka_unit_test(an_empty_message_is_a_message),
          cmocka_unit_test(what_is_not_one_message_is_refused),
          cmocka_unit_test(memory_grows_with_what_came_and_not_with_what_was_announced),
          cmocka_unit_test(a_prefix_is_what_a_reader_reads),
          cmocka_unit_test(timeouts_have_a_number_and_a_unit),
          cmocka_unit_test(a_timeout_that_was_written_is_read),
          cmocka_unit_test(sentences_are_plain_ascii_on_the_wire_and_come_back),
          cmocka_unit_test(content_types_of_grpc), cmocka_unit_test(statuses_have_names))
