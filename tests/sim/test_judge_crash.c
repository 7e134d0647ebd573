/* Nodes that crash and come back, as the judge sees them: scenarios made by hand. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

#define NODES 3

static const char *const nodes[NODES] = {"node1", "node2", "node3"};

static void start_all(struct made_logs *made, const char *part)
{
    made_begin(made);
    for (size_t i = 0; i < NODES; i++) {
        made_start(made, nodes[i], part, "node");
    }
}

/* Long enough after everything else that nothing can be on its way. */
static void stop_all(struct made_logs *made)
{
    made_wait_ms(made, 1000);
    for (size_t i = 0; i < NODES; i++) {
        made_stop(made, nodes[i]);
    }
}

static void deliver_at_all(struct made_logs *made, const struct made_command *command)
{
    for (size_t i = 0; i < NODES; i++) {
        made_deliver(made, nodes[i], command);
    }
}

/* A client has node1 set a key, and is told that it is done. */
static void set_safely(struct made_logs *made, const struct made_command *command)
{
    made_invoke(made, "client1", command);
    made_send(made, command->sender, command);
    made_complete(made, "client1", command, "ok", NULL);
}

static const struct made_command first = {1, "node1", "x", "1", 1};
static const struct made_command second = {2, "node1", "y", "2", 2};
static const struct made_command third = {3, "node1", "x", "3", 3};
static const struct made_command unnumbered[] = {{1, "node1", "x", "1", 0},
                                                 {2, "node1", "y", "2", 0},
                                                 {3, "node1", "x", "3", 0}};

static void expect_all(struct made_logs *made, enum outcome outcome)
{
    for (enum guarantee g = 0; g < GUARANTEE_COUNT; g++) {
        made_expect(made, g, outcome);
    }
}

/* ---- delivery ---- */

static void a_node_killed_for_good_owes_nothing(void **state)
{
    struct made_logs made;

    (void)state;
    start_all(&made, "parte2");
    set_safely(&made, &unnumbered[0]);
    deliver_at_all(&made, &unnumbered[0]);
    made_lab(&made, "kill", "node3");
    set_safely(&made, &unnumbered[1]);
    made_deliver(&made, "node1", &unnumbered[1]);
    made_deliver(&made, "node2", &unnumbered[1]);
    made_wait_ms(&made, 1000);
    made_stop(&made, "node1");
    made_stop(&made, "node2");
    expect_all(&made, OUTCOME_HOLDS);
    assert_int_equal(made.judgement.replica_count, 2);
    made_end(&made);
}

static void what_waited_for_a_node_that_was_down_must_reach_it(void **state)
{
    struct made_logs made;

    (void)state;
    for (int reaches = 0; reaches < 2; reaches++) {
        start_all(&made, "parte2");
        made_lab(&made, "kill", "node3");
        made_wait_ms(&made, 500);
        set_safely(&made, &unnumbered[0]);
        made_deliver(&made, "node1", &unnumbered[0]);
        made_deliver(&made, "node2", &unnumbered[0]);
        made_lab(&made, "restart", "node3");
        made_start(&made, "node3", "parte2", "node");
        if (reaches) {
            made_deliver(&made, "node3", &unnumbered[0]);
        }
        stop_all(&made);
        if (reaches) {
            expect_all(&made, OUTCOME_HOLDS);
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
    start_all(&made, "parte2");
    set_safely(&made, &unnumbered[0]);
    made_deliver(&made, "node1", &unnumbered[0]);
    made_deliver(&made, "node2", &unnumbered[0]);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_DELIVERY, "node3 never delivered SET x=\"1\"");
    made_expect_violated(&made, GUARANTEE_DELIVERY, "client1 was told that it is safe");
    made_end(&made);
}

static void ok_counts_even_where_the_sender_lost_its_line(void **state)
{
    struct made_logs made;

    (void)state;
    start_all(&made, "parte3");
    made_invoke(&made, "client1", &unnumbered[0]);
    made_complete(&made, "client1", &unnumbered[0], "ok", NULL);
    made_lab(&made, "kill", "node1");
    made_start(&made, "node1", "parte3", "node");
    stop_all(&made);
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
        start_all(&made, "parte2");
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
        start_all(&made, "parte2");
        for (size_t i = 0; i < 3; i++) {
            set_safely(&made, &unnumbered[i]);
            made_deliver(&made, "node1", &unnumbered[i]);
            made_deliver(&made, "node2", &unnumbered[i]);
        }
        made_deliver(&made, "node3", &unnumbered[0]);
        made_deliver(&made, "node3", &unnumbered[overtaken ? 2 : 1]);
        if (told) {
            made_lab(&made, "kill", "node3");
        }
        made_start(&made, "node3", "parte2", "node");
        stop_all(&made);
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
    start_all(&made, "parte2");
    made_wait_ms(&made, 500);
    made_stop(&made, "node3");
    made_wait_ms(&made, 500);
    set_safely(&made, &unnumbered[0]);
    made_deliver(&made, "node1", &unnumbered[0]);
    made_deliver(&made, "node2", &unnumbered[0]);
    made_start(&made, "node3", "parte2", "node");
    stop_all(&made);
    made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
    made_end(&made);
}

static void who_has_left_cannot_be_killed(void **state)
{
    struct made_logs made;

    (void)state;
    start_all(&made, "parte2");
    set_safely(&made, &unnumbered[0]);
    made_deliver(&made, "node1", &unnumbered[0]);
    made_deliver(&made, "node2", &unnumbered[0]);
    stop_all(&made);
    made_lab(&made, "kill", "node3"); /* it has stopped, without what it was owed */
    made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_VIOLATED);
    made_end(&made);
}

/* ---- duplicates, and no creation ---- */

static void what_comes_again_to_a_new_life_is_no_duplicate(void **state)
{
    struct made_logs made;

    (void)state;
    start_all(&made, "parte2");
    set_safely(&made, &unnumbered[0]);
    deliver_at_all(&made, &unnumbered[0]);
    made_lab(&made, "kill", "node3");
    made_lab(&made, "restart", "node3");
    made_start(&made, "node3", "parte2", "node");
    made_deliver(&made, "node3", &unnumbered[0]); /* it had not acknowledged it */
    stop_all(&made);
    expect_all(&made, OUTCOME_HOLDS);
    made_end(&made);
}

static void what_an_installed_state_holds_is_not_delivered_again(void **state)
{
    struct made_logs made;

    (void)state;
    for (int again = 0; again < 2; again++) {
        start_all(&made, "parte3");
        set_safely(&made, &first);
        set_safely(&made, &second);
        for (size_t i = 0; i < 2; i++) {
            made_deliver(&made, nodes[i], &first);
            made_deliver(&made, nodes[i], &second);
        }
        made_install(&made, "node3", 1, "node1");
        if (again) {
            made_deliver(&made, "node3", &first);
        }
        made_deliver(&made, "node3", &second);
        stop_all(&made);
        if (again) {
            made_expect_violated(&made, GUARANTEE_NO_DUPLICATES, "a state that holds everything up to 1");
            made_expect_violated(&made, GUARANTEE_GAP_FREE, "it went back");
        } else {
            expect_all(&made, OUTCOME_HOLDS);
        }
        made_end(&made);
    }
}

static void a_send_that_was_lost_with_its_sender_is_no_creation(void **state)
{
    struct made_logs made;

    (void)state;
    for (int crashes = 0; crashes < 2; crashes++) {
        start_all(&made, "parte2");
        if (crashes) {
            made_lab(&made, "kill", "node1");
            made_start(&made, "node1", "parte2", "node");
        }
        deliver_at_all(&made, &unnumbered[0]);
        stop_all(&made);
        made_expect(&made, GUARANTEE_NO_CREATION, crashes ? OUTCOME_UNKNOWN : OUTCOME_VIOLATED);
        made_end(&made);
    }
}

/* ---- convergence ---- */

static void a_restart_that_lost_the_state_is_the_story(void **state)
{
    struct made_logs made;

    (void)state;
    start_all(&made, "parte2");
    set_safely(&made, &unnumbered[0]);
    deliver_at_all(&made, &unnumbered[0]);
    made_lab(&made, "kill", "node2");
    made_lab(&made, "restart", "node2");
    made_start(&made, "node2", "parte2", "node");
    set_safely(&made, &unnumbered[1]);
    deliver_at_all(&made, &unnumbered[1]);
    stop_all(&made);
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
        start_all(&made, "parte3");
        set_safely(&made, &first);
        deliver_at_all(&made, &first);
        set_safely(&made, &second);
        deliver_at_all(&made, &second);
        made_lab(&made, "kill", "node3");
        made_start(&made, "node3", "parte3", "node");
        made_install(&made, "node3", wrong ? 1 : 2, "node2");
        set_safely(&made, &third);
        deliver_at_all(&made, &third);
        stop_all(&made);
        if (wrong) { /* y is missing */
            made_expect_violated(&made, GUARANTEE_CONVERGENCE,
                                 "y ends as \"2\" at node1 and not set at node3");
            made_expect_violated(&made, GUARANTEE_GAP_FREE, "it left out number 2");
        } else {
            expect_all(&made, OUTCOME_HOLDS);
        }
        made_end(&made);
    }
}

static void a_state_that_no_log_tells_of_is_not_guessed(void **state)
{
    struct made_logs made;

    (void)state;
    for (int all_have_it = 0; all_have_it < 2; all_have_it++) {
        start_all(&made, "parte4");
        set_safely(&made, &first);
        deliver_at_all(&made, &first);
        made_lab(&made, "kill", "node1"); /* its log has a second update, which it told nobody of */
        made_start(&made, "node1", "parte4", "leader");
        made_install(&made, "node1", 2, "disk");
        for (int i = 1; i <= 1 + all_have_it; i++) {
            made_install(&made, nodes[i], 2, "node1");
        }
        stop_all(&made);
        made_expect(&made, GUARANTEE_CONVERGENCE, all_have_it ? OUTCOME_HOLDS : OUTCOME_UNKNOWN);
        made_expect(&made, GUARANTEE_GAP_FREE, OUTCOME_HOLDS);
        made_end(&made);
    }
}

static void a_process_that_counts_other_keys_is_not_believed_to_be_equal(void **state)
{
    struct made_logs made;

    (void)state;
    start_all(&made, "parte3");
    set_safely(&made, &first);
    deliver_at_all(&made, &first);
    made_wait_ms(&made, 1000);
    for (size_t i = 0; i < NODES; i++) {
        made_line(&made, nodes[i], "stop", ",\"ordem_local\":1,\"keys\":%d", i == 1 ? 2 : 1);
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
        start_all(&made, "parte2");
        set_safely(&made, &unnumbered[0]);
        set_safely(&made, &unnumbered[1]);
        for (size_t i = 0; i < 2; i++) {
            made_deliver(&made, nodes[i], &unnumbered[0]);
            made_deliver(&made, nodes[i], &unnumbered[1]);
        }
        made_deliver(&made, "node3", &unnumbered[1]);
        if (!same_life) {
            made_lab(&made, "kill", "node3");
            made_start(&made, "node3", "parte2", "node");
        }
        made_deliver(&made, "node3", &unnumbered[0]);
        stop_all(&made);
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
        start_all(&made, "parte2");
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
        stop_all(&made);
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
    for (size_t i = 0; i < NODES; i++) {
        made_start(&made, nodes[i], "parte3", "node");
    }
    set_safely(&made, &first);
    made_send(&made, "a_sequencer", &first);
    deliver_at_all(&made, &first);
    stop_all(&made);
    made_stop(&made, "a_sequencer");
    expect_all(&made, OUTCOME_HOLDS);
    assert_int_equal(made.judgement.nodes, NODES);
    assert_int_equal(made.judgement.coordinators, 1);
    assert_int_equal(made.judgement.replica_count, NODES);
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
          cmocka_unit_test(a_send_that_was_lost_with_its_sender_is_no_creation),
          cmocka_unit_test(a_restart_that_lost_the_state_is_the_story),
          cmocka_unit_test(an_installed_state_counts_as_what_made_it),
          cmocka_unit_test(a_state_that_no_log_tells_of_is_not_guessed),
          cmocka_unit_test(a_process_that_counts_other_keys_is_not_believed_to_be_equal),
          cmocka_unit_test(orders_are_judged_within_one_life), cmocka_unit_test(knowledge_ends_with_a_life),
          cmocka_unit_test(a_sequencer_is_no_replica_and_no_sender),
          cmocka_unit_test(who_passes_a_command_on_is_not_its_sender))
