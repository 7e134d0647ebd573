/* common/clock: times as text and back. */
#include "common/clock.h"

#include "common/random.h"
#include "tests/unit/unit.h"

#include <string.h>
#include <time.h>

static void assert_formats(int64_t wall_us, const char *wanted)
{
    char text[CLOCK_TEXT_LENGTH + 1];
    int64_t again = ~wall_us;
    clock_format(wall_us, text);
    assert_string_equal(text, wanted);
    assert_true(clock_parse(text_of(text), &again));
    assert_true(again == wall_us);
}

static void known_moments_have_their_known_texts(void **state)
{
    (void)state;
    assert_formats(0, "1970-01-01T00:00:00.000000Z");
    assert_formats(1, "1970-01-01T00:00:00.000001Z");
    assert_formats(1795253400123456, "2026-11-21T09:30:00.123456Z");
    assert_formats(951782400000000, "2000-02-29T00:00:00.000000Z");
    assert_formats(4107542399999999, "2100-02-28T23:59:59.999999Z");
    assert_formats(4107542400000000, "2100-03-01T00:00:00.000000Z");
    assert_formats(253402300799999999, "9999-12-31T23:59:59.999999Z");
}

static void a_moment_before_1970_is_a_time_like_any_other(void **state)
{
    (void)state;
    assert_formats(-1,
                   "1969-12-31T23:59:59.999999Z"); /* the first to be asked, were this test to run alone */
    assert_formats(-1000000, "1969-12-31T23:59:59.000000Z");
    assert_formats(-1000001, "1969-12-31T23:59:58.999999Z");
    assert_formats(-62167219200000000, "0000-01-01T00:00:00.000000Z");
    assert_formats(0, "1970-01-01T00:00:00.000000Z");
}

static void every_moment_comes_back_from_its_text(void **state)
{
    (void)state;
    struct random random = {1};
    char text[CLOCK_TEXT_LENGTH + 1];
    for (int i = 0; i < 100000; i++) {
        int64_t moment = (int64_t)random_below(&random, 253402300800000000);
        int64_t again;
        clock_format(moment, text);
        assert_true(clock_parse(text_of(text), &again));
        assert_true(again == moment);
    }
}

static void texts_sort_as_their_moments_do(void **state)
{
    (void)state;
    struct random random = {2};
    char before[CLOCK_TEXT_LENGTH + 1];
    char after[CLOCK_TEXT_LENGTH + 1];
    for (int i = 0; i < 1000; i++) {
        int64_t moment = (int64_t)random_below(&random, 4000000000000000);
        clock_format(moment, before);
        clock_format(moment + 1 + (int64_t)random_below(&random, 10000000), after);
        assert_true(strcmp(before, after) < 0);
    }
}

static void what_is_cut_or_too_long_is_no_time(void **state)
{
    (void)state;
    int64_t ignored;
    for (size_t length = 0; length < CLOCK_TEXT_LENGTH; length++) {
        assert_false(clock_parse((struct text){"2026-11-21T09:30:00.123456Z", length}, &ignored));
    }
    assert_false(clock_parse(TEXT("2026-11-21T09:30:00.123456Z "), &ignored));
    assert_false(clock_parse((struct text){0}, &ignored));
}

static void one_wrong_character_makes_it_no_time(void **state)
{
    (void)state;
    int64_t ignored;
    for (size_t at = 0; at < CLOCK_TEXT_LENGTH; at++) {
        char text[] = "2026-11-21T09:30:00.123456Z";
        text[at] = text[at] == '/' ? '+' : '/';
        assert_false(clock_parse(text_of(text), &ignored));
        text[at] = '\0';
        assert_false(clock_parse((struct text){text, CLOCK_TEXT_LENGTH}, &ignored));
    }
}

static void days_and_hours_that_are_not_on_the_calendar_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "2026-00-21T09:30:00.000000Z", "2026-13-21T09:30:00.000000Z", "2026-11-00T09:30:00.000000Z",
        "2026-11-31T09:30:00.000000Z", "2026-02-29T09:30:00.000000Z", "2100-02-29T09:30:00.000000Z",
        "2026-12-32T09:30:00.000000Z", "2026-11-21T24:00:00.000000Z", "2026-11-21T09:60:00.000000Z",
        "2026-11-21T09:30:60.000000Z", "2026-11-21t09:30:00.000000z", "2026-11-21 09:30:00.000000Z",
    };
    int64_t ignored;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        if (clock_parse(text_of(wrong[i]), &ignored)) {
            fail_msg("%s is taken", wrong[i]);
        }
    }
    assert_true(clock_parse(TEXT("2024-02-29T23:59:59.000000Z"), &ignored));
}

static void the_clock_on_the_wall_is_the_systems(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL);
    int64_t now = clock_wall_us();
    int64_t after = (int64_t)time(NULL);
    assert_true(now / 1000000 >= before - 1 && now / 1000000 <= after + 1);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    uint64_t last = clock_monotonic_ms();
    for (int i = 0; i < 10000; i++) {
        uint64_t now = clock_monotonic_ms();
        assert_true(now >= last);
        last = now;
    }
}

UNIT_MAIN(cmocka_unit_test(a_moment_before_1970_is_a_time_like_any_other),
          cmocka_unit_test(known_moments_have_their_known_texts),
          cmocka_unit_test(every_moment_comes_back_from_its_text),
          cmocka_unit_test(texts_sort_as_their_moments_do),
          cmocka_unit_test(what_is_cut_or_too_long_is_no_time),
          cmocka_unit_test(one_wrong_character_makes_it_no_time),
          cmocka_unit_test(days_and_hours_that_are_not_on_the_calendar_are_refused),
          cmocka_unit_test(the_clock_on_the_wall_is_the_systems),
          cmocka_unit_test(the_monotonic_clock_never_goes_back))
