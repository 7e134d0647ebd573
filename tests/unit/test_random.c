/* common/random: the published numbers, and draws that are as uniform as they say. */
#include "common/random.h"

#include "tests/unit/unit.h"

static void splitmix64_gives_its_published_numbers(void **state)
{
    (void)state;
    struct random random = {1234567};
    assert_true(random_next(&random) == 6457827717110365317U);
    assert_true(random_next(&random) == 3203168211198807973U);
    assert_true(random_next(&random) == 9817491932198370423U);
    assert_true(random_next(&random) == 4593380528125082431U);
    assert_true(random_next(&random) == 16408922859458223821U);
}

static void fnv_1a_gives_its_published_numbers(void **state)
{
    (void)state;
    assert_true(random_hash(TEXT("")) == 0xCBF29CE484222325U);
    assert_true(random_hash((struct text){0}) == 0xCBF29CE484222325U);
    assert_true(random_hash(TEXT("a")) == 0xAF63DC4C8601EC8CU);
    assert_true(random_hash(TEXT("foobar")) == 0x85944171F73967E8U);
    assert_true(random_hash(TEXT("a\0")) != random_hash(TEXT("a")));
}

static void a_unit_is_never_one(void **state)
{
    (void)state;
    struct random random = {7};
    double sum = 0;
    for (int i = 0; i < 100000; i++) {
        double unit = random_unit(&random);
        assert_true(unit >= 0 && unit < 1);
        sum += unit;
    }
    assert_true(sum > 49500 && sum < 50500); /* five standard deviations are 456 */
}

static void every_number_below_the_bound_comes_up_as_often(void **state)
{
    (void)state;
    struct random random = {0};
    unsigned counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t drawn = random_below(&random, 7);
        assert_true(drawn < 7);
        counts[drawn]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(counts[i], 9500, 10500); /* five standard deviations are 463 */
    }
}

static void a_bound_of_nothing_gives_nothing(void **state)
{
    (void)state;
    struct random random = {3};
    assert_true(random_below(&random, 0) == 0);
    assert_true(random_below(&random, 1) == 0);
    assert_true(random_below(&random, UINT64_MAX) < UINT64_MAX);
}

static void mixed_seeds_differ_and_their_order_matters(void **state)
{
    (void)state;
    static uint64_t mixed[64 * 64];
    size_t count = 0;
    for (uint64_t a = 0; a < 64; a++) {
        for (uint64_t b = 0; b < 64; b++) {
            mixed[count++] = random_mix(a, b);
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_true(mixed[i] != mixed[j]);
        }
    }
}

UNIT_MAIN(cmocka_unit_test(splitmix64_gives_its_published_numbers),
          cmocka_unit_test(fnv_1a_gives_its_published_numbers), cmocka_unit_test(a_unit_is_never_one),
          cmocka_unit_test(every_number_below_the_bound_comes_up_as_often),
          cmocka_unit_test(a_bound_of_nothing_gives_nothing),
          cmocka_unit_test(mixed_seeds_differ_and_their_order_matters))
