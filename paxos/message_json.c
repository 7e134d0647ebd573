/* Messages, put together from their members. */
#include "paxos/limits.h"
#include "paxos/message_json_parts.h"

/* What a message must have; the sender stands in the first of them. */
struct shape {
    enum field from;
    unsigned needs;
    const char *list; /* where its proposals stand, if it has any */
};

static const struct shape shapes[] = {
    [PAXOS_PREPARE] = {FIELD_PROPOSER, BIT(FIELD_ROUND) | BIT(FIELD_INSTANCE)},
    [PAXOS_PROMISE] = {FIELD_ACCEPTOR, BIT(FIELD_ROUND) | BIT(FIELD_PROPOSER) | BIT(FIELD_FORGOTTEN),
                       "accepted"},
    [PAXOS_ACCEPT] = {FIELD_PROPOSER, BIT(FIELD_ROUND), "proposals"},
    [PAXOS_ACCEPTED] = {FIELD_ACCEPTOR, BIT(FIELD_ROUND) | BIT(FIELD_PROPOSER) | BIT(FIELD_FORGOTTEN),
                        "instances"},
    [PAXOS_NACK] = {FIELD_ACCEPTOR, BIT(FIELD_ROUND) | BIT(FIELD_PROPOSER)},
    [PAXOS_CONFIRM] = {FIELD_PROPOSER, BIT(FIELD_ROUND) | BIT(FIELD_NUMBER)},
    [PAXOS_CONFIRMED] = {FIELD_ACCEPTOR, BIT(FIELD_ROUND) | BIT(FIELD_PROPOSER) | BIT(FIELD_NUMBER)},
    [PAXOS_HEARTBEAT] = {FIELD_PROPOSER, BIT(FIELD_ROUND) | BIT(FIELD_INSTANCE)},
    [PAXOS_FETCH] = {FIELD_LEARNER, BIT(FIELD_INSTANCE)},
    [PAXOS_CHECKPOINT] = {FIELD_LEARNER, BIT(FIELD_INSTANCE)},
};

/* A message of type PAXOS_ACCEPTED as a learner is told of it. */
static const struct shape learn_shape = {FIELD_ACCEPTOR, BIT(FIELD_FORGOTTEN), "accepted"};

/* A message that is being read. */
struct reading {
    struct json_scan scan;
    const struct shape *shape;
    struct paxos_message *message;
    struct numbers numbers;
    struct value *value; /* of the short form of /accept */
    bool has_value, has_list;
    struct error *error;
};

static struct ballot ballot_of(const struct numbers *numbers)
{
    return (struct ballot){numbers->of[FIELD_ROUND], (uint32_t)numbers->of[FIELD_PROPOSER]};
}

/* ---- lists of proposals ---- */

static int add_proposal(struct reading *reading, const struct numbers *numbers, struct value *value)
{
    if (numbers->of[FIELD_INSTANCE] == 0) {
        return error_set(reading->error, ERROR_FIELD_VALUE, "instanceId is 0: instances count from 1");
    }
    if (reading->message->count == PAXOS_KEPT_MAX) {
        return error_set(reading->error, ERROR_FIELD_VALUE, "more than %d instances", PAXOS_KEPT_MAX);
    }
    paxos_message_add(reading->message, numbers->of[FIELD_INSTANCE], ballot_of(numbers), value);
    return 0;
}

/* {"instanceId":7,"value":[…]}, and in what was accepted the ballot too. */
static int read_proposal(struct reading *reading)
{
    struct numbers numbers = {0};
    struct value *value = NULL;
    struct text name;
    bool has_value = false;
    int code = 0;

    if (json_scan_peek(&reading->scan) != '{') {
        return message_json_refuse(&reading->scan, "a proposal", "an object", reading->error);
    }
    json_scan_enter(&reading->scan, '{');
    while (code == 0 && json_scan_member(&reading->scan, &name)) {
        if (text_equal(name, text_of("value"))) {
            value_release(value);
            code = message_json_scan_value(&reading->scan, "value", &value, reading->error);
            has_value = true;
            continue;
        }
        code = message_json_number(&reading->scan, name, &numbers, reading->error);
        if (code == NO_NUMBER) {
            json_scan_skip(&reading->scan, NULL);
            code = 0;
        }
    }
    unsigned ballot = reading->message->type == PAXOS_ACCEPT ? 0 : BIT(FIELD_ROUND) | BIT(FIELD_PROPOSER);
    if (code == 0 && reading->scan.wrong == NULL) {
        code = message_json_need(&numbers, BIT(FIELD_INSTANCE) | ballot, reading->error);
    }
    if (code == 0 && reading->scan.wrong == NULL && !has_value) {
        code =
            error_set(reading->error, ERROR_FIELD_MISSING, "value is missing: null or an array of commands");
    }
    if (code == 0 && reading->scan.wrong == NULL) {
        code = add_proposal(reading, &numbers, value);
    }
    value_release(value);
    return code;
}

/* The numbers of instances, as an acceptor answers. */
static int read_instance(struct reading *reading)
{
    struct numbers numbers = {0};
    int code = message_json_number(&reading->scan, text_of("instanceId"), &numbers, reading->error);

    return code == 0 && reading->scan.wrong == NULL ? add_proposal(reading, &numbers, NULL) : code;
}

static int read_list(struct reading *reading, const char *name, int (*read_item)(struct reading *))
{
    int code = 0;

    if (json_scan_peek(&reading->scan) != '[') {
        return message_json_refuse(&reading->scan, name, "an array", reading->error);
    }
    if (reading->has_list) {
        return error_set(reading->error, ERROR_FIELD_VALUE, "%s stands twice", name);
    }
    reading->has_list = true;
    json_scan_enter(&reading->scan, '[');
    while (code == 0 && json_scan_item(&reading->scan)) {
        code = read_item(reading);
    }
    return code;
}

/* ---- messages ---- */

static int read_member(struct reading *reading, struct text name)
{
    enum paxos_type type = reading->message->type;
    const char *list = reading->shape->list;
    int code = message_json_number(&reading->scan, name, &reading->numbers, reading->error);

    if (code != NO_NUMBER) {
        return code;
    }
    if (list != NULL && text_equal(name, text_of(list))) {
        bool answers = reading->shape == &shapes[PAXOS_ACCEPTED];
        return read_list(reading, list, answers ? read_instance : read_proposal);
    }
    if (type == PAXOS_ACCEPT && text_equal(name, text_of("value"))) {
        value_release(reading->value);
        reading->has_value = true;
        return message_json_scan_value(&reading->scan, "value", &reading->value, reading->error);
    }
    json_scan_skip(&reading->scan, NULL);
    return 0;
}

/* The proposals of an Accept have its ballot; so have the instances that an acceptor answers with. */
static int finish_list(struct reading *reading)
{
    struct paxos_message *message = reading->message;
    bool short_form = message->type == PAXOS_ACCEPT && reading->has_value && !reading->has_list;

    if (short_form) {
        int code = message_json_need(&reading->numbers, BIT(FIELD_INSTANCE), reading->error);
        if (code == 0) {
            code = add_proposal(reading, &reading->numbers, reading->value);
        }
        if (code != 0) {
            return code;
        }
    } else if (reading->shape->list != NULL && !reading->has_list) {
        return error_set(reading->error, ERROR_FIELD_MISSING, "%s is missing: an array is needed",
                         reading->shape->list);
    }
    for (size_t i = 0; i < message->count && reading->shape != &learn_shape && message->type != PAXOS_PROMISE;
         i++) {
        message->proposals[i].ballot = message->ballot;
    }
    return 0;
}

/* What a message has no use for is ignored, whatever its name. */
static uint64_t needed(const struct numbers *numbers, const struct shape *shape, enum field field)
{
    return (shape->needs & BIT(field)) != 0 ? numbers->of[field] : 0;
}

static int finish(struct reading *reading)
{
    struct paxos_message *message = reading->message;
    const struct numbers *numbers = &reading->numbers;
    const struct shape *shape = reading->shape;

    if (!json_scan_end(&reading->scan)) {
        return json_scan_refuse(&reading->scan, reading->error);
    }
    int code = message_json_need(numbers, BIT(shape->from) | shape->needs, reading->error);
    if (code != 0) {
        return code;
    }
    message->from = (uint32_t)numbers->of[shape->from];
    message->ballot = (shape->needs & BIT(FIELD_ROUND)) != 0 ? ballot_of(numbers) : (struct ballot){0};
    message->instance =
        needed(numbers, shape, (shape->needs & BIT(FIELD_FORGOTTEN)) != 0 ? FIELD_FORGOTTEN : FIELD_INSTANCE);
    message->number =
        message->type == PAXOS_PROMISE ? numbers->of[FIELD_INSTANCE] : needed(numbers, shape, FIELD_NUMBER);
    return finish_list(reading);
}

static struct paxos_message *read_message(enum paxos_type type, const struct shape *shape, struct text body,
                                          struct error *error)
{
    struct reading reading = {.scan = json_scan_of(body), .shape = shape, .error = error};
    struct text name;
    int code = text_is_utf8(body) ? 0 : error_set(error, ERROR_NOT_UTF8, "not valid UTF-8");

    reading.message = paxos_message_create(type, 0, (struct ballot){0}, 0);
    json_scan_enter(&reading.scan, '{');
    while (code == 0 && json_scan_member(&reading.scan, &name)) {
        code = read_member(&reading, name);
    }
    if (code == 0) {
        code = finish(&reading);
    }
    value_release(reading.value);
    if (code != 0) {
        paxos_message_release(reading.message);
        return NULL;
    }
    return reading.message;
}

struct paxos_message *message_json_read(enum paxos_type type, struct text body, struct error *error)
{
    return read_message(type, &shapes[type], body, error);
}

struct paxos_message *message_json_read_learn(struct text body, struct error *error)
{
    return read_message(PAXOS_ACCEPTED, &learn_shape, body, error);
}
