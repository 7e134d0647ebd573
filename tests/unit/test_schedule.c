/* common/lab/schedule and part_plan: what --kill, --pause and --restart-after may say, and what comes of it. */
#include "common/lab/part_plan.h"
#include "common/lab/schedule.h"

#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define TEN_TIMES(text) text text text text text text text text text text
#define TOO_LONG        TEN_TIMES("a-long-name-")

static const char *const members[] = {"node1", "node2", "node3", "sequencer"};

/* "kill node2 at 5000, restart node2 at 8000" */
static void assert_story(const struct schedule *schedule, const char *wanted)
{
    char got[1000] = "";
    size_t length = 0;

    for (size_t i = 0; i < schedule->count; i++) {
        const struct schedule_event *event = &schedule->events[i];
        length += (size_t)snprintf(got + length, sizeof got - length, "%s%s %s at %u", i > 0 ? ", " : "",
                                   schedule_action_name(event->action), event->target, event->at_ms);
    }
    assert_text_equal(text_of(got), text_of(wanted));
}

static int complete(struct schedule *schedule, struct error *error)
{
    int code = schedule_complete(schedule, members, sizeof members / sizeof *members, error);
    assert_int_equal(code, code == 0 ? 0 : error->code);
    return code;
}

static void test_times(void **state)
{
    static const struct {
        const char *text;
        uint32_t ms;
    } good[] = {{"5s", 5000}, {"0s", 0},      {"1.5s", 1500},  {"500ms", 500},
                {"0ms", 0},   {"0.0004s", 0}, {"2.25s", 2250}, {"86400s", SCHEDULE_LIMIT_MS}};
    static const char *const bad[] = {"",       "5",    "s",      "ms",
                                      "-1s",    "1 s",  "1m",     "5sx",
                                      "1e3s",   ".5s",  "1.2.3s", "0x5s",
                                      "86401s", "nans", "infs",   "99999999999999999999s"};
    struct error error;
    uint32_t ms = 7;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (schedule_read_time("restart-after", good[i].text, &ms, &error) != 0 || ms != good[i].ms) {
            fail_msg("%s is read as %u", good[i].text, ms);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (schedule_read_time("restart-after", bad[i], &ms, &error) == 0) {
            fail_msg("\"%s\" is taken", bad[i]);
        }
        assert_int_equal(error.code, ERROR_CONFIG);
        assert_non_null(strstr(error.text, "--restart-after"));
    }
}

static void test_kills_and_pauses_in_their_order(void **state)
{
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    assert_int_equal(schedule_add_pause(&schedule, "node3@2s-4s", &error), 0);
    assert_int_equal(schedule_add_kill(&schedule, "node2@3s", &error), 0);
    assert_int_equal(schedule_add_kill(&schedule, "sequencer@500ms", &error), 0);
    assert_int_equal(schedule_add_restarts(&schedule, 1000, &error), 0);
    assert_int_equal(complete(&schedule, &error), 0);
    assert_story(&schedule,
                 "kill sequencer at 500, restart sequencer at 1500, pause node3 at 2000, kill node2 at 3000, "
                 "resume node3 at 4000, restart node2 at 4000");
}

static void test_a_time_without_unit_has_that_of_the_other(void **state)
{
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    assert_int_equal(schedule_add_pause(&schedule, "node1@200-500ms", &error), 0);
    assert_int_equal(schedule_add_pause(&schedule, "node2@2-4s", &error), 0);
    assert_int_equal(schedule_add_pause(&schedule, "node3@300ms-1.5s", &error), 0);
    assert_int_equal(complete(&schedule, &error), 0);
    assert_story(&schedule,
                 "pause node1 at 200, pause node3 at 300, resume node1 at 500, resume node3 at 1500, "
                 "pause node2 at 2000, resume node2 at 4000");
}

static void test_what_is_no_kill_or_pause_is_refused(void **state)
{
    static const char *const kills[] = {"",           "node2",       "node2@",    "@5s",
                                        "node2@5",    "node2@5s-6s", "node2@x",   "node2@5s ",
                                        "node2 @5s@", "5s",          "node2@-5s", "" TOO_LONG "@5s"};
    static const char *const pauses[] = {"node2",       "node2@5",        "node2@5s-",       "node2@-5s",
                                         "node2@4s-2s", "node2@2s-2s",    "node2@2s-4",      "node2@2-4",
                                         "@2s-4s",      "node2@2s-4s-6s", "node2@500ms-0.2s"};
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    for (size_t i = 0; i < sizeof kills / sizeof *kills; i++) {
        if (schedule_add_kill(&schedule, kills[i], &error) == 0) {
            fail_msg("--kill \"%s\" is taken", kills[i]);
        }
        assert_non_null(strstr(error.text, "--kill"));
    }
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        if (schedule_add_pause(&schedule, pauses[i], &error) == 0) {
            fail_msg("--pause \"%s\" is taken", pauses[i]);
        }
        assert_non_null(strstr(error.text, "--pause"));
    }
    assert_int_equal(schedule.count, 0);
}

static void test_a_stranger_is_named_and_so_are_the_members(void **state)
{
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    assert_int_equal(schedule_add_kill(&schedule, "node4@1s", &error), 0);
    assert_int_equal(complete(&schedule, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "node4"));
    assert_non_null(strstr(error.text, "node1, node2, node3, sequencer"));
}

/* Events as "k1 r2 p3-4": kill node1 at 1 s, … */
static int play(const char *const *kills, const char *const *pauses, const char *restart_after,
                struct error *error)
{
    struct schedule schedule = {0};
    uint32_t after_ms;

    for (; *kills != NULL; kills++) {
        assert_int_equal(schedule_add_kill(&schedule, *kills, error), 0);
    }
    for (; *pauses != NULL; pauses++) {
        assert_int_equal(schedule_add_pause(&schedule, *pauses, error), 0);
    }
    if (restart_after != NULL) {
        assert_int_equal(schedule_read_time("restart-after", restart_after, &after_ms, error), 0);
        assert_int_equal(schedule_add_restarts(&schedule, after_ms, error), 0);
    }
    return complete(&schedule, error);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NOTHING   ((const char *const[]){NULL})

static void test_what_cannot_happen_is_refused(void **state)
{
    struct error error;

    (void)state;
    assert_int_equal(play(LIST("node1@1s", "node1@2s"), NOTHING, NULL, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "node1"));
    assert_non_null(strstr(error.text, "dead"));
    assert_int_equal(play(LIST("node1@1s", "node1@2s"), NOTHING, "500ms", &error), 0);
    assert_int_equal(play(LIST("node1@1s", "node1@2s"), NOTHING, "1500ms", &error), ERROR_CONFIG);
    assert_int_equal(play(LIST("node1@1s"), LIST("node1@2s-3s"), NULL, &error), ERROR_CONFIG);
    assert_int_equal(play(LIST("node1@1s"), LIST("node1@2s-3s"), "500ms", &error), 0);
    assert_int_equal(play(LIST("node1@2500ms"), LIST("node1@2s-3s"), NULL, &error), ERROR_CONFIG);
    assert_int_equal(play(NOTHING, LIST("node1@1s-3s", "node1@2s-4s"), NULL, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "paused"));
    assert_int_equal(play(NOTHING, LIST("node1@1s-2s", "node1@2s-4s"), NULL, &error), 0);
    assert_int_equal(play(LIST("node1@1s"), NOTHING, "0s", &error), 0);
}

static void test_no_more_events_than_there_is_room_for(void **state)
{
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    for (unsigned i = 0; i < SCHEDULE_EVENTS_MAX; i++) {
        assert_int_equal(schedule_add_kill(&schedule, "node1@1s", &error), 0);
    }
    assert_int_equal(schedule_add_kill(&schedule, "node1@1s", &error), ERROR_CONFIG);
    assert_int_equal(schedule_add_restarts(&schedule, 1, &error), ERROR_CONFIG);
}

static void test_one_network_is_parted_and_whole_in_turns(void **state)
{
    static const char *const bad[] = {"node1,node9@1s-2s", "@1s-2s", "node1@2s-1s", "node1@1"};
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    assert_int_equal(schedule_add_partition(&schedule, "node1,sequencer@2s-3s", &error), 0);
    assert_int_equal(schedule_add_partition(&schedule, "node2@3s-4s", &error), 0);
    assert_int_equal(schedule_add_kill(&schedule, "node2@2500ms", &error),
                     0); /* its side is none of its business */
    assert_int_equal(complete(&schedule, &error), 0);
    assert_story(&schedule, "partition node1,sequencer at 2000, kill node2 at 2500, "
                            "heal node1,sequencer at 3000, partition node2 at 3000, heal node2 at 4000");
    assert_int_equal(schedule_add_partition(&schedule, "node3@3500ms-5s", &error), 0);
    assert_int_equal(complete(&schedule, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "the network is parted then"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct schedule fresh = {0};
        int code = schedule_add_partition(&fresh, bad[i], &error);
        assert_int_equal(code != 0 ? code : complete(&fresh, &error), ERROR_CONFIG);
    }
}

static void test_what_lasts_for_so_long_ends_then(void **state)
{
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    assert_int_equal(schedule_add_pause(&schedule, "node1@1s-2s", &error), 0);
    assert_int_equal(schedule_add_ends(&schedule, 0, &error), 0);
    assert_int_equal(schedule_add_pause(&schedule, "node2@3s", &error), 0);
    assert_int_equal(schedule_add_partition(&schedule, "node3@4s", &error), 0);
    assert_int_equal(schedule_add_ends(&schedule, 0, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "--for"));
    assert_int_equal(schedule_add_ends(&schedule, 1500, &error), 0);
    assert_int_equal(complete(&schedule, &error), 0);
    assert_story(&schedule, "pause node1 at 1000, resume node1 at 2000, pause node2 at 3000, "
                            "partition node3 at 4000, resume node2 at 4500, heal node3 at 5500");
}

static void test_what_happens_to_the_same_is_known(void **state)
{
    const struct schedule_event kill = {.action = SCHEDULE_KILL, .target = "node1"};
    const struct schedule_event restart = {.action = SCHEDULE_RESTART, .target = "node1"};
    const struct schedule_event pause = {.action = SCHEDULE_PAUSE, .target = "node2"};
    const struct schedule_event cut = {.action = SCHEDULE_PARTITION, .target = "node1"};
    const struct schedule_event heal = {.action = SCHEDULE_HEAL, .target = "node2,node3"};

    (void)state;
    assert_true(schedule_concern_same(&kill, &restart));
    assert_false(schedule_concern_same(&kill, &pause));
    assert_false(schedule_concern_same(&kill, &cut));
    assert_false(schedule_concern_same(&cut, &kill));
    assert_true(schedule_concern_same(&cut, &heal)); /* the network: it is whole when another cut ends */
}

static void test_parts_have_their_members_and_other_names_for_them(void **state)
{
    struct schedule schedule = {0};
    struct error error;

    (void)state;
    assert_int_equal(schedule_add_kill(&schedule, "leader@1s", &error), 0);
    assert_int_equal(schedule_add_kill(&schedule, "broker@2s", &error), 0);
    struct schedule same = schedule;
    const unsigned counts[MEMBER_KINDS] = {[MEMBER_NODE] = 3, [MEMBER_PROPOSER] = 2, [MEMBER_ACCEPTOR] = 3};
    assert_int_equal(part_plan_complete(part_plan_find("parte3"), counts, 1, &same, &error), ERROR_CONFIG);
    same = schedule;
    assert_int_equal(part_plan_complete(part_plan_find("parte4"), counts, 1, &same, &error), 0);
    assert_story(&same, "kill node1 at 1000, kill broker at 2000");
    same = schedule;
    assert_int_equal(part_plan_complete(part_plan_find("parte4"), counts, 3, &same, &error), 0);
    assert_story(&same, "kill node1 at 1000, kill broker1 at 2000");
    same = schedule;
    assert_int_equal(part_plan_complete(part_plan_find("parte4"), counts, 0, &same, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "AMQP_URL"));
    same = schedule;
    assert_int_equal(part_plan_complete(part_plan_find("paxos"), counts, 0, &same, &error), ERROR_CONFIG);
    assert_non_null(strstr(error.text, "proposer-1, proposer-2, acceptor-1, acceptor-2, acceptor-3, leader"));
    same.count = 1; /* who leads is found out when it is time */
    assert_int_equal(part_plan_complete(part_plan_find("paxos"), counts, 0, &same, &error), 0);
    assert_story(&same, "kill leader at 1000");
    assert_null(part_plan_find("parte9"));
    assert_int_equal(part_plan_broker("broker"), 1);
    assert_int_equal(part_plan_broker("broker3"), 3);
    assert_int_equal(part_plan_broker("node3"), 0);
}

UNIT_MAIN(cmocka_unit_test(test_times), cmocka_unit_test(test_kills_and_pauses_in_their_order),
          cmocka_unit_test(test_a_time_without_unit_has_that_of_the_other),
          cmocka_unit_test(test_what_is_no_kill_or_pause_is_refused),
          cmocka_unit_test(test_a_stranger_is_named_and_so_are_the_members),
          cmocka_unit_test(test_what_cannot_happen_is_refused),
          cmocka_unit_test(test_no_more_events_than_there_is_room_for),
          cmocka_unit_test(test_one_network_is_parted_and_whole_in_turns),
          cmocka_unit_test(test_what_lasts_for_so_long_ends_then),
          cmocka_unit_test(test_what_happens_to_the_same_is_known),
          cmocka_unit_test(test_parts_have_their_members_and_other_names_for_them))
