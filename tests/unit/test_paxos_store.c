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

static void begin(struct cluster *cluster)
{
    coordinator_init(&cluster->coordinator, 3, 0, TIMEOUT);
    for (unsigned i = 0; i < 3; i++) {
        store_init(&cluster->stores[i]);
    }
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
        if ((up & members_bit(i)) != 0) {
            struct store *store = &cluster->stores[i - 1];
            enum store_answer answer =
                prepares ? store_prepare(store, "x", write, 0) : store_commit(store, "x", write->number);
            coordinator_answer(&cluster->coordinator, i, write->number, answer, 0);
        }
    }
}

static void expect_version(const struct cluster *cluster, unsigned store, uint64_t version)
{
    const struct store_resource *resource = store_find(&cluster->stores[store - 1], "x");
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
    assert_false(coordinator_rejoin(&cluster.coordinator, 3, 0));
    store_synchronize(&cluster.stores[2], "x", &first);
    assert_true(coordinator_rejoin(&cluster.coordinator, 3, 1));
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
    const struct store_resource *doubt = store_in_doubt(&cluster.stores[2], 0, TIMEOUT, TIMEOUT);
    assert_non_null(doubt);
    assert_true(coordinator_is_committed(&cluster.coordinator, doubt->pending_number));
    assert_int_equal(store_commit(&cluster.stores[2], "x", 1), STORE_DONE);
    assert_true(coordinator_rejoin(&cluster.coordinator, 3, 1));
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
    coordinator_init(&cluster.coordinator, 3, 0, TIMEOUT);
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

static void late_and_repeated_messages_change_nothing(void **state)
{
    struct store store;

    (void)state;
    store_init(&store);
    assert_int_equal(store_commit(&store, "x", 1), STORE_UNKNOWN);
    assert_int_equal(store_prepare(&store, "x", &first, 0), STORE_READY);
    assert_int_equal(store_prepare(&store, "x", &second, 0), STORE_BUSY);
    assert_int_equal(store_abort(&store, "x", 1), STORE_DONE);
    assert_int_equal(store_prepare(&store, "x", &second, 0), STORE_READY);
    assert_int_equal(store_commit(&store, "x", 2), STORE_DONE);
    assert_int_equal(store_prepare(&store, "x", &first, 0), STORE_READY);
    assert_int_equal(store_commit(&store, "x", 1), STORE_DONE);
    assert_int_equal(store_find(&store, "x")->version, 2);
    assert_int_equal(store_find(&store, "x")->length, 2);
    store_free(&store);
}

UNIT_MAIN(cmocka_unit_test(a_write_reaches_all_stores),
          cmocka_unit_test(a_store_that_fails_before_it_is_ready_is_left_out_and_synchronises),
          cmocka_unit_test(a_store_that_fails_after_it_was_ready_asks_for_the_outcome),
          cmocka_unit_test(another_coordinator_ends_what_one_began),
          cmocka_unit_test(late_and_repeated_messages_change_nothing))
