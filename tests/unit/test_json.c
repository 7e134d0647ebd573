/* common/json, reading: what is JSON, what each value is worth, and the one canonical form of what is nested. */
#include "common/json.h"

#include "common/random.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static int read(struct json_object *object, struct text text)
{
    struct error error = {0};
    int code = json_object_read(object, text, &error);
    assert_int_equal(code, error.code);
    if (code != 0) {
        assert_true(error.text[0] != '\0');
        assert_true(text_is_utf8(text_of(error.text)));
        assert_false(text_has_control(text_of(error.text)));
        assert_int_equal(object->count, 0);
    }
    assert_int_equal(json_object_read(object, text, NULL), code);
    return code;
}

static void assert_refused(struct text text, int code)
{
    struct json_object object = {0};
    int got = read(&object, text);
    json_object_free(&object);
    if (got != code) {
        fail_msg("%.*s gives %s", (int)text.length, text.bytes, error_name(got));
    }
}

/* The member `v` of an object, written again. */
static void assert_canonical(struct text text, enum json_kind kind, struct text wanted)
{
    struct json_object object = {0};
    struct buffer out = {0};
    if (read(&object, text) != 0) {
        fail_msg("%.*s is refused", (int)text.length, text.bytes);
    }
    const struct json_member *member = json_object_get(&object, "v");
    assert_non_null(member);
    assert_int_equal(member->kind, kind);
    json_write_member(&out, member);
    assert_text_equal(buffer_text(&out), wanted);
    buffer_free(&out);
    json_object_free(&object);
}

static void only_one_whole_object_is_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",     " ",        "1",         "\"x\"", "null",        "[]",
                                        "[{}]", "{}{}",     "{} x",      "{",     "}",           "{\"a\"}",
                                        "{,}",  "{a:1}",    "{'a':1}",   "{1:1}", "{\"a\":1,}",  "{\"a\" 1}",
                                        "{]",   "{\"a\":}", "{\"a\":1]", "{}]",   "{\"a\":1 2}", "{}\"//",
                                        "{} 1", "{}tru",    "{}-",       "{}\"\\"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_refused(text_of(wrong[i]), ERROR_NOT_JSON);
    }
    assert_refused((struct text){0}, ERROR_NOT_JSON);
    assert_refused(TEXT(" \t\r\n{ } \n"), 0);
}

static void an_empty_string_is_a_text_and_not_the_lack_of_one(void **state)
{
    (void)state;
    struct json_object object = {0};
    assert_int_equal(read(&object, TEXT("{\"\":\"\"}")), 0);
    assert_non_null(object.members[0].name.bytes);
    assert_non_null(object.members[0].text.bytes);
    json_object_free(&object);
}

static void what_only_looks_like_json_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{\"v\":NaN}",  "{\"v\":Infinity}", "{\"v\":-Infinity}", "{\"v\":nul}",   "{\"v\":True}",
        "{\"v\":01}",   "{\"v\":-}",        "{\"v\":+1}",        "{\"v\":.5}",    "{\"v\":1.}",
        "{\"v\":1e}",   "{\"v\":1e+}",      "{\"v\":0x10}",      "{\"v\":1_000}", "{\"v\":[1,]}",
        "{\"v\":[,1]}", "{/**/\"v\":1}",    "{\"v\":1}//",       "{\"v\":'x'}",   "\xEF\xBB\xBF{\"v\":1}",
        "{\"v\":--1}",  "{\"v\":-01}",      "{\"v\":{\"a\"}}",   "{\"v\":{,}}",   "{\"v\":[1 2]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_refused(text_of(wrong[i]), ERROR_NOT_JSON);
    }
}

static void an_object_cut_at_any_byte_is_refused(void **state)
{
    (void)state;
    static const char whole[] =
        "{\"a\":[1,-2.5e+3,{\"b\":\"\\u00e9\\ud83d\\ude00é\"}],\"c\":null,\"d\":true}";
    for (size_t length = 0; length < sizeof whole - 1; length++) {
        struct json_object object = {0};
        assert_int_not_equal(read(&object, (struct text){whole, length}), 0);
        json_object_free(&object);
    }
    assert_refused(text_of(whole), 0);
}

static void bytes_that_are_not_utf8_are_refused_before_anything_else(void **state)
{
    (void)state;
    assert_refused(TEXT("{\"v\":\"\xFF\"}"), ERROR_NOT_UTF8);
    assert_refused(TEXT("{\"v\":\"\xC0\xAF\"}"), ERROR_NOT_UTF8);
    assert_refused(TEXT("{\"v\":\"\xED\xA0\x80\"}"), ERROR_NOT_UTF8);
    assert_refused(TEXT("{\"\xC3\":1}"), ERROR_NOT_UTF8);
    assert_refused(TEXT("\xFF\xFE{"), ERROR_NOT_UTF8);
}

static void a_lone_surrogate_half_is_refused(void **state)
{
    (void)state;
    assert_refused(TEXT("{\"v\":\"\\ud800\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\uDFFF\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\ud83dx\\ude00\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\ud83d\\ud83d\\ude00\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\ude00\\ud83d\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"\\ud83d\":1}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":{\"\\ud83d\\u0041\":1}}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\ud83d"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\ud83d\\ude0\"}"), ERROR_NOT_JSON);
}

static void escapes_become_the_characters_that_they_name(void **state)
{
    (void)state;
    assert_canonical(TEXT("{\"v\":\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\\/\"}"), JSON_STRING,
                     TEXT("\"Aé€😀/\""));
    assert_canonical(TEXT("{\"v\":\"\\\\ud800\"}"), JSON_STRING, TEXT("\"\\\\ud800\""));
    assert_canonical(TEXT("{\"v\":[\"\\u000A\\u0022\\u005c\\u001f\"]}"), JSON_ARRAY,
                     TEXT("[\"\\n\\\"\\\\\\u001f\"]"));
    assert_canonical(TEXT("{\"v\":\"\\uFFFF\\uDBFF\\uDFFF\"}"), JSON_STRING,
                     TEXT("\"\xEF\xBF\xBF\xF4\x8F\xBF\xBF\""));
    assert_refused(TEXT("{\"v\":\"\\x41\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\u00g0\"}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":\"\\U0041\"}"), ERROR_NOT_JSON);
}

static void an_escaped_nul_does_not_end_a_string(void **state)
{
    (void)state;
    struct json_object object = {0};
    assert_int_equal(read(&object, TEXT("{\"v\\u0000\":1,\"v\":\"a\\u0000b\",\"w\":[\"\\u0000\"]}")), 0);
    assert_int_equal(object.count, 3);
    assert_text_equal(object.members[0].name, TEXT("v\0"));
    assert_text_equal(json_object_get(&object, "v")->text, TEXT("a\0b"));
    assert_text_equal(json_object_get(&object, "w")->text, TEXT("[\"\\u0000\"]"));
    json_object_free(&object);
}

static void a_raw_control_character_in_a_string_is_refused(void **state)
{
    (void)state;
    for (char control = 0; control < 0x20; control++) {
        char text[] = "{\"v\":\"a?b\"}";
        text[7] = control;
        assert_refused((struct text){text, sizeof text - 1}, ERROR_NOT_JSON);
    }
    assert_refused(TEXT("{\"v\":1\0}"), ERROR_NOT_JSON);
    assert_refused(TEXT("{\"v\":1}\0"), ERROR_NOT_JSON);
}

static void numbers_are_kept_digit_for_digit(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "0",
        "-0",
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551616",
        "1.0",
        "1.10",
        "1e999",
        "-1E-999",
        "0.1000000000000000055511151231257827021181583404541015625",
        "1e+05",
        "123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct buffer text = {0};
        buffer_add_format(&text, "{\"v\":%s}", numbers[i]);
        assert_canonical(buffer_text(&text), JSON_NUMBER, text_of(numbers[i]));
        buffer_clear(&text);
        buffer_add_format(&text, "{\"v\": [ %s ] }", numbers[i]);
        struct json_object object = {0};
        assert_int_equal(read(&object, buffer_text(&text)), 0);
        struct text member = object.members[0].text;
        assert_text_equal(((struct text){member.bytes + 1, member.length - 2}), text_of(numbers[i]));
        json_object_free(&object);
        buffer_free(&text);
    }
}

static void of_two_members_with_one_name_the_last_counts(void **state)
{
    (void)state;
    assert_canonical(TEXT("{\"v\":1,\"w\":2,\"v\":\"3\"}"), JSON_STRING, TEXT("\"3\""));
    assert_canonical(TEXT("{\"v\":1,\"\\u0076\":null}"), JSON_NULL, TEXT("null"));
    assert_canonical(TEXT("{\"v\":{\"a\":1,\"b\":2,\"a\":3,\"\\u0061\":4}}"), JSON_OBJECT,
                     TEXT("{\"a\":4,\"b\":2}"));
    assert_canonical(TEXT("{\"v\":{\"a\":{\"z\":[1,2]},\"a\":{}}}"), JSON_OBJECT, TEXT("{\"a\":{}}"));
}

static void white_space_goes_and_brackets_stay(void **state)
{
    (void)state;
    assert_canonical(TEXT("{\"v\" : [ ] }"), JSON_ARRAY, TEXT("[]"));
    assert_canonical(TEXT("{\"v\" : { } }"), JSON_OBJECT, TEXT("{}"));
    assert_canonical(TEXT("{\"v\":[ 1 , [ ] , { } ,\tnull\n,\r true , false , \" \" ]}"), JSON_ARRAY,
                     TEXT("[1,[],{},null,true,false,\" \"]"));
    assert_canonical(TEXT("{\"v\":[[[]],[{\"a\":[{}]}]],\"w\":1}"), JSON_ARRAY,
                     TEXT("[[[]],[{\"a\":[{}]}]]"));
}

static void nested_members_are_sorted_by_name_not_by_its_escapes(void **state)
{
    (void)state;
    assert_canonical(TEXT("{\"v\":{\"b\":1,\"a\":2,\"\":3,\"aa\":4}}"), JSON_OBJECT,
                     TEXT("{\"\":3,\"a\":2,\"aa\":4,\"b\":1}"));
    /* Space and ! stand before the quote that ends a name. */
    assert_canonical(TEXT("{\"v\":{\"a b\":1,\"a!\":2,\"a\":3}}"), JSON_OBJECT,
                     TEXT("{\"a\":3,\"a b\":1,\"a!\":2}"));
    /* A backslash stands behind the capital letters, a line break before everything. */
    assert_canonical(TEXT("{\"v\":{\"Z\":1,\"\\\"\":2,\"\\n\":3,\"A\":4}}"), JSON_OBJECT,
                     TEXT("{\"\\n\":3,\"\\\"\":2,\"A\":4,\"Z\":1}"));
    assert_canonical(TEXT("{\"v\":{\"é\":1,\"z\":2,\"\\u0000\":3,\"😀\":4,\"\\uffff\":5}}"), JSON_OBJECT,
                     TEXT("{\"\\u0000\":3,\"z\":2,\"é\":1,\"\xEF\xBF\xBF\":5,\"😀\":4}"));
}

static void sorting_inside_does_not_disturb_what_stands_around(void **state)
{
    (void)state;
    assert_canonical(
        TEXT("{\"u\":{\"y\":1,\"x\":2},\"v\":{\"d\":{\"z\":[{\"n\":1,\"m\":2}],\"a\":{}},\"c\":[{\"b\":1},"
             "{\"a\":{\"k\":2,\"j\":1}}]},\"w\":{\"q\":0}}"),
        JSON_OBJECT,
        TEXT("{\"c\":[{\"b\":1},{\"a\":{\"j\":1,\"k\":2}}],\"d\":{\"a\":{},\"z\":[{\"m\":2,\"n\":1}]}}"));
}

static void nested(struct buffer *text, size_t levels, const char *open, const char *inner, const char *close)
{
    buffer_clear(text);
    buffer_add_string(text, "{\"v\":");
    for (size_t i = 0; i < levels; i++) {
        buffer_add_string(text, open);
    }
    buffer_add_string(text, inner);
    for (size_t i = 0; i < levels; i++) {
        buffer_add_string(text, close);
    }
    buffer_add_char(text, '}');
}

static void a_thousand_levels_are_read_and_one_more_is_refused(void **state)
{
    (void)state;
    struct buffer text = {0};
    nested(&text, JSON_DEPTH_MAX, "[", "", "]");
    struct text value = {text.bytes + 5, text.length - 6};
    assert_canonical(buffer_text(&text), JSON_ARRAY, value);
    nested(&text, JSON_DEPTH_MAX, "{\"k\":", "1", "}");
    value = (struct text){text.bytes + 5, text.length - 6};
    assert_canonical(buffer_text(&text), JSON_OBJECT, value);
    nested(&text, JSON_DEPTH_MAX + 1, "[", "", "]");
    assert_refused(buffer_text(&text), ERROR_NOT_JSON);
    nested(&text, JSON_DEPTH_MAX + 1, "{\"k\":", "1", "}");
    assert_refused(buffer_text(&text), ERROR_NOT_JSON);
    nested(&text, 300000, "[", "", "]");
    assert_refused(buffer_text(&text), ERROR_NOT_JSON);
    buffer_free(&text);
}

static void an_object_may_be_read_into_again_also_after_a_failure(void **state)
{
    (void)state;
    struct json_object object = {0};
    assert_int_equal(read(&object, TEXT("{\"a\":{\"long\":\"value\"},\"b\":2}")), 0);
    assert_int_not_equal(read(&object, TEXT("{\"c\":3,\"d\":[")), 0);
    assert_null(json_object_get(&object, "a"));
    assert_null(json_object_get(&object, "c"));
    assert_int_equal(read(&object, TEXT("{\"e\":4}")), 0);
    assert_int_equal(object.count, 1);
    assert_text_equal(json_object_get(&object, "e")->text, TEXT("4"));
    assert_null(json_object_get(&object, "a"));
    json_object_free(&object);
}

static void the_beginning_of_another_value_does_not_leak_into_the_next_text(void **state)
{
    (void)state;
    static const char *const wrong[] = {"{}\"", "{}\"//", "{} 1", "{} -", "{} t", "{}[", "{}{\"a\":"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct json_object object = {0};
        assert_int_equal(read(&object, text_of(wrong[i])), ERROR_NOT_JSON);
        assert_int_equal(read(&object, TEXT("{\"b\":\"2\"}")), 0);
        assert_int_equal(object.count, 1);
        assert_text_equal(json_object_get(&object, "b")->text, TEXT("2"));
        json_object_free(&object);
    }
}

static void random_tokens_are_refused_or_have_a_canonical_form_that_lasts(void **state)
{
    (void)state;
    static const char *const tokens[] = {"{",       "}",     "[",         "]",       ",",    ":",
                                         "\"a\"",   "\"b\"", "1",         "-2.5",    "true", "null",
                                         "\"\\n\"", "\"é\"", " ",         "{\"v\":", "}}",   "\\",
                                         "\"\\ud8", "\x01",  "{\"b\":1,", "\"a\":[", "]}",   "{}"};
    struct random random = {11};
    struct buffer text = {0};
    struct buffer first = {0};
    struct buffer second = {0};
    struct json_object object = {0};
    size_t taken = 0;

    for (int i = 0; i < 200000; i++) {
        buffer_clear(&text);
        buffer_add_string(&text, "{\"v\":");
        for (uint64_t left = random_below(&random, 10); left > 0; left--) {
            buffer_add_string(&text, tokens[random_below(&random, sizeof tokens / sizeof *tokens)]);
        }
        buffer_add_char(&text, '}');
        if (json_object_read(&object, buffer_text(&text), NULL) != 0 || object.count != 1) {
            continue;
        }
        taken++;
        buffer_clear(&first);
        buffer_add_string(&first, "{\"v\":");
        json_write_member(&first, &object.members[0]);
        buffer_add_char(&first, '}');
        assert_int_equal(json_object_read(&object, buffer_text(&first), NULL), 0);
        buffer_clear(&second);
        buffer_add_string(&second, "{\"v\":");
        json_write_member(&second, &object.members[0]);
        buffer_add_char(&second, '}');
        assert_text_equal(buffer_text(&second), buffer_text(&first));
    }
    assert_true(taken > 1000);
    buffer_free(&text);
    buffer_free(&first);
    buffer_free(&second);
    json_object_free(&object);
}

UNIT_MAIN(cmocka_unit_test(only_one_whole_object_is_read),
          cmocka_unit_test(an_empty_string_is_a_text_and_not_the_lack_of_one),
          cmocka_unit_test(what_only_looks_like_json_is_refused),
          cmocka_unit_test(an_object_cut_at_any_byte_is_refused),
          cmocka_unit_test(bytes_that_are_not_utf8_are_refused_before_anything_else),
          cmocka_unit_test(a_lone_surrogate_half_is_refused),
          cmocka_unit_test(escapes_become_the_characters_that_they_name),
          cmocka_unit_test(an_escaped_nul_does_not_end_a_string),
          cmocka_unit_test(a_raw_control_character_in_a_string_is_refused),
          cmocka_unit_test(numbers_are_kept_digit_for_digit),
          cmocka_unit_test(of_two_members_with_one_name_the_last_counts),
          cmocka_unit_test(white_space_goes_and_brackets_stay),
          cmocka_unit_test(nested_members_are_sorted_by_name_not_by_its_escapes),
          cmocka_unit_test(sorting_inside_does_not_disturb_what_stands_around),
          cmocka_unit_test(a_thousand_levels_are_read_and_one_more_is_refused),
          cmocka_unit_test(an_object_may_be_read_into_again_also_after_a_failure),
          cmocka_unit_test(the_beginning_of_another_value_does_not_leak_into_the_next_text),
          cmocka_unit_test(random_tokens_are_refused_or_have_a_canonical_form_that_lasts))
