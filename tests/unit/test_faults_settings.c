/* common/faults, settings: what NET_DELAY_MS, NET_LOSS, … may hold, from the environment and from a JSON file. */
#include "common/faults.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set(struct fault_settings *settings, const char *name, struct text value)
{
    struct error error = {0};
    struct fault_settings before = *settings;
    int code = fault_settings_set(settings, name, value, &error);
    assert_int_equal(code, error.code);
    if (code != 0) {
        assert_int_equal(code, ERROR_CONFIG);
        assert_non_null(strstr(error.text, name));
        assert_false(text_has_control(text_of(error.text)));
        assert_memory_equal(settings, &before, sizeof before);
    }
    return code;
}

static void assert_delay(const char *value, uint32_t low, uint32_t high)
{
    struct fault_settings settings = {0};
    assert_int_equal(set(&settings, "NET_DELAY_MS", text_of(value)), 0);
    assert_int_equal(settings.delay_min_ms, low);
    assert_int_equal(settings.delay_max_ms, high);
}

static void assert_all_refused(const char *name, const char *const *values)
{
    struct fault_settings settings = {.delay_max_ms = 3, .loss = 0.5, .partition = "a|b", .seed = 9};
    for (size_t i = 0; values[i] != NULL; i++) {
        if (set(&settings, name, text_of(values[i])) == 0) {
            fail_msg("%s=%s is taken", name, values[i]);
        }
    }
}

static void a_delay_is_one_number_or_two_of_at_most_a_minute(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",    "-",    "30-0",   "0-60001", "60001",      "-5",           "5-",
        "1.5", "0--5", "0-30-5", "0-30 ms", " 5",         "5 ",           "10ms-30",
        "ms",  "0,30", "+5",     "0x10",    "4294967296", "0-4294967297", "18446744073709551617",
        NULL};
    assert_delay("0", 0, 0);
    assert_delay("10", 10, 10);
    assert_delay("0-30", 0, 30);
    assert_delay("30-30ms", 30, 30);
    assert_delay("7ms", 7, 7);
    assert_delay("0-60000", 0, FAULTS_DELAY_MAX_MS);
    assert_all_refused("NET_DELAY_MS", wrong);
}

static void a_probability_is_from_0_to_1(void **state)
{
    (void)state;
    static const char *const right[] = {"0", "1", "0.05", "1.0", "1e-3", "0.000"};
    static const char *const wrong[] = {"",   "-0.1", "1.0001", "2",      "nan",  "NAN", "inf", "0.5x",
                                        "5%", "0,5",  "x",      "0x1p-2", " 0.5", "+1",  NULL};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct fault_settings settings = {0};
        assert_int_equal(set(&settings, "NET_LOSS", text_of(right[i])), 0);
        assert_true(settings.loss == strtod(right[i], NULL));
        assert_int_equal(set(&settings, "NET_DUPLICATE", text_of(right[i])), 0);
        assert_true(settings.duplicate == strtod(right[i], NULL));
    }
    assert_all_refused("NET_LOSS", wrong);
    assert_all_refused("NET_DUPLICATE", wrong);
}

static void a_seed_is_any_number_of_64_bits_and_none_beyond(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "-1", "+1", "1.0", "18446744073709551616", "99999999999999999999999", "0x1", " 1", "1 ", NULL};
    struct fault_settings settings = {0};
    assert_int_equal(set(&settings, "NET_SEED", TEXT("18446744073709551615")), 0);
    assert_true(settings.seed == UINT64_MAX);
    assert_int_equal(set(&settings, "NET_SEED", TEXT("0")), 0);
    assert_true(settings.seed == 0);
    assert_all_refused("NET_SEED", wrong);
}

static void a_partition_is_groups_of_node_names(void **state)
{
    (void)state;
    static const char *const right[] = {"", "node1", "node1,node2", "node1|node2",
                                        "node1,node2|node3|a.b_c-d"};
    static const char *const wrong[] = {"|",
                                        ",",
                                        "node1|",
                                        "|node1",
                                        "node1,,node2",
                                        "node1||node2",
                                        "node1,|node2",
                                        "node 1|node2",
                                        "node1, node2",
                                        "node1|node2,",
                                        "nó1|nó2",
                                        "a;b",
                                        "node1|node1",
                                        "a,b|c,a",
                                        NULL};
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct fault_settings settings = {.partition = "something longer that was there before"};
        assert_int_equal(set(&settings, "NET_PARTITION", text_of(right[i])), 0);
        assert_string_equal(settings.partition, right[i]);
    }
    assert_all_refused("NET_PARTITION", wrong);
}

static void a_partition_has_room_for_1023_bytes(void **state)
{
    (void)state;
    char text[FAULTS_PARTITION_MAX + 2];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = i % 50 == 49 ? ',' : 'n';
    }
    struct fault_settings settings = {0};
    assert_int_equal(set(&settings, "NET_PARTITION", (struct text){text, FAULTS_PARTITION_MAX - 1}), 0);
    assert_int_equal(strlen(settings.partition), FAULTS_PARTITION_MAX - 1);
    assert_int_equal(set(&settings, "NET_PARTITION", (struct text){text, FAULTS_PARTITION_MAX}),
                     ERROR_CONFIG);
    assert_int_equal(set(&settings, "NET_PARTITION", (struct text){text, FAULTS_PARTITION_MAX + 2}),
                     ERROR_CONFIG);
}

static void a_value_is_judged_to_its_end_however_long(void **state)
{
    (void)state;
    struct fault_settings settings = {0};
    char text[3000];
    memset(text, '0', sizeof text);
    text[1] = '.';
    text[sizeof text - 1] = 'x';
    assert_int_equal(set(&settings, "NET_LOSS", (struct text){text, sizeof text}), ERROR_CONFIG);
    assert_int_equal(set(&settings, "NET_LOSS", TEXT("0.5\0x")), ERROR_CONFIG);
    assert_int_equal(set(&settings, "NET_SEED", TEXT("5\0")), ERROR_CONFIG);
    assert_int_equal(set(&settings, "NET_PARTITION", TEXT("a|b\0|c")), ERROR_CONFIG);
    assert_int_equal(set(&settings, "NET_DELAY_MS", TEXT("\0")), ERROR_CONFIG);
}

static void a_name_that_is_no_setting_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "NET", "net_loss", "NET_LOSS2", "NET_FAULTS_FILE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct fault_settings settings = {0};
        assert_int_equal(set(&settings, names[i], TEXT("0")), ERROR_CONFIG);
    }
}

static int read_json(struct fault_settings *settings, const char *json)
{
    struct error error = {0};
    struct fault_settings before = *settings;
    int code = fault_settings_read_json(settings, text_of(json), &error);
    assert_int_equal(code, error.code);
    if (code != 0) {
        assert_memory_equal(settings, &before, sizeof before);
    }
    return code;
}

static void a_file_changes_what_it_names_and_leaves_the_rest(void **state)
{
    (void)state;
    struct fault_settings settings = {.delay_max_ms = 3, .loss = 0.5, .partition = "a|b", .seed = 9};
    assert_int_equal(read_json(&settings, "{}"), 0);
    assert_int_equal(read_json(&settings,
                               "{\"NET_DELAY_MS\":\"5-7\",\"NET_DUPLICATE\":0.25,\"NET_SEED\":\"10\"}"),
                     0);
    assert_int_equal(settings.delay_min_ms, 5);
    assert_int_equal(settings.delay_max_ms, 7);
    assert_true(settings.loss == 0.5);
    assert_true(settings.duplicate == 0.25);
    assert_string_equal(settings.partition, "a|b");
    assert_true(settings.seed == 10);
    assert_int_equal(read_json(&settings, "{\"NET_PARTITION\":\"\",\"NET_DELAY_MS\":0,\"NET_SEED\":11}"), 0);
    assert_string_equal(settings.partition, "");
    assert_int_equal(settings.delay_max_ms, 0);
    assert_true(settings.seed == 11);
}

static void a_file_with_one_wrong_setting_changes_nothing(void **state)
{
    (void)state;
    struct fault_settings settings = {.delay_max_ms = 3, .loss = 0.5, .partition = "a|b", .seed = 9};
    assert_int_equal(read_json(&settings, "{\"NET_LOSS\":0.1,\"NET_DUPLICATE\":2}"), ERROR_CONFIG);
    assert_int_equal(read_json(&settings, "{\"NET_LOSS\":0.1,\"NET_LOST\":0.1}"), ERROR_CONFIG);
    assert_int_equal(read_json(&settings, "{\"NET_LOSS\":0.1,\"NET_LOSS\\u0000\":0.1}"), ERROR_CONFIG);
    assert_int_equal(read_json(&settings, "{\"NET_LOSS\":0.1"), ERROR_NOT_JSON);
    assert_int_equal(read_json(&settings, "[]"), ERROR_NOT_JSON);
    assert_int_equal(read_json(&settings, ""), ERROR_NOT_JSON);
}

static void a_setting_is_a_string_or_a_number_and_nothing_else(void **state)
{
    (void)state;
    static const char *const wrong[] = {"null", "true", "false", "[]", "{}", "[0.5]"};
    static const char *const names[] = {"NET_DELAY_MS", "NET_LOSS", "NET_DUPLICATE", "NET_PARTITION",
                                        "NET_SEED"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        for (size_t j = 0; j < sizeof names / sizeof *names; j++) {
            struct fault_settings settings = {0};
            char json[64];
            snprintf(json, sizeof json, "{\"%s\":%s}", names[j], wrong[i]);
            if (read_json(&settings, json) != ERROR_CONFIG) {
                fail_msg("%s is taken", json);
            }
        }
    }
}

static void the_environment_is_read_and_what_it_lacks_is_off(void **state)
{
    (void)state;
    struct fault_settings settings = {.loss = 0.7, .partition = "a|b"};
    struct error error = {0};
    setenv("NET_DELAY_MS", "0-30", 1);
    setenv("NET_SEED", "42", 1);
    setenv("NET_PARTITION", "", 1);
    unsetenv("NET_LOSS");
    unsetenv("NET_DUPLICATE");
    assert_int_equal(fault_settings_read(&settings, &error), 0);
    assert_int_equal(settings.delay_max_ms, 30);
    assert_true(settings.seed == 42);
    assert_true(settings.loss == 0);
    assert_string_equal(settings.partition, "");
    setenv("NET_LOSS", "\x1b[31m", 1);
    assert_int_equal(fault_settings_read(&settings, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "NET_LOSS is \"?[31m\""));
    unsetenv("NET_LOSS");
}

static void any_setting_but_the_seed_makes_the_network_bad(void **state)
{
    (void)state;
    assert_false(fault_settings_active(&(struct fault_settings){.seed = 42}));
    assert_true(fault_settings_active(&(struct fault_settings){.delay_max_ms = 1}));
    assert_true(fault_settings_active(&(struct fault_settings){.loss = 1e-9}));
    assert_true(fault_settings_active(&(struct fault_settings){.duplicate = 1}));
    assert_true(fault_settings_active(&(struct fault_settings){.partition = "a|b"}));
}

static void settings_are_equal_if_every_one_of_them_is(void **state)
{
    (void)state;
    struct fault_settings settings = {.delay_max_ms = 3, .loss = 0.5, .partition = "a|b", .seed = 9};
    struct fault_settings others[7];
    for (size_t i = 0; i < 7; i++) {
        others[i] = settings;
    }
    memcpy(others[0].partition, "a|b\0left behind", 16);
    assert_true(fault_settings_equal(&settings, &others[0]));
    others[1].delay_min_ms = 1;
    others[2].delay_max_ms = 4;
    others[3].loss = 0.25;
    others[4].duplicate = 0.5;
    others[5].partition[2] = 'c';
    others[6].seed = 10;
    for (size_t i = 1; i < 7; i++) {
        assert_false(fault_settings_equal(&settings, &others[i]));
    }
}

UNIT_MAIN(cmocka_unit_test(a_delay_is_one_number_or_two_of_at_most_a_minute),
          cmocka_unit_test(a_probability_is_from_0_to_1),
          cmocka_unit_test(a_seed_is_any_number_of_64_bits_and_none_beyond),
          cmocka_unit_test(a_partition_is_groups_of_node_names),
          cmocka_unit_test(a_partition_has_room_for_1023_bytes),
          cmocka_unit_test(a_value_is_judged_to_its_end_however_long),
          cmocka_unit_test(a_name_that_is_no_setting_is_refused),
          cmocka_unit_test(a_file_changes_what_it_names_and_leaves_the_rest),
          cmocka_unit_test(a_file_with_one_wrong_setting_changes_nothing),
          cmocka_unit_test(a_setting_is_a_string_or_a_number_and_nothing_else),
          cmocka_unit_test(the_environment_is_read_and_what_it_lacks_is_off),
          cmocka_unit_test(any_setting_but_the_seed_makes_the_network_bad),
          cmocka_unit_test(settings_are_equal_if_every_one_of_them_is))
