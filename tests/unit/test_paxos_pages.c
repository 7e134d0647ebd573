/* What learners and stores send to one another: batches and pages of writes, reads, whole states. */
#include "paxos/fields.h"
#include "paxos/reads.h"
#include "paxos/snapshot.h"
#include "paxos/writes.h"
#include "tests/unit/unit.h"

#include <stdio.h>

static int read_writes(struct writes *writes, const char *text, bool with_data, struct error *error)
{
    struct json_object object = {0};
    int code = json_object_read(&object, text_of(text), error);

    if (code == 0) {
        code = writes_read(writes, &object, with_data, error);
    }
    json_object_free(&object);
    return code;
}

static void a_batch_is_read_with_all_that_it_names(void **state)
{
    struct writes writes = {0};
    struct error error;

    (void)state;
    assert_int_equal(
        read_writes(&writes,
                    "{\"first\":2,\"last\":4,\"writes\":[{\"number\":3,\"resource\":\"x\",\"data\":"
                    "{\"a\":[1,\"],{\\\"\"]},\"timestamp\":5},"
                    "{\"number\":4,\"resource\":\"\\u00e9\",\"data\":null}]}",
                    true, &error),
        0);
    assert_int_equal(writes.first, 2);
    assert_int_equal(writes.last, 4);
    assert_int_equal(writes.count, 2);
    if (writes.items == NULL) {
        fail_msg("%s", "there are no items");
        return;
    }
    assert_text_equal(writes.items[0].name, TEXT("x"));
    assert_text_equal(writes.items[0].data, TEXT("{\"a\":[1,\"],{\\\"\"]}"));
    assert_int_equal(writes.items[0].timestamp, 5);
    assert_int_equal(writes.items[1].version, 4);
    assert_text_equal(writes.items[1].name, TEXT("\xC3\xA9"));
    assert_text_equal(writes.items[1].data, TEXT("null"));
    writes_free(&writes);
}

static void the_short_form_is_one_write(void **state)
{
    struct writes writes = {0};
    struct error error;

    (void)state;
    assert_int_equal(read_writes(&writes, "{\"number\":7,\"resource\":\"x\"}", false, &error), 0);
    assert_int_equal(writes.first, 7);
    assert_int_equal(writes.last, 7);
    assert_int_equal(writes.count, 1);
    assert_int_equal(read_writes(&writes, "{\"number\":7,\"resource\":\"x\"}", true, &error),
                     ERROR_FIELD_MISSING);
    assert_string_equal(error.text, "data is missing");
    writes_free(&writes);
}

static void items_of_arrays_are_found_whatever_they_hold(void **state)
{
    static const char *const wanted[] = {"[1,[2,{\"a\":\"]\"}]]", "\"a\\\\\\\",b\"", "{}", "-1.5e3", "null"};
    struct json_object object = {0};
    struct field_items items;
    struct text item;
    struct error error;
    size_t count = 0;

    (void)state;
    assert_int_equal(
        json_object_read(&object,
                         TEXT("{\"a\":[ [1,[2,{\"a\":\"]\"}]], \"a\\\\\\\",b\", {}, -1.5e3, null ],"
                              "\"b\":[],\"c\":{}}"),
                         &error),
        0);
    assert_int_equal(field_array(&object, "a", &items, &error), 0);
    while (field_next(&items, &item)) {
        assert_text_equal(item, text_of(wanted[count++]));
    }
    assert_int_equal(count, 5);
    assert_int_equal(field_array(&object, "b", &items, &error), 0);
    assert_false(field_next(&items, &item));
    assert_int_equal(field_array(&object, "c", &items, &error), ERROR_FIELD_TYPE);
    assert_string_equal(error.text, "c must be of type array, not object");
    assert_int_equal(field_array(&object, "d", &items, &error), ERROR_FIELD_MISSING);
    json_object_free(&object);
}

static void numbers_are_whole_and_within_bounds(void **state)
{
    static const char *const bad[] = {"-1", "01", "1.0", "1e3", "18446744073709551616", "", "x"};
    uint64_t number = 5;

    (void)state;
    assert_true(field_item_number(TEXT("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_true(field_item_number(TEXT("0"), &number));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(field_item_number(text_of(bad[i]), &number));
    }
    assert_int_equal(number, 0);
}

static void write_one(struct learner_state *state, struct sessions *sessions, uint64_t number, unsigned keys)
{
    static const char data[] = "\"0123456789012345678901234567890123456789012345678901234567890123456789\"";
    char name[24];

    snprintf(name, sizeof name, "key%u", (unsigned)(number % keys));
    struct operation operation = {.type = COMMAND_SET,
                                  .resource = text_of(name),
                                  .data = text_of(data),
                                  .timestamp = TEXT("7")};
    learner_state_apply(state, &operation);
    sessions_note(sessions, number << 40, number);
}

/* The other goes on applying while its state is fetched: after each page, so many commands. */
static unsigned fetch_all(struct snapshot *snapshot, struct learner_state *state, struct sessions *sessions,
                          unsigned between)
{
    struct buffer question = {0};
    struct buffer page = {0};
    struct json_object object = {0};
    struct error error;
    unsigned pages = 0;

    while (!snapshot->whole) {
        buffer_clear(&question);
        buffer_clear(&page);
        snapshot_put_question(&question, snapshot);
        assert_int_equal(json_object_read(&object, buffer_text(&question), &error), 0);
        assert_int_equal(snapshot_put_page(&page, 1, 99, state, sessions, &object, &error), 0);
        assert_int_equal(json_object_read(&object, buffer_text(&page), &error), 0);
        assert_int_equal(snapshot_take_page(snapshot, &object, &error), 0);
        for (unsigned i = 0; i < between && !snapshot->whole; i++) {
            write_one(state, sessions, sessions->noted + 1, 5000);
        }
        pages++;
    }
    buffer_free(&question);
    buffer_free(&page);
    json_object_free(&object);
    return pages;
}

static void a_state_is_whole_after_its_last_page_whatever_changed_meanwhile(void **state)
{
    struct learner_state from = {0};
    struct sessions sessions = {0};
    struct snapshot snapshot = {0};

    (void)state;
    for (uint64_t i = 1; i <= 30000; i++) {
        write_one(&from, &sessions, i, 5000);
    }
    assert_true(fetch_all(&snapshot, &from, &sessions, 300) > 5);
    assert_int_equal(snapshot.instance, 99);
    assert_int_equal(snapshot.state.commands, from.commands);
    assert_int_equal(snapshot.state.writes, from.writes);
    assert_int_equal(snapshot.sessions.noted, sessions.noted);
    assert_int_equal(snapshot.state.resources.count, 5000);
    const struct resource *copy = snapshot.state.resources.first;
    for (const struct resource *resource = from.resources.first; resource != NULL;
         resource = resource->next) {
        assert_text_equal(copy->name, resource->name);
        assert_text_equal(copy->data, resource->data);
        assert_int_equal(copy->version, resource->version);
        copy = copy->next;
    }
    for (uint64_t i = 1; i <= sessions.noted; i++) {
        assert_false(sessions_note(&snapshot.sessions, i << 40, i));
    }
    snapshot_free(&snapshot);
    learner_state_free(&from);
    sessions_free(&sessions);
}

static void an_empty_state_is_one_page(void **state)
{
    struct learner_state from = {0};
    struct sessions sessions = {0};
    struct snapshot snapshot = {0};

    (void)state;
    assert_int_equal(fetch_all(&snapshot, &from, &sessions, 0), 1);
    assert_int_equal(snapshot.state.commands, 0);
    snapshot_free(&snapshot);
}

static void timestamps_become_milliseconds(void **state)
{
    struct operation native = {.timestamp = TEXT("1763689000250")};
    struct operation message = {.timestamp = TEXT("1763689000.25"), .message_uuid = TEXT("5f1d")};
    struct operation odd = {.timestamp = TEXT("-1")};
    struct operation huge = {.timestamp = TEXT("1e300")};

    (void)state;
    assert_int_equal(learner_state_timestamp(&native), 1763689000250);
    assert_int_equal(learner_state_timestamp(&message), 1763689000250);
    assert_int_equal(learner_state_timestamp(&odd), 0);
    assert_int_equal(learner_state_timestamp(&huge), 0);
}

static void several_reads_are_answered_in_their_order(void **state)
{
    struct resources resources = {0};
    struct json_object question = {0};
    struct json_object item = {0};
    struct buffer out = {0};
    struct error error;

    (void)state;
    resources_set(&resources, &(struct resource){TEXT("b"), TEXT("[1]"), 1, 10, NULL, NULL, NULL});
    resources_set(&resources, &(struct resource){TEXT("a\""), TEXT("\"v\""), 2, 20, NULL, NULL, NULL});
    assert_int_equal(
        json_object_read(&question,
                         TEXT("{\"reads\":[{\"resource\":\"b\"},{\"resource\":\"c\"},{\"all\":true}]}"),
                         &error),
        0);
    assert_int_equal(reads_answer(&resources, &question, &item, &out, &error), 0);
    assert_text_equal(buffer_text(&out), TEXT("[{\"data\":[1],\"version\":1,\"timestamp\":10},"
                                              "{\"data\":null,\"version\":0,\"timestamp\":0},"
                                              "{\"snapshot\":{\"a\\\"\": \"v\", \"b\": [1]}}]"));
    assert_int_equal(json_object_read(&question, TEXT("{\"reads\":[{\"all\":1}]}"), &error), 0);
    assert_int_equal(reads_check(&question, &item, &error), ERROR_FIELD_MISSING);
    buffer_free(&out);
    json_object_free(&question);
    json_object_free(&item);
    resources_free(&resources);
}

UNIT_MAIN(cmocka_unit_test(a_batch_is_read_with_all_that_it_names),
          cmocka_unit_test(the_short_form_is_one_write),
          cmocka_unit_test(items_of_arrays_are_found_whatever_they_hold),
          cmocka_unit_test(numbers_are_whole_and_within_bounds),
          cmocka_unit_test(a_state_is_whole_after_its_last_page_whatever_changed_meanwhile),
          cmocka_unit_test(an_empty_state_is_one_page), cmocka_unit_test(timestamps_become_milliseconds),
          cmocka_unit_test(several_reads_are_answered_in_their_order))
