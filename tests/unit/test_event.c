/* common/event: the same fields in the same order for every event about a command, and discards that do not flood. */
#include "common/event.h"

#include "tests/unit/unit_log.h"

#define HEAD(level, event)                                                                                   \
    "{\"ts\":\"TIME\",\"level\":\"" level "\",\"node\":\"node1\",\"event\":\"" event "\""
#define NAMES "\"message_uuid\":\"u-1\",\"sender_id\":\"node2\","

static struct message command(enum command_type type, int64_t seq)
{
    struct message message = {.command_type = type,
                              .value = TEXT("{\"a\":1}"),
                              .sender_id = TEXT("node2"),
                              .message_uuid = TEXT("u-1"),
                              .seq = seq};
    if (type != COMMAND_PRINT) {
        message.key = TEXT("x");
    }
    return message;
}

static void open_json(struct unit_log *unit, enum log_level level)
{
    unit_log_open(unit, (struct log_options){.node = "node1", .screen_json = true, .level = level});
}

static void a_set_has_its_value_and_a_get_its_key_and_a_print_neither(void **state)
{
    (void)state;
    struct unit_log unit;
    struct message messages[] = {command(COMMAND_SET, MESSAGE_NO_SEQ), command(COMMAND_GET, MESSAGE_NO_SEQ),
                                 command(COMMAND_PRINT, MESSAGE_NO_SEQ)};
    open_json(&unit, LOG_INFO);
    for (size_t i = 0; i < 3; i++) {
        event_send(&unit.log, &messages[i]);
    }
    assert_string_equal(
        unit_log_flushed(&unit),
        HEAD("info", "send") "," NAMES "\"command_type\":\"SET\",\"key\":\"x\",\"value\":{\"a\":1}}\n" HEAD(
            "info", "send") "," NAMES
                            "\"command_type\":\"GET\",\"key\":\"x\"}\n" HEAD(
                                "info", "send") "," NAMES "\"command_type\":\"PRINT\"}\n");
    unit_log_close(&unit);
}

static void a_delivery_has_its_place_behind_the_command(void **state)
{
    (void)state;
    struct unit_log unit;
    struct message set = command(COMMAND_SET, 0);
    struct message print = command(COMMAND_PRINT, MESSAGE_NO_SEQ);
    open_json(&unit, LOG_INFO);
    event_deliver(&unit.log, &set, 1, (struct text){0});
    event_deliver(&unit.log, &print, 2, TEXT("{\"x\":{\"a\":1}}"));
    assert_string_equal(
        unit_log_flushed(&unit),
        HEAD("info",
             "deliver") "," NAMES "\"command_type\":\"SET\",\"key\":\"x\",\"value\":{\"a\":1},\"seq\":0,"
                        "\"ordem_local\":1}\n" HEAD("info",
                                                    "deliver") "," NAMES
                                                               "\"command_type\":\"PRINT\",\"ordem_local\":2,"
                                                               "\"snapshot\":{\"x\":{\"a\":1}}}\n");
    unit_log_close(&unit);
}

static void of_a_snapshot_beyond_a_mebibyte_only_the_size_is_logged(void **state)
{
    (void)state;
    struct message print = command(COMMAND_PRINT, MESSAGE_NO_SEQ);
    char *snapshot = memory_new(EVENT_SNAPSHOT_MAX + 1);
    memset(snapshot, '1', EVENT_SNAPSHOT_MAX + 1);
    for (size_t more = 0; more <= 1; more++) {
        struct unit_log unit;
        open_json(&unit, LOG_INFO);
        event_deliver(&unit.log, &print, 1, (struct text){snapshot, EVENT_SNAPSHOT_MAX + more});
        const char *shown = unit_log_flushed(&unit);
        assert_int_equal(strlen(shown) > EVENT_SNAPSHOT_MAX, more == 0);
        assert_int_equal(strstr(shown, "\"snapshot_bytes\":1048577}\n") != NULL, more == 1);
        unit_log_close(&unit);
    }
    free(snapshot);
}

static void a_receive_is_for_those_who_ask_for_details(void **state)
{
    (void)state;
    struct unit_log unit;
    struct message get = command(COMMAND_GET, 5);
    open_json(&unit, LOG_INFO);
    event_receive(&unit.log, &get);
    assert_string_equal(unit_log_flushed(&unit), "");
    unit_log_close(&unit);
    open_json(&unit, LOG_DEBUG);
    event_receive(&unit.log, &get);
    assert_string_equal(unit_log_flushed(&unit),
                        HEAD("debug", "receive") "," NAMES
                                                 "\"command_type\":\"GET\",\"key\":\"x\",\"seq\":5}\n");
    unit_log_close(&unit);
}

static void a_fault_says_what_it_did_and_how_long_it_took(void **state)
{
    (void)state;
    struct unit_log unit;
    struct message get = command(COMMAND_GET, MESSAGE_NO_SEQ);
    open_json(&unit, LOG_INFO);
    event_fault(&unit.log, &get, "loss", -1);
    event_fault(&unit.log, &get, "duplicate", 0);
    assert_string_equal(
        unit_log_flushed(&unit),
        HEAD("info", "fault") ",\"fault\":\"loss\"," NAMES "\"command_type\":\"GET\",\"key\":\"x\"}\n" HEAD(
            "info", "fault") ",\"fault\":\"duplicate\"," NAMES
                             "\"command_type\":\"GET\",\"key\":\"x\",\"delay_ms\":0}\n");
    unit_log_close(&unit);
}

static void a_discard_says_why_and_from_where(void **state)
{
    (void)state;
    struct unit_log unit;
    struct discards discards = {0};
    struct error error;
    open_json(&unit, LOG_INFO);
    assert_null(message_decode(TEXT("{\"command_type\":\"\\u001b\\u009b\"}"), MESSAGE_DATAGRAM_MAX, &error));
    event_discard(&unit.log, &discards, &error, "127.0.0.1:5007", 0);
    assert_string_equal(unit_log_flushed(&unit),
                        HEAD("warning",
                             "discard") ",\"reason\":\"field_value\",\"from\":\"127.0.0.1:5007\","
                                        "\"message\":\"command_type is \\\"??\\\", it must be SET, GET or "
                                        "PRINT\"}\n");
    unit_log_close(&unit);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++) {
        lines += *text == '\n';
    }
    return lines;
}

static void a_flood_of_discards_is_limited_for_each_reason_by_itself(void **state)
{
    (void)state;
    struct unit_log unit;
    struct discards discards = {0};
    struct error long_ones = {.code = ERROR_TOO_LONG, .text = "too long"};
    struct error wrong_ones = {.code = ERROR_NOT_JSON, .text = "not JSON"};
    open_json(&unit, LOG_INFO);
    for (int i = 0; i < 1000; i++) {
        event_discard(&unit.log, &discards, &long_ones, "a", 0);
    }
    event_discard(&unit.log, &discards, &wrong_ones, "a", 0);
    assert_int_equal(count_lines(unit_log_flushed(&unit)), LOG_LIMIT_BURST + 1);
    event_discard_summary(&unit.log, &discards, LOG_LIMIT_WINDOW_MS - 1, false);
    assert_int_equal(count_lines(unit_log_flushed(&unit)), LOG_LIMIT_BURST + 1);
    event_discard_summary(&unit.log, &discards, LOG_LIMIT_WINDOW_MS, false);
    const char *shown = unit_log_flushed(&unit);
    assert_int_equal(count_lines(shown), LOG_LIMIT_BURST + 2);
    assert_non_null(strstr(shown, "\"reason\":\"too_long\",\"count\":995,"));
    event_discard_summary(&unit.log, &discards, LOG_LIMIT_WINDOW_MS, true);
    assert_int_equal(count_lines(unit_log_flushed(&unit)), LOG_LIMIT_BURST + 2);
    unit_log_close(&unit);
}

static void every_reason_has_a_limit_and_a_name(void **state)
{
    (void)state;
    struct unit_log unit;
    struct discards discards = {0};
    open_json(&unit, LOG_INFO);
    for (int code = 1; code < ERROR_COUNT; code++) {
        struct error error = {.code = (enum error_code) - code, .text = "why"};
        assert_string_not_equal(error_name(-code), "none");
        assert_string_not_equal(error_text(-code), "no error");
        for (int i = 0; i < LOG_LIMIT_BURST + 1; i++) {
            event_discard(&unit.log, &discards, &error, "a", 0);
        }
    }
    event_discard_summary(&unit.log, &discards, 1, true);
    assert_int_equal(count_lines(unit_log_flushed(&unit)), (ERROR_COUNT - 1) * (LOG_LIMIT_BURST + 1));
    unit_log_close(&unit);
}

UNIT_MAIN(cmocka_unit_test(a_set_has_its_value_and_a_get_its_key_and_a_print_neither),
          cmocka_unit_test(a_delivery_has_its_place_behind_the_command),
          cmocka_unit_test(of_a_snapshot_beyond_a_mebibyte_only_the_size_is_logged),
          cmocka_unit_test(a_receive_is_for_those_who_ask_for_details),
          cmocka_unit_test(a_fault_says_what_it_did_and_how_long_it_took),
          cmocka_unit_test(a_discard_says_why_and_from_where),
          cmocka_unit_test(a_flood_of_discards_is_limited_for_each_reason_by_itself),
          cmocka_unit_test(every_reason_has_a_limit_and_a_name))
