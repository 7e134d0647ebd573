/* What the judge makes of a clients' log that tells little, or too much; and how clients fared. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

static const struct made_command set_a = {1, "node1", "x", "a", 0};
static const struct made_command get_1 = {3, "node1", "x", NULL, 0};

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

/* ---- nothing to say ---- */

/* Two writes of each value, all under way at once: what the reads saw cannot have been, but any set of the writes may
 * have come before. */
static void a_search_that_gives_up_leaves_it_open(void **state)
{
    static const char *const values[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
                                         "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    static const char *const seen[] = {"\"0\"", "\"1\"", "\"0\"", "\"1\"", "\"0\""};
    struct made_logs made;

    (void)state;
    begin(&made);
    for (unsigned i = 0; i < 40; i++) {
        struct made_command set = {100 + i, "node1", "x", values[i / 2], 0};
        made_invoke(&made, "client1", &set);
    }
    for (unsigned i = 0; i < 5; i++) {
        struct made_command get = {200 + i, "node1", "x", NULL, 0};
        made_call(&made, "client2", &get, "ok", seen[i]);
    }
    for (unsigned i = 0; i < 40; i++) {
        struct made_command set = {100 + i, "node1", "x", values[i / 2], 0};
        made_complete(&made, "client1", &set, "ok", NULL);
    }
    const struct verdict *verdict = verdict_of(&made);
    assert_int_equal(verdict->outcome, OUTCOME_UNKNOWN);
    assert_text_equal(
        buffer_text(&verdict->finding),
        TEXT("the search gave up on 1 of 1 keys: x has more than 2000000 configurations, which is the "
             "bound"));
    made_end(&made);
}

static void without_a_read_there_is_nothing_to_judge(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    assert_true(verdict_of(&made)->not_applicable);
    made_call(&made, "client1", &set_a, "ok", NULL);
    made_call(&made, "client1", &get_1, "unknown", NULL);
    assert_true(verdict_of(&made)->not_applicable);
    assert_int_equal(made.judgement.verdicts[GUARANTEE_LINEARIZABLE].outcome, OUTCOME_HOLDS);
    assert_true(made.judgement.verdicts[GUARANTEE_GAP_FREE].not_applicable);
    made_end(&made);
}

static void a_clients_log_that_is_not_whole_is_not_judged(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_complete(&made, "client1", &set_a, "ok", NULL); /* never asked for */
    made_call(&made, "client1", &get_1, "ok", "null");
    assert_int_equal(verdict_of(&made)->outcome, OUTCOME_UNKNOWN);
    assert_int_equal(made.history.problem_count, 1);
    made_end(&made);
    begin(&made);
    made_invoke(&made, "client2", &set_a);
    made_call(&made, "client1", &set_a, "ok", NULL); /* asked for twice */
    made_call(&made, "client1", &get_1, "ok", "\"a\"");
    assert_int_equal(verdict_of(&made)->outcome, OUTCOME_UNKNOWN);
    made_end(&made);
    begin(&made);
    made_call(&made, "client1", &get_1, "ok", "null");
    made_line(&made, "client2", "invoke", /* in a file of its own */
              ",\"message_uuid\":\"x\",\"sender_id\":\"node1\",\"command_type\":\"GET\",\"key\":\"x\"");
    assert_int_equal(verdict_of(&made)->outcome, OUTCOME_UNKNOWN);
    made_end(&made);
}

/* ---- the summary ---- */

static void clients_are_counted_and_timed(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    for (unsigned i = 1; i <= 203; i++) { /* those that are done in 1 to 200 ms */
        struct made_command command = {i, "node1", "x", "1", 0};
        made_invoke(&made, "client1.1", &command);
        made.latency_us = i * 1000;
        if (i <= 202) { /* the last never ends */
            made_complete(&made, "client1.1", &command,
                          i <= 200   ? "ok"
                          : i == 201 ? "error"
                                     : "unknown",
                          NULL);
        }
    }
    const struct clients_summary *clients = &made_judge(&made)->clients;
    assert_int_equal(clients->operations, 203);
    assert_int_equal(clients->ok, 200);
    assert_int_equal(clients->errors, 1);
    assert_int_equal(clients->unknown, 2);
    assert_int_equal(clients->p50_us, 100000);
    assert_int_equal(clients->p99_us, 198000);
    assert_int_equal(made.judgement.commands, 0); /* no node's log tells of one */
    assert_int_equal(made.judgement.nodes, 2);
    made_end(&made);
}

UNIT_MAIN(cmocka_unit_test(a_search_that_gives_up_leaves_it_open),
          cmocka_unit_test(without_a_read_there_is_nothing_to_judge),
          cmocka_unit_test(a_clients_log_that_is_not_whole_is_not_judged),
          cmocka_unit_test(clients_are_counted_and_timed))
