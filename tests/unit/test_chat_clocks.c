/* parte5-chat/lamport and berkeley: what a clock takes from others, and what it does not. */
#include "parte5-chat/berkeley.h"
#include "parte5-chat/lamport.h"

#include "tests/unit/unit.h"

static void an_answer_bears_a_later_time_than_its_question(void **state)
{
    struct lamport client = {.time = 41};
    struct lamport server = {.time = 7};
    int64_t when;

    (void)state;
    int64_t question = lamport_send(&client);
    assert_true(lamport_receive(&server, question, &when));
    assert_int_equal(question, 42);
    assert_int_equal(server.time, 42);
    assert_int_equal(when, 43);
    assert_int_equal(lamport_send(&server), 43);
}

static void an_old_time_does_not_put_a_clock_back(void **state)
{
    struct lamport clock = {.time = 100};

    (void)state;
    assert_true(lamport_receive(&clock, 5, NULL));
    assert_int_equal(clock.time, 100);
}

static void what_is_no_time_is_refused(void **state)
{
    struct lamport clock = {.time = 100};

    (void)state;
    assert_false(lamport_receive(&clock, -1, NULL));
    assert_false(lamport_receive(&clock, INT64_MIN, NULL));
    assert_false(lamport_receive(&clock, INT64_MAX, NULL));
    assert_false(lamport_receive(&clock, 101 + LAMPORT_JUMP_MAX, NULL));
    assert_int_equal(clock.time, 100);
    assert_true(lamport_receive(&clock, 100 + LAMPORT_JUMP_MAX, NULL));
    clock.time = INT64_MAX - LAMPORT_JUMP_MAX; /* billions of jumps later */
    assert_false(lamport_receive(&clock, INT64_MAX - 1, NULL));
}

static void who_starts_believes_the_others(void **state)
{
    struct lamport clock = {0};
    int64_t when;

    (void)state;
    lamport_follow(&clock, INT64_C(1) << 50, &when);
    assert_int_equal(clock.time, INT64_C(1) << 50);
    assert_int_equal(when, (INT64_C(1) << 50) + 1);
    lamport_follow(&clock, 7, NULL);
    lamport_follow(&clock, INT64_MIN, NULL);
    assert_int_equal(clock.time, INT64_C(1) << 50);
    lamport_follow(&clock, INT64_MAX, NULL); /* as far as that no clock is: */
    assert_int_equal(clock.time, LAMPORT_FAR);
    lamport_follow(&clock, LAMPORT_FAR + 5, NULL); /* but who believed it counts on */
    assert_int_equal(clock.time, LAMPORT_FAR + 5);
    assert_int_equal(lamport_send(&clock), LAMPORT_FAR + 6);
}

static const struct berkeley_options options = {.self = 1, .rtt_max_ms = 20, .spread_max_ms = 100};

static int64_t correction_of(const struct berkeley_corrections *corrections, unsigned server)
{
    for (unsigned i = 0; i < corrections->count; i++) {
        if (corrections->by[i].server == server) {
            return corrections->by[i].ahead_ms;
        }
    }
    fail_msg("server %u is not corrected", server);
    return 0;
}

static void a_round_begins_with_every_tenth_message(void **state)
{
    struct berkeley berkeley;

    (void)state;
    berkeley_init(&berkeley, &options, 1);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 1; i < BERKELEY_MESSAGES; i++) {
            assert_false(berkeley_count(&berkeley));
        }
        assert_true(berkeley_count(&berkeley));
    }
}

/* The example of Gusella and Zatti, and of every textbook since: 3:00, 3:25 and 2:50 become 3:05; here in ms. */
static void clocks_meet_in_the_middle(void **state)
{
    struct berkeley berkeley;
    struct berkeley_corrections corrections;

    (void)state;
    berkeley_init(&berkeley, &options, 1);
    berkeley_poll(&berkeley, SERVER_BIT(1) | SERVER_BIT(2) | SERVER_BIT(3), 3000);
    assert_false(berkeley_finish(&berkeley, 3000, &corrections));
    berkeley_hear(&berkeley, 2, 1, 3025, 3000);
    berkeley_hear(&berkeley, 3, 1, 2990, 3000);
    assert_true(berkeley_finish(&berkeley, 3000, &corrections));
    assert_int_equal(correction_of(&corrections, 1), 5);
    assert_int_equal(correction_of(&corrections, 2), -20);
    assert_int_equal(correction_of(&corrections, 3), 15);
    assert_int_equal(corrections.skew_ms, 35);
    assert_int_equal(corrections.outliers, 0);
    assert_false(berkeley_finish(&berkeley, 3000, &corrections));
}

static void half_the_round_trip_is_taken_off(void **state)
{
    struct berkeley berkeley;
    struct berkeley_corrections corrections;

    (void)state;
    berkeley_init(&berkeley, &options, 1);
    berkeley_poll(&berkeley, SERVER_BIT(2), 1000);
    berkeley_hear(&berkeley, 2, 1, 1010, 1020); /* the same time, read half way */
    assert_true(berkeley_finish(&berkeley, 1020, &corrections));
    assert_int_equal(correction_of(&corrections, 2), 0);
}

static void a_broken_clock_is_corrected_and_has_no_say(void **state)
{
    struct berkeley berkeley;
    struct berkeley_corrections corrections;

    (void)state;
    berkeley_init(&berkeley, &options, 1);
    berkeley_poll(&berkeley, SERVER_BIT(2) | SERVER_BIT(3), 1000);
    berkeley_hear(&berkeley, 2, 1, 1010, 1000);
    berkeley_hear(&berkeley, 3, 1, 9000000, 1000);
    assert_true(berkeley_finish(&berkeley, 1000, &corrections));
    assert_int_equal(corrections.outliers, 1);
    assert_int_equal(correction_of(&corrections, 1), 5);
    assert_int_equal(correction_of(&corrections, 3), 5 - 8999000);
}

/* With two it is our word against the other's, whichever of the clocks is ahead. */
static void one_other_clock_that_shows_nonsense_does_not_move_ours(void **state)
{
    static const int64_t nonsense[] = {0, 253402300799999};
    struct berkeley berkeley;
    struct berkeley_corrections corrections;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        berkeley_init(&berkeley, &options, 1);
        berkeley_poll(&berkeley, SERVER_BIT(2), 1763689000000);
        berkeley_hear(&berkeley, 2, 1, nonsense[i], 1763689000001);
        assert_true(berkeley_finish(&berkeley, 1763689000001, &corrections));
        assert_int_equal(correction_of(&corrections, 1), 0);
        assert_int_equal(correction_of(&corrections, 2), 1763689000000 - nonsense[i]);
        assert_int_equal(corrections.outliers, 1);
        assert_int_equal(corrections.rtt_ms, 1);
    }
}

static void who_is_slow_silent_or_absurd_is_left_out(void **state)
{
    struct berkeley berkeley;
    struct berkeley_corrections corrections;

    (void)state;
    berkeley_init(&berkeley, &options, 1);
    berkeley_poll(&berkeley, SERVER_BIT(6) - 4, 1000);
    berkeley_hear(&berkeley, 2, 1, 1010, 1021);
    berkeley_hear(&berkeley, 3, 1, INT64_MAX, 1001);
    berkeley_hear(&berkeley, 4, 7, 1000, 1001);   /* of another round */
    berkeley_hear(&berkeley, 60, 1, 1000, 1001);  /* was not asked */
    berkeley_hear(&berkeley, 999, 1, 1000, 1001); /* is no server */
    assert_false(berkeley_finish(&berkeley, 1020, &corrections));
    assert_true(berkeley_finish(&berkeley, 1021, &corrections));
    assert_int_equal(corrections.count, 1);
}

static void a_correction_counts_once_and_for_its_round_only(void **state)
{
    struct berkeley_member member = {0};

    (void)state;
    assert_false(berkeley_correct(&member, 1, 0, 10));
    berkeley_asked(&member, 1, 1);
    assert_true(berkeley_correct(&member, 1, 1, 10));
    assert_false(berkeley_correct(&member, 1, 1, 10));
    berkeley_asked(&member, 1, 2);
    berkeley_asked(&member, 2, 1); /* another coordinator */
    assert_false(berkeley_correct(&member, 1, 2, 10));
    assert_false(berkeley_correct(&member, 2, 1, INT64_MAX));
    assert_true(berkeley_correct(&member, 2, 1, -4));
    assert_int_equal(member.correction_ms, 6);
}

UNIT_MAIN(cmocka_unit_test(an_answer_bears_a_later_time_than_its_question),
          cmocka_unit_test(an_old_time_does_not_put_a_clock_back),
          cmocka_unit_test(what_is_no_time_is_refused), cmocka_unit_test(who_starts_believes_the_others),
          cmocka_unit_test(a_round_begins_with_every_tenth_message),
          cmocka_unit_test(clocks_meet_in_the_middle), cmocka_unit_test(half_the_round_trip_is_taken_off),
          cmocka_unit_test(a_broken_clock_is_corrected_and_has_no_say),
          cmocka_unit_test(one_other_clock_that_shows_nonsense_does_not_move_ours),
          cmocka_unit_test(who_is_slow_silent_or_absurd_is_left_out),
          cmocka_unit_test(a_correction_counts_once_and_for_its_round_only))
