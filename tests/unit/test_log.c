/* common/log: the two forms of a line, and what may stand in them. */
#include "common/log.h"

#include "common/json.h"
#include "tests/unit/unit_log.h"

#include <float.h>
#include <limits.h>

#define NODE .node = "node1"

static void write_one_of_each(struct log *log)
{
    assert_true(log_begin(log, LOG_INFO, "deliver"));
    log_id(log, "message_uuid", TEXT("5f1d7a70"));
    log_text(log, "command_type", TEXT("SET"));
    log_text(log, "key", TEXT("x"));
    log_json(log, "value", TEXT("{\"a\":1}"));
    log_int(log, "ordem_local", INT64_MIN);
    log_double(log, "loss", 0.05);
    log_end(log);
}

static void a_line_of_json_has_its_fields_in_the_order_of_the_calls(void **state)
{
    (void)state;
    struct unit_log unit;
    unit_log_open(&unit, (struct log_options){NODE, .screen_json = true});
    write_one_of_each(&unit.log);
    assert_string_equal(
        unit_log_flushed(&unit),
        "{\"ts\":\"TIME\",\"level\":\"info\",\"node\":\"node1\",\"event\":\"deliver\","
        "\"message_uuid\":\"5f1d7a70\",\"command_type\":\"SET\",\"key\":\"x\",\"value\":{\"a\":1},"
        "\"ordem_local\":-9223372036854775808,\"loss\":0.05}\n");
    unit_log_close(&unit);
}

static void a_line_of_text_says_the_same_with_long_names_last(void **state)
{
    (void)state;
    struct unit_log unit;
    unit_log_open(&unit, (struct log_options){NODE});
    write_one_of_each(&unit.log);
    assert_string_equal(unit_log_flushed(&unit),
                        "TIME [INFO]    [node=node1] deliver    command_type=SET key=x value={\"a\":1} "
                        "ordem_local=-9223372036854775808 loss=0.05 message_uuid=5f1d7a70\n");
    unit_log_close(&unit);
}

static void levels_are_aligned_and_quieter_ones_are_not_written(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "TIME [DEBUG]   [node=node1] e0        \nTIME [INFO]    [node=node1] e1        \n"
        "TIME [WARNING] [node=node1] e2        \nTIME [ERROR]   [node=node1] e3        \n",
        "TIME [INFO]    [node=node1] e1        \nTIME [WARNING] [node=node1] e2        \n"
        "TIME [ERROR]   [node=node1] e3        \n",
        "TIME [WARNING] [node=node1] e2        \nTIME [ERROR]   [node=node1] e3        \n",
        "TIME [ERROR]   [node=node1] e3        \n"};
    static const char *const events[] = {"e0", "e1", "e2", "e3"};

    for (enum log_level quietest = LOG_DEBUG; quietest <= LOG_ERROR; quietest++) {
        struct unit_log unit;
        unit_log_open(&unit, (struct log_options){NODE, .level = quietest});
        for (enum log_level level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            bool begun = log_begin(&unit.log, level, events[level]);
            assert_int_equal(begun, level >= quietest);
            if (begun) {
                log_end(&unit.log);
            }
        }
        assert_string_equal(unit_log_flushed(&unit), wanted[quietest]);
        unit_log_close(&unit);
    }
}

static void a_text_stands_bare_only_where_it_cannot_be_misread(void **state)
{
    (void)state;
    static const struct {
        const char *text, *shown;
    } cases[] = {{"x", "x"},
                 {"a|b,c:d/e", "a|b,c:d/e"},
                 {"12", "12"},
                 {"", "\"\""},
                 {"a b", "\"a b\""},
                 {"a=b", "\"a=b\""},
                 {"\"", "\"\\\"\""},
                 {"a\\b", "\"a\\\\b\""},
                 {"é", "\"é\""},
                 {"{", "\"{\""},
                 {"[1,2]", "\"[1,2]\""},
                 {"a[1]{}", "a[1]{}"},
                 {"line\nbreak\r", "\"line\\nbreak\\r\""},
                 {"\x1b[31m\x7F", "\"\\u001b[31m\\u007f\""},
                 {"\xC2\x9B"
                  "31m",
                  "\"\\u009b31m\""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct unit_log unit;
        char wanted[100];
        unit_log_open(&unit, (struct log_options){NODE});
        log_begin(&unit.log, LOG_INFO, "event");
        log_text(&unit.log, "key", text_of(cases[i].text));
        log_id(&unit.log, "id", text_of(cases[i].text));
        log_end(&unit.log);
        snprintf(wanted, sizeof wanted, "TIME [INFO]    [node=node1] event      key=%s id=%s\n",
                 cases[i].shown, cases[i].shown);
        assert_string_equal(unit_log_flushed(&unit), wanted);
        unit_log_close(&unit);
    }
}

static void whatever_stands_in_a_field_a_line_of_json_is_one_line_of_json(void **state)
{
    (void)state;
    struct unit_log unit;
    struct json_object object = {0};
    struct text all = TEXT("\0\x01\n\r\t\"\\/\x7F\xC2\x85 é😀 \xE2\x80\xA8 {\"ts\":\"x\"}");

    unit_log_open(&unit, (struct log_options){NODE, .screen_json = true});
    log_begin(&unit.log, LOG_INFO, "event");
    log_text(&unit.log, "a", all);
    log_id(&unit.log, "b", all);
    log_double(&unit.log, "c", DBL_MAX);
    log_end(&unit.log);
    struct text line = text_of(unit_log_flushed(&unit));
    assert_int_equal(line.bytes[line.length - 1], '\n');
    line.length--;
    assert_false(text_has_control(line));
    assert_int_equal(json_object_read(&object, line, NULL), 0);
    assert_int_equal(object.count, 7);
    assert_text_equal(json_object_get(&object, "a")->text, all);
    assert_text_equal(json_object_get(&object, "b")->text, all);
    json_object_free(&object);
    unit_log_close(&unit);
}

static void colour_surrounds_the_line_and_a_file_never_sees_it(void **state)
{
    (void)state;
    struct unit_log unit;
    FILE *file = tmpfile();
    char path[64];

    snprintf(path, sizeof path, "/dev/fd/%d", fileno(file));
    unit_log_open(&unit, (struct log_options){NODE, .colour = true, .file = path});
    log_say(&unit.log, LOG_WARNING, "event", "careful");
    assert_string_equal(unit_log_flushed(&unit),
                        "\x1b[33mTIME [WARNING] [node=node1] event      message=careful\x1b[0m\n");
    char *content = unit_read_all(fileno(file));
    unit_hide_times(content);
    assert_string_equal(content,
                        "{\"ts\":\"TIME\",\"level\":\"warning\",\"node\":\"node1\",\"event\":\"event\","
                        "\"message\":\"careful\"}\n");
    free(content);
    unit_log_close(&unit);
    fclose(file);
}

static void a_sentence_is_cut_and_made_printable(void **state)
{
    (void)state;
    struct unit_log unit;
    char huge[3000];

    unit_log_open(&unit, (struct log_options){NODE, .screen_json = true});
    log_say(&unit.log, LOG_INFO, "event", "from %s: %d%%", "\x1b[31m\n", 7);
    assert_non_null(strstr(unit_log_flushed(&unit), "\"message\":\"from ?[31m?: 7%\"}\n"));
    memset(huge, 'h', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    log_say(&unit.log, LOG_INFO, "event", "%s", huge);
    const char *shown = unit_log_flushed(&unit);
    assert_int_equal(shown[strlen(shown) - 1], '\n');
    assert_non_null(strstr(shown, "hhhh\"}\n"));
    unit_log_close(&unit);
}

static void with_neither_screen_nor_file_nothing_begins(void **state)
{
    (void)state;
    struct log log;
    assert_int_equal(log_open(&log, &(struct log_options){NODE, .screen = -1}, NULL), 0);
    assert_false(log_begin(&log, LOG_ERROR, "event"));
    log_say(&log, LOG_ERROR, "event", "to nobody");
    log_flush(&log);
    log_close(&log);
    assert_false(log_begin(&log, LOG_ERROR, "after the end"));
}

static void what_the_environment_may_ask_for(void **state)
{
    (void)state;
    struct log_options options;
    struct error error = {0};

    unsetenv("LOG_LEVEL");
    unsetenv("LOG_FORMAT");
    unsetenv("LOG_FILE");
    assert_int_equal(log_options_read(&options, "node1", &error), 0);
    assert_int_equal(options.level, LOG_INFO);
    assert_false(options.screen_json);
    assert_null(options.file);
    assert_string_equal(options.node, "node1");
    setenv("LOG_LEVEL", "DEBUG", 1);
    setenv("LOG_FORMAT", "Json", 1);
    setenv("LOG_FILE", "somewhere.jsonl", 1);
    assert_int_equal(log_options_read(&options, "node1", &error), 0);
    assert_int_equal(options.level, LOG_DEBUG);
    assert_true(options.screen_json);
    assert_string_equal(options.file, "somewhere.jsonl");
    setenv("LOG_LEVEL", "loud", 1);
    assert_int_equal(log_options_read(&options, "node1", &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "LOG_LEVEL is \"loud\": one of debug info warning error is allowed"));
    setenv("LOG_LEVEL", "info", 1);
    setenv("LOG_FORMAT", "xml", 1);
    assert_int_equal(log_options_read(&options, "node1", &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "LOG_FORMAT is \"xml\": one of text json is allowed"));
}

UNIT_MAIN(cmocka_unit_test(a_line_of_json_has_its_fields_in_the_order_of_the_calls),
          cmocka_unit_test(a_line_of_text_says_the_same_with_long_names_last),
          cmocka_unit_test(levels_are_aligned_and_quieter_ones_are_not_written),
          cmocka_unit_test(a_text_stands_bare_only_where_it_cannot_be_misread),
          cmocka_unit_test(whatever_stands_in_a_field_a_line_of_json_is_one_line_of_json),
          cmocka_unit_test(colour_surrounds_the_line_and_a_file_never_sees_it),
          cmocka_unit_test(a_sentence_is_cut_and_made_printable),
          cmocka_unit_test(with_neither_screen_nor_file_nothing_begins),
          cmocka_unit_test(what_the_environment_may_ask_for))
