/* parte5-chat/replication_primary: the server that leads, and its backups. */
#include "tests/unit/unit_replication.h"

static void ok_comes_after_every_backup(void **state)
{
    struct fixture *f = *state;

    lead(f);
    assert_int_equal(submit(f, 1), 0);
    assert_int_equal(f->out.items[2].type, REPLICATION_RECORD); /* while the others hear of it */
    assert_int_equal(sent(f, 2, NOTE_CHANGES), 1);
    assert_int_equal(sent(f, 3, NOTE_CHANGES), 1);
    acknowledge(f, 2, 2);
    acknowledge(f, 2, 2);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 0);
    acknowledge(f, 3, 2);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 1);
    assert_int_equal(wanted(f, REPLICATION_PUBLISH), 1);
}

static void a_backup_that_is_silent_is_dropped_and_the_write_goes_on(void **state)
{
    struct fixture *f = *state;

    lead(f);
    submit(f, 1);
    acknowledge(f, 2, 2);
    wait(f, PATIENCE_MS - 50);
    assert_int_equal(wanted(f, REPLICATION_DROPPED), 0);
    wait(f, 50);
    assert_int_equal(wanted(f, REPLICATION_DROPPED), 1);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 1);
    clear(f);
    submit(f, 2);
    assert_int_equal(sent(f, 3, NOTE_CHANGES), 0);
}

/* When a primary wakes, its time has run out before it has heard what came meanwhile. */
static void who_was_stopped_drops_nobody(void **state)
{
    struct fixture *f = *state;

    lead(f);
    submit(f, 1);
    wait(f, PATIENCE_MS - 50);
    f->now_ms += 60000;
    replication_tick(&f->replication, f->now_ms, &f->out);
    wait(f, PATIENCE_MS - 50);
    assert_int_equal(wanted(f, REPLICATION_DROPPED), 0);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 0);
}

static void who_stops_for_moments_drops_the_silent_all_the_same(void **state)
{
    struct fixture *f = *state;

    lead(f);
    submit(f, 1);
    acknowledge(f, 2, 2);
    stutter(f, PATIENCE_MS / 50 - 1);
    assert_int_equal(wanted(f, REPLICATION_DROPPED), 0); /* what it stood still does not count */
    stutter(f, 1);
    assert_int_equal(wanted(f, REPLICATION_DROPPED), 1);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 1);
}

static void who_returns_counts_when_it_has_all(void **state)
{
    struct fixture *f = *state;

    lead(f);
    submit(f, 1);
    acknowledge(f, 2, 2);
    wait(f, PATIENCE_MS);
    clear(f);
    hear(f, (struct replication_note){
                .type = NOTE_FETCH, .from = 3, .epoch = EPOCH, .seq = 1, .last_epoch = EPOCH});
    assert_int_equal(sent(f, 3, NOTE_CHANGES), 1);
    assert_int_equal(f->out.items[0].note.changes.count, 1);
    assert_false(f->out.items[0].note.whole);
    assert_int_equal(f->replication.members[3].state, MEMBER_JOINING);
    acknowledge(f, 3, 1);
    assert_int_equal(f->replication.members[3].state, MEMBER_JOINING);
    acknowledge(f, 3, 2);
    assert_int_equal(f->replication.members[3].state, MEMBER_COUNTED);
}

static void who_is_on_another_line_gets_the_whole(void **state)
{
    struct fixture *f = *state;

    lead(f);
    hear(f,
         (struct replication_note){.type = NOTE_FETCH, .from = 3, .epoch = EPOCH, .seq = 1, .last_epoch = 3});
    assert_true(f->out.items[0].note.whole);
    assert_int_equal(f->out.items[0].note.changes.count, 1);
}

static void a_retry_has_no_second_effect(void **state)
{
    struct fixture *f = *state;

    lead(f);
    submit(f, 1);
    clear(f);
    assert_int_equal(submit(f, 1), 0);
    assert_int_equal(f->out.count, 0); /* the answer is owed, and comes once */
    acknowledge(f, 2, 2);
    acknowledge(f, 3, 2);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 1);
    clear(f);
    assert_int_equal(submit(f, 1), 0);
    assert_int_equal(f->out.count, 1);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 1);
    assert_int_equal(chat_last_seq(&f->chat), 2);
}

static void who_does_not_lead_takes_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(submit(f, 1), ERROR_NETWORK);
    assert_int_equal(f->out.count, 0);
}

UNIT_MAIN(REPLICATION_TEST(ok_comes_after_every_backup),
          REPLICATION_TEST(a_backup_that_is_silent_is_dropped_and_the_write_goes_on),
          REPLICATION_TEST(who_was_stopped_drops_nobody),
          REPLICATION_TEST(who_stops_for_moments_drops_the_silent_all_the_same),
          REPLICATION_TEST(who_returns_counts_when_it_has_all),
          REPLICATION_TEST(who_is_on_another_line_gets_the_whole),
          REPLICATION_TEST(a_retry_has_no_second_effect), REPLICATION_TEST(who_does_not_lead_takes_nothing))
