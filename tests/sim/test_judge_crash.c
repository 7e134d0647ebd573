/* Nodes that crash and come back: what is owed to them, and what comes again. Scenarios made by hand. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

static const struct made_command first = {1, "node1", "x", "1", 1};
static const struct made_command second = {2, "node1", "y", "2", 2};
static const struct made_command unnumbered[] = {{1, "node1", "x", "1", 0},
                                                 {2, "node1", "y", "2", 0},
                                                 {3, "node1", "x", "3", 0}};

/* ---- delivery ---- */

static void a_node_killed_for_good_owes_nothing(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte2");
    made_set_safely(&made, &unnumbered[0]);
    made_deliver_at_all(&made, &unnumbered[0]);
    made_lab(&made, "kill", "node3");
    made_set_safely(&made, &unnumbered[1]);
    made_deliver(&made, "node1", &unnumbered[1]);
    made_deliver(&made, "node2", &unnumbered[1]);
    made_wait_ms(&made, 1000);
    made_stop(&made, "node1");
    made_stop(&made, "node2");
    made_expect_all(&made, OUTCOME_HOLDS);
    assert_int_equal(made.judgement.replica_count, 2);
    made_end(&made);
}

static void what_waited_for_a_node_that_was_down_must_reach_it(void **state)
{
    struct made_logs made;

    (void)state;
    for (int reaches = 0; reaches < 2; reaches++) {
        made_start_all(&made, "parte2");
        made_lab(&made, "kill", "node3");
        made_wait_ms(&made, 500);
        made_set_safely(&made, &unnumbered[0]);
        made_deliver(&made, "node1", &unnumbered[0]);
        made_deliver(&made, "node2", &unnumbered[0]);
        made_lab(&made, "restart", "node3");
        made_start(&made, "node3", "parte2", "node");
        if (reaches) {
            made_deliver(&made, "node3", &unnumbered[0]);
        }
        made_stop_all(&made);
        if (reaches) {
            made_expect_all(&made, OUTCOME_HOLDS);
        } else {
            made_expect_violated(&made, GUARANTEE_DELIVERY, "node3 was killed and started again");
            made_expect_violated(&made, GUARANTEE_CONVERGENCE,
                                 "x ends as \"1\" at node1 and not set at node3");
        }
        made_end(&made);
    }
}

static void a_loss_after_ok_is_held_against_whoever_lost_it(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte2");
    made_set_safely(&made, &unnumbered[0]);
    made_deliver(&made, "node1", &unnumbered[0]);
    made_deliver(&made, "node2", &unnumbered[0]);
    made_stop_all(&made);
    made_expect_violated(&made, GUARANTEE_DELIVERY, "node3 never delivered SET x=\"1\"");
    made_expect_violated(&made, GUARANTEE_DELIVERY, "client1 was told that it is safe");
    made_end(&made);
}

static void ok_counts_even_where_the_sender_lost_its_line(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte3");
    made_invoke(&made, "client1", &unnumbered[0]);
    made_complete(&made, "client1", &unnumbered[0], "ok", NULL);
    made_lab(&made, "kill", "node1");
    made_start(&made, "node1", "parte3", "node");
    made_stop_all(&made);
    made_expect_violated(&made, GUARANTEE_DELIVERY, "though client1 was told that it is safe");
    made_end(&made);
}

static void what_was_sent_before_a_crash_may_be_lost_but_not_for_some(void **state)
{
    struct made_logs made;

    (void)state;
    for (int variant = 0; variant < 6;
         variant++) { /* nowhere, at one of two, at both; with and without a client */
        int at = variant % 3;
        bool client = variant >= 3;
        made_start_all(&made, "parte2");
        if (client) {
            made_invoke(&made, "client1", &unnumbered[0]);
        }
        made_send(&made, "node1", &unnumbered[0]);
        made_lab(&made, "kill", "node1");
        if (client) {
            made_complete(&made, "client1", &unnumbered[0], "unknown", NULL);
        }
        if (at >= 1) {
            made_deliver(&made, "node2", &unnumbered[0]);
        }
        if (at >= 2) {
            made_deliver(&made, "node3", &unnumbered[0]);
        }
        made_wait_ms(&made, 1000);
        made_stop(&made, "node2");
        made_stop(&made, "node3");
        if (at == 1) {
            made_expect_violated(&made, GUARANTEE_DELIVERY, "node3 never delivered");
            made_expect_violated(&made, GUARANTEE_DELIVERY, "though node2 did");
        } else {
            made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
        }
        made_end(&made);
    }
}

/* The lab's lines tell of the kill, or only that it starts again without having stopped. */
static void the_last_instant_before_a_crash_is_not_judged(void **state)
{
    struct made_logs made;

    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        bool told = variant % 2 == 0;
        bool overtaken = variant >= 2;
        made_start_all(&made, "parte2");
        for (size_t i = 0; i < 3; i++) {
            made_set_safely(&made, &unnumbered[i]);
            made_deliver(&made, "node1", &unnumbered[i]);
            made_deliver(&made, "node2", &unnumbered[i]);
        }
        made_deliver(&made, "node3", &unnumbered[0]);
        made_deliver(&made, "node3", &unnumbered[overtaken ? 2 : 1]);
        if (told) {
            made_lab(&made, "kill", "node3");
        }
        made_start(&made, "node3", "parte2", "node");
        made_stop_all(&made);
        if (overtaken) { /* it had what came later: the second is lost */
            made_expect_violated(&made, GUARANTEE_DELIVERY, "node3 never delivered SET y=\"2\"");
        } else { /* perhaps it had the third as well, but not the time to say so */
            made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_UNKNOWN);
        }
        made_end(&made);
    }
}

static void a_node_that_leaves_properly_is_owed_nothing_until_it_is_back(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte2");
    made_wait_ms(&made, 500);
    made_stop(&made, "node3");
    made_wait_ms(&made, 500);
    made_set_safely(&made, &unnumbered[0]);
    made_deliver(&made, "node1", &unnumbered[0]);
    made_deliver(&made, "node2", &unnumbered[0]);
    made_start(&made, "node3", "parte2", "node");
    made_stop_all(&made);
    made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
    made_end(&made);
}

static void who_has_left_cannot_be_killed(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte2");
    made_set_safely(&made, &unnumbered[0]);
    made_deliver(&made, "node1", &unnumbered[0]);
    made_deliver(&made, "node2", &unnumbered[0]);
    made_stop_all(&made);
    made_lab(&made, "kill", "node3"); /* it has stopped, without what it was owed */
    made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_VIOLATED);
    made_end(&made);
}

/* ---- duplicates, and no creation ---- */

static void what_comes_again_to_a_new_life_is_no_duplicate(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte2");
    made_set_safely(&made, &unnumbered[0]);
    made_deliver_at_all(&made, &unnumbered[0]);
    made_lab(&made, "kill", "node3");
    made_lab(&made, "restart", "node3");
    made_start(&made, "node3", "parte2", "node");
    made_deliver(&made, "node3", &unnumbered[0]); /* it had not acknowledged it */
    made_stop_all(&made);
    made_expect_all(&made, OUTCOME_HOLDS);
    made_end(&made);
}

static void what_an_installed_state_holds_is_not_delivered_again(void **state)
{
    struct made_logs made;

    (void)state;
    for (int again = 0; again < 2; again++) {
        made_start_all(&made, "parte3");
        made_set_safely(&made, &first);
        made_set_safely(&made, &second);
        for (size_t i = 0; i < 2; i++) {
            made_deliver(&made, made_nodes[i], &first);
            made_deliver(&made, made_nodes[i], &second);
        }
        made_install(&made, "node3", 1, "node1");
        if (again) {
            made_deliver(&made, "node3", &first);
        }
        made_deliver(&made, "node3", &second);
        made_stop_all(&made);
        if (again) {
            made_expect_violated(&made, GUARANTEE_NO_DUPLICATES, "a state that holds everything up to 1");
            made_expect_violated(&made, GUARANTEE_GAP_FREE, "it went back");
        } else {
            made_expect_all(&made, OUTCOME_HOLDS);
        }
        made_end(&made);
    }
}

static void a_send_that_was_lost_with_its_sender_is_no_creation(void **state)
{
    struct made_logs made;

    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        made_start_all(&made, "parte2");
        if (crashes) {
            made_lab(&made, "kill", "node1");
            made_start(&made, "node1", "parte2", "node");
        }
        made_deliver_at_all(&made, &unnumbered[0]);
        made_stop_all(&made);
        made_expect(&made, GUARANTEE_NO_CREATION, crashes ? OUTCOME_UNKNOWN : OUTCOME_VIOLATED);
        made_end(&made);
    }
}

UNIT_MAIN(cmocka_unit_test(a_node_killed_for_good_owes_nothing),
          cmocka_unit_test(what_waited_for_a_node_that_was_down_must_reach_it),
          cmocka_unit_test(a_loss_after_ok_is_held_against_whoever_lost_it),
          cmocka_unit_test(ok_counts_even_where_the_sender_lost_its_line),
          cmocka_unit_test(what_was_sent_before_a_crash_may_be_lost_but_not_for_some),
          cmocka_unit_test(the_last_instant_before_a_crash_is_not_judged),
          cmocka_unit_test(a_node_that_leaves_properly_is_owed_nothing_until_it_is_back),
          cmocka_unit_test(who_has_left_cannot_be_killed),
          cmocka_unit_test(what_comes_again_to_a_new_life_is_no_duplicate),
          cmocka_unit_test(what_an_installed_state_holds_is_not_delivered_again),
          cmocka_unit_test(a_send_that_was_lost_with_its_sender_is_no_creation))
