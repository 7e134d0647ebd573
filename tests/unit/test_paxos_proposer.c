/* The proposer, one step at a time: who leads, what it proposes, and what it tells its clients. */
#include "paxos/proposer.h"
#include "tests/unit/unit.h"

static const struct proposer_options three = {
    .id = 2, .acceptors = 3, .window = 4, .batch = 8, .heartbeat_ms = 20, .timeout_ms = 100};

static struct value *value_of(uint64_t timestamp)
{
    const struct client_command command = {7, timestamp, "x", 1};
    return value_create(&command, 1);
}

/* The first action of that type that sends that message; fails the test if there is none. */
static const struct paxos_message *sent(const struct paxos_actions *actions, enum paxos_type type)
{
    for (size_t i = 0; i < actions->count; i++) {
        if (actions->items[i].type == PAXOS_SEND && actions->items[i].message->type == type) {
            return actions->items[i].message;
        }
    }
    fail_msg("no %s is sent", paxos_type_name(type));
    return NULL;
}

static void tell_proposer(struct proposer *proposer, enum paxos_type type, uint32_t from,
                          const struct proposal *proposal, struct paxos_actions *out)
{
    struct paxos_message *message = paxos_message_create(type, from, proposer->ballot, 0);

    if (proposal != NULL) {
        paxos_message_add(message, proposal->instance, proposal->ballot, proposal->value);
    }
    paxos_actions_clear(out);
    proposer_receive(proposer, message, 0, out);
    paxos_message_release(message);
}

/* Lets it wait for a leader until it prepares. */
static void prepare(struct proposer *proposer, struct paxos_actions *out)
{
    proposer_tick(proposer, 0, 0, out);
    proposer_tick(proposer, three.timeout_ms, 0, out);
    assert_int_equal(proposer->phase, PROPOSER_PREPARES);
}

static void a_round_is_recorded_and_never_used_again(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};

    (void)state;
    proposer_init(&proposer, &three);
    prepare(&proposer, &out);
    assert_int_equal(out.items[0].type, PAXOS_RECORD);
    const struct paxos_record record = out.items[0].record;
    proposer_free(&proposer);
    proposer_init(&proposer, &three);
    proposer_restore(&proposer, &record);
    prepare(&proposer, &out);
    assert_true(proposer.ballot.round > record.ballot.round);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void a_leader_proposes_the_highest_accepted_value_and_fills_the_gap(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};
    struct value *low = value_of(1);
    struct value *high = value_of(2);
    const struct ballot old = {1, 1};

    (void)state;
    proposer_init(&proposer, &three);
    proposer.round = 5;
    prepare(&proposer, &out);
    tell_proposer(&proposer, PAXOS_PROMISE, 1, &(struct proposal){2, {2, 1}, high}, &out);
    tell_proposer(&proposer, PAXOS_PROMISE, 1, &(struct proposal){2, {2, 1}, high}, &out);
    assert_int_equal(proposer.phase, PROPOSER_PREPARES); /* twice the same one is no majority */
    tell_proposer(&proposer, PAXOS_PROMISE, 3, &(struct proposal){2, old, low}, &out);
    const struct paxos_message *accept = sent(&out, PAXOS_ACCEPT);
    assert_int_equal(accept->count, 2);
    assert_null(accept->proposals[0].value);
    assert_true(value_equal(accept->proposals[1].value, high));
    value_release(low);
    value_release(high);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static size_t count_of(const struct paxos_actions *actions, enum paxos_action_type type)
{
    size_t count = 0;

    for (size_t i = 0; i < actions->count; i++) {
        count += actions->items[i].type == type;
    }
    return count;
}

static void lead(struct proposer *proposer, struct paxos_actions *out)
{
    proposer_init(proposer, &three);
    prepare(proposer, out);
    tell_proposer(proposer, PAXOS_PROMISE, 1, NULL, out);
    tell_proposer(proposer, PAXOS_PROMISE, 3, NULL, out);
    assert_int_equal(proposer->phase, PROPOSER_LEADS);
}

static void submit(struct proposer *proposer, uint64_t timestamp, struct paxos_actions *out)
{
    const struct client_command command = {7, timestamp, "x", 1};
    proposer_submit(proposer, &command, out);
}

static void tell_accepted(struct proposer *proposer, uint32_t from, uint64_t instance,
                          struct paxos_actions *out)
{
    tell_proposer(proposer, PAXOS_ACCEPTED, from, &(struct proposal){instance, proposer->ballot, NULL}, out);
}

static void tell_confirmed(struct proposer *proposer, uint32_t from, uint64_t round,
                           struct paxos_actions *out)
{
    struct paxos_message *message = paxos_message_create(PAXOS_CONFIRMED, from, proposer->ballot, 0);

    message->number = round;
    paxos_actions_clear(out);
    proposer_receive(proposer, message, 0, out);
    paxos_message_release(message);
}

/* The round that a read waits for is asked again with each heartbeat, and its answers count whichever they answer. */
static void answers_may_take_longer_than_a_heartbeat(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};
    uint64_t now_ms = three.timeout_ms;

    (void)state;
    lead(&proposer, &out);
    uint64_t round = sent(&out, PAXOS_CONFIRM)->number;
    for (uint64_t reads = 1; reads <= 10; reads++) {
        paxos_actions_clear(&out);
        proposer_read(&proposer, reads, &out);
        proposer_propose(&proposer, &out);
        for (int beats = 0; beats < 4; beats++) {
            now_ms += three.heartbeat_ms;
            paxos_actions_clear(&out);
            proposer_tick(&proposer, now_ms, 0, &out);
            assert_int_equal(proposer.phase, PROPOSER_LEADS);
            assert_int_equal(sent(&out, PAXOS_CONFIRM)->number, round);
        }
        tell_confirmed(&proposer, 1, round, &out);
        assert_int_equal(count_of(&out, PAXOS_READ), 0);
        tell_confirmed(&proposer, 3, round, &out);
        assert_int_equal(count_of(&out, PAXOS_READ), reads > 1); /* the first came in the middle of a round */
        proposer_propose(&proposer, &out);
        round = sent(&out, PAXOS_CONFIRM)->number; /* for the one that came meanwhile */
    }
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void commands_that_come_together_share_an_instance(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};

    (void)state;
    lead(&proposer, &out);
    paxos_actions_clear(&out);
    for (uint64_t i = 1; i <= three.batch + 1; i++) {
        submit(&proposer, i, &out);
    }
    assert_int_equal(out.count, 0);
    proposer_propose(&proposer, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(sent(&out, PAXOS_ACCEPT)->count, 1);
    assert_int_equal(sent(&out, PAXOS_ACCEPT)->proposals[0].value->count, three.batch);
    submit(&proposer, three.batch + 2, &out);
    paxos_actions_clear(&out);
    proposer_propose(&proposer, &out);
    assert_int_equal(out.count, 0); /* the two that are left wait for more, or until nothing is under way */
    tell_accepted(&proposer, 1, 1, &out);
    tell_accepted(&proposer, 2, 1, &out);
    proposer_propose(&proposer, &out);
    assert_int_equal(sent(&out, PAXOS_ACCEPT)->proposals[0].instance, 2);
    assert_int_equal(sent(&out, PAXOS_ACCEPT)->proposals[0].value->count, 2);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void a_majority_decides_once_also_out_of_order(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};

    (void)state;
    lead(&proposer, &out);
    for (uint64_t i = 1; i <= (uint64_t)2 * three.batch; i++) { /* two instances full */
        submit(&proposer, i, &out);
    }
    proposer_propose(&proposer, &out);
    tell_accepted(&proposer, 1, 2, &out);
    tell_accepted(&proposer, 1, 2, &out);
    assert_int_equal(out.count, 0);
    tell_accepted(&proposer, 2, 2, &out);
    assert_int_equal(out.count, 1);
    assert_int_equal(out.items[0].type, PAXOS_DECIDED);
    assert_int_equal(out.items[0].instance, 2);
    assert_int_equal(out.items[0].value->commands[0].timestamp, three.batch + 1);
    assert_int_equal(proposer.first, 1);
    tell_accepted(&proposer, 3, 2, &out);
    assert_int_equal(out.count, 0);
    tell_accepted(&proposer, 3, 1, &out);
    tell_accepted(&proposer, 2, 1, &out);
    assert_int_equal(count_of(&out, PAXOS_DECIDED), 1);
    assert_int_equal(proposer.first, 3);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void what_a_majority_has_forgotten_is_decided(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};

    (void)state;
    lead(&proposer, &out);
    submit(&proposer, 1, &out);
    proposer_propose(&proposer, &out);
    for (uint32_t acceptor = 1; acceptor <= 2; acceptor++) {
        struct paxos_message *message =
            paxos_message_create(PAXOS_ACCEPTED, acceptor, proposer.ballot, PAXOS_INSTANCE_MAX);
        paxos_actions_clear(&out);
        proposer_receive(&proposer, message, 0, &out);
        paxos_message_release(message);
        assert_int_equal(count_of(&out, PAXOS_DECIDED), acceptor == 2);
    }
    assert_int_equal(proposer.first, proposer.next);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void who_leads_no_more_says_what_it_does_not_know(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};

    (void)state;
    lead(&proposer, &out);
    for (uint64_t i = 1; i <= (uint64_t)three.window * three.batch + 2; i++) {
        submit(&proposer, i, &out);
    }
    proposer_propose(&proposer, &out);
    tell_accepted(&proposer, 1, 2, &out);
    tell_accepted(&proposer, 2, 2, &out);
    struct paxos_message *nack = paxos_message_create(PAXOS_NACK, 3, (struct ballot){9, 4}, 0);
    paxos_actions_clear(&out);
    proposer_receive(&proposer, nack, 0, &out);
    paxos_message_release(nack);
    assert_int_equal(count_of(&out, PAXOS_STEP_DOWN), 1);
    assert_int_equal(count_of(&out, PAXOS_UNKNOWN), three.window - 1); /* one of them is decided */
    assert_int_equal(count_of(&out, PAXOS_REFUSE), 2);                 /* these were in no instance */
    submit(&proposer, 1000, &out);
    assert_int_equal(count_of(&out, PAXOS_REFUSE), 3);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void nobody_makes_a_leader_prepare_again_and_again(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};
    struct paxos_message *fetch = paxos_message_create(PAXOS_FETCH, 1, (struct ballot){0}, 1);

    (void)state;
    lead(&proposer, &out);
    submit(&proposer, 1, &out);
    proposer_propose(&proposer, &out);
    tell_accepted(&proposer, 1, 1, &out);
    tell_accepted(&proposer, 2, 1, &out);
    proposer_receive(&proposer, fetch, 0, &out);
    assert_int_equal(proposer.phase, PROPOSER_PREPARES);
    tell_proposer(&proposer, PAXOS_PROMISE, 1, &(struct proposal){1, {1, 2}, NULL}, &out);
    tell_proposer(&proposer, PAXOS_PROMISE, 2, &(struct proposal){1, {1, 2}, NULL}, &out);
    tell_accepted(&proposer, 1, 1, &out);
    tell_accepted(&proposer, 2, 1, &out);
    assert_int_equal(proposer.first, 2);
    proposer_receive(&proposer, fetch, 0, &out);
    assert_int_equal(proposer.phase, PROPOSER_LEADS);
    paxos_message_release(fetch);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void a_round_that_nobody_came_to_is_ignored(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};
    const struct ballot far = {BALLOT_ROUND_MAX, 1};

    (void)state;
    lead(&proposer, &out);
    struct paxos_message *beat = paxos_message_create(PAXOS_HEARTBEAT, 1, far, 1);
    paxos_actions_clear(&out);
    proposer_receive(&proposer, beat, 0, &out);
    paxos_message_release(beat);
    assert_int_equal(out.count, 0);
    assert_int_equal(proposer.phase, PROPOSER_LEADS);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

/* A leader's heartbeat says that all before instance 1000 is decided, and no acceptor knows of that. */
static void an_instance_that_nobody_knows_is_not_believed(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};
    struct paxos_message *beat = paxos_message_create(PAXOS_HEARTBEAT, 1, (struct ballot){3, 1}, 1000);

    (void)state;
    proposer_init(&proposer, &three);
    proposer_receive(&proposer, beat, 0, &out);
    paxos_message_release(beat);
    assert_int_equal(proposer.first, 1000);
    prepare(&proposer, &out);
    assert_int_equal(sent(&out, PAXOS_PREPARE)->instance, 999);
    tell_proposer(&proposer, PAXOS_PROMISE, 1, NULL, &out);
    tell_proposer(&proposer, PAXOS_PROMISE, 2, NULL, &out);
    assert_int_equal(proposer.phase, PROPOSER_PREPARES);
    assert_int_equal(sent(&out, PAXOS_PREPARE)->instance, 1);
    tell_proposer(&proposer, PAXOS_PROMISE, 1, NULL, &out);
    tell_proposer(&proposer, PAXOS_PROMISE, 2, &(struct proposal){2, {1, 1}, NULL}, &out);
    assert_int_equal(proposer.phase, PROPOSER_LEADS);
    assert_int_equal(proposer.first, 1);
    assert_int_equal(proposer.next, 3);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

/* Between two that do not hear one another the lead changes less and less often. */
static void who_is_never_heard_waits_longer(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};
    uint64_t before = 0;

    (void)state;
    lead(&proposer, &out);
    for (uint64_t i = 1; i <= 6; i++) {
        struct paxos_message *nack =
            paxos_message_create(PAXOS_NACK, 3, (struct ballot){proposer.ballot.round + 1, 4}, 0);
        proposer_receive(&proposer, nack, 0, &out);
        paxos_message_release(nack);
        uint64_t wait = proposer.deadline_ms - proposer.now_ms;
        assert_true(i == 1 ? wait == three.timeout_ms : wait == 2 * before || i > 4);
        assert_true(wait <= (uint64_t)8 * three.timeout_ms);
        before = wait;
        proposer_tick(&proposer, 0, 0, &out);
        while (proposer.phase == PROPOSER_FOLLOWS) {
            proposer_tick(&proposer, proposer.clock_ms + three.timeout_ms, 0, &out);
        }
    }
    struct paxos_message *beat =
        paxos_message_create(PAXOS_HEARTBEAT, 4, (struct ballot){proposer.ballot.round + 1, 4}, 1);
    proposer_receive(&proposer, beat, 0, &out);
    paxos_message_release(beat);
    assert_int_equal(proposer.deadline_ms - proposer.now_ms, three.timeout_ms);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

static void a_clock_that_jumps_is_one_timeout_at_most(void **state)
{
    struct proposer proposer;
    struct paxos_actions out = {0};

    (void)state;
    proposer_init(&proposer, &three);
    proposer_tick(&proposer, UINT64_MAX / 2, 0, &out);
    proposer_tick(&proposer, 5, 0, &out);
    assert_int_equal(proposer.now_ms, 0);
    proposer_tick(&proposer, UINT64_MAX, 0, &out);
    assert_int_equal(proposer.now_ms, three.timeout_ms);
    paxos_actions_free(&out);
    proposer_free(&proposer);
}

UNIT_MAIN(cmocka_unit_test(a_round_is_recorded_and_never_used_again),
          cmocka_unit_test(a_leader_proposes_the_highest_accepted_value_and_fills_the_gap),
          cmocka_unit_test(answers_may_take_longer_than_a_heartbeat),
          cmocka_unit_test(commands_that_come_together_share_an_instance),
          cmocka_unit_test(a_majority_decides_once_also_out_of_order),
          cmocka_unit_test(what_a_majority_has_forgotten_is_decided),
          cmocka_unit_test(who_leads_no_more_says_what_it_does_not_know),
          cmocka_unit_test(nobody_makes_a_leader_prepare_again_and_again),
          cmocka_unit_test(a_round_that_nobody_came_to_is_ignored),
          cmocka_unit_test(an_instance_that_nobody_knows_is_not_believed),
          cmocka_unit_test(who_is_never_heard_waits_longer),
          cmocka_unit_test(a_clock_that_jumps_is_one_timeout_at_most))
