/* common/hold_back: a window of places; what is early waits in its own, what is late, doubled or too early is not kept. */
#include "common/hold_back.h"

#include "tests/unit/unit.h"

static struct message *numbered(int64_t seq)
{
    return message_new(&(struct message){.key = TEXT("k"),
                                         .value = TEXT("1"),
                                         .sender_id = TEXT("node1"),
                                         .message_uuid = TEXT("u"),
                                         .seq = seq});
}

/* Puts a message of that number, and lets go of it. */
static bool put(struct hold_back *held, int64_t seq, int64_t next_seq)
{
    struct message *message = numbered(seq);
    bool kept = hold_back_put(held, message, next_seq);

    assert_int_equal(message->references, kept ? 2 : 1);
    message_unref(message);
    return kept;
}

static void take(struct hold_back *held, int64_t seq)
{
    struct message *message = hold_back_take(held, seq);

    assert_non_null(message);
    assert_int_equal(message->seq, seq);
    assert_int_equal(message->references, 1);
    message_unref(message);
}

static void what_is_early_is_there_when_its_turn_comes(void **state)
{
    struct hold_back held = {0};

    (void)state;
    assert_true(put(&held, 3, 1));
    assert_true(put(&held, 2, 1));
    assert_null(hold_back_take(&held, 1));
    assert_true(put(&held, 1, 1));
    for (int64_t seq = 1; seq <= 3; seq++) {
        take(&held, seq);
        assert_null(hold_back_take(&held, seq));
    }
}

static void what_is_late_or_there_already_is_not_kept(void **state)
{
    struct hold_back held = {0};

    (void)state;
    assert_false(put(&held, 4, 5));
    assert_false(put(&held, 0, 1));
    assert_false(put(&held, -1, 1));
    assert_true(put(&held, 7, 5));
    assert_false(put(&held, 7, 5));
    take(&held, 7);
    assert_true(put(&held, 7, 5));
    hold_back_drop(&held, INT64_MAX);
}

static void the_window_ends_before_the_place_that_it_would_share(void **state)
{
    struct hold_back held = {0};
    const int64_t far = INT64_MAX - HOLD_BACK_MAX;

    (void)state;
    assert_true(put(&held, 10 + HOLD_BACK_MAX - 1, 10));
    assert_false(put(&held, 10 + HOLD_BACK_MAX, 10));
    assert_false(put(&held, INT64_MAX, 10));
    assert_true(put(&held, 10 + HOLD_BACK_MAX, 11)); /* the window has moved, and the place of 10 is free */
    hold_back_drop(&held, INT64_MAX);
    assert_true(put(&held, INT64_MAX - 1, far));
    assert_int_equal(hold_back_first(&held, far), INT64_MAX - 1);
    hold_back_drop(&held, INT64_MAX);
}

static void a_full_window_gives_everything_back_in_order(void **state)
{
    struct hold_back held = {0};
    const int64_t first = HOLD_BACK_MAX - 5; /* so that it wraps around */

    (void)state;
    for (int64_t ahead = HOLD_BACK_MAX - 1; ahead >= 0; ahead--) {
        assert_true(put(&held, first + ahead, first));
    }
    for (int64_t ahead = 0; ahead < HOLD_BACK_MAX; ahead++) {
        take(&held, first + ahead);
    }
    assert_int_equal(hold_back_first(&held, first), first);
}

static void the_first_is_the_lowest_place_taken(void **state)
{
    struct hold_back held = {0};

    (void)state;
    assert_int_equal(hold_back_first(&held, 9), 9);
    assert_true(put(&held, 30, 9));
    assert_true(put(&held, 20, 9));
    assert_int_equal(hold_back_first(&held, 9), 20);
    take(&held, 20);
    assert_int_equal(hold_back_first(&held, 9), 30);
    hold_back_drop(&held, INT64_MAX);
    assert_int_equal(hold_back_first(&held, 9), 9);
}

static void dropping_forgets_up_to_a_place_and_no_further(void **state)
{
    struct hold_back held = {0};

    (void)state;
    for (int64_t seq = 2; seq <= 9; seq++) {
        assert_true(put(&held, seq, 1));
    }
    hold_back_drop(&held, 5);
    assert_int_equal(hold_back_first(&held, 1), 6);
    assert_null(hold_back_take(&held, 5));
    take(&held, 6);
    hold_back_drop(&held, INT64_MAX);
    assert_null(hold_back_take(&held, 9));
}

UNIT_MAIN(cmocka_unit_test(what_is_early_is_there_when_its_turn_comes),
          cmocka_unit_test(what_is_late_or_there_already_is_not_kept),
          cmocka_unit_test(the_window_ends_before_the_place_that_it_would_share),
          cmocka_unit_test(a_full_window_gives_everything_back_in_order),
          cmocka_unit_test(the_first_is_the_lowest_place_taken),
          cmocka_unit_test(dropping_forgets_up_to_a_place_and_no_further))
