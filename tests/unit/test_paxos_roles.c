/* The roles of Paxos, one step at a time: what each rule says, and what nobody who is well would send. */
#include "paxos/acceptor.h"
#include "paxos/learner.h"
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

static void tell_acceptor(struct acceptor *acceptor, enum paxos_type type, struct ballot ballot,
                          uint64_t instance, struct value *value, struct paxos_actions *out)
{
    struct paxos_message *message = paxos_message_create(type, ballot.proposer, ballot, instance);

    if (type == PAXOS_ACCEPT) {
        paxos_message_add(message, instance, ballot, value);
    }
    paxos_actions_clear(out);
    acceptor_receive(acceptor, message, out);
    paxos_message_release(message);
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

static void an_acceptor_records_before_it_answers(void **state)
{
    struct acceptor acceptor;
    struct paxos_actions out = {0};

    (void)state;
    acceptor_init(&acceptor, 1, 2);
    tell_acceptor(&acceptor, PAXOS_PREPARE, (struct ballot){1, 1}, 1, NULL, &out);
    assert_int_equal(out.items[0].type, PAXOS_RECORD);
    assert_int_equal(out.items[0].record.type, RECORD_PROMISE);
    sent(&out, PAXOS_PROMISE);
    paxos_actions_free(&out);
    acceptor_free(&acceptor);
}

static void an_acceptor_refuses_what_is_below_its_promise_also_when_restored(void **state)
{
    struct acceptor acceptor;
    struct paxos_actions out = {0};
    const struct paxos_record promise = {.type = RECORD_PROMISE, .ballot = {3, 1}};

    (void)state;
    acceptor_init(&acceptor, 1, 2);
    acceptor_restore(&acceptor, &promise);
    tell_acceptor(&acceptor, PAXOS_ACCEPT, (struct ballot){2, 5}, 1, NULL, &out);
    assert_int_equal(sent(&out, PAXOS_NACK)->ballot.round, 3);
    assert_int_equal(out.count, 1);
    paxos_actions_free(&out);
    acceptor_free(&acceptor);
}

static void a_promise_tells_what_was_accepted(void **state)
{
    struct acceptor acceptor;
    struct paxos_actions out = {0};
    struct value *value = value_of(1);

    (void)state;
    acceptor_init(&acceptor, 1, 2);
    tell_acceptor(&acceptor, PAXOS_ACCEPT, (struct ballot){2, 5}, 4, value, &out);
    tell_acceptor(&acceptor, PAXOS_PREPARE, (struct ballot){3, 1}, 1, NULL, &out);
    const struct paxos_message *promise = sent(&out, PAXOS_PROMISE);
    assert_int_equal(promise->count, 1);
    assert_int_equal(promise->proposals[0].instance, 4);
    assert_int_equal(promise->proposals[0].ballot.round, 2);
    assert_true(value_equal(promise->proposals[0].value, value));
    value_release(value);
    paxos_actions_free(&out);
    acceptor_free(&acceptor);
}

static void what_is_out_of_bounds_is_ignored(void **state)
{
    struct acceptor acceptor;
    struct paxos_actions out = {0};

    (void)state;
    acceptor_init(&acceptor, 1, 2);
    tell_acceptor(&acceptor, PAXOS_PREPARE, (struct ballot){UINT64_MAX, 1}, 1, NULL, &out);
    assert_int_equal(out.count, 0);
    tell_acceptor(&acceptor, PAXOS_PREPARE, (struct ballot){1, UINT32_MAX}, 1, NULL, &out);
    assert_int_equal(out.count, 0);
    tell_acceptor(&acceptor, PAXOS_PREPARE, (struct ballot){1, 1}, UINT64_MAX, NULL, &out);
    assert_int_equal(out.count, 0);
    tell_acceptor(&acceptor, PAXOS_ACCEPT, (struct ballot){1, 1}, PAXOS_INSTANCE_MAX, NULL, &out);
    assert_int_equal(acceptor.accepted.count, 0);
    paxos_actions_free(&out);
    acceptor_free(&acceptor);
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

static void count_at(struct learner *learner, uint32_t acceptor, uint64_t round, struct value *value,
                     uint64_t instance, struct paxos_actions *out)
{
    const struct ballot ballot = {round, 1};
    struct paxos_message *message = paxos_message_create(PAXOS_ACCEPTED, acceptor, ballot, 0);

    paxos_message_add(message, instance, ballot, value);
    paxos_actions_clear(out);
    learner_receive(learner, message, out);
    paxos_message_release(message);
}

static void a_learner_wants_a_majority_of_one_ballot_and_no_gap(void **state)
{
    struct learner learner;
    struct paxos_actions out = {0};
    struct value *value = value_of(1);

    (void)state;
    learner_init(&learner, 1, 3);
    count_at(&learner, 1, 1, value, 1, &out);
    count_at(&learner, 1, 1, value, 1, &out);
    count_at(&learner, 2, 2, value, 1, &out);
    assert_int_equal(out.count, 0);
    count_at(&learner, 1, 1, value, 2, &out);
    count_at(&learner, 2, 1, value, 2, &out);
    assert_int_equal(learner.applied, 0);
    count_at(&learner, 3, 2, value, 1, &out);
    assert_int_equal(learner.applied, 2);
    assert_int_equal(out.count, 2);
    assert_int_equal(out.items[0].type, PAXOS_APPLY);
    assert_int_equal(out.items[1].type, PAXOS_REPEATED); /* the same command, decided twice */
    value_release(value);
    paxos_actions_free(&out);
    learner_free(&learner);
}

UNIT_MAIN(cmocka_unit_test(an_acceptor_records_before_it_answers),
          cmocka_unit_test(an_acceptor_refuses_what_is_below_its_promise_also_when_restored),
          cmocka_unit_test(a_promise_tells_what_was_accepted),
          cmocka_unit_test(what_is_out_of_bounds_is_ignored),
          cmocka_unit_test(a_round_is_recorded_and_never_used_again),
          cmocka_unit_test(a_leader_proposes_the_highest_accepted_value_and_fills_the_gap),
          cmocka_unit_test(a_clock_that_jumps_is_one_timeout_at_most),
          cmocka_unit_test(a_learner_wants_a_majority_of_one_ballot_and_no_gap))
