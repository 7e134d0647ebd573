/* paxos/command_json: what clients ask for, in both forms, and what nobody may ask for. */
#include "common/memory.h"
#include "paxos/command_json.h"
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define UUID "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"

struct reading {
    struct json_object object;
    struct buffer bytes;
    struct operation operation;
    struct client_command command;
    struct error error;
};

static int read_text(struct reading *reading, struct text json)
{
    reading->error = (struct error){0};
    int code = json_object_read(&reading->object, json, &reading->error);
    assert_int_equal(code, 0);
    return command_json_read(&reading->object, &reading->bytes, &reading->operation, &reading->command,
                             &reading->error);
}

static void free_reading(struct reading *reading)
{
    json_object_free(&reading->object);
    buffer_free(&reading->bytes);
}

/* Its canonical form is `wanted`, and that of itself. */
static void assert_canonical(const char *json, const char *wanted)
{
    struct reading first = {0};
    struct reading second = {0};

    if (read_text(&first, text_of(json)) != 0) {
        fail_msg("%s: %s", json, first.error.text);
    }
    assert_text_equal(buffer_text(&first.bytes), text_of(wanted));
    assert_int_equal(read_text(&second, buffer_text(&first.bytes)), 0);
    assert_text_equal(buffer_text(&second.bytes), text_of(wanted));
    assert_true(first.command.client == second.command.client);
    assert_true(first.command.timestamp == second.command.timestamp);
    assert_text_equal(second.operation.data, first.operation.data);
    free_reading(&first);
    free_reading(&second);
}

static void both_forms_have_a_canonical_one(void **state)
{
    (void)state;
    assert_canonical(
        "{\"operation\":\"write\", \"resource\":\"x\",\"data\":{\"b\":1, \"a\":null},"
        "\"timestamp\":17,\"clientId\":\"c\",\"more\":[]}",
        "{\"clientId\":\"c\",\"data\":{\"a\":null,\"b\":1},\"operation\":\"SET\",\"resource\":\"x\","
        "\"timestamp\":17}");
    assert_canonical(
        "{\"clientId\":7,\"timestamp\":1.5e3,\"operation\":\"Get\",\"resource\":\"\\u00e9\",\"data\":9,"
        "\"notify\":\"client-1:8080\"}",
        "{\"clientId\":7,\"notify\":\"client-1:8080\",\"operation\":\"GET\",\"resource\":\"\xC3\xA9\","
        "\"timestamp\":1.5e3}");
    assert_canonical("{\"clientId\":\"\\\"\\\\\",\"timestamp\":0,\"operation\":\"print\"}",
                     "{\"clientId\":\"\\\"\\\\\",\"operation\":\"PRINT\",\"timestamp\":0}");
    assert_canonical("{\"command_type\":\"SET\",\"key\":\"x\",\"value\":null,\"sender_id\":\"node1\","
                     "\"message_uuid\":\"" UUID "\",\"timestamp\":0.25,\"seq\":7}",
                     "{\"command_type\":\"SET\",\"key\":\"x\",\"message_uuid\":\"" UUID
                     "\",\"sender_id\":\"node1\",\"timestamp\":0.25,\"value\":null}");
    assert_canonical("{\"command_type\":\"PRINT\",\"key\":null,\"value\":null,\"sender_id\":\"node1\","
                     "\"message_uuid\":\"" UUID "\"}",
                     "{\"command_type\":\"PRINT\",\"message_uuid\":\"" UUID "\",\"sender_id\":\"node1\"}");
}

static struct client_command name_of(const char *json)
{
    struct reading reading = {0};

    assert_int_equal(read_text(&reading, text_of(json)), 0);
    struct client_command command = reading.command;
    free_reading(&reading);
    return command;
}

static bool have_one_name(const char *a, const char *b)
{
    struct client_command first = name_of(a);
    struct client_command second = name_of(b);
    return first.client == second.client && first.timestamp == second.timestamp;
}

#define NATIVE(client, timestamp, data)                                                                      \
    "{\"clientId\":" client ",\"timestamp\":" timestamp                                                      \
    ",\"operation\":\"SET\",\"resource\":\"x\",\"data\":" data "}"
#define MESSAGE(key, uuid)                                                                                   \
    "{\"command_type\":\"SET\",\"key\":" key ",\"value\":1,\"sender_id\":\"a\",\"message_uuid\":\"" uuid "\"}"

static void a_command_is_named_by_client_and_timestamp_or_by_uuid(void **state)
{
    (void)state;
    assert_true(have_one_name(NATIVE("\"a\"", "1", "1"), NATIVE("\"a\"", "1", "\"other\"")));
    assert_false(have_one_name(NATIVE("\"a\"", "1", "1"), NATIVE("\"b\"", "1", "1")));
    assert_false(have_one_name(NATIVE("\"a\"", "1", "1"), NATIVE("\"a\"", "2", "1")));
    assert_false(have_one_name(NATIVE("\"7\"", "1", "1"), NATIVE("7", "1", "1")));
    assert_false(have_one_name(NATIVE("\"a\"", "1", "1"), NATIVE("\"a\\\",\"", "1", "1")));
    assert_true(have_one_name(MESSAGE("\"x\"", UUID), MESSAGE("\"\\\\\\\"y\"", UUID)));
    assert_false(
        have_one_name(MESSAGE("\"x\"", UUID), MESSAGE("\"x\"", "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d11")));
}

static void what_is_not_canonical_has_no_name(void **state)
{
    static const char *const texts[] = {"",
                                        "{",
                                        "{}",
                                        "{\"clientId\":",
                                        "{\"clientId\":\"",
                                        "{\"clientId\":\"a\\",
                                        "{\"clientId\":\"a\"}",
                                        "{\"clientId\":\"a\",\"timestamp\":}",
                                        "{\"clientId\":\"a\",\"timestamp\":1",
                                        "{\"clientId\":\"a\",\"timestamp\":1}}",
                                        "{\"clientId\":\"a\",\"timestamp\":1,\"x\":2}",
                                        "{\"command_type\":\"SET\"}",
                                        "{\"command_type\":\"SET\",\"message_uuid\":}",
                                        "null"};
    struct client_command command;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_false(command_json_identify(text_of(texts[i]), &command));
    }
}

static void assert_same_operation(const struct operation *a, const struct operation *b)
{
    assert_int_equal(a->type, b->type);
    assert_text_equal(a->resource, b->resource);
    assert_text_equal(a->data, b->data);
    assert_text_equal(a->client, b->client);
    assert_text_equal(a->timestamp, b->timestamp);
    assert_null(a->message_uuid.bytes);
    assert_null(a->notify.bytes);
}

#define PLAIN(client, data, resource, timestamp)                                                             \
    "{\"clientId\":" client ",\"data\":" data ",\"operation\":\"SET\",\"resource\":" resource                \
    ",\"timestamp\":" timestamp "}"

static void a_plain_command_reads_as_it_does_the_long_way(void **state)
{
    static const char *const texts[] = {PLAIN("\"c\"", "\"\"", "\"x\"", "0"),
                                        PLAIN("\"bench\"", "\"a b\"", "\"key-00017\"", "1763757600000"),
                                        PLAIN("\"7\"", "\"{[,:'~\"", "\" \"",
                                              "11111111111111111111111111111111")};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct reading reading = {0};
        struct operation operation;
        struct client_command command;
        struct buffer text = {0};

        buffer_add_string(&text, texts[i]);
        buffer_add_string(&text, ",{}"); /* what follows is not its own */
        assert_int_equal(command_json_read_plain(buffer_text(&text), &operation, &command), strlen(texts[i]));
        assert_int_equal(read_text(&reading, text_of(texts[i])), 0);
        assert_same_operation(&operation, &reading.operation);
        assert_text_equal(((struct text){command.bytes, command.length}), buffer_text(&reading.bytes));
        assert_true(command.client == reading.command.client);
        assert_true(command.timestamp == reading.command.timestamp);
        buffer_free(&text);
        free_reading(&reading);
    }
}

/* Some of these are wrong and some only have to be read the long way. */
static void what_is_not_plain_is_left_to_others(void **state)
{
    static const char *const texts[] = {
        "",
        "{}",
        PLAIN("7", "\"v\"", "\"x\"", "1"),
        PLAIN("\"\"", "\"v\"", "\"x\"", "1"),
        PLAIN("\"c\"", "1", "\"x\"", "1"),
        PLAIN("\"c\"", "\"\\n\"", "\"x\"", "1"),
        PLAIN("\"c\"", "\"\n\"", "\"x\"", "1"),
        PLAIN("\"c\"", "\"\x7F\"", "\"x\"", "1"),
        PLAIN("\"c\"", "\"\xC3\xA9\"", "\"x\"", "1"),
        PLAIN("\"c\"", "\"v\"", "\"\"", "1"),
        PLAIN("\"c\"", "\"v\"", "\"x\"", ""),
        PLAIN("\"c\"", "\"v\"", "\"x\"", "01"),
        PLAIN("\"c\"", "\"v\"", "\"x\"", "-1"),
        PLAIN("\"c\"", "\"v\"", "\"x\"", "1.5"),
        PLAIN("\"c\"", "\"v\"", "\"x\"", "111111111111111111111111111111111"),
        "{\"clientId\":\"c\",\"data\":\"v\",\"notify\":\"a:1\",\"operation\":\"SET\",\"resource\":\"x\","
        "\"timestamp\":1}",
        "{\"clientId\":\"c\",\"operation\":\"GET\",\"resource\":\"x\",\"timestamp\":1}",
    };
    const char *whole = PLAIN("\"c\"", "\"v\"", "\"x\"", "17");
    struct operation operation;
    struct client_command command;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(command_json_read_plain(text_of(texts[i]), &operation, &command), 0);
    }
    for (size_t length = 0; length < strlen(whole); length++) {
        char *cut = memory_copy_text(whole, length); /* so that a sanitizer sees who reads on */
        assert_int_equal(command_json_read_plain((struct text){cut, length}, &operation, &command), 0);
        free(cut);
    }
}

static void a_plain_command_has_bounds(void **state)
{
    static const struct {
        size_t client, data, resource;
        bool good;
    } cases[] = {{OPERATION_CLIENT_MAX, 1, MESSAGE_KEY_MAX, true},
                 {OPERATION_CLIENT_MAX + 1, 1, MESSAGE_KEY_MAX, false},
                 {OPERATION_CLIENT_MAX, 1, MESSAGE_KEY_MAX + 1, false},
                 {1, PAXOS_COMMAND_MAX, 1, false}};
    static char many[PAXOS_COMMAND_MAX];
    struct operation operation;
    struct client_command command;

    (void)state;
    memset(many, 'x', sizeof many);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer text = {0};
        buffer_add_format(&text, PLAIN("\"%.*s\"", "\"%.*s\"", "\"%.*s\"", "1"), (int)cases[i].client, many,
                          (int)cases[i].data, many, (int)cases[i].resource, many);
        size_t read = command_json_read_plain(buffer_text(&text), &operation, &command);
        assert_int_equal(read, cases[i].good ? text.length : 0);
        buffer_free(&text);
    }
}

static void what_is_wrong_is_named_with_what_it_held(void **state)
{
    static const struct {
        const char *json, *sentence;
        enum error_code code;
    } cases[] = {
        {"{}", "operation is missing, it must be SET (or WRITE), GET (or READ) or PRINT",
         ERROR_FIELD_MISSING},
        {"{\"operation\":7}", "operation is 7, it must be SET (or WRITE), GET (or READ) or PRINT",
         ERROR_FIELD_TYPE},
        {"{\"operation\":\"DEL\"}", "operation is \"DEL\", it must be SET (or WRITE), GET (or READ) or PRINT",
         ERROR_FIELD_VALUE},
        {"{\"operation\":\"SETS\"}",
         "operation is \"SETS\", it must be SET (or WRITE), GET (or READ) or PRINT", ERROR_FIELD_VALUE},
        {"{\"operation\":\"GET\"}", "clientId is missing, it must be a string of 1 to 256 bytes",
         ERROR_FIELD_MISSING},
        {"{\"operation\":\"GET\",\"clientId\":[1]}", "clientId is [1], it must be a string of 1 to 256 bytes",
         ERROR_FIELD_TYPE},
        {"{\"operation\":\"GET\",\"clientId\":\"\"}", "clientId is \"\", 0 bytes long: 1 to 256 are allowed",
         ERROR_FIELD_VALUE},
        {"{\"operation\":\"GET\",\"clientId\":\"a\\u0007\"}",
         "clientId is \"a?\": control characters are not allowed", ERROR_FIELD_VALUE},
        {"{\"operation\":\"GET\",\"clientId\":\"a\"}",
         "timestamp is missing, it must be a number of at most 32 characters", ERROR_FIELD_MISSING},
        {"{\"operation\":\"GET\",\"clientId\":\"a\",\"timestamp\":\"1\"}",
         "timestamp is \"1\", it must be a number of at most 32 characters", ERROR_FIELD_TYPE},
        {"{\"operation\":\"GET\",\"clientId\":\"a\",\"timestamp\":"
         "111111111111111111111111111111111111111111}",
         "timestamp is 1111111111111111111111111111111111111111…, it must be a number of at most 32 "
         "characters",
         ERROR_FIELD_VALUE},
        {"{\"operation\":\"GET\",\"clientId\":\"a\",\"timestamp\":1}",
         "resource is missing, it must be a string of 1 to 256 bytes", ERROR_FIELD_MISSING},
        {"{\"operation\":\"SET\",\"clientId\":\"a\",\"timestamp\":1,\"resource\":\"x\"}",
         "data is missing, a SET needs one: any JSON", ERROR_FIELD_MISSING},
        {"{\"operation\":\"PRINT\",\"clientId\":\"a\",\"timestamp\":1,\"notify\":true}",
         "notify is true, it must be a string of 1 to 256 bytes", ERROR_FIELD_TYPE},
        {"{\"command_type\":\"SET\",\"sender_id\":\"a\",\"message_uuid\":\"x\"}",
         "message_uuid is \"x\", it must be a UUID", ERROR_FIELD_VALUE},
        {"{\"command_type\":\"SET\",\"sender_id\":7}",
         "sender_id is 7, it must be a string of 1 to 256 bytes", ERROR_FIELD_TYPE},
    };
    struct reading reading = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_text(&reading, text_of(cases[i].json)), cases[i].code);
        assert_text_equal(text_of(reading.error.text), text_of(cases[i].sentence));
    }
    free_reading(&reading);
}

static void a_command_has_a_size(void **state)
{
    struct reading reading = {0};
    struct buffer json = {0};

    (void)state;
    buffer_add_string(
        &json, "{\"operation\":\"SET\",\"clientId\":\"a\",\"timestamp\":1,\"resource\":\"x\",\"data\":\"");
    memset(buffer_reserve(&json, PAXOS_COMMAND_MAX), 'x', PAXOS_COMMAND_MAX);
    json.length += PAXOS_COMMAND_MAX;
    buffer_add_string(&json, "\"}");
    assert_int_equal(read_text(&reading, buffer_text(&json)), ERROR_TOO_LONG);
    buffer_free(&json);
    free_reading(&reading);
}

static void the_log_tells_of_a_command_of_its_own_name(void **state)
{
    struct reading reading = {0};
    struct uuid uuid;

    (void)state;
    assert_int_equal(read_text(&reading, text_of(NATIVE("\"a\"", "1", "[2]"))), 0);
    struct message message = command_json_message(&reading.operation, &reading.command, &uuid);
    assert_true(uuid_is_valid(message.message_uuid));
    assert_text_equal(message.sender_id, TEXT("a"));
    assert_text_equal(message.value, TEXT("[2]"));
    assert_int_equal(read_text(&reading, text_of(MESSAGE("\"k\"", UUID))), 0);
    message = command_json_message(&reading.operation, &reading.command, &uuid);
    assert_text_equal(message.message_uuid, TEXT(UUID));
    assert_text_equal(message.key, TEXT("k"));
    assert_text_equal(message.timestamp, TEXT("0"));
    free_reading(&reading);
}

UNIT_MAIN(cmocka_unit_test(both_forms_have_a_canonical_one),
          cmocka_unit_test(a_command_is_named_by_client_and_timestamp_or_by_uuid),
          cmocka_unit_test(what_is_not_canonical_has_no_name),
          cmocka_unit_test(a_plain_command_reads_as_it_does_the_long_way),
          cmocka_unit_test(what_is_not_plain_is_left_to_others), cmocka_unit_test(a_plain_command_has_bounds),
          cmocka_unit_test(what_is_wrong_is_named_with_what_it_held), cmocka_unit_test(a_command_has_a_size),
          cmocka_unit_test(the_log_tells_of_a_command_of_its_own_name))
