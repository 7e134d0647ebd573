/* common/net/kv_request and kv_client_line: requests and replies of the key-value service as JSON. */
#include "common/net/kv_client_line.h"
#include "common/net/kv_request.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define UUID "5F1D7A70-9f0d-4a43-bb2b-0f2f7a8b9d10"

struct fixture {
    struct kv_request request;
    struct json_object object;
    struct buffer out;
    struct error error;
};

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return *state == NULL;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    kv_request_free(&fixture->request);
    json_object_free(&fixture->object);
    buffer_free(&fixture->out);
    free(fixture);
    return 0;
}

static int read_request(struct fixture *fixture, enum command_type type, const char *json)
{
    return kv_request_read(&fixture->request, type, &fixture->object, text_of(json), &fixture->error);
}

static void requests_are_read(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(
        read_request(fixture, COMMAND_SET,
                     "{\"value\":{\"b\":1, \"a\":[null]},\"key\":\"x\",\"wait\":true,\"more\":[{}],"
                     "\"message_uuid\":\"" UUID "\"}"),
        0);
    assert_text_equal(fixture->request.key, TEXT("x"));
    assert_text_equal(buffer_text(&fixture->request.value), TEXT("{\"a\":[null],\"b\":1}"));
    assert_string_equal(fixture->request.uuid.text, "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10");
    assert_true(fixture->request.wait);
    assert_int_equal(read_request(fixture, COMMAND_SET, "{\"key\":\"x\",\"value\":null,\"wait\":null}"), 0);
    assert_text_equal(buffer_text(&fixture->request.value), TEXT("null"));
    assert_string_equal(fixture->request.uuid.text, ""); /* nothing is left of the one before */
    assert_false(fixture->request.wait);
    assert_int_equal(read_request(fixture, COMMAND_GET,
                                  "{\"key\":\"y\",\"wait\":false,\"message_uuid\":null}"),
                     0);
    assert_text_equal(fixture->request.key, TEXT("y"));
    assert_int_equal(fixture->request.value.length, 0);
    assert_int_equal(read_request(fixture, COMMAND_PRINT, "{\"key\":7}"), 0);
    assert_int_equal(fixture->request.key.length, 0);
}

static void wrong_requests_name_the_member(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        enum command_type type;
        int code;
        const char *json;
        const char *words;
    } cases[] = {
        {COMMAND_SET, ERROR_NOT_JSON, "", "empty"},
        {COMMAND_SET, ERROR_NOT_JSON, "[]", "not a JSON object"},
        {COMMAND_SET, ERROR_FIELD_MISSING, "{\"value\":1}", "key is missing"},
        {COMMAND_GET, ERROR_FIELD_MISSING, "{\"key\":null}", "key is missing"},
        {COMMAND_GET, ERROR_FIELD_TYPE, "{\"key\":[]}", "key is of type array"},
        {COMMAND_GET, ERROR_FIELD_VALUE, "{\"key\":\"\"}", "key is 0 bytes"},
        {COMMAND_GET, ERROR_FIELD_VALUE, "{\"key\":\"a\\u0000\"}", "control character"},
        {COMMAND_SET, ERROR_FIELD_MISSING, "{\"key\":\"x\"}", "value is missing"},
        {COMMAND_PRINT, ERROR_FIELD_TYPE, "{\"wait\":1}", "wait is of type number"},
        {COMMAND_PRINT, ERROR_FIELD_TYPE, "{\"message_uuid\":1}", "message_uuid is of type number"},
        {COMMAND_PRINT, ERROR_FIELD_VALUE, "{\"message_uuid\":\"x\"}", "message_uuid is \"x\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(read_request(fixture, cases[i].type, cases[i].json), cases[i].code);
        assert_non_null(strstr(fixture->error.text, cases[i].words));
    }
}

static void a_value_that_grows_too_long_as_json_is_refused(void **state)
{
    struct fixture *fixture = *state;
    buffer_add_string(&fixture->out, "{\"key\":\"x\",\"value\":\"");
    for (int i = 0; i < MESSAGE_STREAM_MAX / 6; i++) {
        buffer_add_char(&fixture->out, '\x7f'); /* six bytes where it is escaped */
    }
    buffer_add_string(&fixture->out, "\"}");
    assert_int_equal(kv_request_read(&fixture->request, COMMAND_SET, &fixture->object,
                                     buffer_text(&fixture->out), &fixture->error),
                     ERROR_TOO_LONG);
}

static void replies_have_their_members_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct kv_reply reply = {.ok = true,
                             .message = "a \"b\"",
                             .seq = MESSAGE_NO_SEQ,
                             .epoch = MESSAGE_NO_EPOCH};
    kv_reply_write(&fixture->out, TEXT("n1"), &reply);
    assert_text_equal(buffer_text(&fixture->out),
                      TEXT("{\"status\":\"ok\",\"message\":\"a \\\"b\\\"\",\"node\":\"n1\"}"));
    buffer_clear(&fixture->out);
    reply = (struct kv_reply){.message = "m",
                              .seq = 0,
                              .epoch = 3,
                              .leader = "n2",
                              .local_value = TEXT("\"v\""),
                              .snapshot = TEXT("{}")};
    kv_reply_write(&fixture->out, TEXT("n1"), &reply);
    assert_text_equal(buffer_text(&fixture->out),
                      TEXT("{\"status\":\"error\",\"message\":\"m\",\"node\":\"n1\",\"seq\":0,\"epoch\":3,"
                           "\"leader\":\"n2\",\"local_value\":\"\\\"v\\\"\",\"snapshot\":\"{}\"}"));
}

static void what_the_client_sends_is_what_the_service_reads(void **state)
{
    struct fixture *fixture = *state;
    const struct uuid uuid = uuid_new();
    struct command command;
    assert_int_equal(command_parse(TEXT("set k\xc3\xa9 some \"text\" "), &command, &fixture->error), 0);
    kv_client_request(&fixture->out, &command, &uuid, true);
    assert_int_equal(kv_request_read(&fixture->request, COMMAND_SET, &fixture->object,
                                     buffer_text(&fixture->out), &fixture->error),
                     0);
    assert_text_equal(fixture->request.key, TEXT("k\xc3\xa9"));
    assert_text_equal(buffer_text(&fixture->request.value), TEXT("\"some \\\"text\\\"\""));
    assert_string_equal(fixture->request.uuid.text, uuid.text);
    assert_true(fixture->request.wait);
    assert_string_equal(kv_client_method(command.verb), "/kv.KvService/Set");
    command.verb = VERB_PRINT;
    buffer_clear(&fixture->out);
    kv_client_request(&fixture->out, &command, &uuid, false);
    assert_int_equal(kv_request_read(&fixture->request, COMMAND_PRINT, &fixture->object,
                                     buffer_text(&fixture->out), &fixture->error),
                     0);
    assert_false(fixture->request.wait);
}

static void a_reply_is_shown_as_it_came_unless_a_terminal_would_obey_it(void **state)
{
    struct fixture *fixture = *state;
    assert_true(kv_client_reply(&fixture->out, TEXT("{\"status\": \"ok\", \"a\": 1.0}"), &fixture->object));
    assert_text_equal(buffer_text(&fixture->out), TEXT("{\"status\": \"ok\", \"a\": 1.0}\n"));
    buffer_clear(&fixture->out);
    assert_true(
        kv_client_reply(&fixture->out, TEXT("{\n\"status\":\"ok\",\"b\":\"\xc2\x9b\"}"), &fixture->object));
    assert_text_equal(buffer_text(&fixture->out), TEXT("{\"status\":\"ok\",\"b\":\"\\u009b\"}\n"));
    buffer_clear(&fixture->out);
    assert_false(kv_client_reply(&fixture->out, TEXT("{\"status\":\"error\"}"), &fixture->object));
    assert_false(kv_client_reply(&fixture->out, TEXT("{\"status\":[\"ok\"]}"), &fixture->object));
    buffer_clear(&fixture->out);
    assert_false(kv_client_reply(&fixture->out, TEXT("\x1b[2J"), &fixture->object));
    assert_false(text_has_control((struct text){fixture->out.bytes, fixture->out.length - 1}));
    assert_int_equal(json_object_read(&fixture->object, buffer_text(&fixture->out), &fixture->error), 0);
}

UNIT_MAIN(cmocka_unit_test_setup_teardown(requests_are_read, setup, teardown),
          cmocka_unit_test_setup_teardown(wrong_requests_name_the_member, setup, teardown),
          cmocka_unit_test_setup_teardown(a_value_that_grows_too_long_as_json_is_refused, setup, teardown),
          cmocka_unit_test_setup_teardown(replies_have_their_members_in_order, setup, teardown),
          cmocka_unit_test_setup_teardown(what_the_client_sends_is_what_the_service_reads, setup, teardown),
          cmocka_unit_test_setup_teardown(a_reply_is_shown_as_it_came_unless_a_terminal_would_obey_it, setup,
                                          teardown))
