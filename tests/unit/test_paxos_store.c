/* The three failures of the original assignment, and a coordinator that dies between the phases. */
#include "paxos/coordinator.h"
#include "tests/unit/unit.h"

#define TIMEOUT 100

struct cluster {
    struct coordinator coordinator;
    struct store stores[3];
};

static const struct store_write first = {1, 10, "a", 1};
static const struct store_write second = {2, 20, "bb", 2};

static void begin_coordinator(struct cluster *cluster, uint64_t finished)
{
    coordinator_init(&cluster->coordinator, 3, finished, TIMEOUT);
    for (uint32_t i = 1; i <= 3; i++) {
        coordinator_rejoin(&cluster->coordinator, i, cluster->stores[i - 1].complete);
    }
}

static void begin(struct cluster *cluster)
{
    for (unsigned i = 0; i < 3; i++) {
        store_init(&cluster->stores[i]);
    }
    begin_coordinator(cluster, 0);
}

static void end(struct cluster *cluster)
{
    for (unsigned i = 0; i < 3; i++) {
        store_free(&cluster->stores[i]);
    }
}

/* The stores in `up` take part in a phase. */
static void phase(struct cluster *cluster, const struct store_write *write, uint32_t up)
{
    bool prepares = cluster->coordinator.phase == COORDINATOR_PREPARES;

    for (uint32_t i = 1; i <= 3; i++) {
        if ((up & coordinator_unanswered(&cluster->coordinator) & members_bit(i)) != 0) {
            struct store *store = &cluster->stores[i - 1];
            enum store_answer answer =
                prepares ? store_prepare(store, "x", write, 0) : store_commit(store, "x", write->number);
            if (answer == STORE_DONE) {
                store_completed(store, write->number, write->number);
            }
            coordinator_answer(&cluster->coordinator, i, write->number, answer, 0);
        }
    }
}

static void synchronize(struct store *store, const struct store_write *write)
{
    store_synchronize(store, "x", write);
    store_completed(store, 1, write->number);
}

static void expect_version(const struct cluster *cluster, unsigned store, uint64_t version)
{
    const struct resource *resource = store_find(&cluster->stores[store - 1], "x");
    assert_int_equal(resource == NULL ? 0 : resource->version, version);
}

static const uint32_t all = 2 | 4 | 8;
static const uint32_t without_third = 2 | 4;

static void a_write_reaches_all_stores(void **state)
{
    struct cluster cluster;

    (void)state;
    begin(&cluster);
    assert_true(coordinator_begin(&cluster.coordinator, 1, 0));
    phase(&cluster, &first, all);
    expect_version(&cluster, 1, 0); /* ready is not shown */
    phase(&cluster, &first, all);
    assert_int_equal(cluster.coordinator.finished, 1);
    for (unsigned i = 1; i <= 3; i++) {
        expect_version(&cluster, i, 1);
    }
    assert_false(coordinator_begin(&cluster.coordinator, 1, 0));
    end(&cluster);
}

/* Failures 1 and 2: before the write, or before it said ready. */
static void a_store_that_fails_before_it_is_ready_is_left_out_and_synchronises(void **state)
{
    struct cluster cluster;

    (void)state;
    begin(&cluster);
    coordinator_begin(&cluster.coordinator, 1, 0);
    phase(&cluster, &first, without_third);
    assert_int_equal(cluster.coordinator.phase, COORDINATOR_PREPARES);
    assert_false(coordinator_tick(&cluster.coordinator, TIMEOUT - 1));
    assert_true(coordinator_tick(&cluster.coordinator, TIMEOUT));
    phase(&cluster, &first, without_third);
    assert_int_equal(cluster.coordinator.finished, 1);
    assert_false(store_compare(&cluster.stores[2], 1));
    assert_false(coordinator_rejoin(&cluster.coordinator, 3, cluster.stores[2].complete));
    synchronize(&cluster.stores[2], &first);
    assert_true(store_compare(&cluster.stores[2], 1));
    assert_true(store_may_read(&cluster.stores[2], 1));
    assert_false(store_may_read(&cluster.stores[2], 2));
    assert_true(coordinator_rejoin(&cluster.coordinator, 3, cluster.stores[2].complete));
    expect_version(&cluster, 3, 1);
    end(&cluster);
}

/* Failure 3. */
static void a_store_that_fails_after_it_was_ready_asks_for_the_outcome(void **state)
{
    struct cluster cluster;

    (void)state;
    begin(&cluster);
    coordinator_begin(&cluster.coordinator, 1, 0);
    phase(&cluster, &first, all);
    phase(&cluster, &first, without_third);
    assert_true(coordinator_tick(&cluster.coordinator, TIMEOUT));
    assert_int_equal(cluster.coordinator.live, without_third);
    const struct store_pending *doubt = store_in_doubt(&cluster.stores[2], 0, TIMEOUT, TIMEOUT);
    assert_non_null(doubt);
    assert_true(coordinator_is_committed(&cluster.coordinator, doubt->number));
    assert_int_equal(store_commit(&cluster.stores[2], "x", 1), STORE_DONE);
    store_completed(&cluster.stores[2], 1, 1);
    assert_true(coordinator_rejoin(&cluster.coordinator, 3, cluster.stores[2].complete));
    expect_version(&cluster, 3, 1);
    end(&cluster);
}

static void another_coordinator_ends_what_one_began(void **state)
{
    struct cluster cluster;

    (void)state;
    begin(&cluster);
    coordinator_begin(&cluster.coordinator, 1, 0);
    phase(&cluster, &first, all); /* all are ready, and it dies */
    begin_coordinator(&cluster, 0);
    assert_false(coordinator_is_committed(&cluster.coordinator, 1));
    coordinator_begin(&cluster.coordinator, 1, 0);
    phase(&cluster, &first, all);
    phase(&cluster, &first, all);
    assert_int_equal(cluster.coordinator.finished, 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_null(store_in_doubt(&cluster.stores[i - 1], 0, UINT64_MAX, 0));
    }
    end(&cluster);
}

/* Its learner applied more than it had taken to the stores. */
static void a_coordinator_that_starts_takes_nobody_on_trust(void **state)
{
    struct cluster cluster;

    (void)state;
    begin(&cluster);
    begin_coordinator(&cluster, 1);
    assert_int_equal(cluster.coordinator.live, 0);
    assert_true(coordinator_begin(&cluster.coordinator, 2, 0));
    assert_false(coordinator_tick(&cluster.coordinator, 10 * TIMEOUT));
    synchronize(&cluster.stores[1], &first);
    assert_true(coordinator_rejoin(&cluster.coordinator, 2, 1));
    phase(&cluster, &second, all);
    assert_int_equal(cluster.coordinator.phase, COORDINATOR_COMMITS);
    assert_false(coordinator_rejoin(&cluster.coordinator, 1, 1)); /* 2 is being committed */
    assert_true(coordinator_rejoin(&cluster.coordinator, 1, 2));
    phase(&cluster, &second, all);
    assert_int_equal(cluster.coordinator.finished, 2);
    assert_int_equal(cluster.coordinator.live, 2 | 4);
    end(&cluster);
}

static void a_store_that_catches_up_is_waited_for_once(void **state)
{
    struct coordinator coordinator;

    (void)state;
    coordinator_init(&coordinator, 3, 0, TIMEOUT);
    coordinator_hold(&coordinator, 5);
    assert_false(coordinator_begin(&coordinator, 1, TIMEOUT + 4));
    coordinator_hold(&coordinator, TIMEOUT + 4);
    assert_true(coordinator_begin(&coordinator, 1, TIMEOUT + 5));
    coordinator_init(&coordinator, 3, 0, TIMEOUT);
    coordinator_hold(&coordinator, 5);
    assert_true(coordinator_rejoin(&coordinator, 2, 0));
    assert_true(coordinator_begin(&coordinator, 1, 6));
}

/* The network was cut for long: who answers first does not drive the others out. */
static void nobody_is_left_out_for_a_time_in_which_nobody_answered(void **state)
{
    struct cluster cluster;

    (void)state;
    begin(&cluster);
    coordinator_begin(&cluster.coordinator, 1, 0);
    assert_false(coordinator_tick(&cluster.coordinator, 5 * TIMEOUT));
    coordinator_answer(&cluster.coordinator, 2, 1, STORE_READY, 5 * TIMEOUT);
    assert_false(coordinator_tick(&cluster.coordinator, 5 * TIMEOUT));
    assert_int_equal(coordinator_unanswered(&cluster.coordinator), 2 | 8);
    assert_true(coordinator_tick(&cluster.coordinator, 6 * TIMEOUT));
    assert_int_equal(cluster.coordinator.live, 4);
    end(&cluster);
}

static void late_and_repeated_messages_change_nothing(void **state)
{
    struct store store;

    (void)state;
    store_init(&store);
    assert_int_equal(store_commit(&store, "x", 1), STORE_UNKNOWN);
    assert_int_equal(store_prepare(&store, "x", &first, 0), STORE_READY);
    assert_int_equal(store_commit(&store, "y", 1), STORE_UNKNOWN); /* not of this resource */
    assert_int_equal(store_abort(&store, "y", 1), STORE_DONE);
    assert_int_equal(store_abort(&store, "x", 1), STORE_DONE);
    assert_int_equal(store_commit(&store, "x", 1), STORE_UNKNOWN);
    assert_int_equal(store_prepare(&store, "x", &second, 0), STORE_READY);
    assert_int_equal(store_commit(&store, "x", 2), STORE_DONE);
    assert_int_equal(store_prepare(&store, "x", &first, 0), STORE_READY);
    assert_int_equal(store_commit(&store, "x", 1), STORE_DONE);
    assert_int_equal(store_find(&store, "x")->version, 2);
    assert_int_equal(store_find(&store, "x")->data.length, 2);
    store_free(&store);
}

/* Two learners drive the same writes; the one that is ahead may be in the middle of a later one. */
static void writes_of_one_resource_may_wait_together(void **state)
{
    struct store store;

    (void)state;
    store_init(&store);
    assert_int_equal(store_prepare(&store, "x", &second, 5), STORE_READY);
    assert_int_equal(store_prepare(&store, "x", &first, 7), STORE_READY);
    assert_null(store_find(&store, "x"));
    assert_int_equal(store_commit(&store, "x", 1), STORE_DONE);
    assert_int_equal(store_find(&store, "x")->version, 1);
    assert_null(store_find_pending(&store, 1));
    assert_int_equal(store_find_pending(&store, 2)->since_ms, 5);
    assert_int_equal(store_commit(&store, "x", 2), STORE_DONE);
    assert_int_equal(store.pending_count, 0);
    assert_int_equal(store_prepare(&store, "x", &first, 0), STORE_READY); /* too late to wait for anything */
    assert_int_equal(store.pending_count, 0);
    store_free(&store);
}

static void a_store_that_missed_a_batch_knows(void **state)
{
    struct store store;

    (void)state;
    store_init(&store);
    assert_true(store_follows(&store, 1));
    assert_false(store_follows(&store, 2));
    store_completed(&store, 1, 10);
    assert_true(store_follows(&store, 11));
    store_completed(&store, 12, 20); /* without 11 */
    assert_int_equal(store.complete, 10);
    store_completed(&store, 4, 7); /* a learner that is behind */
    assert_int_equal(store.complete, 10);
    store_completed(&store, 1, 30);
    assert_true(store_follows(&store, 31));
    store_free(&store);
}

static void what_waits_is_bounded(void **state)
{
    struct store store;
    struct store_write write = {.data = "a", .length = 1};

    (void)state;
    store_init(&store);
    for (write.number = 1; write.number <= STORE_PENDING_MAX; write.number++) {
        assert_int_equal(store_prepare(&store, "x", &write, 0), STORE_READY);
    }
    assert_int_equal(store_prepare(&store, "x", &write, 0), STORE_BUSY);
    assert_int_equal(store_commit(&store, "x", STORE_PENDING_MAX), STORE_DONE);
    assert_int_equal(store_prepare(&store, "x", &write, 0), STORE_READY);
    store_free(&store);
}

UNIT_MAIN(cmocka_unit_test(writes_of_one_resource_may_wait_together),
          cmocka_unit_test(a_store_that_missed_a_batch_knows), cmocka_unit_test(what_waits_is_bounded),
          cmocka_unit_test(a_write_reaches_all_stores),
          cmocka_unit_test(a_store_that_fails_before_it_is_ready_is_left_out_and_synchronises),
          cmocka_unit_test(a_store_that_fails_after_it_was_ready_asks_for_the_outcome),
          cmocka_unit_test(another_coordinator_ends_what_one_began),
          cmocka_unit_test(a_coordinator_that_starts_takes_nobody_on_trust),
          cmocka_unit_test(a_store_that_catches_up_is_waited_for_once),
          cmocka_unit_test(nobody_is_left_out_for_a_time_in_which_nobody_answered),
          cmocka_unit_test(late_and_repeated_messages_change_nothing))
