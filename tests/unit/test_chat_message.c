/* parte5-chat/chat_message: every service and every field of the tables, both ways and in both encodings. */
#include "tests/unit/unit_chat.h"

#include <string.h>

/* Is every field there as it was made? */
static void check_fields(struct chat_message *message, uint64_t fields)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &chat_fields[i];
        if ((fields & FIELD_BIT(i)) == 0) {
            continue;
        }
        if (field->kind == FIELD_TEXT) {
            assert_text_equal(*field_text(field, message), TEXT("Ol\xc3\xa1!"));
        } else if (field->kind == FIELD_NAME) {
            assert_text_equal(*field_text(field, message), TEXT("Jo\xc3\xa3o da Silva"));
        } else if (field->kind == FIELD_UUID) {
            assert_text_equal(*field_text(field, message), TEXT(UUID));
        } else if (field->kind == FIELD_NUMBER || field->kind == FIELD_MOMENT) {
            assert_true(*field_number(field, message) == field->most);
        } else if (field->kind == FIELD_FLAG) {
            assert_true(*field_flag(field, message));
        } else if (field->kind == FIELD_STATUS) {
            assert_int_equal(message->status, STATUS_OK);
        } else if (field->kind == FIELD_NAMES) {
            assert_int_equal(field_names(field, message)->count, 2);
            assert_text_equal(field_names(field, message)->items[1], TEXT("rui"));
        } else if (field->kind == FIELD_RANKS) {
            assert_int_equal(message->list.count, 2);
            assert_int_equal(message->list.items[1].rank, chat_fields[FIELD_CODE_RANK].most);
        } else {
            const struct change_list *changes = field_changes(field, message);
            assert_int_equal(changes->count, 2);
            assert_int_equal(changes->items[1]->type, CHANGE_PUBLISH);
            assert_text_equal(changes->items[1]->body, TEXT("Ol\xc3\xa1!"));
            assert_true(changes->items[1]->seq == INT64_MAX);
        }
    }
}

static void check_round_trip(struct fixture *f, enum chat_service service, enum chat_direction direction,
                             const struct field_sets *sets)
{
    make(&f->bytes, service, sets->allowed, -1, (struct text){0});
    assert_int_equal(decode(f, direction, buffer_text(&f->bytes)), 0);
    for (int encoding = CHAT_MESSAGEPACK; encoding <= CHAT_JSON; encoding++) {
        buffer_clear(&f->again);
        assert_int_equal(chat_message_encode(&f->message, direction, (enum chat_encoding)encoding,
                                             CHAT_MESSAGE_MAX, &f->again, &f->error),
                         0);
        assert_int_equal(decode(f, direction, buffer_text(&f->again)), 0);
        assert_int_equal(f->message.service, service);
        assert_int_equal(f->message.encoding, encoding);
        check_fields(&f->message, sets->allowed);
        buffer_clear(&f->bytes); /* what the message points into next */
        buffer_add(&f->bytes, f->again.bytes, f->again.length);
        assert_int_equal(decode(f, direction, buffer_text(&f->bytes)), 0);
    }
}

static void every_service_survives_a_round_trip(void **state)
{
    for_all_services(*state, check_round_trip);
}

/* Nothing but what is needed: the rest is written neither as null nor as zero. */
static void check_smallest(struct fixture *f, enum chat_service service, enum chat_direction direction,
                           const struct field_sets *sets)
{
    uint64_t clocks = FIELD_BIT(FIELD_CODE_TIMESTAMP) | FIELD_BIT(FIELD_CODE_CLOCK);

    make(&f->bytes, service, sets->needed | clocks, -1, (struct text){0});
    assert_int_equal(decode(f, direction, buffer_text(&f->bytes)), 0);
    buffer_clear(&f->again);
    assert_int_equal(chat_message_encode(&f->message, direction, CHAT_MESSAGEPACK, CHAT_MESSAGE_MAX,
                                         &f->again, &f->error),
                     0);
    bool has_status = sets->needed & FIELD_BIT(FIELD_CODE_STATUS); /* made as "OK" */
    size_t more = has_status ? strlen(chat_success(service)) - strlen("OK") : 0;
    assert_int_equal(f->again.length, f->bytes.length + more);
}

static void nothing_is_written_for_fields_that_are_empty(void **state)
{
    for_all_services(*state, check_smallest);
}

static void what_python_packed_is_understood(void **state)
{
    const struct text login = TEXT("\x82\xa7service\xa5login\xa4"
                                   "data\x83\xa4user\xa3"
                                   "ana\xa9timestamp\xcf\x00\x00\x01\x9a\xa4\x0e\x6d\x3a\xa5"
                                   "clock\x01");
    /* a timestamp as a float, with a fraction */
    const struct text publish =
        TEXT("\x82\xa7service\xa7publish\xa4"
             "data\x85\xa4user\xa3"
             "ana\xa7"
             "channel\xa5geral\xa7message\xb2"
             "bom dia, Jo\xc3\xa3o \xe2\x98\x95\xa9timestamp\xcb\x42\x79\xaa\x40\xe6\xd3\xa8\x00\xa5"
             "clock\x2a");
    const struct text list = TEXT("\x82\xa7service\xa4list\xa4"
                                  "data\x83\xa4list\x92\x82\xa4name\xa7server1\xa4rank\x01\x82\xa4"
                                  "name\xa7server2\xa4rank\x02\xa9timestamp\xcf\x00\x00\x01\x9a\xa4\x0e"
                                  "\x6d\x3a\xa5"
                                  "clock\x07");
    struct fixture *f = *state;

    assert_int_equal(decode(f, CHAT_REQUEST, login), 0);
    assert_int_equal(f->message.service, SERVICE_LOGIN);
    assert_text_equal(f->message.user, TEXT("ana"));
    assert_true(f->message.timestamp_ms == 1763689000250 && f->message.clock == 1);

    assert_int_equal(decode(f, CHAT_REQUEST, publish), 0);
    assert_text_equal(f->message.message, TEXT("bom dia, Jo\xc3\xa3o \xe2\x98\x95"));
    assert_true(f->message.timestamp_ms == 1763689000250 && f->message.clock == 42);

    assert_int_equal(decode(f, CHAT_ANSWER, list), 0);
    assert_int_equal(f->message.list.count, 2);
    assert_text_equal(f->message.list.items[1].name, TEXT("server2"));
    assert_int_equal(f->message.list.items[1].rank, 2);
}

static void what_nobody_knows_is_passed_over(void **state)
{
    /* python: {"service": "users", "data": {"extra": {"a": [1, 2.5, None, True, b"\0\xff", ExtType(5, b"abc")]},
     * 7: {}, "channel": 5, "users": None}, "more": [[]]} */
    const struct text packed =
        TEXT("\x83\xa7service\xa5users\xa4"
             "data\x84\xa5"
             "extra\x81\xa1"
             "a\x96\x01\xcb\x40\x04\x00\x00\x00\x00\x00\x00\xc0\xc3\xc4\x02\x00\xff\xc7\x03\x05"
             "abc\x07\x80\xa7"
             "channel\x05\xa5users\xc0\xa4more\x91\x90");
    struct fixture *f = *state;

    assert_int_equal(decode(f, CHAT_REQUEST, packed), 0);
    assert_int_equal(f->message.service, SERVICE_USERS);
    assert_int_equal(f->message.channel.length, 0);
    assert_int_equal(
        decode(f, CHAT_REQUEST,
               TEXT(" {\"more\":[[]],\"data\":{\"extra\":{\"a\":[1,2.5,null]}},\"service\":\"users\"}")),
        0);
    assert_int_equal(f->message.encoding, CHAT_JSON);
}

static void of_a_name_that_comes_twice_the_last_counts(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(decode(f, CHAT_REQUEST,
                            TEXT("{\"service\":\"login\",\"data\":{\"user\":\"ana\",\"user\":\"rui\"},"
                                 "\"service\":\"heartbeat\"}")),
                     0);
    assert_int_equal(f->message.service, SERVICE_HEARTBEAT);
    assert_text_equal(f->message.user, TEXT("rui"));
}

static void json_is_written_as_one_would_write_it(void **state)
{
    struct fixture *f = *state;
    struct chat_message message = {.service = SERVICE_PUBLISH,
                                   .timestamp_ms = 1763689000250,
                                   .clock = 42,
                                   .user = TEXT("ana"),
                                   .channel = TEXT("geral"),
                                   .message = TEXT("bom dia\n")};

    assert_int_equal(chat_message_encode(&message, CHAT_REQUEST, CHAT_JSON, CHAT_MESSAGE_MAX, &f->bytes,
                                         NULL),
                     0);
    assert_text_equal(buffer_text(&f->bytes),
                      TEXT("{\"service\":\"publish\",\"data\":{\"timestamp\":1763689000250,\"clock\":42,"
                           "\"user\":\"ana\",\"channel\":\"geral\",\"message\":\"bom dia\\n\"}}"));
    struct chat_message answer = {.service = SERVICE_LOGIN, .status = STATUS_OK};
    buffer_clear(&f->bytes);
    assert_int_equal(chat_message_encode(&answer, CHAT_ANSWER, CHAT_JSON, CHAT_MESSAGE_MAX, &f->bytes, NULL),
                     0);
    assert_text_equal(
        buffer_text(&f->bytes),
        TEXT("{\"service\":\"login\",\"data\":{\"timestamp\":0,\"clock\":0,\"status\":\"sucesso\"}}"));
}

UNIT_MAIN(TEST(every_service_survives_a_round_trip), TEST(nothing_is_written_for_fields_that_are_empty),
          TEST(what_python_packed_is_understood), TEST(what_nobody_knows_is_passed_over),
          TEST(of_a_name_that_comes_twice_the_last_counts), TEST(json_is_written_as_one_would_write_it))
