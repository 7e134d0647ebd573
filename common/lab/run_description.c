/* run.json: what a run was, beside its logs. It is written last: a directory that holds one holds a whole run.
 *
 *     {"part":"parte3","kind":"node","seed":42,"nodes":3,"proposers":3,"acceptors":3,"learners":3,"stores":0,
 *      "writers":3,"operations":300,"keys":5,"rate":200,"reads":100,"quiet_ms":500,"brokers":1,"in_flight":0,
 *      "timeout_ms":5000,"wait":false,"network":{"NET_DELAY_MS":"0-30","NET_LOSS":0.02,"NET_DUPLICATE":0,"NET_SEED":42},
 *      "events":"kill node2@700ms, restart node2@1400ms"}
 *
 * "network" is in the form of a NET_FAULTS_FILE. `kind` and `seed` are for readers: they follow from the rest. */
#include "common/json.h"
#include "common/lab/part_plan.h"
#include "common/lab/run.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DESCRIPTION_MAX (64 * 1024) /* bytes; a longer file is none of ours */

enum run_kind run_kind_of(const struct run_options *options)
{
    const struct part_plan *plan = part_plan_find(options->part);
    enum run_kind kind = fault_settings_active(&options->network) ? RUN_NETWORK : RUN_CLEAN;

    for (size_t i = 0; i < options->schedule.count; i++) {
        const struct schedule_event *event = &options->schedule.events[i];
        if (event->action == SCHEDULE_KILL) {
            bool all_depend_on_it =
                plan->drill_coordinator != NULL &&
                (strcmp(event->target, plan->drill_coordinator) == 0 || part_plan_broker(event->target) > 0);
            kind = all_depend_on_it || kind == RUN_COORDINATOR ? RUN_COORDINATOR : RUN_NODE;
        } else if (kind == RUN_CLEAN) {
            kind = RUN_NETWORK; /* who is paused has a bad network */
        }
    }
    return kind;
}

/* ---- the numbers ---- */

static const struct {
    const char *name;
    size_t offset;
    uint32_t low, high;
} numbers[] = {
    {"nodes", offsetof(struct run_options, members[MEMBER_NODE]), 1, 1000},
    {"proposers", offsetof(struct run_options, members[MEMBER_PROPOSER]), 1, 31},
    {"acceptors", offsetof(struct run_options, members[MEMBER_ACCEPTOR]), 1, 31},
    {"learners", offsetof(struct run_options, members[MEMBER_LEARNER]), 1, 31},
    {"stores", offsetof(struct run_options, members[MEMBER_STORE]), 0, 31},
    {"writers", offsetof(struct run_options, writers), 1, 1000},
    {"operations", offsetof(struct run_options, operations), 1, UINT32_MAX},
    {"keys", offsetof(struct run_options, keys), 1, UINT32_MAX},
    {"rate", offsetof(struct run_options, rate), 0, UINT32_MAX},
    {"reads", offsetof(struct run_options, reads), 0, 1000},
    {"quiet_ms", offsetof(struct run_options, quiet_ms), 0, 60000},
    {"brokers", offsetof(struct run_options, brokers), 0, 1000},
    {"in_flight", offsetof(struct run_options, in_flight), 0, UINT32_MAX},
    {"timeout_ms", offsetof(struct run_options, timeout_ms), 0, UINT32_MAX},
};

#define NUMBER_COUNT (sizeof numbers / sizeof *numbers)

_Static_assert(sizeof(unsigned) == sizeof(uint32_t), "timeout_ms and the rest are read alike");

static int refuse(const char *path, struct error *error)
{
    int number = errno;

    error_set(error, ERROR_FILE, "%.250s", path);
    error_because_errno(error, number);
    return ERROR_FILE;
}

/* ---- writing ---- */

static void add_network(struct buffer *json, const struct fault_settings *network)
{
    buffer_add_format(json, ",\"network\":{\"NET_DELAY_MS\":\"%" PRIu32 "-%" PRIu32 "\",\"NET_LOSS\":",
                      network->delay_min_ms, network->delay_max_ms);
    json_write_double(json, network->loss);
    buffer_add_string(json, ",\"NET_DUPLICATE\":");
    json_write_double(json, network->duplicate);
    buffer_add_format(json, ",\"NET_SEED\":%" PRIu64 "}", network->seed);
}

static void describe(const struct run_options *options, struct buffer *json)
{
    static const char *const kinds[] = {"clean", "network", "node", "coordinator"};

    buffer_add_format(json, "{\"part\":\"%s\",\"kind\":\"%s\",\"seed\":%" PRIu64, options->part,
                      kinds[run_kind_of(options)], options->network.seed);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        uint32_t number;
        memcpy(&number, (const char *)options + numbers[i].offset, sizeof number);
        buffer_add_format(json, ",\"%s\":%" PRIu32, numbers[i].name, number);
    }
    buffer_add_format(json, ",\"wait\":%s", options->wait ? "true" : "false");
    add_network(json, &options->network);
    buffer_add_string(json, ",\"events\":\"");
    for (size_t i = 0; i < options->schedule.count; i++) {
        const struct schedule_event *event = &options->schedule.events[i];
        buffer_add_format(json, "%s%s %s@%" PRIu32 "ms", i > 0 ? ", " : "",
                          schedule_action_name(event->action), event->target, event->at_ms);
    }
    buffer_add_string(json, "\"}\n");
}

int run_write_description(const struct run_options *options, struct error *error)
{
    struct buffer json = {0};
    char path[4200];
    int code = 0;

    snprintf(path, sizeof path, "%s/run.json", options->directory);
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return refuse(path, error);
    }
    describe(options, &json);
    bool written = fwrite(json.bytes, 1, json.length, file) == json.length;
    if (fclose(file) != 0 || !written) {
        code = refuse(path, error);
    }
    buffer_free(&json);
    return code;
}

/* ---- reading ---- */

static int read_file(const char *path, struct buffer *out, struct error *error)
{
    FILE *file = fopen(path, "re");

    if (file == NULL) {
        return refuse(path, error);
    }
    errno = 0;
    out->length = fread(buffer_reserve(out, DESCRIPTION_MAX), 1, DESCRIPTION_MAX, file);
    int code = ferror(file) != 0 ? refuse(path, error) : 0;
    fclose(file);
    return code;
}

/* The member as a C string that may be quoted; "" if it is missing, not of that kind, or too long. */
static void copy_member(const struct json_object *object, const char *name, enum json_kind kind, char *out,
                        size_t size)
{
    const struct json_member *member = json_object_get(object, name);

    out[0] = '\0';
    if (member != NULL && member->kind == kind && member->text.length < size) {
        memcpy(out, member->text.bytes, member->text.length);
        out[member->text.length] = '\0';
        text_make_printable(out);
    }
}

static int read_number(const struct json_object *object, size_t which, struct run_options *options,
                       struct error *error)
{
    char digits[24];
    char *end;

    copy_member(object, numbers[which].name, JSON_NUMBER, digits, sizeof digits);
    errno = 0;
    unsigned long long number = strtoull(digits, &end, 10);
    if (digits[0] < '0' || digits[0] > '9' || *end != '\0' || errno != 0 || number < numbers[which].low ||
        number > numbers[which].high) {
        return error_set(error, ERROR_CONFIG,
                         "\"%s\": a whole number from %" PRIu32 " to %" PRIu32 " is expected",
                         numbers[which].name, numbers[which].low, numbers[which].high);
    }
    uint32_t small = (uint32_t)number;
    memcpy((char *)options + numbers[which].offset, &small, sizeof small);
    return 0;
}

static int read_network(const struct json_object *object, struct run_options *options, struct error *error)
{
    const struct json_member *network = json_object_get(object, "network");

    if (network == NULL || network->kind != JSON_OBJECT) {
        return error_set(error, ERROR_CONFIG, "\"network\": an object is expected");
    }
    return fault_settings_read_json(&options->network, network->text, error);
}

static int read_events(const struct json_object *object, struct run_options *options, struct error *error)
{
    char events[SCHEDULE_EVENTS_MAX * (SCHEDULE_TARGET_MAX + 24)];
    const struct json_member *member = json_object_get(object, "events");
    char *rest = events;
    int code = 0;

    if (member == NULL || member->kind != JSON_STRING || member->text.length >= sizeof events) {
        return error_set(error, ERROR_CONFIG, "\"events\": a text is expected");
    }
    copy_member(object, "events", JSON_STRING, events, sizeof events);
    while (code == 0 && *rest != '\0') {
        char *end = strstr(rest, ", ");
        if (end != NULL) {
            *end = '\0';
        }
        code = schedule_add_event(&options->schedule, rest, error);
        rest = end != NULL ? end + 2 : rest + strlen(rest);
    }
    return code;
}

static int read_members(const struct json_object *object, struct run_options *options, struct error *error)
{
    const struct json_member *wait = json_object_get(object, "wait");
    char part[32];
    int code = 0;

    copy_member(object, "part", JSON_STRING, part, sizeof part);
    const struct part_plan *plan = part_plan_find(part);
    if (plan == NULL) {
        return error_set(error, ERROR_CONFIG, "\"part\": \"%s\" is none of the parts", part);
    }
    *options = run_options_standard(plan->name);
    options->wait = wait != NULL && wait->kind == JSON_BOOLEAN && text_equal(wait->text, text_of("true"));
    for (size_t i = 0; code == 0 && i < NUMBER_COUNT; i++) {
        code = read_number(object, i, options, error);
    }
    code = code == 0 ? read_network(object, options, error) : code;
    code = code == 0 ? read_events(object, options, error) : code;
    return code == 0 ? part_plan_complete(plan, options->members, options->brokers, &options->schedule, error)
                     : code;
}

int run_read_description(const char *directory, struct run_options *options, struct error *error)
{
    struct json_object object = {0};
    struct buffer json = {0};
    struct error inner;
    char path[4200];

    int length = snprintf(path, sizeof path, "%s/run.json", directory);
    if (length >= (int)sizeof path - 200) {
        return error_set(error, ERROR_FILE, "%.100s…: too long a path", directory);
    }
    int code = read_file(path, &json, error);
    if (code == 0 && ((code = json_object_read(&object, buffer_text(&json), &inner)) != 0 ||
                      (code = read_members(&object, options, &inner)) != 0)) {
        error_set(error, (enum error_code)code, "%.150s", path);
        error_because_of(error, &inner);
    }
    if (code == 0) {
        snprintf(options->directory, sizeof options->directory, "%s", directory);
    }
    json_object_free(&object);
    buffer_free(&json);
    return code;
}
