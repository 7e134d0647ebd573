/* Nodes that crash and come back: what they end with, and orders within one life. Scenarios made by hand. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

static const struct made_command first = {1, "node1", "x", "1", 1};
static const struct made_command second = {2, "node1", "y", "2", 2};
static const struct made_command third = {3, "node1", "x", "3", 3};
static const struct made_command unnumbered[] = {{1, "node1", "x", "1", 0},
                                                 {2, "node1", "y", "2", 0},
                                                 {3, "node1", "x", "3", 0}};

/* ---- convergence ---- */

static void a_restart_that_lost_the_state_is_the_story(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte2");
    made_set_safely(&made, &unnumbered[0]);
    made_deliver_at_all(&made, &unnumbered[0]);
    made_lab(&made, "kill", "node2");
    made_lab(&made, "restart", "node2");
    made_start(&made, "node2", "parte2", "node");
    made_set_safely(&made, &unnumbered[1]);
    made_deliver_at_all(&made, &unnumbered[1]);
    made_stop_all(&made);
    made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
    made_expect(&made, GUARANTEE_TOTAL, OUTCOME_HOLDS);
    made_expect_violated(&made, GUARANTEE_CONVERGENCE,
                         "node2 was killed and started again, with an empty store");
    made_end(&made);
}

static void an_installed_state_counts_as_what_made_it(void **state)
{
    struct made_logs made;

    (void)state;
    for (int wrong = 0; wrong < 2; wrong++) {
        made_start_all(&made, "parte3");
        made_set_safely(&made, &first);
        made_deliver_at_all(&made, &first);
        made_set_safely(&made, &second);
        made_deliver_at_all(&made, &second);
        made_lab(&made, "kill", "node3");
        made_start(&made, "node3", "parte3", "node");
        made_install(&made, "node3", wrong ? 1 : 2, "node2");
        made_set_safely(&made, &third);
        made_deliver_at_all(&made, &third);
        made_stop_all(&made);
        if (wrong) { /* y is missing */
            made_expect_violated(&made, GUARANTEE_CONVERGENCE,
                                 "y ends as \"2\" at node1 and not set at node3");
            made_expect_violated(&made, GUARANTEE_GAP_FREE, "it left out number 2");
        } else {
            made_expect_all(&made, OUTCOME_HOLDS);
        }
        made_end(&made);
    }
}

static void a_state_that_no_log_tells_of_is_not_guessed(void **state)
{
    struct made_logs made;

    (void)state;
    for (int all_have_it = 0; all_have_it < 2; all_have_it++) {
        made_start_all(&made, "parte4");
        made_set_safely(&made, &first);
        made_deliver_at_all(&made, &first);
        made_lab(&made, "kill", "node1"); /* its log has a second update, which it told nobody of */
        made_start(&made, "node1", "parte4", "leader");
        made_install(&made, "node1", 2, "disk");
        for (int i = 1; i <= 1 + all_have_it; i++) {
            made_install(&made, made_nodes[i], 2, "node1");
        }
        made_stop_all(&made);
        made_expect(&made, GUARANTEE_CONVERGENCE, all_have_it ? OUTCOME_HOLDS : OUTCOME_UNKNOWN);
        made_expect(&made, GUARANTEE_GAP_FREE, OUTCOME_HOLDS);
        made_end(&made);
    }
}

static void a_process_that_counts_other_keys_is_not_believed_to_be_equal(void **state)
{
    struct made_logs made;

    (void)state;
    made_start_all(&made, "parte3");
    made_set_safely(&made, &first);
    made_deliver_at_all(&made, &first);
    made_wait_ms(&made, 1000);
    for (size_t i = 0; i < MADE_NODES; i++) {
        made_line(&made, made_nodes[i], "stop", ",\"ordem_local\":1,\"keys\":%d", i == 1 ? 2 : 1);
    }
    made_expect(&made, GUARANTEE_CONVERGENCE, OUTCOME_UNKNOWN);
    made_end(&made);
}

/* ---- orders ---- */

static void orders_are_judged_within_one_life(void **state)
{
    struct made_logs made;

    (void)state;
    for (int same_life = 0; same_life < 2; same_life++) {
        made_start_all(&made, "parte2");
        made_set_safely(&made, &unnumbered[0]);
        made_set_safely(&made, &unnumbered[1]);
        for (size_t i = 0; i < 2; i++) {
            made_deliver(&made, made_nodes[i], &unnumbered[0]);
            made_deliver(&made, made_nodes[i], &unnumbered[1]);
        }
        made_deliver(&made, "node3", &unnumbered[1]);
        if (!same_life) {
            made_lab(&made, "kill", "node3");
            made_start(&made, "node3", "parte2", "node");
        }
        made_deliver(&made, "node3", &unnumbered[0]);
        made_stop_all(&made);
        enum outcome expected = same_life ? OUTCOME_VIOLATED : OUTCOME_HOLDS;
        made_expect(&made, GUARANTEE_FIFO, expected);
        made_expect(&made, GUARANTEE_CAUSAL, expected);
        made_expect(&made, GUARANTEE_TOTAL, expected);
        made_end(&made);
    }
}

/* node2 had delivered the first command before it crashed: what it sends afterwards does not depend on it. */
static void knowledge_ends_with_a_life(void **state)
{
    const struct made_command later = {9, "node2", "z", "9", 0};
    struct made_logs made;

    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        made_start_all(&made, "parte2");
        made_send(&made, "node1", &unnumbered[0]);
        made_deliver(&made, "node1", &unnumbered[0]);
        made_deliver(&made, "node2", &unnumbered[0]);
        if (crashes) {
            made_lab(&made, "kill", "node2");
            made_start(&made, "node2", "parte2", "node");
        }
        made_send(&made, "node2", &later);
        made_deliver(&made, "node1", &later);
        made_deliver(&made, "node2", &later);
        made_deliver(&made, "node3", &later);
        made_deliver(&made, "node3", &unnumbered[0]);
        made_stop_all(&made);
        made_expect(&made, GUARANTEE_CAUSAL, crashes ? OUTCOME_HOLDS : OUTCOME_VIOLATED);
        made_end(&made);
    }
}

static void a_sequencer_is_no_replica_and_no_sender(void **state)
{
    struct made_logs made;

    (void)state;
    made_begin(&made);
    made_start(&made, "a_sequencer", "parte3", "sequencer"); /* the first to be read */
    for (size_t i = 0; i < MADE_NODES; i++) {
        made_start(&made, made_nodes[i], "parte3", "node");
    }
    made_set_safely(&made, &first);
    made_send(&made, "a_sequencer", &first);
    made_deliver_at_all(&made, &first);
    made_stop_all(&made);
    made_stop(&made, "a_sequencer");
    made_expect_all(&made, OUTCOME_HOLDS);
    assert_int_equal(made.judgement.nodes, MADE_NODES);
    assert_int_equal(made.judgement.coordinators, 1);
    assert_int_equal(made.judgement.replica_count, MADE_NODES);
    assert_int_equal(made.judgement.commands, 1);
    assert_text_equal(history_process_name(&made.history, made.history.commands[0].sender_process),
                      TEXT("node1"));
    made_end(&made);
}

static void who_passes_a_command_on_is_not_its_sender(void **state)
{
    struct made_logs made;

    (void)state;
    for (int coordinator = 0; coordinator < 2; coordinator++) {
        made_begin(&made);
        made_start(&made, "another", "parte3", coordinator ? "sequencer" : "node"); /* the first to be read */
        made_start(&made, "node1", "parte3", "node");
        made_send(&made, "another", &first);
        made_send(&made, "node1", &first);
        made_judge(&made);
        assert_text_equal(history_process_name(&made.history, made.history.commands[0].sender_process),
                          TEXT("node1"));
        made_end(&made);
    }
    made_begin(&made); /* without the sender's log */
    made_start(&made, "a_sequencer", "parte3", "sequencer");
    made_start(&made, "node2", "parte3", "node");
    made_start(&made, "node3", "parte3", "node");
    made_send(&made, "a_sequencer", &first);
    made_deliver(&made, "node2", &first);
    made_deliver(&made, "node3", &first);
    made_judge(&made);
    assert_int_equal(made.history.commands[0].send_event, HISTORY_NONE);
    made_expect(&made, GUARANTEE_FIFO, OUTCOME_UNKNOWN);
    made_end(&made);
}

UNIT_MAIN(cmocka_unit_test(a_restart_that_lost_the_state_is_the_story),
          cmocka_unit_test(an_installed_state_counts_as_what_made_it),
          cmocka_unit_test(a_state_that_no_log_tells_of_is_not_guessed),
          cmocka_unit_test(a_process_that_counts_other_keys_is_not_believed_to_be_equal),
          cmocka_unit_test(orders_are_judged_within_one_life), cmocka_unit_test(knowledge_ends_with_a_life),
          cmocka_unit_test(a_sequencer_is_no_replica_and_no_sender),
          cmocka_unit_test(who_passes_a_command_on_is_not_its_sender))
