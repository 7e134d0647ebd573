/* common/actions: a list of what a rule wants, which holds on to its messages until it is carried out. */
#include "common/actions.h"

#include "tests/unit/unit.h"

static struct message *make(struct text key)
{
    return message_new(&(struct message){
        .key = key, .value = TEXT("1"), .sender_id = TEXT("node1"), .message_uuid = TEXT("u"), .seq = 1});
}

static void actions_stand_in_the_order_in_which_they_were_added(void **state)
{
    (void)state;
    struct actions actions = {0};
    struct message *messages[50];

    for (size_t i = 0; i < 50; i++) {
        messages[i] = make(TEXT("k"));
        actions_add(&actions, i % 3 == 0 ? ACTION_SEND : ACTION_DELIVER, messages[i]);
    }
    assert_int_equal(actions.count, 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(actions.items[i].type, i % 3 == 0 ? ACTION_SEND : ACTION_DELIVER);
        assert_ptr_equal(actions.items[i].message, messages[i]);
        message_unref(messages[i]);
    }
    actions_free(&actions);
}

static void the_list_holds_a_message_that_its_caller_let_go(void **state)
{
    (void)state;
    struct actions actions = {0};
    struct message *message = make(TEXT("kept"));

    actions_add(&actions, ACTION_SEND, message);
    actions_add(&actions, ACTION_DELIVER, message);
    assert_int_equal(message->references, 3);
    message_unref(message);
    assert_text_equal(actions.items[1].message->key, TEXT("kept"));
    actions_free(&actions);
}

static void clearing_lets_go_and_keeps_the_memory(void **state)
{
    (void)state;
    struct actions actions = {0};
    struct message *message = make(TEXT("k"));

    actions_add(&actions, ACTION_SEND, message);
    struct action *items = actions.items;
    size_t capacity = actions.capacity;
    actions_clear(&actions);
    assert_int_equal(message->references, 1);
    assert_int_equal(actions.count, 0);
    actions_clear(&actions);
    assert_int_equal(message->references, 1);
    actions_add(&actions, ACTION_DELIVER, message);
    assert_ptr_equal(actions.items, items);
    assert_int_equal(actions.capacity, capacity);
    actions_free(&actions);
    assert_int_equal(message->references, 1);
    message_unref(message);
}

static void a_freed_list_is_an_empty_one(void **state)
{
    (void)state;
    struct actions actions = {0};
    struct message *message = make(TEXT("k"));

    actions_free(&actions);
    actions_add(&actions, ACTION_SEND, message);
    actions_free(&actions);
    assert_null(actions.items);
    assert_int_equal(actions.capacity, 0);
    actions_add(&actions, ACTION_SEND, message);
    assert_int_equal(actions.count, 1);
    actions_free(&actions);
    message_unref(message);
}

UNIT_MAIN(cmocka_unit_test(actions_stand_in_the_order_in_which_they_were_added),
          cmocka_unit_test(the_list_holds_a_message_that_its_caller_let_go),
          cmocka_unit_test(clearing_lets_go_and_keeps_the_memory),
          cmocka_unit_test(a_freed_list_is_an_empty_one))
