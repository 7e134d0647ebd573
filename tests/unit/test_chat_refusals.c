/* parte5-chat/chat_message: what is wrong with a message is named, and who sent it can be told. */
#include "parte5-chat/chat.h"
#include "parte5-chat/names.h"

#include "tests/unit/unit_chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *allowed_kind(enum field_kind kind)
{
    if (kind >= FIELD_NAMES) {
        return "array";
    }
    if (kind == FIELD_FLAG) {
        return "boolean";
    }
    return kind == FIELD_NUMBER || kind == FIELD_MOMENT ? "integer" : "string";
}

static void check_wrong_types(struct fixture *f, enum chat_service service, enum chat_direction direction,
                              const struct field_sets *sets)
{
    /* one of each kind */
    const struct {
        const char *name;
        struct text bytes;
    } odd_values[] = {
        {"boolean", TEXT("\xc3")},        {"integer", TEXT("\x05")},
        {"string", TEXT("\xa1?")},        {"bytes", TEXT("\xc4\x01?")},
        {"array", TEXT("\x91\x05")},      {"map", TEXT("\x81\xa1?\x05")},
        {"extension", TEXT("\xd4\x05?")}, {"float", TEXT("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00")},
    };

    for (int field = 0; field < FIELD_COUNT; field++) {
        const char *allowed = allowed_kind(chat_fields[field].kind);
        for (size_t i = 0; i < sizeof odd_values / sizeof *odd_values; i++) {
            bool is_float = strcmp(odd_values[i].name, "float") == 0 && strcmp(allowed, "integer") == 0;
            if ((sets->allowed & FIELD_BIT(field)) == 0 || strcmp(odd_values[i].name, allowed) == 0) {
                continue;
            }
            make(&f->bytes, service, sets->allowed, field, odd_values[i].bytes);
            int code = decode(f, direction, buffer_text(&f->bytes));
            assert_int_equal(code, is_float ? ERROR_FIELD_VALUE : ERROR_FIELD_TYPE); /* it is not whole */
            assert_memory_equal(f->error.text, chat_fields[field].name, chat_fields[field].name_length);
            assert_non_null(strstr(f->error.text, is_float ? "whole number" : allowed));
        }
    }
}

static void a_wrong_type_in_any_field_is_named(void **state)
{
    for_all_services(*state, check_wrong_types);
}

static void check_missing(struct fixture *f, enum chat_service service, enum chat_direction direction,
                          const struct field_sets *sets)
{
    for (int field = 0; field < FIELD_COUNT; field++) {
        char wanted[64];
        if ((sets->needed & FIELD_BIT(field)) == 0) {
            continue;
        }
        snprintf(wanted, sizeof wanted, "%s is missing", chat_fields[field].name);
        make(&f->bytes, service, sets->allowed & ~FIELD_BIT(field), -1, (struct text){0});
        assert_int_equal(decode(f, direction, buffer_text(&f->bytes)), ERROR_FIELD_MISSING);
        assert_string_equal(f->error.text, wanted);
        make(&f->bytes, service, sets->allowed, field, TEXT("\xc0")); /* null is as good as nothing */
        assert_int_equal(decode(f, direction, buffer_text(&f->bytes)), ERROR_FIELD_MISSING);
    }
}

static void a_missing_field_is_named(void **state)
{
    for_all_services(*state, check_missing);
}

static void check_names(struct fixture *f, enum chat_service service, enum chat_direction direction,
                        const struct field_sets *sets)
{
    const struct text bad[] = {TEXT("\xa0"),
                               TEXT("\xa3"
                                    "a/b"),
                               TEXT("\xa2\xff\xfe"),
                               TEXT("\xa3"
                                    "a\nb"),
                               TEXT("\xa2.."),
                               TEXT("\xa7servers"),
                               TEXT("\xa2 a")};

    for (int field = 0; field < FIELD_COUNT; field++) {
        if ((sets->allowed & FIELD_BIT(field)) == 0 || chat_fields[field].kind != FIELD_NAME) {
            continue;
        }
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            make(&f->bytes, service, sets->allowed, field, bad[i]);
            assert_true(decode(f, direction, buffer_text(&f->bytes)) < 0);
            assert_memory_equal(f->error.text, chat_fields[field].name, chat_fields[field].name_length);
        }
    }
}

static void a_name_that_is_none_is_refused_in_any_field(void **state)
{
    for_all_services(*state, check_names);
}

static void what_is_no_message_is_refused(void **state)
{
    const struct {
        struct text bytes;
        int code;
        const char *says;
    } cases[] = {
        {TEXT(""), ERROR_NOT_MESSAGEPACK, "not MessagePack: cut short"},
        {TEXT("hello"), ERROR_NOT_MESSAGEPACK, "not a map, neither in MessagePack nor in JSON"},
        {TEXT("\x90"), ERROR_NOT_MESSAGEPACK, "not a map, neither in MessagePack nor in JSON"},
        {TEXT("\x80"), ERROR_FIELD_MISSING, "service is missing"},
        {TEXT("\x80\x80"), ERROR_NOT_MESSAGEPACK, "something stands behind the message"},
        {TEXT("{\"service\":\"users\"}"), ERROR_FIELD_MISSING, "data is missing"},
        {TEXT("{\"service\":null,\"data\":{}}"), ERROR_FIELD_MISSING, "service is missing"},
        {TEXT("{\"service\":1,\"data\":{}}"), ERROR_FIELD_TYPE,
         "service is of type integer, it must be of type string"},
        {TEXT("{\"service\":\"users\",\"data\":[]}"), ERROR_FIELD_TYPE,
         "data is of type array, it must be of type map"},
        {TEXT("{\"service\":\"fly\",\"data\":{}}"), ERROR_FIELD_VALUE, "service: not one that is known here"},
        {TEXT("{\"service\":\"history\",\"data\":{\"limit\":0}}"), ERROR_FIELD_VALUE,
         "limit: a whole number from 1 to 1000 is allowed"},
        {TEXT("{\"service\":\"history\",\"data\":{\"limit\":1001}}"), ERROR_FIELD_VALUE,
         "limit: a whole number from 1 to 1000 is allowed"},
        {TEXT("{\"service\":\"history\",\"data\":{\"limit\":1.5}}"), ERROR_FIELD_VALUE,
         "limit: a whole number from 1 to 1000 is allowed"},
        {TEXT("{\"service\":\"users\",\"data\":{\"clock\":-1}}"), ERROR_FIELD_VALUE,
         "clock: a whole number from 0 to 9223372036854775807 is allowed"},
        {TEXT("{\"service\":\"users\",\"data\":{\"clock\":1e300}}"), ERROR_FIELD_VALUE,
         "clock: a whole number from 0 to 9223372036854775807 is allowed"},
        {TEXT("{\"service\":\"users\",\"data\":{\"request_id\":\"7\"}}"), ERROR_FIELD_VALUE,
         "request_id: not the text of a UUID"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(decode(f, CHAT_REQUEST, cases[i].bytes), cases[i].code);
        assert_string_equal(f->error.text, cases[i].says);
    }
}

static void lists_are_checked_item_by_item(void **state)
{
    const struct {
        struct text bytes;
        const char *says;
    } cases[] = {
        {TEXT("{\"service\":\"users\",\"data\":{\"users\":[\"ana\",1]}}"),
         "users holds what is of type integer, it must be of type string"},
        {TEXT("{\"service\":\"users\",\"data\":{\"users\":[\"a/b\"]}}"), "users: holds a path separator"},
        {TEXT("{\"service\":\"list\",\"data\":{\"list\":[[]]}}"),
         "list holds what is of type array, it must be of type map"},
        {TEXT("{\"service\":\"list\",\"data\":{\"list\":[{\"name\":\"s1\"}]}}"), "rank is missing"},
        {TEXT("{\"service\":\"list\",\"data\":{\"list\":[{\"name\":\"s1\",\"rank\":64}]}}"),
         "rank: a whole number from 1 to 63 is allowed"},
        {TEXT("{\"service\":\"history\",\"data\":{\"messages\":[{\"message\":\"x\",\"user\":\"ana\"}]}}"),
         "channel is missing"},
        {TEXT("{\"service\":\"history\",\"data\":{\"messages\":[{\"message\":\"x\",\"src\":\"ana\"}]}}"),
         "dst is missing"},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(decode(f, CHAT_ANSWER, cases[i].bytes) < 0);
        assert_string_equal(f->error.text, cases[i].says);
    }
}

static void what_is_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    char *long_text = calloc(1, CHAT_BODY_MAX + 2);
    struct chat_message message = {.service = SERVICE_PUBLISH, .user = TEXT("ana"), .channel = TEXT("geral")};

    assert_non_null(long_text);
    memset(long_text, 'x', CHAT_BODY_MAX + 1);
    message.message = (struct text){long_text, CHAT_BODY_MAX};
    assert_int_equal(chat_message_encode(&message, CHAT_REQUEST, CHAT_MESSAGEPACK, CHAT_MESSAGE_MAX,
                                         &f->bytes, &f->error),
                     0);
    assert_int_equal(decode(f, CHAT_REQUEST, buffer_text(&f->bytes)), 0);
    assert_int_equal(chat_message_decode(&f->message, CHAT_REQUEST, buffer_text(&f->bytes),
                                         f->bytes.length - 1, &f->error),
                     ERROR_TOO_LONG);

    size_t before = f->bytes.length;
    assert_int_equal(chat_message_encode(&message, CHAT_REQUEST, CHAT_MESSAGEPACK, before - 1, &f->bytes,
                                         &f->error),
                     ERROR_TOO_LONG);
    assert_int_equal(f->bytes.length, before);

    message.message.length++;
    buffer_clear(&f->bytes);
    assert_int_equal(chat_message_encode(&message, CHAT_REQUEST, CHAT_JSON, CHAT_MESSAGE_MAX, &f->bytes,
                                         &f->error),
                     0);
    assert_int_equal(decode(f, CHAT_REQUEST, buffer_text(&f->bytes)), ERROR_TOO_LONG);
    assert_string_equal(f->error.text, "message: 16385 bytes, at most 16384 are allowed");
    free(long_text);
}

/* ---- refusals ---- */

static void a_refused_question_can_be_answered_in_kind(void **state)
{
    struct fixture *f = *state;
    struct chat_message answer = {0};

    assert_int_equal(decode(f, CHAT_REQUEST,
                            TEXT("{\"service\":\"publish\",\"data\":{\"user\":5,\"request_id\":\"" UUID
                                 "\"}}")),
                     ERROR_FIELD_TYPE);
    assert_int_equal(f->message.service, SERVICE_PUBLISH);
    assert_text_equal(f->message.request_id, TEXT(UUID));
    chat_message_refuse(&answer, &f->message, text_of(f->error.text));
    assert_int_equal(chat_message_encode(&answer, CHAT_ANSWER, f->message.encoding, CHAT_MESSAGE_MAX,
                                         &f->bytes, NULL),
                     0);
    assert_text_equal(
        buffer_text(&f->bytes),
        TEXT("{\"service\":\"publish\",\"data\":{\"timestamp\":0,\"clock\":0,\"request_id\":\"" UUID
             "\",\"message\":\"user is of type integer, it must be of type string\",\"status\":\"erro\"}}"));

    assert_int_equal(decode(f, CHAT_REQUEST, TEXT("\xff\xff")), ERROR_NOT_MESSAGEPACK);
    chat_message_refuse(&answer, &f->message, text_of(f->error.text));
    buffer_clear(&f->bytes);
    assert_int_equal(chat_message_encode(&answer, CHAT_ANSWER, f->message.encoding, CHAT_MESSAGE_MAX,
                                         &f->bytes, NULL),
                     0);
    assert_int_equal(decode(f, CHAT_ANSWER, buffer_text(&f->bytes)), 0);
    assert_int_equal(f->message.service, SERVICE_ERROR);
    assert_int_equal(f->message.status, STATUS_ERROR);
    assert_text_equal(f->message.description, TEXT("not a map, neither in MessagePack nor in JSON"));
    chat_message_free(&answer);
}

static void an_answer_that_refuses_needs_nothing_else(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(decode(f, CHAT_ANSWER, TEXT("{\"service\":\"users\",\"data\":{\"status\":\"erro\"}}")),
                     0);
    assert_int_equal(decode(f, CHAT_ANSWER, TEXT("{\"service\":\"users\",\"data\":{\"status\":\"OK\"}}")),
                     ERROR_FIELD_MISSING);
    assert_int_equal(decode(f, CHAT_ANSWER, TEXT("{\"service\":\"login\",\"data\":{\"status\":\"maybe\"}}")),
                     ERROR_FIELD_VALUE);
}

static void nothing_of_a_refused_message_is_left(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        decode(f, CHAT_REQUEST,
               TEXT("{\"service\":\"publish\",\"data\":{\"user\":\"ana\",\"clock\":7,\"channel\":1}}")),
        ERROR_FIELD_TYPE);
    assert_int_equal(f->message.user.length, 0);
    assert_true(f->message.clock == 0);
}

UNIT_MAIN(TEST(a_wrong_type_in_any_field_is_named), TEST(a_missing_field_is_named),
          TEST(a_name_that_is_none_is_refused_in_any_field), TEST(what_is_no_message_is_refused),
          TEST(lists_are_checked_item_by_item), TEST(what_is_too_long_is_refused),
          TEST(a_refused_question_can_be_answered_in_kind), TEST(an_answer_that_refuses_needs_nothing_else),
          TEST(nothing_of_a_refused_message_is_left))
