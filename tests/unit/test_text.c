/* common/text: what is UTF-8 and what is not, control characters, and text made fit for a terminal. */
#include "common/text.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

/* UTF-8 as the definition has it, without checks: returns the length. */
static size_t encode(uint32_t point, char out[4])
{
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = length; i-- > 1;) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)(lead[length] | point);
    return length;
}

static void every_code_point_is_utf8_and_surrogates_are_not(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char bytes[4];
        size_t length = encode(point, bytes);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        if (text_is_utf8((struct text){bytes, length}) == surrogate) {
            fail_msg("U+%04X", (unsigned)point);
        }
        for (size_t cut = 1; cut < length; cut++) {
            assert_false(text_is_utf8((struct text){bytes, cut}));
        }
    }
}

/* Decodes by arithmetic alone; a form is right if it is the one that encode() gives. */
static bool is_one_character(const unsigned char *s, size_t length)
{
    static const unsigned char mask[] = {0, 0, 0x1F, 0x0F, 0x07};
    char again[4];
    uint32_t point = s[0] & mask[length];

    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return false;
        }
        point = point << 6 | (s[i] & 0x3F);
    }
    return point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF) && encode(point, again) == length &&
           memcmp(again, s, length) == 0;
}

static void every_form_of_two_to_four_bytes_is_judged_as_the_definition_does(void **state)
{
    (void)state;
    static const unsigned char tails[] = {0x00, 0x41, 0x7F, 0x80, 0x81, 0xBF, 0xC0, 0xFF};
    const size_t tail_count = sizeof tails;
    unsigned char s[4];

    for (unsigned first = 0xC0; first <= 0xFF; first++) {
        size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        for (unsigned second = 0; second <= 0xFF; second++) {
            for (size_t i = 0; i < tail_count * tail_count; i++) {
                s[0] = (unsigned char)first;
                s[1] = (unsigned char)second;
                s[2] = tails[i / tail_count];
                s[3] = tails[i % tail_count];
                if (text_is_utf8((struct text){(char *)s, length}) != is_one_character(s, length)) {
                    fail_msg("%02X %02X %02X %02X, %zu bytes", s[0], s[1], s[2], s[3], length);
                }
            }
        }
    }
}

static void overlong_forms_are_refused(void **state)
{
    (void)state;
    assert_false(text_is_utf8(TEXT("\xC0\x80")));
    assert_false(text_is_utf8(TEXT("\xC1\xBF")));
    assert_false(text_is_utf8(TEXT("\xE0\x80\xAF")));
    assert_false(text_is_utf8(TEXT("\xE0\x9F\xBF")));
    assert_false(text_is_utf8(TEXT("\xF0\x8F\xBF\xBF")));
}

static void nothing_above_10ffff_is_utf8(void **state)
{
    (void)state;
    assert_true(text_is_utf8(TEXT("\xF4\x8F\xBF\xBF")));
    assert_false(text_is_utf8(TEXT("\xF4\x90\x80\x80")));
    assert_false(text_is_utf8(TEXT("\xF5\x80\x80\x80")));
    assert_false(text_is_utf8(TEXT("\xF8\x88\x80\x80\x80")));
}

static void one_bad_byte_is_found_wherever_it_stands(void **state)
{
    (void)state;
    char text[41];

    for (size_t length = 1; length < sizeof text; length++) {
        for (size_t at = 0; at < length; at++) {
            memset(text, 'a', length);
            assert_true(text_is_utf8((struct text){text, length}));
            text[at] = (char)0x80;
            assert_false(text_is_utf8((struct text){text, length}));
            text[at] = (char)0xC3; /* the first half of a character; the other half does not follow */
            assert_false(text_is_utf8((struct text){text, length}));
        }
    }
}

static void no_text_at_all_is_utf8_without_controls(void **state)
{
    (void)state;
    assert_true(text_is_utf8((struct text){0}));
    assert_false(text_has_control((struct text){0}));
    assert_int_equal(text_trim((struct text){0}).length, 0);
}

static bool is_control(uint32_t point)
{
    return point <= 0x1F || (point >= 0x7F && point <= 0x9F);
}

static void the_65_controls_are_found_and_nothing_else_is(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x3000; point++) {
        char bytes[6] = "a";
        size_t length = 1 + encode(point, bytes + 1);
        bytes[length++] = 'b';
        if (text_has_control((struct text){bytes, length}) != is_control(point)) {
            fail_msg("U+%04X", (unsigned)point);
        }
    }
}

static void what_was_made_printable_holds_no_control(void **state)
{
    (void)state;
    for (uint32_t point = 1; point < 0x3000; point++) {
        char before[8] = "a";
        char after[8];
        before[1 + encode(point, before + 1)] = 'b';
        memcpy(after, before, sizeof after);
        text_make_printable(after);
        if (text_has_control(text_of(after)) || !text_is_utf8(text_of(after))) {
            fail_msg("U+%04X is still there", (unsigned)point);
        }
        assert_int_equal(strcmp(after, before) != 0, is_control(point));
    }
}

static void a_control_becomes_one_question_mark(void **state)
{
    (void)state;
    char text[] = "\x1b[31m \xC2\x9B"
                  "31m\x7F\tç";
    text_make_printable(text);
    assert_string_equal(text, "?[31m ?31m??ç");
}

static void a_byte_of_no_character_becomes_a_question_mark(void **state)
{
    (void)state;
    char cut[] = "ação \xC3";
    text_make_printable(cut);
    assert_string_equal(cut, "ação ?");
    char last[] = "\xC2";
    text_make_printable(last);
    assert_string_equal(last, "?");
}

static void a_character_takes_one_column(void **state)
{
    (void)state;
    assert_int_equal(text_width(TEXT("")), 0);
    assert_int_equal(text_width(TEXT("duplicação ✓")), 12);
}

static void white_space_goes_from_both_ends_and_stays_inside(void **state)
{
    (void)state;
    assert_text_equal(text_trim(TEXT(" \t\r\na \t b\r\n")), TEXT("a \t b"));
    assert_text_equal(text_trim(TEXT(" \t\r\n")), TEXT(""));
    assert_text_equal(text_trim(TEXT("\0a\v")), TEXT("\0a\v"));
}

static void a_prefix_comes_first_and_bytes_are_unsigned(void **state)
{
    (void)state;
    assert_true(text_compare(TEXT("a"), TEXT("ab")) < 0);
    assert_true(text_compare(TEXT("ab"), TEXT("a")) > 0);
    assert_true(text_compare(TEXT(""), TEXT("\0")) < 0);
    assert_true(text_compare(TEXT("z"), TEXT("é")) < 0);
    assert_true(text_compare(TEXT("\xEF\xBF\xBF"), TEXT("\xF0\x90\x80\x80")) < 0); /* unlike UTF-16 */
    assert_int_equal(text_compare((struct text){0}, TEXT("")), 0);
}

static void texts_with_a_nul_are_compared_to_their_end(void **state)
{
    (void)state;
    assert_false(text_equal(TEXT("a\0b"), TEXT("a\0c")));
    assert_false(text_equal(TEXT("a"), TEXT("a\0")));
    assert_true(text_equal(TEXT("a\0b"), TEXT("a\0b")));
    assert_true(text_equal((struct text){0}, TEXT("")));
    assert_null(text_of(NULL).bytes);
}

UNIT_MAIN(cmocka_unit_test(every_code_point_is_utf8_and_surrogates_are_not),
          cmocka_unit_test(every_form_of_two_to_four_bytes_is_judged_as_the_definition_does),
          cmocka_unit_test(overlong_forms_are_refused), cmocka_unit_test(nothing_above_10ffff_is_utf8),
          cmocka_unit_test(one_bad_byte_is_found_wherever_it_stands),
          cmocka_unit_test(no_text_at_all_is_utf8_without_controls),
          cmocka_unit_test(the_65_controls_are_found_and_nothing_else_is),
          cmocka_unit_test(a_character_takes_one_column),
          cmocka_unit_test(what_was_made_printable_holds_no_control),
          cmocka_unit_test(a_control_becomes_one_question_mark),
          cmocka_unit_test(a_byte_of_no_character_becomes_a_question_mark),
          cmocka_unit_test(white_space_goes_from_both_ends_and_stays_inside),
          cmocka_unit_test(a_prefix_comes_first_and_bytes_are_unsigned),
          cmocka_unit_test(texts_with_a_nul_are_compared_to_their_end))
