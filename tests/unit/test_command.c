/* common/command: what a user may type, and the sentence for what not. */
#include "common/command.h"

#include "common/message.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

static int parse(struct text line, struct command *command, struct error *error)
{
    *error = (struct error){0};
    int code = command_parse(line, command, error);
    assert_int_equal(code, error->code);
    if (code != 0) {
        assert_true(error->text[0] != '\0');
        assert_true(text_is_utf8(text_of(error->text)));
        assert_false(text_has_control(text_of(error->text)));
    }
    return code;
}

static void assert_verb(struct text line, enum command_verb verb)
{
    struct command command;
    struct error error;
    assert_int_equal(parse(line, &command, &error), 0);
    assert_int_equal(command.verb, verb);
}

static void assert_refused(struct text line, int code, const char *sentence)
{
    struct command command;
    struct error error;
    assert_int_equal(parse(line, &command, &error), code);
    if (strstr(error.text, sentence) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.text, sentence);
    }
}

static void the_value_is_the_rest_of_the_line(void **state)
{
    (void)state;
    struct command command;
    struct error error;
    assert_int_equal(parse(TEXT("SET cor  azul \t e  \"branco\" \r\n"), &command, &error), 0);
    assert_int_equal(command.verb, VERB_SET);
    assert_text_equal(command.key, TEXT("cor"));
    assert_text_equal(command.value, TEXT("azul \t e  \"branco\""));
}

static void a_tab_separates_as_a_space_does(void **state)
{
    (void)state;
    struct command command;
    struct error error;
    assert_int_equal(parse(TEXT("\t set\tx\t1 2"), &command, &error), 0);
    assert_text_equal(command.key, TEXT("x"));
    assert_text_equal(command.value, TEXT("1 2"));
}

static void the_verb_may_be_in_any_letter_case(void **state)
{
    (void)state;
    assert_verb(TEXT("print"), VERB_PRINT);
    assert_verb(TEXT("PrInT"), VERB_PRINT);
    assert_verb(TEXT("Help"), VERB_HELP);
    assert_verb(TEXT("exit"), VERB_EXIT);
    assert_verb(TEXT("QUIT"), VERB_EXIT);
    assert_verb(TEXT("gEt x"), VERB_GET);
    assert_verb(TEXT("set x 1"), VERB_SET);
}

static void an_empty_line_is_nothing_and_no_error(void **state)
{
    (void)state;
    assert_verb(TEXT(""), VERB_NOTHING);
    assert_verb(TEXT(" \t\r\n"), VERB_NOTHING);
    assert_verb((struct text){0}, VERB_NOTHING);
}

static void what_lacks_a_word_is_told_what_to_type(void **state)
{
    (void)state;
    assert_refused(TEXT("SET"), ERROR_COMMAND, "SET <key> <value>");
    assert_refused(TEXT("SET x"), ERROR_COMMAND, "SET <key> <value>");
    assert_refused(TEXT("SET x  \r\n"), ERROR_COMMAND, "SET <key> <value>");
    assert_refused(TEXT("get "), ERROR_COMMAND, "GET <key>");
}

static void what_has_a_word_too_many_is_told_what_to_type(void **state)
{
    (void)state;
    assert_refused(TEXT("GET x y"), ERROR_COMMAND, "GET <key>");
    assert_refused(TEXT("PRINT all"), ERROR_COMMAND, "PRINT");
    assert_refused(TEXT("HELP me"), ERROR_COMMAND, "HELP");
    assert_refused(TEXT("EXIT now"), ERROR_COMMAND, "EXIT");
}

static void an_unknown_word_is_named(void **state)
{
    (void)state;
    assert_refused(TEXT("DELETE x"), ERROR_COMMAND, "\"DELETE\"");
    assert_refused(TEXT("SETx 1"), ERROR_COMMAND, "\"SETx\"");
    assert_refused(TEXT("SE x 1"), ERROR_COMMAND, "\"SE\"");
    assert_refused(TEXT("\x1b[31m\xC2\x9B"), ERROR_COMMAND, "unknown command");
}

static void a_key_has_1_to_256_bytes(void **state)
{
    (void)state;
    char line[300];
    for (int length = MESSAGE_KEY_MAX - 1; length <= MESSAGE_KEY_MAX + 1; length++) {
        char key[MESSAGE_KEY_MAX + 2];
        struct command command;
        struct error error;
        int wanted = length <= MESSAGE_KEY_MAX ? 0 : ERROR_FIELD_VALUE;
        memset(key, 'k', sizeof key);
        snprintf(line, sizeof line, "SET %.*s v", length, key);
        assert_int_equal(parse(text_of(line), &command, &error), wanted);
        assert_int_equal(command.key.length, length);
        snprintf(line, sizeof line, "GET %.*s", length, key);
        assert_int_equal(parse(text_of(line), &command, &error), wanted);
    }
}

static void a_key_with_a_control_character_is_refused(void **state)
{
    (void)state;
    assert_refused(TEXT("GET a\x01"), ERROR_FIELD_VALUE, "control");
    assert_refused(TEXT("GET a\x7F"), ERROR_FIELD_VALUE, "control");
    assert_refused(TEXT("SET a\xC2\x80 1"), ERROR_FIELD_VALUE, "control");
    assert_refused(TEXT("SET a\xC2\x9F 1"), ERROR_FIELD_VALUE, "control");
    assert_refused(TEXT("GET a\nb"), ERROR_FIELD_VALUE, "control");
    assert_verb(TEXT("GET a\xC2\xA0"), VERB_GET);
}

static void a_nul_is_no_space(void **state)
{
    (void)state;
    struct command command;
    struct error error;
    assert_refused(TEXT("GET a\0b"), ERROR_FIELD_VALUE, "control");
    assert_refused(TEXT("GET\0a"), ERROR_COMMAND, "unknown command");
    assert_refused(TEXT("PRINT\0"), ERROR_COMMAND, "unknown command");
    assert_refused(TEXT("SET a\0b v"), ERROR_FIELD_VALUE, "control");
    assert_int_equal(parse(TEXT("SET a b\0c"), &command, &error), 0);
    assert_text_equal(command.value, TEXT("b\0c"));
}

static void a_line_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    assert_refused(TEXT("SET x a\xE7\xE3o"), ERROR_NOT_UTF8, "UTF-8");
    assert_refused(TEXT("SET x \xC0\x80"), ERROR_NOT_UTF8, "UTF-8");
    assert_refused(TEXT("\xFF"), ERROR_NOT_UTF8, "UTF-8");
    assert_refused(TEXT(" \t\xFF"), ERROR_NOT_UTF8, "UTF-8");
}

static void whatever_is_typed_the_texts_stay_inside_the_line(void **state)
{
    (void)state;
    static const char alphabet[] = "SsEeTtGg PpRrIiNn\t\r\n\0x1\x01\xC2\x9F";
    struct random random = {5};
    for (int i = 0; i < 50000; i++) {
        char line[24];
        size_t length = random_below(&random, sizeof line + 1);
        size_t start = 0;
        struct command command;
        struct error error;
        if (random_below(&random, 2) == 0 && length >= 4) {
            memcpy(line, random_below(&random, 2) == 0 ? "SET " : "GET ", 4);
            start = 4;
        }
        for (size_t at = start; at < length; at++) {
            line[at] = alphabet[random_below(&random, sizeof alphabet - 1)];
        }
        if (parse((struct text){line, length}, &command, &error) == 0 && command.verb == VERB_SET) {
            assert_true(command.key.bytes >= line);
            assert_true(command.key.bytes + command.key.length < command.value.bytes);
            assert_true(command.value.bytes + command.value.length <= line + length);
            assert_true(command.value.length > 0);
            assert_int_equal(message_check_key(command.key, NULL), 0);
        }
    }
}

static void help_names_every_verb(void **state)
{
    (void)state;
    static const char *const verbs[] = {"SET <key> <value>", "GET <key>", "PRINT", "HELP", "EXIT", "QUIT"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        assert_non_null(strstr(command_help(), verbs[i]));
    }
}

UNIT_MAIN(cmocka_unit_test(the_value_is_the_rest_of_the_line),
          cmocka_unit_test(a_tab_separates_as_a_space_does),
          cmocka_unit_test(the_verb_may_be_in_any_letter_case),
          cmocka_unit_test(an_empty_line_is_nothing_and_no_error),
          cmocka_unit_test(what_lacks_a_word_is_told_what_to_type),
          cmocka_unit_test(what_has_a_word_too_many_is_told_what_to_type),
          cmocka_unit_test(an_unknown_word_is_named), cmocka_unit_test(a_key_has_1_to_256_bytes),
          cmocka_unit_test(a_key_with_a_control_character_is_refused), cmocka_unit_test(a_nul_is_no_space),
          cmocka_unit_test(a_line_that_is_not_utf8_is_refused),
          cmocka_unit_test(whatever_is_typed_the_texts_stay_inside_the_line),
          cmocka_unit_test(help_names_every_verb))
