/* Acceptors and learners, one step at a time: what each rule says, and what nobody who is well would send. */
#include "paxos/acceptor.h"
#include "paxos/learner.h"
#include "tests/unit/unit.h"

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

/* It accepts nothing, and yet answers: the ballot must be on its disk before. Found by the simulation, seed 16526. */
static void an_accept_of_what_is_forgotten_is_a_promise_on_the_disk(void **state)
{
    struct acceptor acceptor;
    struct paxos_actions out = {0};
    const struct paxos_record forget = {.type = RECORD_FORGET, .instance = 5};

    (void)state;
    acceptor_init(&acceptor, 1, 2);
    acceptor_restore(&acceptor, &forget);
    tell_acceptor(&acceptor, PAXOS_ACCEPT, (struct ballot){2, 5}, 4, NULL, &out);
    assert_int_equal(out.items[0].type, PAXOS_RECORD);
    assert_int_equal(out.items[0].record.type, RECORD_PROMISE);
    assert_int_equal(out.items[0].record.ballot.round, 2);
    assert_int_equal(sent(&out, PAXOS_ACCEPTED)->count, 0);
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
    tell_acceptor(&acceptor, PAXOS_PREPARE, (struct ballot){BALLOT_ROUND_MAX, 1}, 1, NULL, &out);
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

/* Whoever sends far ahead and much does not fill its memory; what is near is taken all the same. */
static void what_a_learner_holds_is_bounded(void **state)
{
    static char bytes[1024 * 1024];
    const struct client_command command = {.bytes = bytes, .length = sizeof bytes};
    struct learner learner;
    struct paxos_actions out = {0};
    struct value *large = value_create(&command, 1);

    (void)state;
    learner_init(&learner, 1, 3);
    for (uint64_t i = 1; i <= 2 * PAXOS_KEPT_BYTES / sizeof bytes; i++) {
        count_at(&learner, 1, 1, large, PAXOS_FETCH_MAX + i, &out);
        count_at(&learner, 1, 2, large, PAXOS_FETCH_MAX + i, &out);
    }
    assert_true(learner.held <= PAXOS_KEPT_BYTES);
    assert_int_equal(large->references, 1 + learner.held / sizeof bytes);
    count_at(&learner, 1, 2, large, 1, &out);
    count_at(&learner, 2, 2, large, 1, &out);
    assert_int_equal(learner.applied, 1);
    paxos_actions_clear(&out);
    assert_true(learner_install(&learner, 2 * PAXOS_FETCH_MAX, &(struct sessions){0}));
    assert_int_equal(learner.held, 0);
    assert_int_equal(large->references, 1);
    value_release(large);
    paxos_actions_free(&out);
    learner_free(&learner);
}

UNIT_MAIN(cmocka_unit_test(an_acceptor_records_before_it_answers),
          cmocka_unit_test(an_acceptor_refuses_what_is_below_its_promise_also_when_restored),
          cmocka_unit_test(a_promise_tells_what_was_accepted),
          cmocka_unit_test(an_accept_of_what_is_forgotten_is_a_promise_on_the_disk),
          cmocka_unit_test(what_is_out_of_bounds_is_ignored),
          cmocka_unit_test(a_learner_wants_a_majority_of_one_ballot_and_no_gap),
          cmocka_unit_test(what_a_learner_holds_is_bounded))
