/* common/json_scan: it takes what json.h takes and nothing else, and finds what is looked for. */
#include "common/json.h"
#include "common/json_scan.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

/* One object, all of it passed over. */
static bool passes(struct text text)
{
    struct json_scan scan = json_scan_of(text);
    struct text name;

    json_scan_enter(&scan, '{');
    while (json_scan_member(&scan, &name)) {
        json_scan_skip(&scan, NULL);
    }
    return json_scan_end(&scan);
}

static void it_is_as_strict_as_the_other_reader(void **state)
{
    static const char *const texts[] = {
        "{}",
        " { } ",
        "{\"a\":1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":[]}",
        "{\"a\":[1,2]}",
        "{\"a\":[1,]}",
        "{\"a\":[,1]}",
        "{\"a\":[1 2]}",
        "{\"a\":[1}",
        "{\"a\":{]}",
        "{\"a\":0}",
        "{\"a\":-0}",
        "{\"a\":01}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1.5}",
        "{\"a\":1e5}",
        "{\"a\":1E+05}",
        "{\"a\":1e}",
        "{\"a\":1e-}",
        "{\"a\":0x1}",
        "{\"a\":1_0}",
        "{\"a\":NaN}",
        "{\"a\":true}",
        "{\"a\":false}",
        "{\"a\":null}",
        "{\"a\":tru}",
        "{\"a\":nulll}",
        "{\"a\":True}",
        "{\"a\":\"\"}",
        "{\"a\":\"\\n\\/\\\"\\\\\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u00e9\"}",
        "{\"a\":\"\\u00g9\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\ud83d\\ude00\"}",
        "{\"a\":\"\\ud83d\"}",
        "{\"a\":\"\\ude00\"}",
        "{\"a\":\"\\ud83dx\"}",
        "{\"a\":\"\\ud83d\\u0041\"}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"x",
        "{\"a\":\"x\\",
        "{\"a\":\"\x7F\"}",
        "{\"a\":\"\xC3\xA9\"}",
        "{\"a\":1}}",
        "{\"a\":1}{}",
        "{\"a\":1} x",
        "{",
        "[]",
        "1",
        "",
        " ",
        "\"a\"",
        "{\"a\":1",
        "{\"a\":[[[[1]]],{\"b\":{}}]}",
        "{\"a\":'x'}",
        "{'a':1}",
        "{\"a\":1}//",
        "\xEF\xBB\xBF{}",
        "{\"a\":[1,2,3,{\"b\":[]},\"]\"]}",
    };
    struct json_object object = {0};
    (void)state;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        bool other = json_object_read(&object, text_of(texts[i]), NULL) == 0;
        if (passes(text_of(texts[i])) != other) {
            fail_msg("%s is %s by json.h", texts[i], other ? "taken" : "refused");
        }
    }
    assert_false(passes(TEXT("{}\0")));
    assert_false(passes(TEXT("{\"a\":\0}")));
    json_object_free(&object);
}

static void depth_is_bounded(void **state)
{
    struct buffer text = {0};
    (void)state;

    for (int levels = JSON_SCAN_DEPTH_MAX - 1; levels <= JSON_SCAN_DEPTH_MAX; levels++) {
        buffer_clear(&text);
        buffer_add_string(&text, "{\"a\":");
        for (int i = 0; i < levels; i++) {
            buffer_add_char(&text, '[');
        }
        for (int i = 0; i < levels; i++) {
            buffer_add_char(&text, ']');
        }
        buffer_add_char(&text, '}');
        assert_true(passes(buffer_text(&text)) == (levels < JSON_SCAN_DEPTH_MAX));
    }
    buffer_free(&text);
}

static void numbers_are_whole_or_left_alone(void **state)
{
    static const struct {
        const char *text;
        bool whole;
        uint64_t number;
    } cases[] = {{"0", true, 0},
                 {"7", true, 7},
                 {"1234567890123456789", true, 1234567890123456789U},
                 {"12345678901234567890", false, 0},
                 {"-1", false, 0},
                 {"1.0", false, 0},
                 {"1e3", false, 0},
                 {"01", false, 0},
                 {"\"1\"", false, 0},
                 {"null", false, 0},
                 {"", false, 0}};
    (void)state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct json_scan scan = json_scan_of(text_of(cases[i].text));
        uint64_t number = 0;
        assert_true(json_scan_number(&scan, &number) == cases[i].whole);
        assert_true(number == cases[i].number);
        assert_true(cases[i].whole || scan.at == scan.start);
    }
}

static void what_is_passed_over_is_told(void **state)
{
    struct json_scan scan = json_scan_of(text_of(" { \"a\" : [ 1 , {\"b\":\"]\"} ] , \"c\":\"x\\\"\" }"));
    struct text name;
    struct text value;
    (void)state;

    assert_true(json_scan_enter(&scan, '{'));
    assert_true(json_scan_member(&scan, &name));
    assert_text_equal(name, TEXT("a"));
    assert_int_equal(json_scan_peek(&scan), '[');
    assert_true(json_scan_skip(&scan, &value));
    assert_text_equal(value, TEXT("[ 1 , {\"b\":\"]\"} ]"));
    assert_true(json_scan_member(&scan, &name));
    assert_true(json_scan_skip(&scan, &value));
    assert_text_equal(value, TEXT("\"x\\\"\""));
    assert_false(json_scan_member(&scan, &name));
    assert_true(json_scan_end(&scan));
}

/* A text that ends with the memory that holds it, for AddressSanitizer. */
static void nothing_behind_the_text_is_read(void **state)
{
    static const char whole[] = "{\"a\":[-1.5e+3,true,\"\\ud83d\\ude00x\"],\"b\":null}";
    (void)state;

    for (size_t length = 0; length < sizeof whole; length++) {
        char *bytes = malloc(length > 0 ? length : 1);
        assert_non_null(bytes);
        for (size_t i = 0; i < length; i++) {
            bytes[i] = whole[i];
        }
        assert_true(passes((struct text){bytes, length}) == (length == sizeof whole - 1));
        free(bytes);
    }
}

UNIT_MAIN(cmocka_unit_test(it_is_as_strict_as_the_other_reader), cmocka_unit_test(depth_is_bounded),
          cmocka_unit_test(numbers_are_whole_or_left_alone), cmocka_unit_test(what_is_passed_over_is_told),
          cmocka_unit_test(nothing_behind_the_text_is_read))
