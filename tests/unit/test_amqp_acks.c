/* common/net/amqp_acks: acknowledgements in any order become few, and none stands for what was not dealt with. */
#include "common/net/amqp_acks.h"
#include "common/random.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void assert_ready(struct amqp_acks *acks, size_t place, uint64_t connection, uint64_t tag,
                         bool multiple)
{
    assert_true(place < acks->ready.count);
    assert_int_equal(acks->ready.items[place].connection, connection);
    assert_int_equal(acks->ready.items[place].tag, tag);
    assert_int_equal(acks->ready.items[place].multiple, multiple);
}

static void in_order_they_are_one(void **state)
{
    (void)state;
    struct amqp_acks acks = {0};

    for (uint64_t tag = 1; tag <= 1000; tag++) {
        amqp_acks_add(&acks, 1, tag);
    }
    assert_int_equal(acks.ready.count, 1);
    assert_ready(&acks, 0, 1, 1000, true);
    amqp_acks_free(&acks);
}

static void beyond_a_gap_they_are_single(void **state)
{
    (void)state;
    struct amqp_acks acks = {0};

    amqp_acks_add(&acks, 1, 2);
    amqp_acks_add(&acks, 1, 3);
    amqp_acks_add(&acks, 1, 5);
    amqp_acks_add(&acks, 1, 1);
    amqp_acks_add(&acks, 1, 4);
    amqp_acks_add(&acks, 1, 6);
    assert_int_equal(acks.ready.count, 4);
    assert_ready(&acks, 0, 1, 2, false);
    assert_ready(&acks, 1, 1, 3, false);
    assert_ready(&acks, 2, 1, 5, false);
    assert_ready(&acks, 3, 1, 6, true); /* a multiple names what is not acknowledged yet */
    assert_int_equal(acks.island_count, 0);
    amqp_acks_free(&acks);
}

static void twice_is_once(void **state)
{
    (void)state;
    struct amqp_acks acks = {0};
    static const uint64_t tags[] = {1, 1, 3, 3, 4, 3, 2, 2, 4, 1};

    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        amqp_acks_add(&acks, 1, tags[i]);
    }
    assert_int_equal(acks.ready.count, 4);
    assert_int_equal(acks.settled, 4);
    amqp_acks_free(&acks);
}

static void an_earlier_connection_is_forgotten(void **state)
{
    (void)state;
    struct amqp_acks acks = {0};

    amqp_acks_add(&acks, 1, 1);
    amqp_acks_add(&acks, 1, 7);
    amqp_acks_add(&acks, 3, 1);
    amqp_acks_add(&acks, 1, 2);
    amqp_acks_add(&acks, 3, 2);
    assert_int_equal(acks.ready.count, 3);
    assert_ready(&acks, 0, 1, 1, true);
    assert_ready(&acks, 1, 1, 7, false);
    assert_ready(&acks, 2, 3, 2, true);
    assert_int_equal(acks.island_count, 0);
    amqp_acks_free(&acks);
}

static void moving_keeps_the_order(void **state)
{
    (void)state;
    struct amqp_acks acks = {0};
    struct amqp_ack_list list = {0};
    struct amqp_ack_list none = {0};

    amqp_acks_add(&acks, 1, 1);
    amqp_ack_list_move(&list, &acks.ready);
    amqp_ack_list_move(&list, &none);
    amqp_acks_add(&acks, 1, 2);
    amqp_acks_add(&acks, 1, 4);
    amqp_ack_list_move(&list, &acks.ready);
    assert_int_equal(acks.ready.count, 0);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.items[0].tag, 1);
    assert_int_equal(list.items[1].tag, 2);
    assert_int_equal(list.items[2].tag, 4);
    free(list.items);
    amqp_acks_free(&acks);
}

/* As RabbitMQ does: every ack must name a delivery that is out; a multiple takes all up to it. */
enum { TAGS = 400 };

static void apply(struct amqp_ack_list *ready, const bool dealt_with[TAGS + 1], bool out[TAGS + 1])
{
    for (size_t i = 0; i < ready->count; i++) {
        uint64_t tag = ready->items[i].tag;
        assert_true(out[tag]);
        for (uint64_t t = ready->items[i].multiple ? 1 : tag; t <= tag; t++) {
            assert_true(dealt_with[t]);
            out[t] = false;
        }
    }
    ready->count = 0;
}

static void in_any_order_all_are_told_and_no_others(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random random = {seed};
        struct amqp_acks acks = {0};
        bool dealt_with[TAGS + 1] = {false};
        bool out[TAGS + 1];
        uint64_t reach =
            1 + random_below(&random, 40); /* how far from the oldest one somebody acknowledges */
        uint64_t oldest = 1;

        memset(out, true, sizeof out);
        while (oldest <= TAGS) {
            uint64_t tag = oldest + random_below(&random, reach);
            if (tag <= TAGS) {
                dealt_with[tag] = true;
                amqp_acks_add(&acks, 1, tag);
            }
            while (oldest <= TAGS && dealt_with[oldest]) {
                oldest++;
            }
            if (random_below(&random, 5) == 0) {
                apply(&acks.ready, dealt_with, out);
            }
        }
        apply(&acks.ready, dealt_with, out);
        for (size_t tag = 1; tag <= TAGS; tag++) {
            assert_false(out[tag]);
        }
        assert_int_equal(acks.settled, TAGS);
        assert_int_equal(acks.island_count, 0);
        amqp_acks_free(&acks);
    }
}

UNIT_MAIN(cmocka_unit_test(in_order_they_are_one), cmocka_unit_test(beyond_a_gap_they_are_single),
          cmocka_unit_test(twice_is_once), cmocka_unit_test(an_earlier_connection_is_forgotten),
          cmocka_unit_test(moving_keeps_the_order), cmocka_unit_test(in_any_order_all_are_told_and_no_others))
