/* paxos/acceptor: how much it holds, and for whom it waits. */
#include "common/memory.h"
#include "paxos/acceptor.h"
#include "tests/unit/unit.h"

#include <stdlib.h>

#define LARGE (256 * 1024) /* bytes of a value */

static const struct ballot low = {1, 1};
static const struct ballot high = {2, 1};

struct setting {
    struct acceptor acceptor;
    struct paxos_actions out;
    struct value *large;
};

static void begin(struct setting *setting)
{
    char *bytes = memory_new_zeroed(LARGE, 1);

    *setting = (struct setting){0};
    acceptor_init(&setting->acceptor, 1, 2);
    setting->large = value_create(&(struct client_command){.bytes = bytes, .length = LARGE}, 1);
    free(bytes);
}

static void end(struct setting *setting)
{
    paxos_actions_free(&setting->out);
    acceptor_free(&setting->acceptor);
    value_release(setting->large);
}

/* Does it say that it accepted the value in that ballot? Then it has recorded it too, now or the first time. */
static bool accepts(struct setting *setting, struct ballot ballot, uint64_t instance, struct value *value)
{
    struct paxos_message *message = paxos_message_create(PAXOS_ACCEPT, ballot.proposer, ballot, 0);
    bool recorded = false;
    bool told = false;

    paxos_message_add(message, instance, ballot, value);
    paxos_actions_clear(&setting->out);
    acceptor_receive(&setting->acceptor, message, &setting->out);
    paxos_message_release(message);
    for (size_t i = 0; i < setting->out.count; i++) {
        const struct paxos_action *action = &setting->out.items[i];
        recorded = recorded || (action->type == PAXOS_RECORD && action->record.type == RECORD_ACCEPTED);
        told = told || (action->type == PAXOS_SEND && action->message->count > 0);
    }
    assert_true(told || !recorded);
    return told;
}

/* The last instance that it took before it had no room. */
static uint64_t fill(struct setting *setting)
{
    uint64_t instance = 1;

    while (accepts(setting, low, instance, setting->large)) {
        instance++;
        assert_true(instance < 1000);
    }
    return instance - 1;
}

static void checkpoint(struct setting *setting, uint32_t learner, uint64_t instance)
{
    struct paxos_message *message =
        paxos_message_create(PAXOS_CHECKPOINT, learner, (struct ballot){0}, instance);

    acceptor_receive(&setting->acceptor, message, &setting->out);
    paxos_message_release(message);
}

static void it_holds_no_more_than_one_promise_can(void **state)
{
    struct setting setting;
    (void)state;

    begin(&setting);
    uint64_t last = fill(&setting);
    assert_in_range(setting.acceptor.accepted.bytes, PAXOS_KEPT_BYTES - LARGE, PAXOS_KEPT_BYTES + LARGE);
    assert_false(accepts(&setting, low, last + 1, setting.large));
    assert_true(accepts(&setting, high, last, setting.large));
    assert_false(accepts(&setting, high, last + 1, setting.large));
    end(&setting);
}

/* Without that a leader that follows could not finish what is there, and nobody would ever make room. */
static void what_is_held_may_be_proposed_again_also_when_it_is_full(void **state)
{
    struct setting setting;
    (void)state;

    begin(&setting);
    accepts(&setting, low, 300, NULL); /* gaps before it */
    uint64_t last = fill(&setting);
    assert_true(last >= 299);
    for (uint64_t i = 1; i <= 300; i++) {
        assert_true(accepts(&setting, high, i, i % 2 == 0 ? setting.large : NULL));
    }
    end(&setting);
}

static void from_half_of_it_on_it_waits_only_for_the_first_learner(void **state)
{
    struct setting setting;
    (void)state;

    begin(&setting);
    uint64_t last = fill(&setting);
    checkpoint(&setting, 1, last - 10);
    assert_true(setting.acceptor.accepted.forgotten == last - 10);
    accepts(&setting, low, last + 1, NULL);
    checkpoint(&setting, 1, last);
    assert_true(setting.acceptor.accepted.forgotten == last - 10);
    checkpoint(&setting, 2, last - 1);
    assert_true(setting.acceptor.accepted.forgotten == last - 1);
    assert_true(accepts(&setting, low, last + 2, setting.large));
    end(&setting);
}

UNIT_MAIN(cmocka_unit_test(it_holds_no_more_than_one_promise_can),
          cmocka_unit_test(what_is_held_may_be_proposed_again_also_when_it_is_full),
          cmocka_unit_test(from_half_of_it_on_it_waits_only_for_the_first_learner))
