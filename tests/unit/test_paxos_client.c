/* What a client of Paxos asks, keeps and counts. */
#include "unit.h"

#include "paxos/client_history.h"
#include "paxos/client_request.h"
#include "paxos/latencies.h"

#include <stdio.h>

static const struct uuid some_uuid = {"5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"};

/* ---- requests ---- */

static void a_name_is_used_once(void **state)
{
    struct client_identity identity;
    const struct client_operation operation = {.operation = TEXT("PRINT")};
    struct buffer out = {0};

    (void)state;
    client_identity_init(&identity, "client-1", &some_uuid);
    client_operation_write(&out, &identity, &operation, 1000);
    assert_text_equal(buffer_text(&out),
                      TEXT(
                          "{\"clientId\":\"client-1.5f1d7a70\",\"timestamp\":1000,\"operation\":\"PRINT\"}"));
    for (int i = 0; i < 3; i++) { /* in the same microsecond, and after the clock was set back */
        client_operation_write(&out, &identity, &operation, i == 0 ? 1000 : -5);
        assert_int_equal(identity.last_stamp, 1001 + i);
    }
    buffer_free(&out);
}

static void an_operation_is_passed_on_as_it_came(void **state)
{
    struct json_object object = {0};
    struct buffer scratch = {0};
    struct buffer out = {0};
    struct client_identity identity;
    struct client_operation operation;

    (void)state;
    client_identity_init(&identity, "c", &some_uuid);
    identity.notify = "c:8080";
    assert_int_equal(
        json_object_read(&object,
                         TEXT("{\"operation\":\"s\\\"t\",\"resource\":[7],\"data\":{\"b\":1,\"a\":null}}"),
                         NULL),
        0);
    assert_int_equal(client_operation_read(&operation, &object, &scratch, NULL), 0);
    assert_string_equal(client_operation_path(&operation), "/propose?wait=decided");
    client_operation_write(&out, &identity, &operation, 7);
    assert_text_equal(buffer_text(&out),
                      TEXT("{\"clientId\":\"c.5f1d7a70\",\"timestamp\":7,\"operation\":\"s\\\"t\","
                           "\"resource\":[7],\"data\":{\"a\":null,\"b\":1},\"notify\":\"c:8080\"}"));
    json_object_free(&object);
    buffer_free(&scratch);
    buffer_free(&out);
}

static void a_wrong_operation_is_refused(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {{"{}", ERROR_FIELD_MISSING},
                 {"{\"operation\":null}", ERROR_FIELD_TYPE},
                 {"{\"operation\":[\"SET\"]}", ERROR_FIELD_TYPE},
                 {"{\"operation\":\"GET\",\"stale\":1}", ERROR_FIELD_TYPE},
                 {"{\"operation\":\"GET\",\"stale\":\"true\"}", ERROR_FIELD_TYPE}};
    struct json_object object = {0};
    struct buffer scratch = {0};
    struct client_operation operation;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(json_object_read(&object, text_of(cases[i].text), NULL), 0);
        assert_int_equal(client_operation_read(&operation, &object, &scratch, NULL), cases[i].code);
    }
    json_object_free(&object);
    buffer_free(&scratch);
}

/* ---- results ---- */

static void check_result(const struct client_result *result, bool brief, bool good, struct text wanted)
{
    struct buffer out = {0};
    struct json_object object = {0};

    assert_int_equal(client_result_write(&out, result, brief, &object), good);
    assert_text_equal(buffer_text(&out), wanted);
    buffer_free(&out);
    json_object_free(&object);
}

static void a_result_says_what_came_of_it(void **state)
{
    (void)state;
    check_result(&(struct client_result){.status = 200,
                                         .body = TEXT("{\"value\": {\"b\":1, \"a\":2}, \"instanceId\":9}"),
                                         .proposer = "p:1",
                                         .tries = 2,
                                         .latency_us = 77},
                 false, true,
                 TEXT("{\"value\":{\"a\":2,\"b\":1},\"instanceId\":9,\"proposer\":\"p:1\",\"tries\":2,"
                      "\"latencyUs\":77}"));
    check_result(&(struct client_result){.status = 400,
                                         .body = TEXT("{\"error\":\"no\"}"),
                                         .proposer = "p:1"},
                 false, false, TEXT("{\"error\":\"no\",\"proposer\":\"p:1\",\"tries\":0,\"latencyUs\":0}"));
    check_result(
        &(struct client_result){.status = 200, .body = TEXT("<html>"), .proposer = "p:1"}, false, false,
        TEXT("{\"error\":\"the proposer's answer is not understood\",\"proposer\":\"p:1\",\"tries\":0,"
             "\"latencyUs\":0}"));
    check_result(&(struct client_result){.status = 503, .error = "it was \"not\" done", .tries = 3}, true,
                 false, TEXT("{\"error\":\"it was \\\"not\\\" done\",\"tries\":3,\"latencyUs\":0}"));
}

/* What is long is cut at the end of a character, and is then a string whatever it was. */
static void long_values_are_cut(void **state)
{
    struct buffer json = {0};
    struct buffer out = {0};

    (void)state;
    buffer_add_string(&json, "[\"");
    while (json.length < CLIENT_SHORT_MAX - 1) {
        buffer_add_char(&json, 'x');
    }
    buffer_add_string(&json, "çççççç\"]");
    client_write_brief(&out, buffer_text(&json));
    assert_true(out.length < json.length + 10);
    assert_memory_equal(out.bytes, "\"[\\\"xxx", 7);
    assert_memory_equal(out.bytes + out.length - 5, "x…\"", 5);
    buffer_clear(&out);
    client_write_brief(&out, TEXT("[1,2]"));
    assert_text_equal(buffer_text(&out), TEXT("[1,2]"));
    buffer_free(&json);
    buffer_free(&out);
}

/* ---- what is kept ---- */

static void check_history(const struct client_history *history, uint64_t after, size_t most,
                          const char *wanted)
{
    struct buffer out = {0};

    client_history_write(history, after, most, &out);
    assert_text_equal(buffer_text(&out), text_of(wanted));
    buffer_free(&out);
}

static void a_history_tells_what_is_new(void **state)
{
    static struct client_history history;
    char number[24];

    (void)state;
    check_history(&history, 0, 10, "{\"next\":0,\"items\":[]}");
    check_history(&history, 99, 10, "{\"next\":0,\"items\":[]}");
    for (int i = 1; i <= 3 * HISTORY_KEPT + 1; i++) {
        snprintf(number, sizeof number, "%d", i);
        client_history_add(&history, text_of(number));
    }
    check_history(&history, 1536, 10, "{\"next\":1537,\"items\":[\n1537]}");
    check_history(&history, 1537, 10, "{\"next\":1537,\"items\":[]}");
    check_history(&history, 0, 2, "{\"next\":1537,\"items\":[\n1536,\n1537]}");
    check_history(&history, 1538, 1, "{\"next\":1537,\"items\":[\n1537]}"); /* of an earlier life */
    check_history(&history, 0, 0, "{\"next\":1537,\"items\":[]}");
    client_history_free(&history);
}

/* ---- how long things took ---- */

static void percentiles_are_near(void **state)
{
    static struct latencies latencies;

    (void)state;
    assert_int_equal(latencies_percentile(&latencies, 50), 0);
    for (uint64_t us = 1; us <= 100000; us++) {
        latencies_add(&latencies, us);
    }
    for (unsigned percent = 1; percent <= 100; percent++) {
        uint64_t exact = percent * 1000;
        uint64_t told = latencies_percentile(&latencies, percent);
        assert_true(told <= exact && told >= exact - exact / 32 - 1);
    }
    latencies_add(&latencies, 0);
    latencies_add(&latencies, UINT64_MAX);
    assert_int_equal(latencies.count, 100002);
    assert_true(latencies_percentile(&latencies, 100) > 3600000000);
}

static void short_times_are_exact(void **state)
{
    (void)state;
    for (uint64_t us = 0; us < 2 * LATENCY_STEPS; us++) {
        static struct latencies latencies;
        latencies = (struct latencies){0};
        latencies_add(&latencies, us);
        assert_int_equal(latencies_percentile(&latencies, 50), us);
    }
}

UNIT_MAIN(cmocka_unit_test(a_name_is_used_once), cmocka_unit_test(an_operation_is_passed_on_as_it_came),
          cmocka_unit_test(a_wrong_operation_is_refused), cmocka_unit_test(a_result_says_what_came_of_it),
          cmocka_unit_test(long_values_are_cut), cmocka_unit_test(a_history_tells_what_is_new),
          cmocka_unit_test(percentiles_are_near), cmocka_unit_test(short_times_are_exact))
