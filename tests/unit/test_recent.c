/* common/recent: the last RECENT_MAX commands by UUID, the oldest forgotten for the newest. */
#include "common/recent.h"

#include "common/uuid.h"
#include "tests/unit/unit.h"

static struct uuid uuid_of(uint64_t number)
{
    uint64_t bytes[2] = {number, ~number};
    return uuid_from_bytes((const uint8_t *)bytes);
}

static void add(struct recent *recent, uint64_t which, int64_t number)
{
    struct uuid uuid = uuid_of(which);
    recent_add(recent, text_of(uuid.text), number);
}

static bool knows(const struct recent *recent, uint64_t which, int64_t number)
{
    struct uuid uuid = uuid_of(which);
    int64_t found = -7;

    return recent_find(recent, text_of(uuid.text), &found) && found == number;
}

static void nothing_is_known_to_start_with(void **state)
{
    struct recent recent = {0};
    struct uuid uuid = uuid_of(1);
    int64_t number = 5;

    (void)state;
    assert_false(recent_find(&recent, text_of(uuid.text), &number));
    assert_int_equal(number, 5);
    recent_free(&recent);
}

static void what_was_added_is_known_with_its_number(void **state)
{
    struct recent recent = {0};
    struct uuid uuid = uuid_of(3);

    (void)state;
    for (uint64_t which = 1; which <= 100; which++) {
        add(&recent, which, (int64_t)which * 10);
    }
    for (uint64_t which = 1; which <= 100; which++) {
        assert_true(knows(&recent, which, (int64_t)which * 10));
    }
    assert_false(knows(&recent, 101, 1010));
    assert_true(recent_find(&recent, text_of(uuid.text), NULL));
    recent_free(&recent);
}

static void letter_case_does_not_matter(void **state)
{
    struct recent recent = {0};

    (void)state;
    recent_add(&recent, TEXT("ABCDEF00-9F0D-4A43-BB2B-0F2F7A8B9D10"), 4);
    assert_true(recent_find(&recent, TEXT("abcdef00-9f0d-4a43-bb2b-0f2f7a8b9d10"), NULL));
    recent_free(&recent);
}

static void adding_again_changes_the_number_and_takes_no_room(void **state)
{
    struct recent recent = {0};

    (void)state;
    add(&recent, 1, 1);
    for (int64_t again = 0; again < 2 * RECENT_MAX; again++) {
        add(&recent, 2, again);
    }
    assert_true(knows(&recent, 1, 1));
    assert_true(knows(&recent, 2, 2 * RECENT_MAX - 1));
    recent_free(&recent);
}

static void the_oldest_is_forgotten_for_the_newest(void **state)
{
    struct recent recent = {0};

    (void)state;
    for (uint64_t which = 0; which < RECENT_MAX; which++) {
        add(&recent, which, (int64_t)which);
    }
    for (uint64_t more = 0; more < 3; more++) {
        assert_true(knows(&recent, more, (int64_t)more));
        add(&recent, RECENT_MAX + more, RECENT_MAX + (int64_t)more);
        assert_false(knows(&recent, more, (int64_t)more));
    }
    for (uint64_t which = 3; which < RECENT_MAX + 3; which++) {
        assert_true(knows(&recent, which, (int64_t)which));
    }
    add(&recent, 0, 9); /* what was forgotten can be new again */
    assert_true(knows(&recent, 0, 9));
    assert_false(knows(&recent, 3, 3));
    recent_free(&recent);
}

static void what_was_freed_is_empty_and_of_use_again(void **state)
{
    struct recent recent = {0};

    (void)state;
    add(&recent, 1, 1);
    recent_free(&recent);
    assert_false(knows(&recent, 1, 1));
    add(&recent, 1, 2);
    assert_true(knows(&recent, 1, 2));
    recent_free(&recent);
}

UNIT_MAIN(cmocka_unit_test(nothing_is_known_to_start_with),
          cmocka_unit_test(what_was_added_is_known_with_its_number),
          cmocka_unit_test(letter_case_does_not_matter),
          cmocka_unit_test(adding_again_changes_the_number_and_takes_no_room),
          cmocka_unit_test(the_oldest_is_forgotten_for_the_newest),
          cmocka_unit_test(what_was_freed_is_empty_and_of_use_again))
