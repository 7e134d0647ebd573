/* common/json, writing: strings that any reader takes and no terminal obeys, and doubles that come back. */
#include "common/json.h"

#include "common/random.h"
#include "tests/unit/unit.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void assert_written(struct text text, struct text wanted)
{
    struct buffer out = {0};
    json_write_string(&out, text);
    assert_text_equal(buffer_text(&out), wanted);
    buffer_free(&out);
}

static void only_what_must_be_escaped_is(void **state)
{
    (void)state;
    assert_written(TEXT(""), TEXT("\"\""));
    assert_written((struct text){0}, TEXT("\"\""));
    assert_written(TEXT("ação / 'x' 😀 ~ \xC2\xA0"), TEXT("\"ação / 'x' 😀 ~ \xC2\xA0\""));
    assert_written(TEXT("\b\t\n\f\r\"\\"), TEXT("\"\\b\\t\\n\\f\\r\\\"\\\\\""));
    assert_written(TEXT("\0\x01\x1F\v"), TEXT("\"\\u0000\\u0001\\u001f\\u000b\""));
}

static void controls_that_a_terminal_obeys_are_escaped(void **state)
{
    (void)state;
    assert_written(TEXT("a\x1b[31m\x7F"), TEXT("\"a\\u001b[31m\\u007f\""));
    assert_written(TEXT("\xC2\x80\xC2\x9B"
                        "31m\xC2\x9F"),
                   TEXT("\"\\u0080\\u009b31m\\u009f\""));
}

static void every_character_comes_back(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct buffer json = {0};
    struct json_object object = {0};

    for (unsigned point = 0; point < 0x800; point++) {
        if (point < 0x80) {
            buffer_add_char(&text, (char)point);
        } else {
            buffer_add_char(&text, (char)(0xC0 | point >> 6));
            buffer_add_char(&text, (char)(0x80 | (point & 0x3F)));
        }
    }
    buffer_add_string(&json, "{\"v\":");
    json_write_string(&json, buffer_text(&text));
    buffer_add_char(&json, '}');
    assert_false(text_has_control(buffer_text(&json)));
    assert_int_equal(json_object_read(&object, buffer_text(&json), NULL), 0);
    assert_text_equal(object.members[0].text, buffer_text(&text));
    json_object_free(&object);
    buffer_free(&json);
    buffer_free(&text);
}

static void assert_double(double number, const char *wanted)
{
    struct buffer out = {0};
    json_write_double(&out, number);
    assert_text_equal(buffer_text(&out), text_of(wanted));
    buffer_free(&out);
}

static void doubles_are_written_short(void **state)
{
    (void)state;
    assert_double(0, "0");
    assert_double(-0.0, "-0");
    assert_double(0.1, "0.1");
    assert_double(0.1 + 0.2, "0.30000000000000004");
    assert_double(1763689000.25, "1763689000.25");
    assert_double(1763689000.123456, "1763689000.123456");
    assert_double(1e22, "1e+22");
    assert_double(1.0 / 3, "0.3333333333333333");
    assert_double(DBL_MAX, "1.7976931348623157e+308");
}

static void every_finite_double_comes_back_from_json(void **state)
{
    (void)state;
    struct random random = {13};
    struct buffer out = {0};
    struct json_object object = {0};

    for (int i = 0; i < 50000; i++) {
        uint64_t bits = random_next(&random);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) {
            continue;
        }
        buffer_clear(&out);
        buffer_add_string(&out, "{\"v\":");
        json_write_double(&out, number);
        buffer_add_char(&out, '}');
        assert_int_equal(json_object_read(&object, buffer_text(&out), NULL), 0);
        assert_int_equal(object.members[0].kind, JSON_NUMBER);
        buffer_add_char(&out, '\0');
        double again = strtod(out.bytes + 5, NULL);
        assert_memory_equal(&again, &number, sizeof number);
    }
    json_object_free(&object);
    buffer_free(&out);
}

static void kinds_have_the_names_that_people_know(void **state)
{
    (void)state;
    assert_string_equal(json_kind_name(JSON_NULL), "null");
    assert_string_equal(json_kind_name(JSON_BOOLEAN), "boolean");
    assert_string_equal(json_kind_name(JSON_OBJECT), "object");
}

UNIT_MAIN(cmocka_unit_test(only_what_must_be_escaped_is),
          cmocka_unit_test(controls_that_a_terminal_obeys_are_escaped),
          cmocka_unit_test(every_character_comes_back), cmocka_unit_test(doubles_are_written_short),
          cmocka_unit_test(every_finite_double_comes_back_from_json),
          cmocka_unit_test(kinds_have_the_names_that_people_know))
