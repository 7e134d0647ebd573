/* paxos/kept: a ring that moves along with the instances. */
#include "common/random.h"
#include "paxos/kept.h"
#include "paxos/limits.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

static const struct ballot ballot = {3, 1};

static struct value *value_of(const char *bytes, size_t length)
{
    return value_create(&(struct client_command){.bytes = bytes, .length = length}, 1);
}

static void it_moves_along(void **state)
{
    struct kept kept = {0};
    (void)state;

    assert_null(kept_find(&kept, 1));
    assert_true(kept_put(&kept, 2, ballot, NULL));
    assert_null(kept_find(&kept, 1));
    assert_non_null(kept_find(&kept, 2));
    assert_true(kept_last(&kept) == 2);
    kept_forget(&kept, 2);
    assert_null(kept_find(&kept, 2));
    assert_false(kept_put(&kept, 2, ballot, NULL));
    assert_false(kept_put(&kept, 0, ballot, NULL));
    assert_true(kept_last(&kept) == 2);
    assert_false(kept_put(&kept, PAXOS_KEPT_MAX + 3, ballot, NULL));
    assert_true(kept_put(&kept, PAXOS_KEPT_MAX + 2, ballot, NULL));
    kept_forget(&kept, UINT64_MAX - 1);
    assert_true(kept_last(&kept) == UINT64_MAX - 1 && kept.bytes == 0);
    kept_free(&kept);
}

static void what_it_costs_is_counted(void **state)
{
    struct kept kept = {0};
    struct value *value = value_of("12345", 5);
    (void)state;

    kept_put(&kept, 1, ballot, value);
    assert_int_equal(kept.bytes, KEPT_OVERHEAD + 6);
    kept_put(&kept, 1, ballot, NULL);
    assert_int_equal(kept.bytes, KEPT_OVERHEAD);
    kept_put(&kept, 3, ballot, value);
    assert_int_equal(kept.bytes, 2 * KEPT_OVERHEAD + 6);
    kept_forget(&kept, 2);
    assert_int_equal(kept.bytes, KEPT_OVERHEAD + 6);
    kept_free(&kept);
    assert_int_equal(value->references, 1);
    value_release(value);
}

#define INSTANCES 4000

/* Against a plain array, with holes, in random steps: the ring wraps and grows many times. */
static void it_is_what_an_array_would_be(void **state)
{
    static struct value *model[INSTANCES + 1];
    struct random random = {7};
    struct kept kept = {0};
    uint64_t forgotten = 0;
    (void)state;

    while (forgotten < INSTANCES - 200) {
        uint64_t instance = forgotten + 1 + random_below(&random, 1 + random_below(&random, 150));
        struct value *value = value_of("x", random_below(&random, 2));
        assert_true(kept_put(&kept, instance, ballot, value));
        value_release(model[instance]);
        model[instance] = value;
        if (random_below(&random, 10) == 0) {
            forgotten += random_below(&random, 60);
            kept_forget(&kept, forgotten);
        }
        for (uint64_t i = forgotten > 50 ? forgotten - 50 : 1; i <= forgotten + 160; i++) {
            const struct proposal *proposal = kept_find(&kept, i);
            bool wanted = i > forgotten && model[i] != NULL;
            assert_true((proposal != NULL) == wanted);
            assert_true(proposal == NULL || (proposal->value == model[i] && proposal->instance == i));
        }
    }
    kept_free(&kept);
    for (size_t i = 0; i <= INSTANCES; i++) {
        assert_true(model[i] == NULL || model[i]->references == 1);
        value_release(model[i]);
    }
}

UNIT_MAIN(cmocka_unit_test(it_moves_along), cmocka_unit_test(what_it_costs_is_counted),
          cmocka_unit_test(it_is_what_an_array_would_be))
