/* Linearizable reads as the judge tells of them: stories made by hand. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

#include <string.h>

static const struct made_command set_a = {1, "node1", "x", "a", 0};
static const struct made_command set_b = {2, "node2", "x", "b", 0};
static const struct made_command get_1 = {3, "node1", "x", NULL, 0};
static const struct made_command get_2 = {4, "node2", "x", NULL, 0};

static void begin(struct made_logs *made)
{
    made_begin(made);
    made_start(made, "node1", "parte3", "node");
    made_start(made, "node2", "parte3", "node");
}

static const struct verdict *verdict_of(struct made_logs *made)
{
    return &made_judge(made)->verdicts[GUARANTEE_LINEARIZABLE];
}

/* The kinds of the lines that prove it, "complete invoke complete …" */
static void expect_evidence(struct made_logs *made, const char *kinds)
{
    const struct verdict *verdict = &made->judgement.verdicts[GUARANTEE_LINEARIZABLE];
    struct buffer got = {0};

    for (size_t i = 0; i < verdict->evidence_count; i++) {
        buffer_add_string(&got, i > 0 ? " " : "");
        buffer_add_string(&got, event_kind_name(made->history.events[verdict->evidence[i]].kind));
    }
    assert_text_equal(buffer_text(&got), text_of(kinds));
    buffer_free(&got);
}

/* ---- broken ---- */

static void an_overwritten_value_is_stale(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_call(&made, "client1", &set_b, "ok", NULL);
    made_call(&made, "client2", &get_1, "ok", "\"a\"");
    made_expect_violated(
        &made, GUARANTEE_LINEARIZABLE,
        "client2 read x=\"a\" at node1, although client1's SET x=\"b\" had been answered before it "
        "asked, and that is newer: client1's SET x=\"a\" had been answered before it began");
    expect_evidence(&made, "complete invoke complete invoke complete");
    made_send(&made, "node2", &set_b);
    made_deliver(&made, "node1", &set_b);
    made_expect_violated(&made, GUARANTEE_LINEARIZABLE,
                         "; node1 applied that only 3.0 ms after it was asked");
    expect_evidence(&made, "complete invoke complete invoke complete deliver");
    made_end(&made);
}

static void the_initial_value_is_stale_after_a_write(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_call(&made, "client2", &get_1, "ok", "null");
    made_expect_violated(
        &made, GUARANTEE_LINEARIZABLE,
        "read x=null at node1, although client1's SET x=\"a\" had been answered before it asked");
    expect_evidence(&made, "invoke complete invoke complete");
    made_end(&made);
}

static void time_does_not_run_backwards_for_two_readers(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_invoke(&made, "client1", &set_b); /* under way all the time */
    made_call(&made, "client2", &get_1, "ok", "\"b\"");
    made_call(&made, "client3", &get_2, "ok", "\"a\"");
    made_complete(&made, "client1", &set_b, "ok", NULL);
    made_expect_violated(
        &made, GUARANTEE_LINEARIZABLE,
        "client3 read x=\"a\" at node2, although client2's GET x, which read \"b\", had been answered");
    made_end(&made);
}

static void a_value_from_nowhere_is_no_value(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_call(&made, "client2", &get_1, "ok", "\"b\"");
    made_expect_violated(&made, GUARANTEE_LINEARIZABLE,
                         "x=\"b\" at node1, which nobody had asked to set by then");
    made_call(&made, "client1", &set_b, "ok", NULL); /* too late */
    made_expect_violated(&made, GUARANTEE_LINEARIZABLE, "which nobody had asked to set by then");
    made_end(&made);
}

static void a_value_that_was_written_twice_is_searched_for(void **state)
{
    const struct made_command set_a_again = {5, "node1", "x", "a", 0};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_call(&made, "client1", &set_b, "ok", NULL);
    made_call(&made, "client1", &set_a_again, "ok", NULL);
    made_call(&made, "client2", &get_1, "ok", "\"a\"");
    assert_int_equal(verdict_of(&made)->outcome, OUTCOME_HOLDS);
    made_call(&made, "client2", &get_2, "ok", "\"b\"");
    made_expect_violated(&made, GUARANTEE_LINEARIZABLE,
                         "none of the orders that real time allows explains it");
    expect_evidence(&made, "invoke complete invoke complete");
    made_end(&made);
}

static void of_several_keys_the_first_to_break_is_told(void **state)
{
    const struct made_command set_y = {6, "node1", "y", "1", 0};
    const struct made_command get_y = {7, "node1", "y", NULL, 0};
    const struct made_command get_z = {8, "node1", "z", NULL, 0};
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_call(&made, "client1", &set_y, "ok", NULL);
    made_call(&made, "client1", &get_z, "ok", "null");
    made_call(&made, "client1", &get_y, "ok", "null");
    made_call(&made, "client1", &get_1, "ok", "null");
    made_expect_violated(&made, GUARANTEE_LINEARIZABLE, "read y=null");
    assert_int_equal(made.judgement.verdicts[GUARANTEE_LINEARIZABLE].count, 2);
    assert_text_equal(buffer_text(&made.judgement.verdicts[GUARANTEE_LINEARIZABLE].finding),
                      TEXT("2 of 3 keys: no order of the operations explains what was read"));
    made_end(&made);
}

/* ---- whole ---- */

static void what_is_under_way_may_be_seen_or_not(void **state)
{
    struct made_logs made;

    (void)state;
    for (int sees = 0; sees < 2; sees++) {
        begin(&made);
        made_call(&made, "client1", &set_a, "ok", NULL);
        made_invoke(&made, "client1", &set_b);
        made_call(&made, "client2", &get_1, "ok", sees ? "\"b\"" : "\"a\"");
        made_complete(&made, "client1", &set_b, "ok", NULL);
        assert_int_equal(verdict_of(&made)->outcome, OUTCOME_HOLDS);
        made_end(&made);
    }
}

static void what_nobody_knows_the_end_of_may_come_late_or_never(void **state)
{
    static const char *const statuses[] = {"unknown", "error", NULL};
    struct made_logs made;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (int sees = 0; sees < 2; sees++) {
            begin(&made);
            made_call(&made, "client1", &set_a, "ok", NULL);
            made_invoke(&made, "client1", &set_b);
            if (statuses[i] != NULL) { /* else it never ends */
                made_complete(&made, "client1", &set_b, statuses[i], NULL);
            }
            made_call(&made, "client2", &get_1, "ok", "\"a\"");
            made_call(&made, "client2", &get_2, "ok", sees ? "\"b\"" : "\"a\"");
            bool refused = statuses[i] != NULL && strcmp(statuses[i], "error") == 0;
            made_expect(&made, GUARANTEE_LINEARIZABLE, sees && refused ? OUTCOME_VIOLATED : OUTCOME_HOLDS);
            if (refused) { /* but a node delivered it all the same */
                made_send(&made, "node2", &set_b);
                made_deliver(&made, "node1", &set_b);
                made_expect(&made, GUARANTEE_LINEARIZABLE, OUTCOME_HOLDS);
            }
            made_end(&made);
        }
    }
}

static void what_others_wrote_may_be_read(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_send(&made, "node1", &set_a); /* typed by somebody whose log is not here */
    made_deliver(&made, "node1", &set_a);
    made_call(&made, "client1", &get_1, "ok", "\"a\"");
    assert_int_equal(verdict_of(&made)->outcome, OUTCOME_HOLDS);
    made_end(&made);
}

static void replies_that_tell_their_place_need_no_search(void **state)
{
    const struct made_command numbered[] = {{1, "node1", "x", "a", 1},
                                            {2, "node2", "x", "a", 2},
                                            {3, "node1", "x", "b", 4},
                                            {4, "node2", "x", NULL, 3},
                                            {5, "node1", "x", NULL, 5}};
    struct made_logs made;

    (void)state;
    begin(&made);
    for (size_t i = 0; i < 4; i++) { /* all at once */
        char client[] = "client1";
        client[6] = (char)('1' + i);
        made_invoke(&made, client, &numbered[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        char client[] = "client1";
        client[6] = (char)('1' + i);
        made_complete(&made, client, &numbered[i], "ok", i == 3 ? "\"a\"" : NULL);
    }
    made_call(&made, "client1", &numbered[4], "ok", "\"b\"");
    assert_int_equal(verdict_of(&made)->outcome, OUTCOME_HOLDS);
    made_end(&made);
}

UNIT_MAIN(cmocka_unit_test(an_overwritten_value_is_stale),
          cmocka_unit_test(the_initial_value_is_stale_after_a_write),
          cmocka_unit_test(time_does_not_run_backwards_for_two_readers),
          cmocka_unit_test(a_value_from_nowhere_is_no_value),
          cmocka_unit_test(a_value_that_was_written_twice_is_searched_for),
          cmocka_unit_test(of_several_keys_the_first_to_break_is_told),
          cmocka_unit_test(what_is_under_way_may_be_seen_or_not),
          cmocka_unit_test(what_nobody_knows_the_end_of_may_come_late_or_never),
          cmocka_unit_test(what_others_wrote_may_be_read),
          cmocka_unit_test(replies_that_tell_their_place_need_no_search))
