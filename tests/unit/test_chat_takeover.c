/* parte5-chat/replication: a server that takes over, is deposed, or follows. */
#include "tests/unit/unit_replication.h"

static void who_stops_for_moments_takes_over_all_the_same(void **state)
{
    struct fixture *f = *state;

    replication_lead(&f->replication, EPOCH, &f->out);
    stutter(f, 1);
    assert_int_equal(sent(f, 2, NOTE_ASK), 2); /* the first may be lost */
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 2, .epoch = EPOCH});
    stutter(f, PATIENCE_MS / 50 - 2);
    assert_int_equal(wanted(f, REPLICATION_LEADING), 0);
    stutter(f, 1);
    assert_int_equal(wanted(f, REPLICATION_LEADING), 1);
    assert_int_equal(f->replication.members[2].state, MEMBER_COUNTED);
    assert_int_equal(f->replication.members[3].state, MEMBER_OUT);
}

/* What it was told before it slept is worth nothing. */
static void a_candidate_that_slept_long_asks_anew(void **state)
{
    struct fixture *f = *state;

    replication_lead(&f->replication, EPOCH, &f->out);
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 2, .epoch = EPOCH});
    wait(f, PATIENCE_MS - 50);
    f->now_ms += 60000;
    replication_tick(&f->replication, f->now_ms, &f->out);
    assert_int_equal(sent(f, 2, NOTE_ASK), 2);
    assert_false(f->replication.members[2].answered);
    wait(f, PATIENCE_MS - 50);
    assert_int_equal(wanted(f, REPLICATION_LEADING), 0);
}

static void the_furthest_line_is_taken_over(void **state)
{
    struct fixture *f = *state;

    replication_lead(&f->replication, EPOCH, &f->out);
    assert_int_equal(f->out.items[0].type, REPLICATION_PROMISE); /* before anybody is asked */
    hear(f, (struct replication_note){
                .type = NOTE_ANSWER, .from = 2, .epoch = EPOCH, .seq = 9, .last_epoch = 2});
    hear(f, (struct replication_note){
                .type = NOTE_ANSWER, .from = 3, .epoch = EPOCH, .seq = 1, .last_epoch = 3});
    assert_int_equal(sent(f, 3, NOTE_FETCH), 1); /* a later epoch is further than a higher place */
    clear(f);
    struct replication_note note = changes(3, EPOCH, 0, 0);
    note.changes.items[0]->epoch = note.last_epoch = 3;
    hear(f, note);
    assert_int_equal(wanted(f, REPLICATION_LEADING), 1);
    assert_true(chat_has(&f->chat, 1, 3));
    assert_true(chat_has(&f->chat, 2, EPOCH)); /* its own beginning */
}

static void a_later_epoch_deposes_and_an_earlier_one_is_refused(void **state)
{
    struct fixture *f = *state;

    lead(f);
    hear(f, changes(2, EPOCH - 1, 1, EPOCH - 1));
    assert_int_equal(sent(f, 2, NOTE_REFUSE), 1);
    assert_int_equal(chat_last_seq(&f->chat), 1);
    hear(f, (struct replication_note){.type = NOTE_REFUSE, .from = 3, .epoch = EPOCH + 1});
    assert_int_equal(wanted(f, REPLICATION_DEPOSED), 1);
    assert_false(replication_leads(&f->replication));
    assert_int_equal(submit(f, 7), ERROR_NETWORK);
}

static void a_backup_follows_and_asks_for_what_it_misses(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct replication_note){.type = NOTE_PING, .from = 2, .epoch = EPOCH, .counted = true});
    assert_int_equal(sent(f, 2, NOTE_ACK), 1);
    clear(f);
    hear(f, changes(2, EPOCH, 0, 0));
    assert_int_equal(f->out.items[0].type, REPLICATION_RECORD); /* before it says that it has it */
    assert_int_equal(sent(f, 2, NOTE_ACK), 1);
    clear(f);
    hear(f, changes(2, EPOCH, 4, EPOCH));
    assert_int_equal(sent(f, 2, NOTE_FETCH), 1);
    assert_int_equal(chat_last_seq(&f->chat), 1);
    hear(f, changes(3, EPOCH, 1, EPOCH)); /* who does not lead is not believed */
    assert_int_equal(chat_last_seq(&f->chat), 1);
}

static void count_in(struct fixture *f, int64_t said_ms)
{
    hear(f, (struct replication_note){.type = NOTE_PING,
                                      .from = 2,
                                      .epoch = EPOCH,
                                      .seq = 1,
                                      .last_epoch = EPOCH,
                                      .counted = true,
                                      .said_ms = said_ms});
}

static bool is_current(const struct fixture *f)
{
    return replication_is_current(&f->replication, f->now_ms);
}

static void a_backup_serves_reads_while_the_primary_must_wait_for_it(void **state)
{
    struct fixture *f = *state;

    hear(f, (struct replication_note){.type = NOTE_PING, .from = 2, .epoch = EPOCH, .counted = true});
    hear(f, changes(2, EPOCH, 0, 0));
    assert_false(is_current(f)); /* it gets all, and is not waited for yet */
    wait(f, 1000);
    count_in(f, 900);
    assert_false(is_current(f)); /* a ping that took its time */
    count_in(f, 1050);
    assert_false(is_current(f)); /* nobody has heard that yet */
    count_in(f, 1000);
    assert_true(is_current(f));
    wait(f, PATIENCE_MS / 2);
    assert_false(is_current(f));
    count_in(f, 1050);
    assert_true(is_current(f));
    hear(f, changes(2, EPOCH, 4, EPOCH)); /* something is missing */
    assert_false(is_current(f));
    count_in(f, 1100);
    assert_true(is_current(f));
    hear(f, (struct replication_note){.type = NOTE_ASK, .from = 3, .epoch = EPOCH + 1});
    assert_false(is_current(f));
}

static void nonsense_is_not_installed(void **state)
{
    struct fixture *f = *state;
    struct replication_note note;

    hear(f, (struct replication_note){.type = NOTE_PING, .from = 2, .epoch = EPOCH, .counted = true});
    clear(f);
    note = changes(2, EPOCH, 0, 0);
    note.changes.items[0]->seq = 0; /* places must grow, */
    hear(f, note);
    note = changes(2, EPOCH, 0, 0);
    note.changes.items[0]->seq = 2; /* by one: what follows a gap would be lost when it starts again */
    hear(f, note);
    note = changes(2, EPOCH, 7, EPOCH);
    note.whole = true; /* which does not begin at the beginning */
    hear(f, note);
    note = changes(2, EPOCH, 0, 0);
    note.changes.items[0]->epoch = EPOCH + 1; /* of an epoch that its sender does not know */
    hear(f, note);
    note = changes(2, EPOCH, 0, 0);
    note.changes.items[0]->seq = INT64_MAX; /* after that there would be no place */
    hear(f, note);
    hear(f, (struct replication_note){.type = NOTE_PING, .from = 2, .epoch = INT64_MAX});
    hear(f, (struct replication_note){.type = NOTE_PING, .from = 9, .epoch = EPOCH + 1});
    hear(f, (struct replication_note){.type = NOTE_PING, .from = 4000000000U, .epoch = EPOCH + 1});
    assert_int_equal(chat_last_seq(&f->chat), 0);
    assert_int_equal(f->replication.epoch, EPOCH);
    assert_int_equal(wanted(f, REPLICATION_RECORD), 0);
    assert_int_equal(wanted(f, REPLICATION_FORGET), 0);
}

static void what_nobody_can_have_is_not_believed(void **state)
{
    struct fixture *f = *state;

    lead(f);
    assert_int_equal(submit(f, 1), 0);
    clear(f);
    acknowledge(f, 2, INT64_MAX);
    acknowledge(f, 3, INT64_MAX);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 0);
    hear(f, (struct replication_note){.type = NOTE_PING, .from = 2, .epoch = EPOCH_MAX});
    assert_true(replication_leads(&f->replication));
    assert_int_equal(f->out.count, 0);
    acknowledge(f, 2, 2);
    acknowledge(f, 3, 2);
    assert_int_equal(wanted(f, REPLICATION_ANSWER), 1);
}

static void who_said_too_much_is_not_asked_for_ever(void **state)
{
    struct fixture *f = *state;

    replication_lead(&f->replication, EPOCH, &f->out);
    hear(f, (struct replication_note){
                .type = NOTE_ANSWER, .from = 2, .epoch = EPOCH, .seq = INT64_MAX, .last_epoch = 60});
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 3, .epoch = EPOCH});
    assert_int_equal(sent(f, 2, NOTE_FETCH), 1);
    hear(f, (struct replication_note){.type = NOTE_CHANGES, .from = 2, .epoch = EPOCH}); /* it has nothing */
    assert_int_equal(sent(f, 2, NOTE_FETCH), 1);
    assert_int_equal(wanted(f, REPLICATION_LEADING), 1);
}

UNIT_MAIN(REPLICATION_TEST(who_stops_for_moments_takes_over_all_the_same),
          REPLICATION_TEST(a_candidate_that_slept_long_asks_anew),
          REPLICATION_TEST(the_furthest_line_is_taken_over),
          REPLICATION_TEST(a_later_epoch_deposes_and_an_earlier_one_is_refused),
          REPLICATION_TEST(a_backup_follows_and_asks_for_what_it_misses),
          REPLICATION_TEST(a_backup_serves_reads_while_the_primary_must_wait_for_it),
          REPLICATION_TEST(nonsense_is_not_installed), REPLICATION_TEST(what_nobody_can_have_is_not_believed),
          REPLICATION_TEST(who_said_too_much_is_not_asked_for_ever))
