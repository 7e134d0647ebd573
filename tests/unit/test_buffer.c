/* common/buffer: bytes that grow, and numbers written without printf. */
#include "common/buffer.h"

#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void an_unused_buffer_is_an_empty_text_and_may_be_freed(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_int_equal(buffer_text(&buffer).length, 0);
    buffer_add(&buffer, NULL, 0);
    buffer_add_string(&buffer, "");
    assert_int_equal(buffer.length, 0);
    buffer_free(&buffer);
    buffer_free(&buffer);
}

static void a_hundred_thousand_bytes_keep_their_order(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int i = 0; i < 100000; i++) {
        buffer_add_char(&buffer, (char)(i % 251));
    }
    assert_int_equal(buffer.length, 100000);
    assert_true(buffer.capacity >= buffer.length);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buffer.bytes[i], (char)(i % 251));
    }
    buffer_free(&buffer);
}

static void a_nul_is_a_byte_like_any_other(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_add(&buffer, "a\0b", 3);
    buffer_add_char(&buffer, '\0');
    buffer_add_string(&buffer, "c\0never");
    assert_text_equal(buffer_text(&buffer), TEXT("a\0b\0c"));
    buffer_free(&buffer);
}

static void a_cleared_buffer_keeps_its_memory(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    buffer_add_string(&buffer, "a first content that is longer than the second");
    const char *before = buffer.bytes;
    size_t capacity = buffer.capacity;
    buffer_clear(&buffer);
    buffer_add_string(&buffer, "second");
    assert_ptr_equal(buffer.bytes, before);
    assert_int_equal(buffer.capacity, capacity);
    assert_text_equal(buffer_text(&buffer), TEXT("second"));
    buffer_free(&buffer);
}

static void reserved_room_can_be_written_to_its_last_byte(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (size_t more = 1; more < 5000; more = more * 3 + 1) {
        buffer_add_string(&buffer, "kept");
        memset(buffer_reserve(&buffer, more), 'x', more);
        assert_memory_equal(buffer.bytes + buffer.length - 4, "kept", 4);
    }
    buffer_free(&buffer);
}

static void numbers_are_written_as_printf_writes_them(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      9,
                                      10,
                                      -10,
                                      99,
                                      100,
                                      4096,
                                      -999,
                                      INT32_MAX,
                                      INT32_MIN,
                                      INT64_MAX - 1,
                                      INT64_MAX,
                                      INT64_MIN,
                                      INT64_MIN + 1};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buffer buffer = {0};
        char wanted[32];
        snprintf(wanted, sizeof wanted, "%" PRId64, numbers[i]);
        buffer_add_int(&buffer, numbers[i]);
        assert_text_equal(buffer_text(&buffer), text_of(wanted));
        buffer_free(&buffer);
    }
}

static void a_format_may_be_longer_than_the_room_that_there_is(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    for (int width = 0; width < 40; width++) {
        buffer_clear(&buffer);
        buffer_add_char(&buffer, '<');
        buffer_add_format(&buffer, "%*d", width, 7);
        buffer_add_char(&buffer, '>');
        size_t wanted = 2 + (size_t)(width > 0 ? width : 1);
        assert_int_equal(buffer.length, wanted);
        assert_int_equal(buffer.bytes[wanted - 2], '7');
        assert_int_equal(buffer.bytes[wanted - 1], '>');
        buffer_free(&buffer);
    }
}

UNIT_MAIN(cmocka_unit_test(an_unused_buffer_is_an_empty_text_and_may_be_freed),
          cmocka_unit_test(a_hundred_thousand_bytes_keep_their_order),
          cmocka_unit_test(a_nul_is_a_byte_like_any_other),
          cmocka_unit_test(a_cleared_buffer_keeps_its_memory),
          cmocka_unit_test(reserved_room_can_be_written_to_its_last_byte),
          cmocka_unit_test(numbers_are_written_as_printf_writes_them),
          cmocka_unit_test(a_format_may_be_longer_than_the_room_that_there_is))
