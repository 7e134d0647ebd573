/* parte5-chat/pack and pack_json: every form of MessagePack, and bytes that lie. */
#include "parte5-chat/pack.h"
#include "parte5-chat/pack_json.h"

#include "tests/unit/unit.h"

#include <string.h>

/* The first value of `bytes`, which must be all that there is. */
static struct pack_value read_one(struct text bytes)
{
    struct pack_reader reader = {bytes.bytes, bytes.bytes + bytes.length};
    struct pack_value value = {0};

    assert_int_equal(pack_read(&reader, &value, NULL), 0);
    assert_int_equal(pack_skip(&reader, &value, NULL), 0);
    assert_ptr_equal(reader.at, reader.end);
    return value;
}

static int try_whole(struct text bytes, struct error *error)
{
    struct pack_reader reader = {bytes.bytes, bytes.bytes + bytes.length};
    struct pack_value value = {0};
    int code = pack_read(&reader, &value, error);

    return code != 0 ? code : pack_skip(&reader, &value, error);
}

static void integers_of_every_width_are_read(void **state)
{
    const struct {
        struct text bytes;
        int64_t number;
    } cases[] = {
        {TEXT("\x00"), 0},
        {TEXT("\x7f"), 127},
        {TEXT("\xe0"), -32},
        {TEXT("\xff"), -1},
        {TEXT("\xcc\xff"), 255},
        {TEXT("\xcd\xff\xff"), 65535},
        {TEXT("\xce\xff\xff\xff\xff"), 4294967295},
        {TEXT("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
        {TEXT("\xd0\x80"), -128},
        {TEXT("\xd0\x7f"), 127},
        {TEXT("\xd1\x80\x00"), -32768},
        {TEXT("\xd2\x80\x00\x00\x00"), INT32_MIN},
        {TEXT("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pack_value value = read_one(cases[i].bytes);
        assert_int_equal(value.kind, PACK_INTEGER);
        assert_true(value.integer == cases[i].number);
    }
}

static void a_number_beyond_63_bits_is_no_integer(void **state)
{
    (void)state;
    struct pack_value value = read_one(TEXT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_int_equal(value.kind, PACK_FLOAT);
    assert_true(value.number == 18446744073709551616.0);
}

static void floats_and_plain_values_are_read(void **state)
{
    (void)state;
    assert_true(read_one(TEXT("\xca\x3f\x80\x00\x00")).number == 1.0);
    assert_true(read_one(TEXT("\xcb\xc0\x04\x00\x00\x00\x00\x00\x00")).number == -2.5);
    assert_int_equal(read_one(TEXT("\xc0")).kind, PACK_NIL);
    assert_false(read_one(TEXT("\xc2")).boolean);
    assert_true(read_one(TEXT("\xc3")).boolean);
}

static void strings_bytes_and_extensions_stay_where_they_are(void **state)
{
    const struct {
        struct text bytes;
        enum pack_kind kind;
        size_t from, length;
    } cases[] = {
        {TEXT("\xa0"), PACK_STRING, 1, 0},
        {TEXT("\xa2ok"), PACK_STRING, 1, 2},
        {TEXT("\xd9\x02ok"), PACK_STRING, 2, 2},
        {TEXT("\xda\x00\x02ok"), PACK_STRING, 3, 2},
        {TEXT("\xdb\x00\x00\x00\x02ok"), PACK_STRING, 5, 2},
        {TEXT("\xc4\x02ok"), PACK_BYTES, 2, 2},
        {TEXT("\xc5\x00\x02ok"), PACK_BYTES, 3, 2},
        {TEXT("\xc6\x00\x00\x00\x02ok"), PACK_BYTES, 5, 2},
        /* of an extension the type, too */
        {TEXT("\xd4\x05x"), PACK_EXTENSION, 1, 2},
        {TEXT("\xd8\x05xxxxxxxxxxxxxxxx"), PACK_EXTENSION, 1, 17},
        {TEXT("\xc7\x02\x05xx"), PACK_EXTENSION, 2, 3},
        {TEXT("\xc8\x00\x02\x05xx"), PACK_EXTENSION, 3, 3},
        {TEXT("\xc9\x00\x00\x00\x02\x05xx"), PACK_EXTENSION, 5, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pack_value value = read_one(cases[i].bytes);
        assert_int_equal(value.kind, cases[i].kind);
        assert_ptr_equal(value.text.bytes, cases[i].bytes.bytes + cases[i].from);
        assert_int_equal(value.text.length, cases[i].length);
    }
}

static void containers_tell_how_many_values_come(void **state)
{
    (void)state;
    assert_int_equal(read_one(TEXT("\x93\x01\x02\x03")).count, 3);
    assert_int_equal(read_one(TEXT("\xdc\x00\x02\x01\x02")).count, 2);
    assert_int_equal(read_one(TEXT("\xdd\x00\x00\x00\x02\x01\x90")).count, 2);
    assert_int_equal(read_one(TEXT("\x81\xa1k\x92\x01\x80")).count, 1);
    assert_int_equal(read_one(TEXT("\xde\x00\x01\xa1k\xc0")).count, 1);
    assert_int_equal(read_one(TEXT("\xdf\x00\x00\x00\x01\xa1k\xc0")).count, 1);
}

/* Five bytes that claim gigabytes are refused as cut short, whatever they claim to be. */
static void claims_that_the_bytes_cannot_keep_are_refused(void **state)
{
    static const char heads[] = "\xc6\xc9\xdb\xdd\xdf";
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof heads - 1; i++) {
        char bytes[] = {heads[i], '\x06', '\x40', '\x00', '\x00', 'x', 'y', 'z'};
        assert_int_equal(try_whole((struct text){bytes, sizeof bytes}, &error), ERROR_NOT_MESSAGEPACK);
        memset(bytes + 1, 0xff, 4);
        assert_int_equal(try_whole((struct text){bytes, sizeof bytes}, &error), ERROR_NOT_MESSAGEPACK);
    }
    assert_int_equal(try_whole(TEXT("\xc1"), &error), ERROR_NOT_MESSAGEPACK);
    assert_string_equal(error.text, "not MessagePack: byte 0xc1 has no meaning");
}

/* Each of these is whole, and none of its beginnings is. */
static void a_value_that_is_cut_anywhere_is_refused(void **state)
{
    const struct text whole[] = {
        TEXT("\x82\xa1k\x93\x01\xcb\xc0\x04\x00\x00\x00\x00\x00\x00\xd9\x03xyz\xa1l\xc7\x02\x05xx"),
        TEXT("\xdd\x00\x00\x00\x02\xcf\x00\x00\x00\x00\x00\x00\x00\x01\xc6\x00\x00\x00\x02ok"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        read_one(whole[i]);
        for (size_t length = 0; length < whole[i].length; length++) {
            assert_int_equal(try_whole((struct text){whole[i].bytes, length}, NULL), ERROR_NOT_MESSAGEPACK);
        }
    }
}

static void nesting_is_bounded_in_both_encodings(void **state)
{
    char deep[100000];
    struct buffer json = {0};
    struct buffer out = {0};
    struct error error;

    (void)state;
    memset(deep, '\x91', PACK_DEPTH_MAX);
    deep[PACK_DEPTH_MAX] = '\x01';
    assert_int_equal(try_whole((struct text){deep, PACK_DEPTH_MAX + 1}, &error), 0);
    memset(deep, '\x91', sizeof deep - 1);
    deep[sizeof deep - 1] = '\x01';
    assert_int_equal(try_whole((struct text){deep, sizeof deep}, &error), ERROR_NOT_MESSAGEPACK);
    assert_string_equal(error.text, "nested deeper than 32 levels");

    memset(deep, '[', sizeof deep);
    buffer_add_string(&json, "{\"a\":");
    buffer_add(&json, deep, sizeof deep);
    assert_int_equal(pack_from_json(buffer_text(&json), &out, &error), ERROR_NOT_JSON);
    assert_non_null(strstr(error.text, "nested too deeply"));
    buffer_free(&json);
    buffer_free(&out);
}

static void json_becomes_messagepack_and_json_again(void **state)
{
    const struct text same[] = {
        TEXT("{}"),
        TEXT("{\"a\":{},\"b\":[],\"c\":[[],{\"d\":null}]}"),
        TEXT("{\"n\":[0,-1,127,128,-32,-33,9223372036854775807,-9223372036854775808]}"),
        TEXT("{\"s\":\"caf\xc3\xa9 \\\" \\\\ \\n \xf0\x9f\x98\x80\",\"t\":true,\"f\":false}"),
        TEXT("{\"a\":1,\"a\":2}"),
    };
    struct buffer packed = {0};
    struct buffer json = {0};

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        buffer_clear(&packed);
        buffer_clear(&json);
        assert_int_equal(pack_from_json(same[i], &packed, NULL), 0);
        read_one(buffer_text(&packed));
        pack_to_json(buffer_text(&packed), &json);
        assert_text_equal(buffer_text(&json), same[i]);
    }
    buffer_free(&packed);
    buffer_free(&json);
}

static void what_is_no_json_object_is_refused(void **state)
{
    const struct {
        struct text json;
        int code;
    } cases[] = {
        {TEXT(""), ERROR_NOT_JSON},
        {TEXT("{"), ERROR_NOT_JSON},
        {TEXT("{\"a\":}"), ERROR_NOT_JSON},
        {TEXT("[1]"), ERROR_NOT_JSON},
        {TEXT("1"), ERROR_NOT_JSON},
        {TEXT("null"), ERROR_NOT_JSON},
        {TEXT("{} {}"), ERROR_NOT_JSON},
        {TEXT("{\"a\":\"\\ud800\"}"), ERROR_NOT_JSON},
        {TEXT("{\"a\":\"\xff\"}"), ERROR_NOT_UTF8},
    };
    struct buffer out = {0};
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buffer_clear(&out);
        assert_int_equal(pack_from_json(cases[i].json, &out, &error), cases[i].code);
    }
    buffer_free(&out);
}

UNIT_MAIN(cmocka_unit_test(integers_of_every_width_are_read),
          cmocka_unit_test(a_number_beyond_63_bits_is_no_integer),
          cmocka_unit_test(floats_and_plain_values_are_read),
          cmocka_unit_test(strings_bytes_and_extensions_stay_where_they_are),
          cmocka_unit_test(containers_tell_how_many_values_come),
          cmocka_unit_test(claims_that_the_bytes_cannot_keep_are_refused),
          cmocka_unit_test(a_value_that_is_cut_anywhere_is_refused),
          cmocka_unit_test(nesting_is_bounded_in_both_encodings),
          cmocka_unit_test(json_becomes_messagepack_and_json_again),
          cmocka_unit_test(what_is_no_json_object_is_refused))
