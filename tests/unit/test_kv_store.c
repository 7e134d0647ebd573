/* common/kv_store: equal histories give equal bytes, whatever the shape of what was stored. */
#include "common/kv_store.h"

#include "common/json.h"
#include "common/random.h"
#include "tests/unit/unit.h"

#include <string.h>

static uint64_t apply(struct kv_store *store, enum command_type type, struct text key, struct text value)
{
    struct message *message = message_new(&(struct message){
        .command_type = type, .key = key, .value = value, .sender_id = TEXT("node1"), .seq = MESSAGE_NO_SEQ});
    uint64_t place = kv_store_apply(store, message);
    message_unref(message); /* the store keeps nothing of the message */
    return place;
}

static void set(struct kv_store *store, struct text key, struct text value)
{
    apply(store, COMMAND_SET, key, value);
}

static void assert_snapshot(struct kv_store *store, struct text wanted)
{
    struct buffer out = {0};
    kv_store_snapshot(store, &out);
    assert_text_equal(buffer_text(&out), wanted);
    buffer_free(&out);
}

static void an_empty_store_knows_nothing(void **state)
{
    (void)state;
    struct kv_store store;
    kv_store_init(&store);
    assert_int_equal(kv_store_count(&store), 0);
    assert_text_equal(kv_store_get(&store, TEXT("x")), TEXT("null"));
    assert_snapshot(&store, TEXT("{}"));
    kv_store_free(&store);
    kv_store_free(&store);
}

static void every_command_counts_in_the_local_order_and_only_set_changes(void **state)
{
    (void)state;
    struct kv_store store;
    kv_store_init(&store);
    assert_int_equal(apply(&store, COMMAND_GET, TEXT("x"), TEXT("null")), 1);
    assert_int_equal(apply(&store, COMMAND_PRINT, (struct text){0}, TEXT("null")), 2);
    assert_int_equal(kv_store_count(&store), 0);
    assert_int_equal(apply(&store, COMMAND_SET, TEXT("x"), TEXT("1")), 3);
    assert_int_equal(apply(&store, COMMAND_GET, TEXT("x"), TEXT("2")), 4);
    assert_text_equal(kv_store_get(&store, TEXT("x")), TEXT("1"));
    assert_int_equal(store.ordem_local, 4);
    kv_store_free(&store);
}

static void the_last_value_stays_longer_or_shorter(void **state)
{
    (void)state;
    struct kv_store store;
    kv_store_init(&store);
    set(&store, TEXT("x"), TEXT("\"first\""));
    set(&store, TEXT("x"), TEXT("[1,2,3,4,5,6,7,8,9]"));
    set(&store, TEXT("x"), TEXT("1"));
    set(&store, TEXT("x"), TEXT("2"));
    assert_text_equal(kv_store_get(&store, TEXT("x")), TEXT("2"));
    assert_int_equal(kv_store_count(&store), 1);
    set(&store, TEXT("x"), TEXT("null")); /* a null is a value too */
    assert_snapshot(&store, TEXT("{\"x\":null}"));
    kv_store_free(&store);
}

static void keys_are_told_apart_by_their_whole_length(void **state)
{
    (void)state;
    struct kv_store store;
    char longest[MESSAGE_KEY_MAX];
    memset(longest, 'k', sizeof longest);
    kv_store_init(&store);
    set(&store, TEXT("a"), TEXT("1"));
    set(&store, TEXT("a\0"), TEXT("2"));
    set(&store, TEXT("a\0b"), TEXT("3"));
    set(&store, (struct text){longest, MESSAGE_KEY_MAX}, TEXT("4"));
    set(&store, (struct text){longest, MESSAGE_KEY_MAX - 1}, TEXT("5"));
    assert_int_equal(kv_store_count(&store), 5);
    assert_text_equal(kv_store_get(&store, TEXT("a\0")), TEXT("2"));
    assert_text_equal(kv_store_get(&store, (struct text){longest, MESSAGE_KEY_MAX}), TEXT("4"));
    assert_text_equal(kv_store_get(&store, (struct text){longest, MESSAGE_KEY_MAX - 2}), TEXT("null"));
    kv_store_free(&store);
}

static void a_snapshot_has_its_keys_in_bytewise_order(void **state)
{
    (void)state;
    struct kv_store store;
    kv_store_init(&store);
    set(&store, TEXT("é"), TEXT("1"));
    set(&store, TEXT("z"), TEXT("2"));
    set(&store, TEXT("a b"), TEXT("3"));
    set(&store, TEXT("a!"), TEXT("4"));
    set(&store, TEXT("a"), TEXT("5"));
    set(&store, TEXT("\""), TEXT("6"));
    set(&store, TEXT("B\\"), TEXT("7"));
    set(&store, TEXT("10"), TEXT("8"));
    set(&store, TEXT("9"), TEXT("9"));
    assert_snapshot(
        &store, TEXT("{\"\\\"\":6,\"10\":8,\"9\":9,\"B\\\\\":7,\"a\":5,\"a b\":3,\"a!\":4,\"z\":2,\"é\":1}"));
    kv_store_free(&store);
}

static void a_snapshot_is_added_behind_what_is_there_and_changes_nothing(void **state)
{
    (void)state;
    struct kv_store store;
    struct buffer out = {0};
    kv_store_init(&store);
    set(&store, TEXT("b"), TEXT("1"));
    buffer_add_string(&out, "before ");
    kv_store_snapshot(&store, &out);
    set(&store, TEXT("a"), TEXT("2")); /* the table was sorted, and is a table still */
    kv_store_snapshot(&store, &out);
    assert_text_equal(buffer_text(&out), TEXT("before {\"b\":1}{\"a\":2,\"b\":1}"));
    assert_int_equal(store.ordem_local, 2);
    buffer_free(&out);
    kv_store_free(&store);
}

/* Sets `count` keys in an order drawn from `seed`, with a snapshot now and then, as PRINT takes one. */
static void fill_in_some_order(struct kv_store *store, unsigned count, uint64_t seed)
{
    struct random random = {seed};
    unsigned order[512];
    struct buffer ignored = {0};

    for (unsigned i = 0; i < count; i++) {
        unsigned other = (unsigned)random_below(&random, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (unsigned i = 0; i < count; i++) {
        struct buffer key = {0};
        struct buffer value = {0};
        buffer_add_format(&key, "key %u", order[i]);
        buffer_add_format(&value, "{\"n\":%u}", order[i]);
        if (random_below(&random, 2) == 0) {
            set(store, buffer_text(&key), TEXT("\"an earlier value\""));
        }
        set(store, buffer_text(&key), buffer_text(&value));
        if (random_below(&random, 50) == 0) {
            kv_store_snapshot(store, &ignored);
        }
        buffer_free(&key);
        buffer_free(&value);
    }
    buffer_free(&ignored);
}

static void the_order_of_insertion_leaves_no_trace_in_the_snapshot(void **state)
{
    (void)state;
    struct kv_store first;
    struct buffer wanted = {0};
    kv_store_init(&first);
    fill_in_some_order(&first, 512, 0);
    kv_store_snapshot(&first, &wanted);
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct kv_store other;
        kv_store_init(&other);
        fill_in_some_order(&other, 512, seed);
        assert_snapshot(&other, buffer_text(&wanted));
        kv_store_free(&other);
    }
    buffer_free(&wanted);
    kv_store_free(&first);
}

static void set_from_wire(struct kv_store *store, const char *value)
{
    struct buffer wire = {0};
    buffer_add_format(&wire,
                      "{\"value\":%s,\"command_type\":\"SET\",\"key\":\"k\",\"sender_id\":\"node1\","
                      "\"message_uuid\":\"5f1d7a70-9f0d-4a43-bb2b-0f2f7a8b9d10\"}",
                      value);
    struct message *message = message_decode(buffer_text(&wire), MESSAGE_DATAGRAM_MAX, NULL);
    assert_non_null(message);
    kv_store_apply(store, message);
    message_unref(message);
    buffer_free(&wire);
}

static void the_order_of_nested_members_leaves_no_trace_in_the_snapshot(void **state)
{
    (void)state;
    static const char *const same[] = {
        "{\"a\":1,\"a b\":[{\"x\":null,\"y\":\"\\u00e9\"}],\"c\":{}}",
        "{ \"c\" : {} , \"a b\" : [ { \"y\" : \"é\" , \"x\" : null } ] , \"a\" : 1 }",
        "{\"a b\":[{\"x\":7,\"y\":\"\\u00E9\",\"x\":null}],\"a\":2,\"c\":{ },\"\\u0061\":1}",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct kv_store store;
        kv_store_init(&store);
        set_from_wire(&store, same[i]);
        assert_snapshot(&store, TEXT("{\"k\":{\"a\":1,\"a b\":[{\"x\":null,\"y\":\"é\"}],\"c\":{}}}"));
        kv_store_free(&store);
    }
}

static void a_snapshot_is_json_that_any_line_of_a_log_can_hold(void **state)
{
    (void)state;
    struct kv_store store;
    struct buffer line = {0};
    struct json_object object = {0};
    kv_store_init(&store);
    fill_in_some_order(&store, 100, 3);
    set(&store, TEXT("\xC2\x9B\n"), TEXT("\"\\u0000\""));
    buffer_add_string(&line, "{\"snapshot\":");
    kv_store_snapshot(&store, &line);
    buffer_add_char(&line, '}');
    assert_false(text_has_control(buffer_text(&line)));
    assert_int_equal(json_object_read(&object, buffer_text(&line), NULL), 0);
    struct text snapshot = {line.bytes + 12, line.length - 13};
    assert_text_equal(object.members[0].text, snapshot); /* it is in canonical form as it is */
    json_object_free(&object);
    buffer_free(&line);
    kv_store_free(&store);
}

UNIT_MAIN(cmocka_unit_test(an_empty_store_knows_nothing),
          cmocka_unit_test(every_command_counts_in_the_local_order_and_only_set_changes),
          cmocka_unit_test(the_last_value_stays_longer_or_shorter),
          cmocka_unit_test(keys_are_told_apart_by_their_whole_length),
          cmocka_unit_test(a_snapshot_has_its_keys_in_bytewise_order),
          cmocka_unit_test(a_snapshot_is_added_behind_what_is_there_and_changes_nothing),
          cmocka_unit_test(the_order_of_insertion_leaves_no_trace_in_the_snapshot),
          cmocka_unit_test(the_order_of_nested_members_leaves_no_trace_in_the_snapshot),
          cmocka_unit_test(a_snapshot_is_json_that_any_line_of_a_log_can_hold))
