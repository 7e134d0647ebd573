/* common/uuid: version 4 as RFC 9562 has it. */
#include "common/uuid.h"

#include "tests/unit/unit.h"

#include <string.h>

#define GOOD "5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10"

static void random_bytes_keep_their_digits_except_version_and_variant(void **state)
{
    (void)state;
    uint8_t zeros[16] = {0};
    uint8_t ones[16];
    uint8_t counted[16];
    memset(ones, 0xFF, sizeof ones);
    for (int i = 0; i < 16; i++) {
        counted[i] = (uint8_t)(i * 0x11);
    }
    assert_string_equal(uuid_from_bytes(zeros).text, "00000000-0000-4000-8000-000000000000");
    assert_string_equal(uuid_from_bytes(ones).text, "ffffffff-ffff-4fff-bfff-ffffffffffff");
    assert_string_equal(uuid_from_bytes(counted).text, "00112233-4455-4677-8899-aabbccddeeff");
}

static void a_thousand_new_ones_are_valid_and_all_different(void **state)
{
    (void)state;
    static struct uuid uuids[1000];
    for (size_t i = 0; i < 1000; i++) {
        uuids[i] = uuid_new();
        assert_true(uuid_is_valid(text_of(uuids[i].text)));
        assert_int_equal(uuids[i].text[14], '4');
        assert_non_null(strchr("89ab", uuids[i].text[19]));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(uuids[i].text, uuids[j].text);
        }
    }
}

static void every_version_and_both_letter_cases_are_valid(void **state)
{
    (void)state;
    assert_true(uuid_is_valid(TEXT(GOOD)));
    assert_true(uuid_is_valid(TEXT("5F1D7A70-9F0D-1A43-FB2B-0F2F7A8B9D10")));
    assert_true(uuid_is_valid(TEXT("00000000-0000-0000-0000-000000000000")));
}

static void one_wrong_character_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < UUID_LENGTH; at++) {
        char text[] = GOOD;
        for (const char *wrong = "g/:@G` {\xE9"; *wrong != '\0'; wrong++) {
            text[at] = *wrong;
            assert_false(uuid_is_valid((struct text){text, UUID_LENGTH}));
        }
        text[at] = '\0';
        assert_false(uuid_is_valid((struct text){text, UUID_LENGTH}));
        text[at] = GOOD[at] == '-' ? 'a' : '-';
        assert_false(uuid_is_valid((struct text){text, UUID_LENGTH}));
    }
}

static void one_character_more_or_less_is_refused(void **state)
{
    (void)state;
    assert_false(uuid_is_valid(TEXT(GOOD "0")));
    assert_false(uuid_is_valid(TEXT(GOOD "\0")));
    assert_false(uuid_is_valid((struct text){GOOD, UUID_LENGTH - 1}));
    assert_false(uuid_is_valid((struct text){0}));
    assert_false(uuid_is_valid(TEXT("{" GOOD "}")));
}

UNIT_MAIN(cmocka_unit_test(random_bytes_keep_their_digits_except_version_and_variant),
          cmocka_unit_test(a_thousand_new_ones_are_valid_and_all_different),
          cmocka_unit_test(every_version_and_both_letter_cases_are_valid),
          cmocka_unit_test(one_wrong_character_anywhere_is_refused),
          cmocka_unit_test(one_character_more_or_less_is_refused))
