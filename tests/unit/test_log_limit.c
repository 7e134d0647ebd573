/* common/log_limit: a flood is written as a few lines and its sum, and nothing is counted twice or forgotten. */
#include "common/log_limit.h"

#include "common/random.h"
#include "tests/unit/unit.h"

static void the_first_few_are_written_and_the_rest_counted(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    for (int i = 0; i < LOG_LIMIT_BURST; i++) {
        assert_true(log_limit_admit(&limit, 1000));
    }
    for (int i = 0; i < 100; i++) {
        assert_false(log_limit_admit(&limit, 1000 + LOG_LIMIT_WINDOW_MS - 1));
    }
    assert_int_equal(log_limit_take_suppressed(&limit, 1000 + LOG_LIMIT_WINDOW_MS - 1, false), 0);
    assert_int_equal(log_limit_take_suppressed(&limit, 1000 + LOG_LIMIT_WINDOW_MS, false), 100);
    assert_int_equal(log_limit_take_suppressed(&limit, 1000 + LOG_LIMIT_WINDOW_MS, false), 0);
}

static void a_window_ends_exactly_when_it_should(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    for (int i = 0; i < LOG_LIMIT_BURST; i++) {
        assert_true(log_limit_admit(&limit, 0));
    }
    assert_true(log_limit_admit(&limit, LOG_LIMIT_WINDOW_MS)); /* nothing was suppressed: a new window */
    limit = (struct log_limit){0};
    for (int i = 0; i < LOG_LIMIT_BURST; i++) {
        assert_true(log_limit_admit(&limit, 0));
    }
    assert_false(log_limit_admit(&limit, LOG_LIMIT_WINDOW_MS - 1));
}

static void the_sum_comes_before_the_next_example(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    for (int i = 0; i < LOG_LIMIT_BURST + 1; i++) {
        log_limit_admit(&limit, 0);
    }
    assert_false(log_limit_admit(&limit, 5 * LOG_LIMIT_WINDOW_MS));
    assert_int_equal(log_limit_take_suppressed(&limit, 5 * LOG_LIMIT_WINDOW_MS, false), 2);
}

static void a_flood_that_goes_on_brings_one_sum_in_each_window(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    unsigned written = 0;
    unsigned sums = 0;
    uint64_t suppressed = 0;
    for (uint64_t now = 0; now < 10 * LOG_LIMIT_WINDOW_MS; now++) {
        written += log_limit_admit(&limit, now);
        uint64_t taken = log_limit_take_suppressed(&limit, now, false);
        sums += taken > 0;
        suppressed += taken;
    }
    assert_int_equal(written, LOG_LIMIT_BURST);
    assert_int_equal(sums, 9);
    assert_int_equal(written + suppressed + limit.suppressed, 10 * LOG_LIMIT_WINDOW_MS);
}

static void after_a_quiet_window_examples_are_written_again(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    for (int i = 0; i < 50; i++) {
        log_limit_admit(&limit, 0);
    }
    assert_int_equal(log_limit_take_suppressed(&limit, LOG_LIMIT_WINDOW_MS, false), 45);
    assert_false(log_limit_admit(&limit, 2 * LOG_LIMIT_WINDOW_MS - 1));
    assert_int_equal(log_limit_take_suppressed(&limit, 2 * LOG_LIMIT_WINDOW_MS, false), 1);
    assert_true(log_limit_admit(&limit, 3 * LOG_LIMIT_WINDOW_MS));
}

static void at_the_end_the_sum_is_taken_at_once(void **state)
{
    (void)state;
    struct log_limit limit = {0};
    assert_int_equal(log_limit_take_suppressed(&limit, 0, true), 0);
    for (int i = 0; i < LOG_LIMIT_BURST + 3; i++) {
        log_limit_admit(&limit, 7);
    }
    assert_int_equal(log_limit_take_suppressed(&limit, 8, true), 3);
    assert_int_equal(log_limit_take_suppressed(&limit, 8, true), 0);
}

static void at_any_pace_every_warning_is_written_or_counted_once(void **state)
{
    (void)state;
    struct random random = {23};
    for (int run = 0; run < 200; run++) {
        struct log_limit limit = {0};
        uint64_t now = random_below(&random, 100000);
        uint64_t pace = 1 + random_below(&random, 8000);
        uint64_t accounted = 0;
        for (int i = 0; i < 500; i++) {
            accounted += log_limit_admit(&limit, now);
            if (random_below(&random, 3) == 0) {
                accounted += log_limit_take_suppressed(&limit, now, random_below(&random, 20) == 0);
            }
            now += random_below(&random, pace);
        }
        accounted += log_limit_take_suppressed(&limit, now, true);
        assert_int_equal(accounted, 500);
    }
}

UNIT_MAIN(cmocka_unit_test(the_first_few_are_written_and_the_rest_counted),
          cmocka_unit_test(a_window_ends_exactly_when_it_should),
          cmocka_unit_test(the_sum_comes_before_the_next_example),
          cmocka_unit_test(a_flood_that_goes_on_brings_one_sum_in_each_window),
          cmocka_unit_test(after_a_quiet_window_examples_are_written_again),
          cmocka_unit_test(at_the_end_the_sum_is_taken_at_once),
          cmocka_unit_test(at_any_pace_every_warning_is_written_or_counted_once))
