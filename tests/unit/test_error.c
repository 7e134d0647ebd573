/* Errors: one sentence, kept in English and in the user's words, with the reasons behind it. */
#include "common/error.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static void a_sentence_is_set_with_its_code(void **state)
{
    (void)state;
    struct error error;
    assert_int_equal(error_set(&error, ERROR_CONFIG, "%s is \"%s\"", "X", "olá\n"), ERROR_CONFIG);
    assert_int_equal(error.code, ERROR_CONFIG);
    assert_string_equal(error.text, "X is \"olá?\"");
    assert_string_equal(error.words, error.text); /* no program has chosen a language here */
}

static void reasons_follow_behind_colons(void **state)
{
    (void)state;
    struct error cause;
    struct error error;
    error_set(&cause, ERROR_FILE, "the file");
    error_because(&cause, "bad\x1b[31m");
    error_set(&error, ERROR_CONFIG, "the setting");
    error_because_of(&error, &cause);
    error_because_errno(&error, ENOENT);
    assert_string_equal(error.text, "the setting: the file: bad?[31m: No such file or directory");
    assert_string_equal(error.words, error.text);
    assert_int_equal(error.code, ERROR_CONFIG);
    error_because_errno(&error, 99999);
    assert_non_null(strstr(error.text, ": an unknown error"));
}

static void what_is_too_long_is_cut_and_stays_a_text(void **state)
{
    (void)state;
    struct error error;
    char name[1000];
    for (size_t i = 0; i + 2 < sizeof name; i += 2) {
        memcpy(&name[i], "é", sizeof "é");
    }
    error_set(&error, ERROR_FILE, "a%s", name);
    for (int i = 0; i < 3; i++) {
        error_because(&error, name);
    }
    assert_true(strlen(error.text) < sizeof error.text && strlen(error.words) < sizeof error.words);
    assert_true(text_is_utf8(text_of(error.text)) && text_is_utf8(text_of(error.words)));
}

static void nobody_has_to_want_the_sentence(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_FULL, "no room"), ERROR_FULL);
    error_because(NULL, "a reason");
    error_because_errno(NULL, EACCES);
    error_because_of(NULL, &(struct error){.text = "x", .words = "y"});
}

static void errno_is_kept_for_the_reason(void **state)
{
    (void)state;
    struct error error;
    errno = EACCES;
    error_set(&error, ERROR_FILE, "%s", "x");
    assert_int_equal(errno, EACCES);
}

UNIT_MAIN(cmocka_unit_test(a_sentence_is_set_with_its_code), cmocka_unit_test(reasons_follow_behind_colons),
          cmocka_unit_test(what_is_too_long_is_cut_and_stays_a_text),
          cmocka_unit_test(nobody_has_to_want_the_sentence), cmocka_unit_test(errno_is_kept_for_the_reason))
