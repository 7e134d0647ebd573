/* paxos/message_json: what the roles say to one another is read as it was written, and what nobody may say is refused with
 * a sentence that names the field. */
#include "common/memory.h"
#include "paxos/command_json.h"
#include "paxos/limits.h"
#include "paxos/message_json.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMMAND_A                                                                                            \
    "{\"clientId\":\"a\",\"data\":[1,\"}\"],\"operation\":\"SET\",\"resource\":\"x\",\"timestamp\":1}"
#define COMMAND_B "{\"clientId\":\"b\",\"operation\":\"GET\",\"resource\":\"\xC3\xA9\",\"timestamp\":2}"
#define PLAIN     "{\"clientId\":\"p\",\"data\":\"v\",\"operation\":\"SET\",\"resource\":\"x\",\"timestamp\":3}"

static const struct ballot ballot = {3, 1};

static struct value *value_of(const char *first, const char *second)
{
    struct client_command commands[] = {{.bytes = first, .length = strlen(first)},
                                        {.bytes = second, .length = second != NULL ? strlen(second) : 0}};
    return value_create(commands, second != NULL ? 2 : 1);
}

static bool same_bytes(const struct value *a, const struct value *b)
{
    if (a == NULL || b == NULL || a->count != b->count) {
        return a == b;
    }
    for (size_t i = 0; i < a->count; i++) {
        struct text first = {a->commands[i].bytes, a->commands[i].length};
        struct text second = {b->commands[i].bytes, b->commands[i].length};
        if (!text_equal(first, second)) {
            return false;
        }
    }
    return true;
}

static void assert_same(const struct paxos_message *got, const struct paxos_message *wanted, bool with_values)
{
    assert_int_equal(got->type, wanted->type);
    assert_int_equal(got->from, wanted->from);
    assert_int_equal(ballot_compare(got->ballot, wanted->ballot), 0);
    assert_true(got->instance == wanted->instance);
    assert_true(got->number == wanted->number);
    assert_int_equal(got->count, wanted->count);
    for (size_t i = 0; i < got->count; i++) {
        assert_true(got->proposals[i].instance == wanted->proposals[i].instance);
        assert_int_equal(ballot_compare(got->proposals[i].ballot, wanted->proposals[i].ballot), 0);
        assert_true(!with_values || same_bytes(got->proposals[i].value, wanted->proposals[i].value));
    }
}

static struct paxos_message *read_text(enum paxos_type type, const char *text)
{
    struct error error;
    struct paxos_message *message = message_json_read(type, text_of(text), &error);

    if (message == NULL) {
        fail_msg("%s: %s", text, error.text);
    }
    return message;
}

/* A message with a batch, a no-op and a single command. */
static struct paxos_message *long_message(enum paxos_type type, uint32_t from)
{
    struct paxos_message *message = paxos_message_create(type, from, ballot, 0);
    struct value *batch = value_of(COMMAND_A, COMMAND_B);
    struct value *single = value_of(COMMAND_B, NULL);

    paxos_message_add(message, 7, ballot, batch);
    paxos_message_add(message, 8, ballot, NULL);
    paxos_message_add(message, PAXOS_INSTANCE_MAX, ballot, single);
    value_release(batch);
    value_release(single);
    return message;
}

static void assert_travels(struct paxos_message *message, bool with_values)
{
    struct buffer out = {0};
    struct error error;

    message_json_write(&out, message);
    struct paxos_message *got = message_json_read(message->type, buffer_text(&out), &error);
    if (got == NULL) {
        fail_msg("%.*s: %s", (int)out.length, out.bytes, error.text);
        return;
    }
    assert_same(got, message, with_values);
    paxos_message_release(got);
    paxos_message_release(message);
    buffer_free(&out);
}

static void every_message_is_read_as_it_was_written(void **state)
{
    static const enum paxos_type plain[] = {PAXOS_PREPARE,   PAXOS_NACK,  PAXOS_CONFIRM,   PAXOS_CONFIRMED,
                                            PAXOS_HEARTBEAT, PAXOS_FETCH, PAXOS_CHECKPOINT};
    (void)state;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        bool has_ballot = plain[i] != PAXOS_FETCH && plain[i] != PAXOS_CHECKPOINT;
        bool has_number = plain[i] == PAXOS_CONFIRM || plain[i] == PAXOS_CONFIRMED;
        bool from_acceptor = plain[i] == PAXOS_NACK || plain[i] == PAXOS_CONFIRMED;
        struct paxos_message *message =
            paxos_message_create(plain[i], from_acceptor ? 2 : 1, has_ballot ? ballot : (struct ballot){0},
                                 has_number || plain[i] == PAXOS_NACK ? 0 : PAXOS_INSTANCE_MAX);
        message->number = has_number ? BALLOT_ROUND_MAX : 0;
        assert_travels(message, true);
    }
    assert_travels(long_message(PAXOS_ACCEPT, 1), true);
    struct paxos_message *promise = long_message(PAXOS_PROMISE, 2);
    promise->proposals[1].ballot = (struct ballot){1, 31};
    promise->instance = 6;
    promise->number = 7;
    assert_travels(promise, true);
    struct paxos_message *answer = long_message(PAXOS_ACCEPTED, 31);
    answer->instance = 6;
    assert_travels(answer, false);
}

static void a_message_is_written_as_its_head_says(void **state)
{
    struct paxos_message *accept = paxos_message_create(PAXOS_ACCEPT, 1, ballot, 0);
    struct value *value = value_of(COMMAND_B, NULL);
    struct buffer out = {0};
    (void)state;

    paxos_message_add(accept, 7, ballot, value);
    message_json_write(&out, accept);
    assert_text_equal(buffer_text(&out),
                      text_of("{\"proposalNumber\":3,\"proposerId\":1,\"proposals\":[{\"instanceId\":7,"
                              "\"value\":[" COMMAND_B "]}]}"));
    paxos_message_release(accept);
    value_release(value);
    buffer_free(&out);
}

/* What /learn takes at a time is bounded, and nothing is left out or told twice. */
static void what_is_learnt_comes_in_pieces(void **state)
{
    struct paxos_message *message = paxos_message_create(PAXOS_ACCEPTED, 2, ballot, 5);
    char *text = memory_new(300000);
    size_t next = 0;
    uint64_t instance = 0;
    int pieces = 0;
    (void)state;

    snprintf(
        text, 300000,
        "{\"clientId\":\"a\",\"data\":\"%0*d\",\"operation\":\"SET\",\"resource\":\"x\",\"timestamp\":1}",
        200000, 0);
    struct value *value = value_of(text, NULL);
    for (uint64_t i = 1; i <= 7; i++) {
        paxos_message_add(message, i, ballot, value);
    }
    for (; next < message->count; pieces++) {
        struct buffer out = {0};
        struct error error;
        next = message_json_write_learn(&out, message, next);
        assert_true(out.length <= 1024 * 1024);
        struct paxos_message *got = message_json_read_learn(buffer_text(&out), &error);
        assert_non_null(got);
        assert_int_equal(got->from, 2);
        assert_true(got->instance == 5);
        for (size_t i = 0; i < got->count; i++) {
            assert_true(got->proposals[i].instance == ++instance);
            assert_true(same_bytes(got->proposals[i].value, value));
        }
        paxos_message_release(got);
        buffer_free(&out);
    }
    assert_true(instance == 7);
    assert_int_equal(pieces, 3);
    value_release(value);
    paxos_message_release(message);
    free(text);
}

static void curl_may_be_short_and_sloppy(void **state)
{
    struct paxos_message *message =
        read_text(PAXOS_ACCEPT,
                  " {\"proposerId\" : 1, \"more\": [{\"a\":[]}, -1.5e+3, true, \"\\ud83d\\ude00\"],\n"
                  "\"proposalNumber\":3, \"instanceId\":7,"
                  "\"value\":[{\"timestamp\":2,\"operation\":\"read\",\"resource\":\"\\u00e9\","
                  "\"clientId\":\"b\"}]} ");
    (void)state;

    assert_int_equal(message->count, 1);
    assert_true(message->proposals[0].instance == 7);
    assert_int_equal(ballot_compare(message->proposals[0].ballot, ballot), 0);
    assert_int_equal(message->proposals[0].value->count, 1);
    struct text bytes = {message->proposals[0].value->commands[0].bytes,
                         message->proposals[0].value->commands[0].length};
    assert_text_equal(bytes, text_of(COMMAND_B));
    assert_true(message->proposals[0].value->commands[0].client != 0);
    paxos_message_release(message);
    message =
        read_text(PAXOS_ACCEPT, "{\"proposerId\":1,\"proposalNumber\":3,\"instanceId\":7,\"value\":null}");
    assert_null(message->proposals[0].value);
    paxos_message_release(message);
}

static void refused(enum paxos_type type, const char *text, enum error_code code, const char *words)
{
    struct error error = {0};
    struct paxos_message *message = message_json_read(type, text_of(text), &error);

    if (message != NULL) {
        paxos_message_release(message);
        fail_msg("%s was taken", text);
    }
    if (error.code != code || strstr(error.text, words) == NULL) {
        fail_msg("%s: %s (%s), not %s", text, error.text, error_name(error.code), words);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    refused(PAXOS_PREPARE, "", ERROR_NOT_JSON, "object");
    refused(PAXOS_PREPARE, "[]", ERROR_NOT_JSON, "object");
    refused(PAXOS_PREPARE, "{\"proposerId\":1", ERROR_NOT_JSON, "comma");
    refused(PAXOS_PREPARE, "{\"proposerId\":1,}", ERROR_NOT_JSON, "name");
    refused(PAXOS_PREPARE, "{\"a\":\"\\ud83d\"}", ERROR_NOT_JSON, "surrogate");
    refused(PAXOS_PREPARE, "{\"a\":01}", ERROR_NOT_JSON, "number");
    refused(PAXOS_PREPARE, "{\"a\":nul}", ERROR_NOT_JSON, "word");
    refused(PAXOS_PREPARE, "{\"a\":\"\n\"}", ERROR_NOT_JSON, "control");
    refused(PAXOS_PREPARE, "{\"a\":[1}", ERROR_NOT_JSON, "comma or ]");
    refused(PAXOS_PREPARE, "{\"a\":\"\xFF\"}", ERROR_NOT_UTF8, "UTF-8");
    refused(PAXOS_PREPARE, "{\"proposerId\":1,\"proposalNumber\":1,\"instanceId\":1} {}", ERROR_NOT_JSON,
            "behind");
    refused(PAXOS_PREPARE, "{\"proposalNumber\":1,\"instanceId\":1}", ERROR_FIELD_MISSING, "proposerId");
    refused(PAXOS_PREPARE, "{\"proposerId\":1,\"instanceId\":1}", ERROR_FIELD_MISSING, "proposalNumber");
    refused(PAXOS_PREPARE, "{\"proposerId\":32}", ERROR_FIELD_VALUE, "proposerId is 32");
    refused(PAXOS_PREPARE, "{\"proposerId\":-1}", ERROR_FIELD_VALUE, "proposerId is -1");
    refused(PAXOS_PREPARE, "{\"proposerId\":1.0}", ERROR_FIELD_VALUE, "proposerId is 1.0");
    refused(PAXOS_PREPARE, "{\"proposerId\":\"1\"}", ERROR_FIELD_VALUE, "proposerId is \"1\"");
    refused(PAXOS_PREPARE, "{\"proposalNumber\":9007199254740993}", ERROR_FIELD_VALUE, "proposalNumber");
    refused(PAXOS_PREPARE, "{\"proposalNumber\":18446744073709551617}", ERROR_FIELD_VALUE, "proposalNumber");
    refused(PAXOS_PREPARE, "{\"instanceId\":9007199254740993}", ERROR_FIELD_VALUE, "instanceId");
    refused(PAXOS_FETCH, "{\"instanceId\":1}", ERROR_FIELD_MISSING, "learnerId");
    refused(PAXOS_CONFIRM, "{\"proposerId\":1,\"proposalNumber\":1}", ERROR_FIELD_MISSING, "number");
}

#define BALLOT "\"proposerId\":1,\"proposalNumber\":3,"

static void values_are_checked_too(void **state)
{
    (void)state;
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":7}", ERROR_FIELD_MISSING, "proposals");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"value\":null}", ERROR_FIELD_MISSING, "instanceId");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":0,\"value\":null}", ERROR_FIELD_VALUE,
            "instanceId is 0");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":7,\"value\":[]}", ERROR_FIELD_VALUE, "empty");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":7,\"value\":{}}", ERROR_FIELD_TYPE, "array of commands");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":7,\"value\":[7]}", ERROR_FIELD_TYPE, "no object");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":7,\"value\":[{}]}", ERROR_FIELD_MISSING, "operation");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"instanceId\":7,\"value\":[" COMMAND_A "}", ERROR_NOT_JSON, "comma");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"proposals\":{}}", ERROR_FIELD_TYPE, "proposals");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"proposals\":[7]}", ERROR_FIELD_TYPE, "proposal");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"proposals\":[{\"instanceId\":1}]}", ERROR_FIELD_MISSING, "value");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"proposals\":[{\"value\":null}]}", ERROR_FIELD_MISSING, "instanceId");
    refused(PAXOS_ACCEPT, "{" BALLOT "\"proposals\":[],\"proposals\":[]}", ERROR_FIELD_VALUE, "twice");
    refused(PAXOS_PROMISE,
            "{\"acceptorId\":1," BALLOT "\"forgotten\":0,\"accepted\":[{\"instanceId\":1,\"value\":null}]}",
            ERROR_FIELD_MISSING, "proposerId");
    refused(PAXOS_PROMISE, "{\"acceptorId\":1," BALLOT "\"forgotten\":0}", ERROR_FIELD_MISSING, "accepted");
    refused(PAXOS_ACCEPTED, "{\"acceptorId\":1," BALLOT "\"forgotten\":0,\"instances\":[true]}",
            ERROR_FIELD_VALUE, "instanceId is true");
}

/* Larger than it may be: in the number of commands, in bytes, in depth. */
static void values_are_bounded(void **state)
{
    struct buffer out = {0};
    struct error error;
    (void)state;

    buffer_add_string(&out, "{" BALLOT "\"instanceId\":7,\"value\":[" COMMAND_A);
    for (int i = 0; i < PAXOS_BATCH; i++) {
        buffer_add_string(&out, "," COMMAND_A);
    }
    buffer_add_string(&out, "]}");
    assert_null(message_json_read(PAXOS_ACCEPT, buffer_text(&out), &error));
    assert_non_null(strstr(error.text, "more than 256"));

    buffer_clear(&out);
    buffer_add_string(&out, "{" BALLOT "\"instanceId\":7,\"value\":[{\"clientId\":\"a\",\"data\":\"");
    for (int i = 0; i < PAXOS_COMMAND_MAX; i++) {
        buffer_add_char(&out, 'x');
    }
    buffer_add_string(&out, "\",\"operation\":\"SET\",\"resource\":\"x\",\"timestamp\":1}]}");
    assert_null(message_json_read(PAXOS_ACCEPT, buffer_text(&out), &error));
    assert_int_equal(error.code, ERROR_FIELD_VALUE);

    buffer_clear(&out);
    buffer_add_string(&out, "{\"a\":");
    for (int i = 0; i < 100000; i++) {
        buffer_add_char(&out, '[');
    }
    assert_null(message_json_read(PAXOS_ACCEPT, buffer_text(&out), &error));
    assert_non_null(strstr(error.text, "too deep"));
    buffer_free(&out);
}

static void a_value_stands_alone_on_a_disk(void **state)
{
    struct value *value = value_of(COMMAND_A, COMMAND_B);
    struct value *read;
    struct buffer out = {0};
    struct error error;
    (void)state;

    message_json_write_value(&out, value);
    assert_int_equal(message_json_read_value(buffer_text(&out), "it", &read, &error), 0);
    assert_true(same_bytes(value, read));
    value_release(read);
    buffer_add_char(&out, ',');
    assert_int_equal(message_json_read_value(buffer_text(&out), "it", &read, &error), ERROR_NOT_JSON);
    assert_int_equal(message_json_read_value(text_of("null"), "it", &read, &error), 0);
    assert_null(read);
    value_release(value);
    buffer_free(&out);
}

/* What is read in one pass stands beside what is not, and something wrong behind it is seen. */
static void plain_commands_stand_among_others(void **state)
{
    static const char *const wrong[] = {"[" PLAIN, "[" PLAIN "}", "[" PLAIN PLAIN "]", "[" PLAIN "]]"};
    const struct text good = text_of("[ " PLAIN " , " COMMAND_A "," PLAIN "]");
    struct value *value;
    struct error error;
    (void)state;

    assert_int_equal(message_json_read_value(good, "it", &value, &error), 0);
    assert_int_equal(value->count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct client_command *command = &value->commands[i];
        struct client_command wanted;
        assert_true(command_json_identify(text_of(i == 1 ? COMMAND_A : PLAIN), &wanted));
        assert_text_equal(((struct text){command->bytes, command->length}), text_of(wanted.bytes));
        assert_true(command->client == wanted.client && command->timestamp == wanted.timestamp);
    }
    value_release(value);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(message_json_read_value(text_of(wrong[i]), "it", &value, &error), ERROR_NOT_JSON);
    }
}

UNIT_MAIN(cmocka_unit_test(every_message_is_read_as_it_was_written),
          cmocka_unit_test(a_message_is_written_as_its_head_says),
          cmocka_unit_test(what_is_learnt_comes_in_pieces), cmocka_unit_test(curl_may_be_short_and_sloppy),
          cmocka_unit_test(what_is_wrong_is_named), cmocka_unit_test(values_are_checked_too),
          cmocka_unit_test(values_are_bounded), cmocka_unit_test(a_value_stands_alone_on_a_disk),
          cmocka_unit_test(plain_commands_stand_among_others))
