/* What the judge makes of clients that give commands in their own names, as those of Paxos do: any proposer may take them,
 * and only learners deliver. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

static const char *const learners[] = {"learner-1", "learner-2"};

static const struct made_command set_a = {1, "client1", "x", "a", 1};
static const struct made_command set_b = {2, "client1", "y", "b", 2};
static const struct made_command get_a = {3, "client2", "x", NULL, 0};
static const struct made_command set_c = {4, "client2", "z", "c", 3};

static void begin(struct made_logs *made)
{
    made_begin(made);
    for (size_t i = 0; i < sizeof learners / sizeof *learners; i++) {
        made_start(made, learners[i], "paxos", "learner");
    }
    made_start(made, "proposer-1", "paxos", "proposer");
    made_start(made, "acceptor-1", "paxos", "acceptor");
}

static void deliver(struct made_logs *made, const struct made_command *command)
{
    for (size_t i = 0; i < sizeof learners / sizeof *learners; i++) {
        made_deliver(made, learners[i], command);
    }
}

static void stop(struct made_logs *made)
{
    made_wait_ms(made, 1000);
    for (size_t i = 0; i < sizeof learners / sizeof *learners; i++) {
        made_stop(made, learners[i]);
    }
}

/* From the client by the proposer to the learners, which is safe then. */
static void set(struct made_logs *made, const struct made_command *command)
{
    made_invoke(made, command->sender, command);
    made_send(made, "proposer-1", command);
    deliver(made, command);
    made_complete(made, command->sender, command, "ok", NULL);
}

static void who_only_sends_and_who_only_delivers_make_a_whole(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    set(&made, &set_a);
    set(&made, &set_b);
    made_call(&made, "client2", &get_a, "ok", "\"a\"");
    set(&made, &set_c);
    stop(&made);
    made_expect_all(&made, OUTCOME_HOLDS);
    assert_int_equal(made.judgement.nodes, 2);
    assert_int_equal(made.judgement.coordinators, 2);
    assert_int_equal(made.judgement.commands, 4);
    assert_int_equal(made.judgement.deliveries, 6);
    made_end(&made);
}

static void a_clients_order_is_that_of_its_invocations(void **state)
{
    struct made_logs made;
    struct made_command late = set_a;
    struct made_command early = set_b;

    (void)state;
    begin(&made);
    late.seq = 2;
    early.seq = 1;
    made_invoke(&made, "client1", &late);
    made_invoke(&made, "client1", &early);
    deliver(&made, &early);
    deliver(&made, &late);
    stop(&made);
    made_expect_violated(&made, GUARANTEE_FIFO, "client1 sent SET x=\"a\" before SET y=\"b\"");
    made_expect(&made, GUARANTEE_TOTAL, OUTCOME_HOLDS);
    made_end(&made);
}

static void what_a_client_has_read_comes_before_what_it_then_sends(void **state)
{
    struct made_logs made;
    struct made_command cause = set_a;
    struct made_command effect = set_c;

    (void)state;
    begin(&made);
    cause.seq = 2;
    effect.seq = 1;
    made_invoke(&made, "client1", &cause);
    made_call(&made, "client2", &get_a, "ok", "\"a\"");
    made_invoke(&made, "client2", &effect);
    deliver(&made, &effect);
    deliver(&made, &cause);
    stop(&made);
    made_expect_violated(&made, GUARANTEE_CAUSAL,
                         "client2 knew, through what it had read, of SET x=\"a\" when it sent SET z=\"c\"");
    made_expect(&made, GUARANTEE_FIFO, OUTCOME_HOLDS);
    made_end(&made);
}

/* Two commands set that value: nobody can say which of them was read. */
static void a_value_of_several_commands_tells_of_none(void **state)
{
    struct made_logs made;
    struct made_command cause = set_a;
    struct made_command again = {9, "client1", "x", "a", 3};
    struct made_command effect = set_c;

    (void)state;
    begin(&made);
    cause.seq = 2;
    effect.seq = 1;
    made_invoke(&made, "client1", &cause);
    made_call(&made, "client2", &get_a, "ok", "\"a\"");
    made_invoke(&made, "client2", &effect);
    made_invoke(&made, "client1", &again);
    deliver(&made, &effect);
    deliver(&made, &cause);
    deliver(&made, &again);
    stop(&made);
    made_expect(&made, GUARANTEE_CAUSAL, OUTCOME_HOLDS);
    made_end(&made);
}

/* Asked for, perhaps under way, and then it was not: that is nobody's fault as long as nobody was told otherwise. */
static void what_nobody_answered_is_owed_to_nobody(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    set(&made, &set_a);
    made_invoke(&made, "client1", &set_b);
    made_send(&made, "proposer-1", &set_b);
    made_lab(&made, "kill", "proposer-1");
    made_complete(&made, "client1", &set_b, "unknown", NULL);
    stop(&made);
    made_expect(&made, GUARANTEE_DELIVERY, OUTCOME_HOLDS);
    made_end(&made);
}

static void what_was_answered_or_delivered_is_owed_to_every_learner(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_invoke(&made, "client1", &set_a);
    made_deliver(&made, "learner-1", &set_a);
    made_complete(&made, "client1", &set_a, "ok", NULL);
    stop(&made);
    made_expect_violated(&made, GUARANTEE_DELIVERY, "learner-2 never delivered SET x=\"a\"");
    made_expect(&made, GUARANTEE_CONVERGENCE, OUTCOME_VIOLATED);
    made_end(&made);
    begin(&made);
    made_invoke(&made, "client1", &set_a); /* nobody was told anything */
    made_deliver(&made, "learner-1", &set_a);
    stop(&made);
    made_expect_violated(&made, GUARANTEE_DELIVERY, "learner-2 never delivered SET x=\"a\"");
    made_end(&made);
}

static void what_no_client_asked_for_was_created(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    set(&made, &set_a);
    deliver(&made, &set_b);
    stop(&made);
    made_expect_violated(&made, GUARANTEE_NO_CREATION, "in the name of client1");
    made_end(&made);
}

/* A proposer that repeats what another one has sent does not make it its own. */
static void a_command_that_two_proposers_send_is_its_clients_still(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_start(&made, "proposer-2", "paxos", "proposer");
    made_invoke(&made, "client1", &set_a);
    made_send(&made, "proposer-1", &set_a);
    made_lab(&made, "kill", "proposer-1");
    made_send(&made, "proposer-2", &set_a);
    deliver(&made, &set_a);
    made_complete(&made, "client1", &set_a, "ok", NULL);
    set(&made, &set_b);
    stop(&made);
    for (enum guarantee g = 0; g < GUARANTEE_LINEARIZABLE; g++) {
        made_expect(&made, g, OUTCOME_HOLDS);
    }
    made_end(&made);
}

/* A learner that starts again has its state up to a number, and delivers from there. */
static void a_learner_that_returns_with_its_state_has_what_is_in_it(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    set(&made, &set_a);
    set(&made, &set_b);
    made_lab(&made, "kill", "learner-2");
    made_invoke(&made, "client2", &set_c);
    made_deliver(&made, "learner-1", &set_c);
    made_complete(&made, "client2", &set_c, "ok", NULL);
    made_wait_ms(&made, 1000);
    made_start(&made, "learner-2", "paxos", "learner");
    made_install(&made, "learner-2", 1, "disk");
    made_deliver(&made, "learner-2", &set_b);
    made_deliver(&made, "learner-2", &set_c);
    stop(&made);
    for (enum guarantee g = 0; g < GUARANTEE_LINEARIZABLE; g++) {
        made_expect(&made, g, OUTCOME_HOLDS);
    }
    made_end(&made);
}

UNIT_MAIN(cmocka_unit_test(who_only_sends_and_who_only_delivers_make_a_whole),
          cmocka_unit_test(a_clients_order_is_that_of_its_invocations),
          cmocka_unit_test(what_a_client_has_read_comes_before_what_it_then_sends),
          cmocka_unit_test(a_value_of_several_commands_tells_of_none),
          cmocka_unit_test(what_nobody_answered_is_owed_to_nobody),
          cmocka_unit_test(what_was_answered_or_delivered_is_owed_to_every_learner),
          cmocka_unit_test(what_no_client_asked_for_was_created),
          cmocka_unit_test(a_command_that_two_proposers_send_is_its_clients_still),
          cmocka_unit_test(a_learner_that_returns_with_its_state_has_what_is_in_it))
