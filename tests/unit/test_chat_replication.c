/* parte5-chat/replication: one server, told as what it hears and what it wants done. */
#include "parte5-chat/replication.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define PATIENCE_MS 200
#define EPOCH       65

struct fixture {
    struct chat chat;
    struct replication replication;
    struct replication_actions out;
    uint64_t now_ms;
};

static int setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.now_ms = 0};
    chat_init(&f.chat);
    replication_init(&f.replication,
                     &(struct replication_options){.self = 1,
                                                   .peers = SERVER_BIT(2) | SERVER_BIT(3),
                                                   .patience_ms = PATIENCE_MS},
                     &f.chat, 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    replication_actions_free(&f->out);
    chat_free(&f->chat);
    return 0;
}

static void hear(struct fixture *f, struct replication_note note)
{
    replication_hear(&f->replication, &note, &f->out);
    replication_note_free(&note);
}

static void wait(struct fixture *f, uint64_t ms)
{
    for (uint64_t waited_ms = 0; waited_ms < ms; waited_ms += 50) {
        f->now_ms += 50;
        replication_tick(&f->replication, f->now_ms, &f->out);
    }
}

/* How often is that wanted, of that peer (of SEND: a note of that type)? */
static unsigned count(const struct fixture *f, enum replication_action_type type, unsigned to,
                      enum replication_note_type note)
{
    unsigned found = 0;

    for (size_t i = 0; i < f->out.count; i++) {
        const struct replication_action *action = &f->out.items[i];
        found += action->type == type &&
                 (type != REPLICATION_SEND || (action->to == to && action->note.type == note));
    }
    return found;
}

static unsigned wanted(const struct fixture *f, enum replication_action_type type)
{
    return count(f, type, 0, NOTE_ASK);
}

static unsigned sent(const struct fixture *f, unsigned to, enum replication_note_type note)
{
    return count(f, REPLICATION_SEND, to, note);
}

static void clear(struct fixture *f)
{
    replication_actions_clear(&f->out);
}

static int submit(struct fixture *f, unsigned request)
{
    char id[40];

    snprintf(id, sizeof id, "%08x-0000-4000-8000-000000000000", request);
    struct change *change =
        change_new(&(struct change){.type = CHANGE_LOGIN, .user = TEXT("ana"), .request_id = text_of(id)});
    int code = replication_submit(&f->replication, change, &f->out, NULL);
    change_unref(change);
    return code;
}

static void acknowledge(struct fixture *f, unsigned from, int64_t seq)
{
    hear(f, (struct replication_note){
                .type = NOTE_ACK, .from = from, .epoch = EPOCH, .seq = seq, .last_epoch = EPOCH});
}

/* It leads, both others count, and its first change is acknowledged. */
static void lead(struct fixture *f)
{
    replication_lead(&f->replication, EPOCH, &f->out);
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 2, .epoch = EPOCH});
    assert_int_equal(wanted(f, REPLICATION_LEADING), 0);
    hear(f, (struct replication_note){.type = NOTE_ANSWER, .from = 3, .epoch = EPOCH});
    assert_int_equal(wanted(f, REPLICATION_LEADING), 1);
    acknowledge(f, 2, 1);
    acknowledge(f, 3, 1);
    clear(f);
}

/* A change as a primary sends it. */
static struct replication_note changes(unsigned from, int64_t epoch, int64_t after_seq, int64_t after_epoch)
{
    struct replication_note note = {.type = NOTE_CHANGES,
                                    .from = from,
                                    .epoch = epoch,
                                    .seq = after_seq + 1,
                                    .last_epoch = epoch,
                                    .after_seq = after_seq,
                                    .after_epoch = after_epoch};
    struct change *change =
        change_new(&(struct change){.type = CHANGE_REIGN, .seq = after_seq + 1, .epoch = epoch});

    change_list_add(&note.changes, change);
    change_unref(change);
    return note;
}

static void ok_comes_after_every_backup(void **state)
{
    struct fixture *f = *state;

    lead(f);
    assert_int_equal(submit(f, 1), 0);
    assert_int_equal(f->out.items[0].type, REPLICATION_RECORD); /* before anybody hears of it */
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
    note.changes.items[0]->epoch = 3;
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

static void nonsense_is_not_installed(void **state)
{
    struct fixture *f = *state;
    struct replication_note note;

    hear(f, (struct replication_note){.type = NOTE_PING, .from = 2, .epoch = EPOCH, .counted = true});
    clear(f);
    note = changes(2, EPOCH, 0, 0);
    note.changes.items[0]->seq = 0; /* places must grow */
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
}

#define REPLICATION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

UNIT_MAIN(REPLICATION_TEST(ok_comes_after_every_backup),
          REPLICATION_TEST(a_backup_that_is_silent_is_dropped_and_the_write_goes_on),
          REPLICATION_TEST(who_was_stopped_drops_nobody),
          REPLICATION_TEST(who_returns_counts_when_it_has_all),
          REPLICATION_TEST(who_is_on_another_line_gets_the_whole),
          REPLICATION_TEST(a_retry_has_no_second_effect), REPLICATION_TEST(who_does_not_lead_takes_nothing),
          REPLICATION_TEST(the_furthest_line_is_taken_over),
          REPLICATION_TEST(a_later_epoch_deposes_and_an_earlier_one_is_refused),
          REPLICATION_TEST(a_backup_follows_and_asks_for_what_it_misses),
          REPLICATION_TEST(nonsense_is_not_installed))
