/* common/faults, decisions: repeatable message by message, as frequent as asked for, and cut where the partition is. */
#include "common/faults.h"

#include "common/random.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 40000

static const struct fault_settings stormy = {
    .delay_min_ms = 3, .delay_max_ms = 9, .loss = 0.2, .duplicate = 0.3, .seed = 42};

static void assert_same(struct fault_plan a, struct fault_plan b)
{
    assert_int_equal(a.lost, b.lost);
    assert_int_equal(a.cut, b.cut);
    assert_int_equal(a.copies, b.copies);
    assert_int_equal(a.delay_ms[0], b.delay_ms[0]);
    assert_int_equal(a.delay_ms[1], b.delay_ms[1]);
}

/* Up to 200 senders: names that differ in one digit, and names that differ in many. */
static struct text sender_name(unsigned sender, char room[32])
{
    int length = sender % 2 == 0 ? snprintf(room, 32, "node%u", sender)
                                 : snprintf(room, 32, "kv-%u.replica_%u", sender * 7919, sender);
    return (struct text){room, (size_t)length};
}

static void what_meets_a_message_does_not_depend_on_how_senders_mix(void **state)
{
    (void)state;
    enum { senders = 200, each = 30 };
    static struct fault_plan alone[senders][each];
    static struct faults mixed;
    struct random random = {31};
    unsigned done[senders] = {0};
    char room[32];

    for (unsigned sender = 0; sender < senders; sender++) {
        static struct faults faults;
        faults_init(&faults, &stormy, TEXT("node1"));
        for (unsigned k = 0; k < each; k++) {
            alone[sender][k] = faults_plan(&faults, sender_name(sender, room));
        }
    }
    faults_init(&mixed, &stormy, TEXT("node1"));
    for (unsigned left = senders * each; left > 0;) {
        unsigned sender = (unsigned)random_below(&random, senders);
        if (done[sender] < each) {
            assert_same(faults_plan(&mixed, sender_name(sender, room)), alone[sender][done[sender]++]);
            left--;
        }
    }
}

static void more_senders_than_are_told_apart_are_served_all_the_same(void **state)
{
    (void)state;
    static struct faults faults;
    static struct faults alone;
    unsigned lost = 0;
    char room[32];

    faults_init(&faults, &stormy, TEXT("node1"));
    faults_init(&alone, &stormy, TEXT("node1"));
    assert_same(faults_plan(&faults, TEXT("first")), faults_plan(&alone, TEXT("first")));
    for (unsigned i = 0; i < 100 * FAULTS_STREAMS; i++) {
        struct fault_plan plan = faults_plan(&faults, sender_name(i % (10 * FAULTS_STREAMS), room));
        lost += plan.lost;
    }
    assert_in_range(lost, 4800, 5440); /* five standard deviations are 320 */
    assert_same(faults_plan(&faults, TEXT("first")), faults_plan(&alone, TEXT("first")));
}

/* How many of a hundred messages meet something else. */
static unsigned count_differences(const struct fault_settings *a, const char *self_a, const char *sender_a,
                                  const struct fault_settings *b, const char *self_b, const char *sender_b)
{
    static struct faults first;
    static struct faults second;
    unsigned different = 0;

    faults_init(&first, a, text_of(self_a));
    faults_init(&second, b, text_of(self_b));
    for (int i = 0; i < 100; i++) {
        struct fault_plan one = faults_plan(&first, text_of(sender_a));
        struct fault_plan other = faults_plan(&second, text_of(sender_b));
        different += one.copies != other.copies || one.delay_ms[0] != other.delay_ms[0];
    }
    return different;
}

static void the_same_seed_and_names_repeat_everything(void **state)
{
    (void)state;
    assert_int_equal(count_differences(&stormy, "node1", "node2", &stormy, "node1", "node2"), 0);
}

static void another_seed_or_name_is_another_network(void **state)
{
    (void)state;
    struct fault_settings reseeded = stormy;
    reseeded.seed++;
    assert_true(count_differences(&stormy, "node1", "node2", &reseeded, "node1", "node2") > 50);
    assert_true(count_differences(&stormy, "node1", "node2", &stormy, "node3", "node2") > 50);
    assert_true(count_differences(&stormy, "node1", "node2", &stormy, "node1", "node3") > 50);
    assert_true(count_differences(&stormy, "node1", "node2", &stormy, "node2", "node1") > 50);
}

static void loss_and_duplicates_are_as_frequent_as_asked_for(void **state)
{
    (void)state;
    static struct faults faults;
    struct fault_settings settings = {.loss = 0.05, .duplicate = 0.01, .seed = 42};
    unsigned lost = 0;
    unsigned doubled = 0;

    faults_init(&faults, &settings, TEXT("node1"));
    for (int i = 0; i < MANY; i++) {
        struct fault_plan plan = faults_plan(&faults, TEXT("node2"));
        lost += plan.lost;
        doubled += plan.copies == 2;
        assert_int_equal(plan.copies == 0, plan.lost);
    }
    assert_in_range(lost, 1782, 2218);  /* of 40000; five standard deviations are 218 */
    assert_in_range(doubled, 280, 480); /* those not lost; five standard deviations are 97 */
}

static void certainty_is_certain(void **state)
{
    (void)state;
    static struct faults faults;
    struct fault_settings settings = {.loss = 1, .duplicate = 1, .seed = 1};

    faults_init(&faults, &settings, TEXT("node1"));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(faults_plan(&faults, TEXT("node2")).copies, 0);
    }
    settings.loss = 0;
    faults_init(&faults, &settings, TEXT("node1"));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(faults_plan(&faults, TEXT("node2")).copies, 2);
    }
    settings.duplicate = 0;
    faults_init(&faults, &settings, TEXT("node1"));
    for (int i = 0; i < 1000; i++) {
        assert_same(faults_plan(&faults, TEXT("node2")), (struct fault_plan){.copies = 1});
    }
}

static void delays_are_uniform_and_both_ends_are_drawn(void **state)
{
    (void)state;
    static struct faults faults;
    unsigned counts[2][10] = {{0}};

    faults_init(&faults, &stormy, TEXT("node1"));
    for (int i = 0; i < 7000; i++) {
        struct fault_plan plan = faults_plan(&faults, TEXT("node2"));
        for (int copy = 0; copy < 2; copy++) {
            assert_in_range(plan.delay_ms[copy], 3, 9);
            counts[copy][plan.delay_ms[copy]]++;
        }
    }
    for (int delay = 3; delay <= 9; delay++) {
        assert_in_range(counts[0][delay], 850, 1150); /* five standard deviations are 146 */
        assert_in_range(counts[1][delay], 850, 1150);
    }
}

static void changing_one_probability_leaves_the_other_decisions(void **state)
{
    (void)state;
    static struct faults before;
    static struct faults after;
    struct fault_settings settings = stormy;

    settings.loss = 0.6;
    faults_init(&before, &stormy, TEXT("node1"));
    faults_init(&after, &settings, TEXT("node1"));
    for (int i = 0; i < 1000; i++) {
        struct fault_plan one = faults_plan(&before, TEXT("node2"));
        struct fault_plan other = faults_plan(&after, TEXT("node2"));
        assert_int_equal(one.delay_ms[0], other.delay_ms[0]);
        assert_int_equal(one.delay_ms[1], other.delay_ms[1]);
        assert_true(!one.lost || other.lost);
        assert_true(other.lost || one.copies == other.copies);
    }
}

/* Is what `sender` sends cut off from `self`? */
static bool is_cut(const char *partition, const char *sender, const char *self)
{
    static struct faults faults;
    struct fault_settings settings = {.loss = 1};

    snprintf(settings.partition, sizeof settings.partition, "%s", partition);
    faults_init(&faults, &settings, text_of(self));
    struct fault_plan plan = faults_plan(&faults, text_of(sender));
    assert_int_equal(plan.copies, 0);
    assert_int_equal(plan.lost, !plan.cut); /* one reason, never both */
    return plan.cut;
}

static void a_partition_cuts_between_groups_in_both_directions(void **state)
{
    (void)state;
    assert_true(is_cut("node1,node2|node3", "node1", "node3"));
    assert_true(is_cut("node1,node2|node3", "node3", "node2"));
    assert_false(is_cut("node1,node2|node3", "node1", "node2"));
    assert_false(is_cut("node1,node2|node3", "node3", "node3"));
    assert_true(is_cut("a|b|c", "a", "c"));
    assert_true(is_cut("a|b|c", "c", "b"));
}

static void who_is_in_no_group_hears_everybody(void **state)
{
    (void)state;
    assert_false(is_cut("node1,node2|node3", "node4", "node1"));
    assert_false(is_cut("node1,node2|node3", "node3", "node4"));
    assert_false(is_cut("", "node1", "node2"));
    assert_false(is_cut("node1,node2", "node1", "node2"));
}

static void a_name_in_a_partition_is_a_whole_name(void **state)
{
    (void)state;
    assert_false(is_cut("node1|node3", "node", "node3"));
    assert_false(is_cut("node1|node3", "node11", "node3"));
    assert_false(is_cut("node1|node3", "node1,", "node3"));
    assert_false(is_cut("node1|node3", "node1|node3", "node3"));
    assert_false(is_cut("node1|node3", "Node1", "node3"));
    assert_false(is_cut("node1|node3", "", "node3"));
}

static void a_partition_that_heals_does_not_change_what_comes_after(void **state)
{
    (void)state;
    static struct faults cut;
    static struct faults whole;
    struct fault_settings settings = stormy;

    memcpy(settings.partition, "node1|node2", 12);
    faults_init(&cut, &settings, TEXT("node1"));
    faults_init(&whole, &stormy, TEXT("node1"));
    for (int i = 0; i < 100; i++) {
        assert_true(faults_plan(&cut, TEXT("node2")).cut);
        faults_plan(&whole, TEXT("node2"));
    }
    cut.settings = stormy;
    for (int i = 0; i < 100; i++) {
        assert_same(faults_plan(&cut, TEXT("node2")), faults_plan(&whole, TEXT("node2")));
    }
}

UNIT_MAIN(cmocka_unit_test(what_meets_a_message_does_not_depend_on_how_senders_mix),
          cmocka_unit_test(more_senders_than_are_told_apart_are_served_all_the_same),
          cmocka_unit_test(the_same_seed_and_names_repeat_everything),
          cmocka_unit_test(another_seed_or_name_is_another_network),
          cmocka_unit_test(loss_and_duplicates_are_as_frequent_as_asked_for),
          cmocka_unit_test(certainty_is_certain),
          cmocka_unit_test(delays_are_uniform_and_both_ends_are_drawn),
          cmocka_unit_test(changing_one_probability_leaves_the_other_decisions),
          cmocka_unit_test(a_partition_cuts_between_groups_in_both_directions),
          cmocka_unit_test(who_is_in_no_group_hears_everybody),
          cmocka_unit_test(a_name_in_a_partition_is_a_whole_name),
          cmocka_unit_test(a_partition_that_heals_does_not_change_what_comes_after))
