/* Numbers that were used twice, left out or out of their turn, where only one of the judge's looks at them can tell. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

static const struct made_command a1 = {1, "node1", "x", "a", 1};
static const struct made_command b2 = {2, "node1", "y", "b", 2};
static const struct made_command c3 = {3, "node1", "z", "c", 3};

static void begin(struct made_logs *made)
{
    made_begin(made);
    made_start(made, "node1", "parte4", "leader");
    made_start(made, "node2", "parte4", "follower");
}

static void one_command_with_two_numbers(void **state)
{
    const struct made_command a2 = {1, "node1", "x", "a", 2};
    const struct made_command b1 = {2, "node1", "y", "b", 1};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_deliver(&made, "node1", &a1);
    made_deliver(&made, "node1", &b2);
    made_deliver(&made, "node2", &b1);
    made_deliver(&made, "node2", &a2);
    made_expect_violated(&made, GUARANTEE_GAP_FREE, "is number 2 to node1 and number 1 to node2");
    made_end(&made);
}

static void one_number_for_two_commands(void **state)
{
    const struct made_command c2 = {3, "node1", "z", "c", 2};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_deliver(&made, "node1", &a1);
    made_deliver(&made, "node1", &b2);
    made_deliver(&made, "node2", &a1);
    made_deliver(&made, "node2", &c2);
    made_expect_violated(&made, GUARANTEE_GAP_FREE,
                         "number 2 is SET y=\"b\" to node1 and SET z=\"c\" to node2");
    made_end(&made);
}

static void what_a_client_was_told_counts(void **state)
{
    const struct made_command b1 = {2, "node1", "y", "b", 1};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_invoke(&made, "client1", &b2);
    made_complete(&made, "client1", &b2, "ok", NULL);
    made_deliver(&made, "node1", &b1);
    made_deliver(&made, "node2", &b1);
    made_expect_violated(&made, GUARANTEE_GAP_FREE, "it was ordered twice");
    made_end(&made);
}

/* The sequencer gave out number 2 and was killed before anybody got it: then it is free. */
static void a_number_that_nobody_got_was_not_used(void **state)
{
    const struct made_command c2 = {3, "node1", "z", "c", 2};
    const struct made_command b3 = {2, "node1", "y", "b", 3};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_start(&made, "a_sequencer", "parte3", "sequencer");
    made_send(&made, "node1", &a1);
    made_send(&made, "a_sequencer", &a1);
    made_send(&made, "a_sequencer", &b2);
    made_lab(&made, "kill", "a_sequencer");
    made_start(&made, "a_sequencer", "parte3", "sequencer");
    made_send(&made, "a_sequencer", &c2);
    made_send(&made, "a_sequencer", &b3);
    for (int node = 0; node < 2; node++) {
        made_deliver(&made, node == 0 ? "node1" : "node2", &a1);
        made_deliver(&made, node == 0 ? "node1" : "node2", &c2);
        made_deliver(&made, node == 0 ? "node1" : "node2", &b3);
    }
    made_expect(&made, GUARANTEE_GAP_FREE, OUTCOME_HOLDS);
    made_end(&made);
}

static void an_older_epoch_behind_a_newer_one(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made.epoch = 1;
    made_deliver(&made, "node1", &a1);
    made_deliver(&made, "node2", &a1);
    made.epoch = 2;
    made_deliver(&made, "node1", &b2);
    made_install(&made, "node2", 2, "node1"); /* without a word about epochs: no node saw it go down */
    made.epoch = 1;
    made_deliver(&made, "node2", &c3);
    made_expect_violated(&made, GUARANTEE_GAP_FREE,
                         "node2 has number 3 in epoch 1, after number 2 had been in epoch 2");
    made_end(&made);
}

static void the_first_number_is_the_lowest_that_any_log_tells_of(void **state)
{
    const struct made_command a501 = {1, "node1", "x", "a", 501};
    const struct made_command b502 = {2, "node1", "y", "b", 502};
    struct made_logs made;

    (void)state;
    for (int late = 0; late < 2; late++) {
        begin(&made);
        made_deliver(&made, "node1", &a501); /* others had used the broker before */
        made_deliver(&made, "node1", &b502);
        if (!late) {
            made_deliver(&made, "node2", &a501);
        }
        made_deliver(&made, "node2", &b502);
        if (late) {
            made_expect_violated(&made, GUARANTEE_GAP_FREE, "first: it left out number 501, SET x=\"a\"");
        } else {
            made_expect(&made, GUARANTEE_GAP_FREE, OUTCOME_HOLDS);
        }
        made_end(&made);
    }
}

static void a_delivery_without_a_number_among_numbered_ones(void **state)
{
    const struct made_command b = {2, "node1", "y", "b", 0};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_deliver(&made, "node1", &a1);
    made_deliver(&made, "node1", &b);
    made_expect_violated(&made, GUARANTEE_GAP_FREE, "node1 delivered SET y=\"b\" without a number");
    made_end(&made);
}

UNIT_MAIN(cmocka_unit_test(one_command_with_two_numbers), cmocka_unit_test(one_number_for_two_commands),
          cmocka_unit_test(what_a_client_was_told_counts),
          cmocka_unit_test(a_number_that_nobody_got_was_not_used),
          cmocka_unit_test(an_older_epoch_behind_a_newer_one),
          cmocka_unit_test(the_first_number_is_the_lowest_that_any_log_tells_of),
          cmocka_unit_test(a_delivery_without_a_number_among_numbered_ones))
