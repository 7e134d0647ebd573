/* common/message: what the wire may bring. Every field right, wrong, null, missing and one beyond its limit. */
#include "common/message.h"

#include "common/json.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define A_UUID "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"

static const struct {
    const char *name, *json;
} good[] = {{"command_type", "\"SET\""},
            {"key", "\"x\""},
            {"value", "\"1\""},
            {"sender_id", "\"node1\""},
            {"message_uuid", "\"" A_UUID "\""},
            {"timestamp", "1763689000.25"},
            {"seq", "7"}};

/* A good message but for one field, which holds `json`, or is absent where that is NULL. */
static void write_with(struct buffer *out, const char *name, const char *json)
{
    buffer_clear(out);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *value = strcmp(good[i].name, name) == 0 ? json : good[i].json;
        if (value != NULL) {
            buffer_add_format(out, "%s\"%s\":%s", out->length == 0 ? "{" : ",", good[i].name, value);
        }
    }
    buffer_add_char(out, '}');
}

static struct message *decode(struct text wire, struct error *error)
{
    *error = (struct error){0};
    struct message *message = message_decode(wire, MESSAGE_STREAM_MAX, error);
    assert_int_equal(message == NULL, error->code != ERROR_NONE);
    if (message == NULL) {
        assert_true(error->text[0] != '\0');
        assert_true(text_is_utf8(text_of(error->text)));
        assert_false(text_has_control(text_of(error->text)));
    } else {
        assert_int_equal(message->references, 1);
    }
    return message;
}

/* The caller lets go of the message. */
static struct message *take(const char *name, const char *json)
{
    struct buffer wire = {0};
    struct error error;
    write_with(&wire, name, json);
    struct message *message = decode(buffer_text(&wire), &error);
    if (message == NULL) {
        fail_msg("%s: %s: %s", name, json, error.text);
    }
    buffer_free(&wire);
    return message;
}

static void assert_taken(const char *name, const char *json)
{
    message_unref(take(name, json));
}

/* The sentence must name the field, or what `sentence` says. */
static void assert_refused_saying(const char *name, const char *json, int code, const char *sentence)
{
    struct buffer wire = {0};
    struct error error;
    write_with(&wire, name, json);
    struct message *message = decode(buffer_text(&wire), &error);
    buffer_free(&wire);
    if (message != NULL || error.code != code || strstr(error.text, sentence) == NULL) {
        fail_msg("%s: %s gives %s: %s", name, json, error_name(error.code), error.text);
    }
}

static void assert_refused(const char *name, const char *json, int code)
{
    assert_refused_saying(name, json, code, name);
}

static void a_good_message_has_all_its_fields(void **state)
{
    (void)state;
    struct message *message = take("", NULL);
    assert_int_equal(message->command_type, COMMAND_SET);
    assert_text_equal(message->key, TEXT("x"));
    assert_text_equal(message->value, TEXT("\"1\""));
    assert_text_equal(message->sender_id, TEXT("node1"));
    assert_text_equal(message->message_uuid, TEXT(A_UUID));
    assert_text_equal(message->timestamp, TEXT("1763689000.25"));
    assert_true(message->seq == 7);
    message_unref(message);
}

static void the_three_commands_are_known_by_their_exact_names(void **state)
{
    (void)state;
    assert_taken("command_type", "\"GET\"");
    assert_taken("command_type", "\"\\u0053ET\"");
    assert_refused("command_type", "\"set\"", ERROR_FIELD_VALUE);
    assert_refused("command_type", "\"SET \"", ERROR_FIELD_VALUE);
    assert_refused("command_type", "\"SET\\u0000\"", ERROR_FIELD_VALUE);
    assert_refused("command_type", "\"\"", ERROR_FIELD_VALUE);
    assert_refused("command_type", "\"DELETE\"", ERROR_FIELD_VALUE);
    assert_refused("command_type", "\"\\u001b[2J\\u009b2J ééééééééééééééééééééééééé\"", ERROR_FIELD_VALUE);
}

static void a_required_field_may_be_neither_absent_nor_null(void **state)
{
    (void)state;
    static const char *const required[] = {"command_type", "key", "sender_id", "message_uuid"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        assert_refused(required[i], NULL, ERROR_FIELD_MISSING);
        assert_refused(required[i], "null", ERROR_FIELD_MISSING);
    }
}

static void a_field_of_another_type_is_refused_by_its_name(void **state)
{
    (void)state;
    static const char *const values[] = {"true", "1", "1.5", "\"1\"", "[]", "[\"SET\"]", "{}", "{\"a\":1}"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bool is_string = good[i].json[0] == '"';
        for (size_t j = 0; strcmp(good[i].name, "value") != 0 && j < sizeof values / sizeof *values; j++) {
            bool same = is_string ? values[j][0] == '"' : values[j][0] == '1';
            if (!same) {
                assert_refused(good[i].name, values[j], ERROR_FIELD_TYPE);
            }
        }
    }
}

static void an_optional_field_may_be_absent_or_null(void **state)
{
    (void)state;
    for (int absent = 0; absent < 2; absent++) {
        const char *json = absent ? NULL : "null";
        struct message *message = take("seq", json);
        assert_true(message->seq == MESSAGE_NO_SEQ);
        message_unref(message);
        message = take("timestamp", json);
        assert_text_equal(message->timestamp, TEXT("0"));
        message_unref(message);
        message = take("value", json);
        assert_text_equal(message->value, TEXT("null"));
        message_unref(message);
    }
}

static void fields_that_nobody_knows_are_ignored(void **state)
{
    (void)state;
    struct error error;
    struct message *message =
        decode(TEXT("{\"seq2\":{\"seq\":1},\"Key\":3,\"command_type\":\"GET\",\"\":null,"
                    "\"key\":\"k\",\"sender_id\":\"n\",\"key\\u0000\":[],"
                    "\"message_uuid\":\"" A_UUID "\",\"value2\":[[[]]]}"),
               &error);
    assert_non_null(message);
    assert_text_equal(message->key, TEXT("k"));
    assert_text_equal(message->value, TEXT("null"));
    assert_true(message->seq == MESSAGE_NO_SEQ);
    message_unref(message);
}

static void of_a_field_that_comes_twice_the_last_counts(void **state)
{
    (void)state;
    struct error error;
    struct message *message = decode(TEXT("{\"command_type\":1,\"key\":\"a\",\"sender_id\":\"n\",\"seq\":-1,"
                                          "\"message_uuid\":\"" A_UUID "\",\"command_type\":\"SET\","
                                          "\"key\":\"b\",\"seq\":5,\"value\":1,\"value\":null}"),
                                     &error);
    assert_non_null(message);
    assert_text_equal(message->key, TEXT("b"));
    assert_text_equal(message->value, TEXT("null"));
    assert_true(message->seq == 5);
    message_unref(message);
}

/* A string of `length` bytes, quoted; static. */
static const char *long_string(size_t length, const char *tail)
{
    static char json[400];
    memset(json, 'k', sizeof json);
    json[0] = '"';
    snprintf(json + 1 + length - strlen(tail), 40, "%s\"", tail);
    return json;
}

static void names_have_1_to_256_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"key", "sender_id"};
    for (size_t i = 0; i < 2; i++) {
        assert_refused(names[i], "\"\"", ERROR_FIELD_VALUE);
        assert_taken(names[i], "\"k\"");
        assert_taken(names[i], long_string(256, ""));
        assert_refused(names[i], long_string(257, ""), ERROR_FIELD_VALUE);
        assert_taken(names[i], long_string(256, "é")); /* bytes count, not characters */
        assert_refused(names[i], long_string(257, "é"), ERROR_FIELD_VALUE);
    }
}

static void names_hold_no_control_characters(void **state)
{
    (void)state;
    static const char *const names[] = {"key", "sender_id"};
    for (size_t i = 0; i < 2; i++) {
        for (unsigned point = 0; point < 0x100; point++) {
            char json[16];
            snprintf(json, sizeof json, "\"a\\u%04xb\"", point);
            if (point < 0x20 || (point >= 0x7F && point <= 0x9F)) {
                assert_refused(names[i], json, ERROR_FIELD_VALUE);
            } else {
                assert_taken(names[i], json);
            }
        }
        assert_refused(names[i], "\"\xC2\x85\"", ERROR_FIELD_VALUE); /* the same, not escaped */
        assert_refused(names[i], "\"\x7F\"", ERROR_FIELD_VALUE);
        assert_taken(names[i], "\" \xE2\x80\xA8😀\"");
    }
}

static void a_uuid_has_its_form_and_any_version(void **state)
{
    (void)state;
    assert_taken("message_uuid", "\"5F1D7A70-9F0D-1A43-FB2B-0F2F7A8B9D10\"");
    assert_refused("message_uuid", "\"\"", ERROR_FIELD_VALUE);
    assert_refused("message_uuid", "\"5f1d7a709f0d4a43bb2b0f2f7a8b9d10\"", ERROR_FIELD_VALUE);
    assert_refused("message_uuid", "\"" A_UUID "0\"", ERROR_FIELD_VALUE);
    assert_refused("message_uuid", "\"" A_UUID "\\u0000\"", ERROR_FIELD_VALUE);
}

static void a_value_is_kept_canonical_and_digit_for_digit(void **state)
{
    (void)state;
    static const char *const values[][2] = {
        {"9007199254740993", "9007199254740993"},
        {"-18446744073709551617.10e+0400", "-18446744073709551617.10e+0400"},
        {"\"\\u0061\\u0000\\u009b\"", "\"a\\u0000\\u009b\""},
        {"false", "false"},
        {" [ 1 , {\"b\" : 1 , \"a\" : 2 , \"b\" : 3} ] ", "[1,{\"a\":2,\"b\":3}]"},
        {"\"null\"", "\"null\""},
        {"\"\"", "\"\""},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct message *message = take("value", values[i][0]);
        assert_text_equal(message->value, text_of(values[i][1]));
        message_unref(message);
    }
}

static void a_seq_is_a_whole_number_from_0_to_the_largest(void **state)
{
    (void)state;
    static const char *const wrong[] = {"-1",
                                        "-0",
                                        "1.0",
                                        "1e3",
                                        "9223372036854775808",
                                        "18446744073709551616",
                                        "0.5",
                                        "1E0",
                                        "-9223372036854775808",
                                        "99999999999999999999999999999999",
                                        "9223372036854775810",
                                        "10000000000000000000"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_refused("seq", wrong[i], ERROR_FIELD_VALUE);
    }
    static const int64_t right[] = {0, 1, 4294967296, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        char json[32];
        snprintf(json, sizeof json, "%" PRId64, right[i]);
        struct message *message = take("seq", json);
        assert_true(message->seq == right[i]);
        message_unref(message);
    }
}

static void a_timestamp_is_a_finite_number(void **state)
{
    (void)state;
    assert_refused("timestamp", "1e999", ERROR_FIELD_VALUE);
    assert_refused("timestamp", "-1e999", ERROR_FIELD_VALUE);
    assert_refused_saying("timestamp", "NaN", ERROR_NOT_JSON, "JSON");
    assert_refused_saying("timestamp", "Infinity", ERROR_NOT_JSON, "JSON");
    assert_taken("timestamp", "1e308");
    assert_taken("timestamp", "1e-999");
    assert_taken("timestamp", "-1.5");
    struct message *message = take("timestamp", "1763689000.1234567");
    assert_text_equal(message->timestamp, TEXT("1763689000.1234567"));
    message_unref(message);
    assert_taken("timestamp", "1763689000.123456789012345678901");
    assert_refused("timestamp", "1763689000.1234567890123456789012", ERROR_FIELD_VALUE);
}

static void print_needs_no_key_and_keeps_none(void **state)
{
    (void)state;
    static const char *const keys[] = {"", ",\"key\":null", ",\"key\":\"meaningless\""};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct buffer wire = {0};
        struct error error;
        buffer_add_format(&wire, "{\"command_type\":\"PRINT\",\"sender_id\":\"n\",\"message_uuid\":\"%s\"%s}",
                          A_UUID, keys[i]);
        struct message *message = decode(buffer_text(&wire), &error);
        assert_non_null(message);
        assert_int_equal(message->command_type, COMMAND_PRINT);
        assert_null(message->key.bytes);
        assert_int_equal(message->key.length, 0);
        message_unref(message);
        buffer_free(&wire);
    }
}

UNIT_MAIN(cmocka_unit_test(a_good_message_has_all_its_fields),
          cmocka_unit_test(the_three_commands_are_known_by_their_exact_names),
          cmocka_unit_test(a_required_field_may_be_neither_absent_nor_null),
          cmocka_unit_test(a_field_of_another_type_is_refused_by_its_name),
          cmocka_unit_test(an_optional_field_may_be_absent_or_null),
          cmocka_unit_test(fields_that_nobody_knows_are_ignored),
          cmocka_unit_test(of_a_field_that_comes_twice_the_last_counts),
          cmocka_unit_test(names_have_1_to_256_bytes), cmocka_unit_test(names_hold_no_control_characters),
          cmocka_unit_test(a_uuid_has_its_form_and_any_version),
          cmocka_unit_test(a_value_is_kept_canonical_and_digit_for_digit),
          cmocka_unit_test(a_seq_is_a_whole_number_from_0_to_the_largest),
          cmocka_unit_test(a_timestamp_is_a_finite_number),
          cmocka_unit_test(print_needs_no_key_and_keeps_none))
