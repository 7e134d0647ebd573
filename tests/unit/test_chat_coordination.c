/* parte5-chat/bully, lease and reference: who leads, told as what one server hears and wants done. */
#include "parte5-chat/bully.h"
#include "parte5-chat/lease.h"
#include "parte5-chat/reference.h"

#include "tests/unit/unit.h"

#define TIMEOUT_MS 1000
#define ANSWER_MS  200
#define LEASE_MS   900

/* What it wants done, and nothing else, in this order. */
static void expect(struct coordinations *out, size_t count, const enum coordination_type *types)
{
    assert_int_equal(out->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(out->items[i].type, types[i]);
    }
    out->count = 0;
}

#define EXPECT(out, ...)                                                                                     \
    expect(out, sizeof((enum coordination_type[]){__VA_ARGS__}) / sizeof(enum coordination_type),            \
           (enum coordination_type[]){__VA_ARGS__})

static void expect_nothing(struct coordinations *out)
{
    expect(out, 0, NULL);
}

/* ---- the election ---- */

static void begin_bully(struct bully *bully, unsigned self)
{
    bully_init(bully,
               &(struct bully_options){.self = self,
                                       .servers = SERVER_BIT(1) | SERVER_BIT(2) | SERVER_BIT(3),
                                       .timeout_ms = TIMEOUT_MS,
                                       .answer_ms = ANSWER_MS},
               0);
}

/* Ticks as a server does, until `until_ms` or until something is wanted. */
static uint64_t bully_wait(struct bully *bully, uint64_t now_ms, uint64_t until_ms, struct coordinations *out)
{
    while (now_ms < until_ms && out->count == 0) {
        now_ms += 50;
        bully_tick(bully, now_ms, out);
    }
    return now_ms;
}

static void the_lowest_live_rank_leads(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 2);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(1) | SERVER_BIT(2)}, 0,
               &out);
    bully_tick(&bully, 50, &out);
    expect_nothing(&out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(2) | SERVER_BIT(3)}, 60,
               &out);
    bully_tick(&bully, 100, &out);
    EXPECT(&out, COORDINATION_LEAD);
    assert_int_equal(bully.epoch % EPOCHS_APART, 2);
    assert_true(bully_may_serve(&bully, 100));
    coordination_free(&out);
}

static void without_a_reference_server_the_strongest_that_answers_leads(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 3);
    uint64_t now_ms = bully_wait(&bully, 0, 2 * TIMEOUT_MS, &out);
    assert_int_equal(now_ms, TIMEOUT_MS);
    EXPECT(&out, COORDINATION_SEND, COORDINATION_SEND);
    bully_hear(&bully, &(struct notice){.type = NOTICE_ELECTION_OK, .from = 2}, now_ms, &out);
    now_ms = bully_wait(&bully, now_ms, now_ms + TIMEOUT_MS - 50, &out);
    expect_nothing(&out); /* it waits for the other to lead; which does not, so it asks again, */
    now_ms = bully_wait(&bully, now_ms, now_ms + 50, &out);
    EXPECT(&out, COORDINATION_SEND, COORDINATION_SEND);
    bully_wait(&bully, now_ms, now_ms + ANSWER_MS, &out); /* and now nobody answers */
    EXPECT(&out, COORDINATION_LEAD);
    coordination_free(&out);
}

static void a_leader_that_is_heard_is_alive_whatever_an_older_list_says(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 2);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(2)}, 0, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 1, .epoch = EPOCHS_APART + 1}, 0,
               &out);
    bully_wait(&bully, 0, TIMEOUT_MS - 50, &out);
    expect_nothing(&out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(2)}, TIMEOUT_MS - 50,
               &out);
    bully_tick(&bully, TIMEOUT_MS, &out); /* but not once it is silent */
    EXPECT(&out, COORDINATION_LEAD);
    coordination_free(&out);
}

static void a_weaker_server_is_told_to_leave_it(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 2);
    bully_hear(&bully, &(struct notice){.type = NOTICE_ELECTION, .from = 3}, 0, &out);
    EXPECT(&out, COORDINATION_SEND);
    assert_int_equal(out.items[0].to, 3);
    assert_int_equal(out.items[0].notice.type, NOTICE_ELECTION_OK);
    bully_hear(&bully, &(struct notice){.type = NOTICE_ELECTION, .from = 1}, 0, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_ELECTION, .from = 4000000000U}, 0, &out);
    expect_nothing(&out);
    coordination_free(&out);
}

static void a_later_epoch_ends_a_reign_and_an_earlier_one_does_not(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 1);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(1)}, 0, &out);
    bully_tick(&bully, 50, &out);
    EXPECT(&out, COORDINATION_LEAD);
    int64_t epoch = bully.epoch;
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 2, .epoch = epoch - 1}, 60, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 2, .epoch = INT64_MAX}, 60, &out);
    expect_nothing(&out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 2, .epoch = epoch + 1}, 60, &out);
    EXPECT(&out, COORDINATION_STEP_DOWN);
    assert_false(bully_may_serve(&bully, 60));
    bully_tick(&bully, 100, &out); /* the list says that it is the strongest still: with a later epoch */
    EXPECT(&out, COORDINATION_LEAD);
    assert_true(bully.epoch > epoch + 1);
    bully_leave(&bully, 110, &out);
    EXPECT(&out, COORDINATION_STEP_DOWN);
    coordination_free(&out);
}

static void nobody_believes_what_was_never_counted(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 1);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(1)}, 0, &out);
    bully_tick(&bully, 50, &out);
    EXPECT(&out, COORDINATION_LEAD);
    int64_t epoch = bully.epoch;
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 2, .epoch = EPOCH_MAX}, 60, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 2, .epoch = 1 << 30}, 60, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 9, .epoch = epoch + 64}, 60,
               &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_ELECTION, .from = 9}, 60, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_ELECTION_OK, .from = 9}, 60, &out);
    expect_nothing(&out);
    assert_int_equal(bully.epoch, epoch);
    assert_true(epoch_is_credible(0, INT64_C(1) << 40)); /* who has just come cannot know */
    assert_false(epoch_is_credible(0, EPOCH_MAX));
    assert_false(epoch_is_credible(EPOCH_MAX - 1, EPOCH_MAX));
    coordination_free(&out);
}

static void who_slept_for_a_minute_does_not_miss_anybody(void **state)
{
    struct bully bully;
    struct coordinations out = {0};

    (void)state;
    begin_bully(&bully, 2);
    bully_hear(&bully, &(struct notice){.type = NOTICE_COORDINATOR, .from = 1, .epoch = 65}, 0, &out);
    bully_hear(&bully, &(struct notice){.type = NOTICE_LIST, .servers = SERVER_BIT(1) | SERVER_BIT(2)}, 0,
               &out);
    bully_tick(&bully, 60000, &out);
    expect_nothing(&out);
    coordination_free(&out);
}

/* ---- the lease ---- */

static void begin_lease(struct lease *lease)
{
    lease_init(lease, &(struct lease_options){.self = 1, .lease_ms = LEASE_MS, .drift_ppm = 1000}, 0);
}

static struct notice file(unsigned owner, int64_t fence, int64_t beat)
{
    return (struct notice){.type = NOTICE_LOCK, .lock = {owner, fence, beat}};
}

static void hear(struct lease *lease, struct notice notice, uint64_t now_ms, struct coordinations *out)
{
    lease_hear(lease, &notice, now_ms, out);
}

/* It reads that there is no file, and takes it; asked at 20, heard at 60. */
static void lead(struct lease *lease, struct coordinations *out)
{
    begin_lease(lease);
    lease_tick(lease, 0, out);
    EXPECT(out, COORDINATION_READ_LOCK);
    hear(lease, file(NO_SERVER, 4, 9), 10, out);
    lease_tick(lease, 20, out);
    assert_int_equal(out->items[0].wanted.fence, 5);
    EXPECT(out, COORDINATION_SWAP_LOCK);
    hear(lease, file(1, 5, 0), 60, out);
    assert_int_equal(out->items[0].epoch, 5);
    EXPECT(out, COORDINATION_LEAD);
}

static void a_lease_lasts_from_before_it_was_asked_for(void **state)
{
    struct lease lease;
    struct coordinations out = {0};

    (void)state;
    lead(&lease, &out);
    assert_true(lease_may_serve(&lease, 20 + LEASE_MS - 1));
    assert_false(lease_may_serve(&lease, 20 + LEASE_MS));
    lease_tick(&lease, 20 + LEASE_MS / 3, &out);
    EXPECT(&out, COORDINATION_SWAP_LOCK);
    hear(&lease, file(1, 5, 1), 400, &out);
    assert_true(lease_may_serve(&lease, 20 + LEASE_MS / 3 + LEASE_MS - 1));
    assert_false(lease_may_serve(&lease, 20 + LEASE_MS / 3 + LEASE_MS));
    coordination_free(&out);
}

static void a_renewal_that_comes_too_late_is_none(void **state)
{
    struct lease lease;
    struct coordinations out = {0};

    (void)state;
    lead(&lease, &out);
    lease_tick(&lease, 400, &out);
    EXPECT(&out, COORDINATION_SWAP_LOCK);
    hear(&lease, file(1, 5, 1), 5000, &out); /* it was stopped */
    EXPECT(&out, COORDINATION_STEP_DOWN);
    assert_false(lease_may_serve(&lease, 5000));
    hear(&lease, file(1, 5, 1), 5001, &out);
    expect_nothing(&out);
    lease_tick(&lease, 5000 + LEASE_MS, &out); /* its own lease, too, it takes only after it has run out, */
    EXPECT(&out, COORDINATION_READ_LOCK);
    hear(&lease, file(1, 5, 1), 5000 + LEASE_MS, &out);
    lease_tick(&lease, 5000 + 2 * LEASE_MS, &out);
    assert_int_equal(out.items[0].wanted.fence, 6); /* with another number */
    EXPECT(&out, COORDINATION_SWAP_LOCK);
    coordination_free(&out);
}

static void who_finds_another_owner_stops(void **state)
{
    struct lease lease;
    struct coordinations out = {0};

    (void)state;
    lead(&lease, &out);
    lease_tick(&lease, 400, &out);
    EXPECT(&out, COORDINATION_SWAP_LOCK);
    hear(&lease, file(2, 6, 0), 410, &out);
    EXPECT(&out, COORDINATION_STEP_DOWN);
    assert_false(lease_may_serve(&lease, 410));
    coordination_free(&out);
}

static void a_follower_waits_longer_than_a_lease_and_from_the_last_renewal(void **state)
{
    struct lease lease;
    struct coordinations out = {0};

    (void)state;
    begin_lease(&lease);
    lease_tick(&lease, 0, &out);
    hear(&lease, file(2, 5, 1), 100, &out);
    out.count = 0;
    lease_tick(&lease, 100 + LEASE_MS, &out);
    EXPECT(&out, COORDINATION_READ_LOCK);
    hear(&lease, file(2, 5, 2), 1010, &out); /* it lives */
    lease_tick(&lease, 1010 + LEASE_MS + 2, &out);
    EXPECT(&out, COORDINATION_READ_LOCK); /* by a slow clock it may still hold */
    hear(&lease, file(2, 5, 2), 1920, &out);
    lease_tick(&lease, 1010 + LEASE_MS + 4, &out);
    EXPECT(&out, COORDINATION_SWAP_LOCK);
    hear(&lease, file(3, 6, 0), 1930, &out); /* another was quicker */
    expect_nothing(&out);
    assert_false(lease_may_serve(&lease, 1930));
    coordination_free(&out);
}

static void who_leaves_frees_the_file(void **state)
{
    struct lease lease;
    struct coordinations out = {0};

    (void)state;
    lead(&lease, &out);
    lease_leave(&lease, 70, &out);
    assert_int_equal(out.items[1].wanted.owner, NO_SERVER);
    EXPECT(&out, COORDINATION_STEP_DOWN, COORDINATION_SWAP_LOCK);
    hear(&lease, file(NO_SERVER, 5, 1), 80, &out);
    expect_nothing(&out);
    assert_false(lease_may_serve(&lease, 80));
    coordination_free(&out);
}

static void a_volume_refuses_stale_numbers(void **state)
{
    int64_t highest = 0;

    (void)state;
    assert_true(lease_admits(&highest, 3));
    assert_true(lease_admits(&highest, 3));
    assert_false(lease_admits(&highest, 2));
    assert_true(lease_admits(&highest, 4));
    assert_false(lease_admits(&highest, 3));
    assert_int_equal(highest, 4);
}

/* ---- the reference server ---- */

static void ranks_stay_and_silence_is_noticed(void **state)
{
    struct reference reference;

    (void)state;
    reference_init(&reference, TIMEOUT_MS, 0);
    assert_int_equal(reference_rank(&reference, TEXT("b"), NULL), 1);
    assert_int_equal(reference_rank(&reference, TEXT("a"), NULL), 2);
    assert_int_equal(reference_rank(&reference, TEXT("b"), NULL), 1);
    assert_text_equal(reference_name(&reference, 2), TEXT("a"));
    assert_null(reference_name(&reference, 0).bytes);
    assert_null(reference_name(&reference, 3).bytes);
    assert_false(reference_heartbeat(&reference, TEXT("c")));
    for (uint64_t now_ms = 50; now_ms <= TIMEOUT_MS; now_ms += 50) {
        assert_int_equal(reference_list(&reference), SERVER_BIT(1) | SERVER_BIT(2));
        assert_true(reference_heartbeat(&reference, TEXT("a")));
        reference_tick(&reference, now_ms);
    }
    assert_int_equal(reference_list(&reference), SERVER_BIT(2));
    assert_true(reference_heartbeat(&reference, TEXT("b")));
    assert_int_equal(reference_list(&reference), SERVER_BIT(1) | SERVER_BIT(2));
    reference_tick(&reference, 3600000); /* the reference server itself was stopped */
    assert_int_equal(reference_list(&reference), SERVER_BIT(1) | SERVER_BIT(2));
}

static void ranks_are_bounded_and_names_are_names(void **state)
{
    struct reference reference;
    char name[] = "server-x";

    (void)state;
    reference_init(&reference, TIMEOUT_MS, 0);
    assert_int_equal(reference_rank(&reference, TEXT("a/b"), NULL), ERROR_FIELD_VALUE);
    for (int i = 0; i < SERVERS_MAX; i++) {
        name[7] = (char)('0' + i);
        int rank = reference_rank(&reference, text_of(name), NULL);
        assert_int_equal(rank, name[7] == '\\' ? ERROR_FIELD_VALUE : (int)reference.count);
    }
    assert_int_equal(reference_rank(&reference, TEXT("last"), NULL), SERVERS_MAX);
    assert_int_equal(reference_rank(&reference, TEXT("one more"), NULL), ERROR_FULL);
}

UNIT_MAIN(cmocka_unit_test(the_lowest_live_rank_leads),
          cmocka_unit_test(without_a_reference_server_the_strongest_that_answers_leads),
          cmocka_unit_test(a_leader_that_is_heard_is_alive_whatever_an_older_list_says),
          cmocka_unit_test(a_weaker_server_is_told_to_leave_it),
          cmocka_unit_test(a_later_epoch_ends_a_reign_and_an_earlier_one_does_not),
          cmocka_unit_test(nobody_believes_what_was_never_counted),
          cmocka_unit_test(who_slept_for_a_minute_does_not_miss_anybody),
          cmocka_unit_test(a_lease_lasts_from_before_it_was_asked_for),
          cmocka_unit_test(a_renewal_that_comes_too_late_is_none),
          cmocka_unit_test(who_finds_another_owner_stops),
          cmocka_unit_test(a_follower_waits_longer_than_a_lease_and_from_the_last_renewal),
          cmocka_unit_test(who_leaves_frees_the_file), cmocka_unit_test(a_volume_refuses_stale_numbers),
          cmocka_unit_test(ranks_stay_and_silence_is_noticed),
          cmocka_unit_test(ranks_are_bounded_and_names_are_names))
