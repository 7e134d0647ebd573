/* common/net/deadline: the first one is always the earliest, whatever is added and removed. */
#include "common/net/deadline.h"

#include "common/random.h"
#include "tests/unit/unit.h"

#define COUNT 500

static void the_earliest_comes_first(void **state)
{
    (void)state;
    struct deadlines deadlines = {0};
    struct deadline items[5] = {0};
    const uint64_t times[] = {30, 10, 50, 20, 40};
    assert_null(deadlines_first(&deadlines));
    for (size_t i = 0; i < 5; i++) {
        deadlines_add(&deadlines, &items[i], times[i]);
    }
    for (uint64_t at_ms = 10; at_ms <= 50; at_ms += 10) {
        struct deadline *first = deadlines_first(&deadlines);
        assert_int_equal(first->at_ms, at_ms);
        deadlines_remove(&deadlines, first);
        deadlines_remove(&deadlines, first); /* it is in none: nothing happens */
    }
    assert_null(deadlines_first(&deadlines));
    deadlines_free(&deadlines);
}

/* The earliest by looking at all of them. */
static uint64_t earliest(const struct deadline *items)
{
    uint64_t at_ms = UINT64_MAX;
    for (size_t i = 0; i < COUNT; i++) {
        at_ms = items[i].place != 0 && items[i].at_ms < at_ms ? items[i].at_ms : at_ms;
    }
    return at_ms;
}

static void a_random_history_agrees_with_a_plain_search(void **state)
{
    (void)state;
    struct deadlines deadlines = {0};
    static struct deadline items[COUNT];
    struct random random = {7};
    for (int step = 0; step < 20000; step++) {
        struct deadline *item = &items[random_below(&random, COUNT)];
        if (item->place == 0) {
            deadlines_add(&deadlines, item, random_below(&random, 1000));
        } else {
            deadlines_remove(&deadlines, item);
        }
        const struct deadline *first = deadlines_first(&deadlines);
        assert_int_equal(first != NULL ? first->at_ms : UINT64_MAX, earliest(items));
    }
    deadlines_free(&deadlines);
}

UNIT_MAIN(cmocka_unit_test(the_earliest_comes_first),
          cmocka_unit_test(a_random_history_agrees_with_a_plain_search))
