/* paxos/sessions: the last SESSIONS_KEPT commands by client and timestamp, the oldest forgotten for the newest. */
#include "paxos/sessions.h"

#include "tests/unit/unit.h"

static void a_command_is_known_once_it_was_noted(void **state)
{
    struct sessions sessions = {0};

    (void)state;
    assert_true(sessions_note(&sessions, 7, 100));
    assert_false(sessions_note(&sessions, 7, 100));
    assert_true(sessions_note(&sessions, 8, 100));
    assert_true(sessions_note(&sessions, 7, 99)); /* timestamps need not grow */
    assert_true(sessions_note(&sessions, 0, 0));
    assert_false(sessions_note(&sessions, 0, 0));
    assert_int_equal(sessions.noted, 4);
    assert_int_equal(sessions_get(&sessions, 3).timestamp, 99);
    sessions_free(&sessions);
}

/* Also over every step of its growth. */
static void exactly_the_last_ones_are_known(void **state)
{
    struct sessions sessions = {0};

    (void)state;
    for (uint64_t i = 1; i <= SESSIONS_KEPT; i++) {
        assert_true(sessions_note(&sessions, i % 5, i));
    }
    assert_false(sessions_note(&sessions, 1, 1));
    assert_true(sessions_note(&sessions, 3, 0)); /* forgets the first */
    assert_int_equal(sessions.forgotten, 1);
    assert_false(sessions_note(&sessions, 2, 2));
    assert_true(sessions_note(&sessions, 1, 1)); /* forgets the second */
    assert_true(sessions_note(&sessions, 2, 2));
    for (uint64_t i = 4; i <= SESSIONS_KEPT; i += 1000) {
        assert_false(sessions_note(&sessions, i % 5, i));
    }
    assert_int_equal(sessions.noted - sessions.forgotten, SESSIONS_KEPT);
    sessions_free(&sessions);
}

/* What a learner reads from its disk goes on as the learner would have that never stopped. */
static void one_that_was_put_together_again_goes_on_the_same(void **state)
{
    struct sessions first = {0};
    struct sessions second = {0};

    (void)state;
    for (uint64_t i = 1; i <= SESSIONS_KEPT + 777; i++) {
        sessions_note(&first, i, i);
    }
    sessions_forget(&second, first.forgotten);
    for (uint64_t i = first.forgotten + 1; i <= first.noted; i++) {
        struct session session = sessions_get(&first, i);
        assert_true(sessions_note(&second, session.client, session.timestamp));
    }
    for (uint64_t i = 1; i < 3000; i++) {
        assert_int_equal(sessions_note(&first, i, i), sessions_note(&second, i, i));
    }
    assert_int_equal(first.noted, second.noted);
    assert_int_equal(first.forgotten, second.forgotten);
    sessions_free(&first);
    sessions_free(&second);
}

static void a_copy_is_one_of_its_own(void **state)
{
    struct sessions sessions = {0};
    struct sessions copy = {0};

    (void)state;
    sessions_note(&sessions, 1, 1);
    sessions_copy(&copy, &sessions);
    assert_true(sessions_note(&copy, 2, 2));
    assert_true(sessions_note(&sessions, 2, 2));
    assert_false(sessions_note(&copy, 1, 1));
    sessions_free(&sessions);
    sessions_free(&copy);
}

UNIT_MAIN(cmocka_unit_test(a_command_is_known_once_it_was_noted),
          cmocka_unit_test(exactly_the_last_ones_are_known),
          cmocka_unit_test(one_that_was_put_together_again_goes_on_the_same),
          cmocka_unit_test(a_copy_is_one_of_its_own))
