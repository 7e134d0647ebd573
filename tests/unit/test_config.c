/* common/config: settings from the environment, and the one line that refuses them. */
#include "common/config.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#define NAME "ORDEM_UNIT_SETTING"

static void hold(const char *value)
{
    if (value == NULL) {
        unsetenv(NAME);
    } else {
        setenv(NAME, value, 1);
    }
}

/* The line names the variable, what it held and what is allowed. */
static void assert_line(int code, const struct error *error, const char *held, const char *allowed)
{
    if (code != ERROR_CONFIG || error->code != ERROR_CONFIG || strstr(error->text, NAME) == NULL ||
        strstr(error->text, held) == NULL || strstr(error->text, allowed) == NULL) {
        fail_msg("\"%s\" gives %s: %s", held, error_name(code), error->text);
    }
    assert_false(text_has_control(text_of(error->text)));
}

static void an_unset_or_empty_variable_means_the_default(void **state)
{
    (void)state;
    static const char *const choices[] = {"red", "green", NULL};
    static const char *const held[] = {NULL, ""};
    for (size_t i = 0; i < 2; i++) {
        int64_t number = 0;
        int choice = -1;
        const char *group = NULL;
        hold(held[i]);
        assert_string_equal(config_text(NAME, "standard"), "standard");
        assert_null(config_text(NAME, NULL));
        assert_int_equal(config_int(NAME, 1, 9, 5, &number, NULL), 0);
        assert_true(number == 5);
        assert_int_equal(config_choice(NAME, choices, 1, &choice, NULL), 0);
        assert_int_equal(choice, 1);
        assert_int_equal(config_multicast_group(NAME, "239.0.0.1", &group, NULL), 0);
        assert_string_equal(group, "239.0.0.1");
    }
}

static void a_number_is_taken_at_its_limits_and_not_beyond(void **state)
{
    (void)state;
    static const char *const right[] = {"1", "65535", "007", "42"};
    static const char *const wrong[] = {"0",
                                        "65536",
                                        "-1",
                                        "1.0",
                                        "1e3",
                                        "0x10",
                                        "5 ",
                                        "5ms",
                                        "five",
                                        "-",
                                        "9223372036854775808",
                                        "99999999999999999999999999",
                                        "--1",
                                        " 5",
                                        "+5",
                                        "1,000",
                                        "\xFF"};
    struct error error = {0};
    int64_t number;

    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        hold(right[i]);
        number = -7;
        assert_int_equal(config_int(NAME, 1, 65535, 5, &number, &error), 0);
        assert_true(number == strtoll(right[i], NULL, 10));
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hold(wrong[i]);
        int code = config_int(NAME, 1, 65535, 5, &number, &error);
        assert_line(code, &error, wrong[i][0] == '\xFF' ? "?" : wrong[i], "from 1 to 65535");
    }
    hold("-9223372036854775808");
    assert_int_equal(config_int(NAME, INT64_MIN, INT64_MAX, 0, &number, &error), 0);
    assert_true(number == INT64_MIN);
}

static void a_group_is_a_multicast_address_in_dots(void **state)
{
    (void)state;
    static const char *const right[] = {"224.0.0.0", "239.255.255.255", "239.0.0.1"};
    static const char *const wrong[] = {"223.255.255.255", "240.0.0.0",  "10.0.0.1",   "239.0.0",
                                        "239.0.0.256",     "239.0.0.1 ", " 239.0.0.1", "239.0.0.1:5007",
                                        "localhost",       "ff02::1"};
    struct error error = {0};
    const char *group;

    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        hold(right[i]);
        assert_int_equal(config_multicast_group(NAME, "239.0.0.1", &group, &error), 0);
        assert_string_equal(group, right[i]);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hold(wrong[i]);
        int code = config_multicast_group(NAME, "239.0.0.1", &group, &error);
        assert_line(code, &error, wrong[i], "224.0.0.0 to 239.255.255.255");
    }
}

static void a_choice_may_be_in_any_letter_case(void **state)
{
    (void)state;
    static const char *const choices[] = {"debug", "info", "warning", NULL};
    struct error error = {0};
    int choice = -1;

    hold("WarNing");
    assert_int_equal(config_choice(NAME, choices, 0, &choice, &error), 0);
    assert_int_equal(choice, 2);
    hold("warn");
    assert_line(config_choice(NAME, choices, 0, &choice, &error), &error, "warn",
                "one of debug info warning");
    hold("debug ");
    assert_line(config_choice(NAME, choices, 0, &choice, &error), &error, "debug ", "one of");
}

static void more_choices_than_fit_the_line_are_cut(void **state)
{
    (void)state;
    static const char *const choices[] = {"a-choice-with-a-very-long-name-of-forty-bytes",
                                          "another-choice-with-a-very-long-name-of-it",
                                          "the-third-choice-with-a-very-long-name-too",
                                          "the-fourth-choice-with-a-very-long-name-ok",
                                          "the-fifth-choice-with-a-very-long-name-yes",
                                          NULL};
    struct error error = {0};
    int choice;

    hold("none");
    assert_line(config_choice(NAME, choices, 0, &choice, &error), &error, "none", choices[0]);
}

static void what_a_variable_holds_cannot_paint_the_terminal(void **state)
{
    (void)state;
    struct error error = {0};
    int64_t number;

    hold("\x1b[31m\xC2\x9B"
         "31m\n");
    assert_line(config_int(NAME, 0, 1, 0, &number, &error), &error, "?[31m?31m?", "from 0 to 1");
    char huge[4096];
    memset(huge, 'h', sizeof huge);
    huge[sizeof huge - 1] = '\0';
    hold(huge);
    assert_line(config_int(NAME, 0, 1, 0, &number, &error), &error, "hhhh", "from 0 to 1");
}

static void a_node_id_has_1_to_64_plain_characters(void **state)
{
    (void)state;
    char longest[] = "0123456789012345678901234567890123456789012345678901234567890123x";

    assert_int_equal(sizeof longest - 1, 65);
    assert_false(config_is_node_id(text_of(longest)));
    assert_true(config_is_node_id((struct text){longest, 64}));
    assert_true(config_is_node_id(TEXT("n")));
    assert_true(config_is_node_id(TEXT("Kv.node_1-b")));
    assert_false(config_is_node_id(TEXT("")));
    assert_false(config_is_node_id((struct text){0}));
    for (int c = 0; c < 256; c++) {
        char id[] = {'a', (char)c};
        bool allowed = c < 128 && c > 0 &&
                       strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", c) != NULL;
        assert_int_equal(config_is_node_id((struct text){id, 2}), allowed);
    }
}

static void a_node_without_a_name_gets_one_that_is_allowed(void **state)
{
    (void)state;
    char first[65];
    char id[65];
    bool different = false;

    hold(NULL);
    assert_int_equal(config_node_id(NAME, first, NULL), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(config_node_id(NAME, id, NULL), 0);
        assert_int_equal(strlen(id), strlen("node-0000"));
        assert_int_equal(strncmp(id, "node-", 5), 0);
        assert_true(config_is_node_id(text_of(id)));
        different = different || strcmp(id, first) != 0;
    }
    assert_true(different);
}

static void a_node_takes_the_name_that_it_is_given(void **state)
{
    (void)state;
    struct error error = {0};
    char id[65];
    char longest[66];

    memset(longest, 'n', sizeof longest);
    longest[64] = '\0';
    hold(longest);
    assert_int_equal(config_node_id(NAME, id, &error), 0);
    assert_string_equal(id, longest);
    longest[64] = 'n';
    longest[65] = '\0';
    hold(longest);
    assert_line(config_node_id(NAME, id, &error), &error, "nnnn", "1 to 64");
    hold("node 1");
    assert_line(config_node_id(NAME, id, &error), &error, "node 1", "1 to 64");
}

UNIT_MAIN(cmocka_unit_test(an_unset_or_empty_variable_means_the_default),
          cmocka_unit_test(a_number_is_taken_at_its_limits_and_not_beyond),
          cmocka_unit_test(a_group_is_a_multicast_address_in_dots),
          cmocka_unit_test(a_choice_may_be_in_any_letter_case),
          cmocka_unit_test(more_choices_than_fit_the_line_are_cut),
          cmocka_unit_test(what_a_variable_holds_cannot_paint_the_terminal),
          cmocka_unit_test(a_node_id_has_1_to_64_plain_characters),
          cmocka_unit_test(a_node_without_a_name_gets_one_that_is_allowed),
          cmocka_unit_test(a_node_takes_the_name_that_it_is_given))
