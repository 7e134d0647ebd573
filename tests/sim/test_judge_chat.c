/* The judge of the chat: a good run holds, and each way to break it is found, and told. */
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static const struct made_command hello = {1, "client1", "geral", "hello", 1};
static const struct made_command again = {2, "client1", "geral", "again", 2};
static const struct made_command other = {3, "client2", "geral", "other", 2};

static void begin(struct made_logs *made)
{
    made_begin(made);
    for (unsigned i = 1; i <= 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "server%u", i);
        made_start(made, name, "parte5", "server");
    }
    made_start(made, "listener1", "parte5", "listener");
    made->epoch = 65;
    made_line(made, "server1", "elect", "%s", ",\"state\":\"leads\",\"epoch\":65");
}

static void stop_all(struct made_logs *made)
{
    made_wait_ms(made, 1000);
    made_line(made, "server1", "stop", "%s", "");
    made_line(made, "server2", "stop", "%s", "");
    made_line(made, "server3", "stop", "%s", "");
}

static void reply(struct made_logs *made, const char *server, const struct made_command *command)
{
    made_line(
        made, server, "reply",
        ",\"message_uuid\":\"00000000-0000-4000-8000-%012u\",\"status\":\"ok\",\"seq\":%lld,\"epoch\":%lld",
        command->number, (long long)command->seq, (long long)made->epoch);
}

/* The primary takes it. */
static void take(struct made_logs *made, const char *server, const struct made_command *command)
{
    made_send(made, server, command);
    made_deliver(made, server, command);
}

/* Its client asks, server1 takes it, the others have it, and the client is told OK. */
static void say(struct made_logs *made, const struct made_command *command)
{
    made_invoke(made, command->sender, command);
    take(made, "server1", command);
    made_deliver(made, "server2", command);
    made_deliver(made, "server3", command);
    reply(made, "server1", command);
    made_complete(made, command->sender, command, "ok", NULL);
}

static void message(struct made_logs *made, const char *node, const char *event, const char *id, int clock)
{
    made_line(made, node, event, ",\"message_id\":\"%s\",\"service\":\"publish\",\"clock\":%d", id, clock);
}

static void clock_line(struct made_logs *made, const char *node, const char *state, int round,
                       const char *rest)
{
    made_line(made, node, "clock", ",\"state\":\"%s\",\"epoch\":65,\"round\":%d%s", state, round, rest);
}

/* ---- what is right ---- */

static void a_good_run_holds(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    message(&made, "server1", "send", "a", 3);
    message(&made, "server2", "receive", "a", 4);
    say(&made, &hello);
    say(&made, &again);
    made_deliver(&made, "listener1", &hello);
    made_deliver(&made, "listener1", &again);
    clock_line(&made, "server1", "corrected", 1, ",\"after_ms\":-3");
    clock_line(&made, "server2", "corrected", 1, ",\"after_ms\":2");
    clock_line(&made, "server1", "round", 1, ",\"skew_ms\":300,\"bound_ms\":5");
    stop_all(&made);
    made_expect_all(&made, OUTCOME_HOLDS);
    assert_int_equal(made.judgement.nodes, 3);
    assert_int_equal(made.judgement.agreement_count, 1);
    for (enum guarantee g = made.judgement.first; g < made.judgement.end; g++) {
        assert_false(made.judgement.verdicts[g].not_applicable);
    }
    made_end(&made);
}

static void without_servers_that_tell_nothing_is_certain(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_call(&made, "client1", &hello, "ok", NULL);
    stop_all(&made);
    made_expect_all(&made, OUTCOME_UNKNOWN);
    made_end(&made);
}

/* ---- nothing acknowledged is lost ---- */

static void what_was_acknowledged_is_nowhere(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    made_call(&made, "client1", &again, "ok", NULL);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_KEPT, "no server ever had it");
    made_expect(&made, GUARANTEE_EQUAL, OUTCOME_HOLDS);
    made_end(&made);
}

/* server1 forgets what it took alone, and gets what the others have. */
static void what_was_acknowledged_is_forgotten(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_invoke(&made, "client1", &hello);
    take(&made, "server1", &hello);
    made_complete(&made, "client1", &hello, "ok", NULL);
    made_line(&made, "server1", "recover", "%s", ",\"reason\":\"forget\"");
    for (unsigned i = 1; i <= 3; i++) {
        char name[16];
        snprintf(name, sizeof name, "server%u", i);
        made_deliver(&made, name, &other);
    }
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_KEPT, "forgot it");
    made_expect(&made, GUARANTEE_EQUAL, OUTCOME_HOLDS);
    made_end(&made);
}

/* A crash takes with it what was in the log, and not on the disk yet. */
static void what_was_not_on_the_disk_is_not_there(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    say(&made, &again);
    made_lab(&made, "kill", "server3");
    made_start(&made, "server3", "parte5", "server");
    made_line(&made, "server3", "recover", "%s", ",\"seq\":1,\"epoch\":65");
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_KEPT, "server3 does not have");
    made_expect_violated(&made, GUARANTEE_EQUAL, "server3 ends there");
    made_end(&made);
}

/* Who is down in the end owes nothing. */
static void a_dead_server_may_lack_it(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    made_lab(&made, "kill", "server3");
    made_invoke(&made, "client1", &hello);
    take(&made, "server1", &hello);
    made_deliver(&made, "server2", &hello);
    reply(&made, "server1", &hello);
    made_complete(&made, "client1", &hello, "ok", NULL);
    made_wait_ms(&made, 1000);
    made_line(&made, "server1", "stop", "%s", "");
    made_line(&made, "server2", "stop", "%s", "");
    made_expect(&made, GUARANTEE_KEPT, OUTCOME_HOLDS);
    made_expect(&made, GUARANTEE_EQUAL, OUTCOME_HOLDS);
    made_end(&made);
}

/* ---- identical data, once, in order ---- */

static void servers_end_with_other_data(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    made_deliver(&made, "server1", &again);
    made_deliver(&made, "server2", &other);
    made_deliver(&made, "server3", &again);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_EQUAL, "as number 2");
    made_expect(&made, GUARANTEE_KEPT, OUTCOME_HOLDS);
    made_end(&made);
}

static void a_retry_takes_effect_again(void **state)
{
    struct made_command twice = hello;
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    twice.seq = 2;
    made_deliver(&made, "server1", &twice);
    made_deliver(&made, "server2", &twice);
    made_deliver(&made, "server3", &twice);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_ONCE, "took effect twice at server1, as number 1 and as number 2");
    made_expect(&made, GUARANTEE_EQUAL, OUTCOME_HOLDS);
    made_end(&made);
}

static void a_subscriber_hears_it_the_other_way_round(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    say(&made, &again);
    made_deliver(&made, "listener1", &again);
    made_deliver(&made, "listener1", &hello);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_IN_ORDER, "listener1 heard");
    made_end(&made);
}

/* ---- a volume that all share ---- */

/* server1 leads, writes, and is put to sleep; server2 reads what is there, and goes on. */
static void take_over_volume(struct made_logs *made)
{
    begin(made);
    made_line(made, "server1", "recover", "%s", ",\"from\":\"volume\"");
    made_invoke(made, "client1", &hello);
    take(made, "server1", &hello);
    reply(made, "server1", &hello);
    made_complete(made, "client1", &hello, "ok", NULL);
    made->epoch = 130;
    made_line(made, "server2", "recover", "%s", ",\"seq\":1,\"epoch\":65,\"from\":\"volume\"");
    made_line(made, "server2", "elect", "%s", ",\"state\":\"leads\",\"epoch\":130");
    made_invoke(made, "client2", &other);
    take(made, "server2", &other);
    reply(made, "server2", &other);
    made_complete(made, "client2", &other, "ok", NULL);
    made->epoch = 65;
}

static void leaders_of_a_volume_go_on_from_each_other(void **state)
{
    struct made_logs made;

    (void)state;
    take_over_volume(&made);
    stop_all(&made);
    made_expect_all(&made, OUTCOME_HOLDS);
    assert_true(made.judgement.verdicts[GUARANTEE_EQUAL].not_applicable);
    assert_int_equal(made.judgement.agreements[0].last_set[0] != HISTORY_NONE, true);
    made_end(&made);
}

/* A fence that does not hold: the sleeper wakes, and writes where nobody reads. */
static void a_leader_without_a_fence_loses_what_it_takes(void **state)
{
    struct made_logs made;

    (void)state;
    take_over_volume(&made);
    made_invoke(&made, "client1", &again);
    take(&made, "server1", &again);
    reply(&made, "server1", &again);
    made_complete(&made, "client1", &again, "ok", NULL);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_KEPT, "client1 was told OK for");
    made_expect_violated(&made, GUARANTEE_ONE_LEADS, "server1, in reign 65, took");
    made_end(&made);
}

/* ---- one primary ---- */

/* server2 begins a later reign and says OK in it; then server1 takes, and acknowledges, one more write. */
static void two_take_writes(struct made_logs *made, bool taken_before)
{
    begin(made);
    made_lab(made, "partition", "server1");
    made_invoke(made, "client1", &hello);
    if (taken_before) {
        take(made, "server1", &hello);
    }
    made->epoch = 130;
    made_line(made, "server2", "elect", "%s", ",\"state\":\"leads\",\"epoch\":130");
    made_invoke(made, "client2", &other);
    take(made, "server2", &other);
    reply(made, "server2", &other);
    made_complete(made, "client2", &other, "ok", NULL);
    made->epoch = 65;
    if (!taken_before) {
        take(made, "server1", &hello);
    }
    reply(made, "server1", &hello);
    made_complete(made, "client1", &hello, "ok", NULL);
    made_lab(made, "heal", "server1");
    stop_all(made);
}

static void two_primaries_are_shown(void **state)
{
    struct made_logs made;

    (void)state;
    two_take_writes(&made, false);
    made_expect_violated(&made, GUARANTEE_ONE_LEADS, "server1, in reign 65, took");
    made_expect_violated(&made, GUARANTEE_ONE_LEADS, "server1 was cut off from the others");
    made_end(&made);
}

static void what_was_taken_before_is_no_second_reign(void **state)
{
    struct made_logs made;

    (void)state;
    two_take_writes(&made, true);
    made_expect(&made, GUARANTEE_ONE_LEADS, OUTCOME_HOLDS);
    made_end(&made);
}

/* ---- clocks ---- */

static void a_message_is_heard_before_it_is_said(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    message(&made, "server1", "send", "a", 7);
    message(&made, "server2", "receive", "a", 7);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_LAMPORT, "server2 heard it at 7");
    made_end(&made);
}

static void a_clock_goes_back(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    message(&made, "server1", "send", "a", 7);
    message(&made, "server1", "send", "b", 6);
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_LAMPORT, "server1's clock went back from 7 to 6");
    made_end(&made);
}

static void a_new_life_may_begin_a_clock_anew(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    message(&made, "server3", "send", "a", 7);
    made_lab(&made, "kill", "server3");
    made_start(&made, "server3", "parte5", "server");
    made_line(&made, "server3", "recover", "%s", ",\"seq\":1,\"epoch\":65");
    message(&made, "server3", "send", "b", 1);
    message(&made, "server1", "receive", "b", 9);
    stop_all(&made);
    made_expect(&made, GUARANTEE_LAMPORT, OUTCOME_HOLDS);
    made_end(&made);
}

static void clocks_are_too_far_apart_after_a_round(void **state)
{
    struct made_logs made;

    (void)state;
    begin(&made);
    say(&made, &hello);
    clock_line(&made, "server1", "corrected", 1, ",\"after_ms\":0");
    clock_line(&made, "server1", "round", 1, ",\"skew_ms\":300,\"bound_ms\":5");
    clock_line(&made, "server1", "corrected", 2, ",\"after_ms\":0");
    clock_line(&made, "server2", "corrected", 2, ",\"after_ms\":6");
    clock_line(&made, "server1", "round", 2, ",\"skew_ms\":300,\"bound_ms\":5");
    stop_all(&made);
    made_expect_violated(&made, GUARANTEE_CLOCKS,
                         "after round 2 the clocks of server2 and server1 were 6 ms");
    made_end(&made);
}

UNIT_MAIN(cmocka_unit_test(a_good_run_holds), cmocka_unit_test(without_servers_that_tell_nothing_is_certain),
          cmocka_unit_test(what_was_acknowledged_is_nowhere),
          cmocka_unit_test(what_was_acknowledged_is_forgotten),
          cmocka_unit_test(what_was_not_on_the_disk_is_not_there),
          cmocka_unit_test(a_dead_server_may_lack_it), cmocka_unit_test(servers_end_with_other_data),
          cmocka_unit_test(a_retry_takes_effect_again),
          cmocka_unit_test(a_subscriber_hears_it_the_other_way_round),
          cmocka_unit_test(leaders_of_a_volume_go_on_from_each_other),
          cmocka_unit_test(a_leader_without_a_fence_loses_what_it_takes),
          cmocka_unit_test(two_primaries_are_shown),
          cmocka_unit_test(what_was_taken_before_is_no_second_reign),
          cmocka_unit_test(a_message_is_heard_before_it_is_said), cmocka_unit_test(a_clock_goes_back),
          cmocka_unit_test(a_new_life_may_begin_a_clock_anew),
          cmocka_unit_test(clocks_are_too_far_apart_after_a_round))
