#include "common/faults.h"

#include "common/config.h"
#include "common/json.h"
#include "common/random.h"
#include "common/words.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- settings ---- */

static bool read_milliseconds(const char **at, uint32_t *value)
{
    char *end;
    if (**at < '0' || **at > '9') {
        return false;
    }
    unsigned long number = strtoul(*at, &end, 10);
    *at = end;
    *value = (uint32_t)number;
    return number <= FAULTS_DELAY_MAX_MS;
}

static bool set_delay(struct fault_settings *settings, const char *value)
{
    uint32_t low;
    uint32_t high;

    if (!read_milliseconds(&value, &low)) {
        return false;
    }
    high = low;
    if (*value == '-') {
        value++;
        if (!read_milliseconds(&value, &high)) {
            return false;
        }
    }
    if (strcmp(value, "ms") != 0 && *value != '\0') {
        return false;
    }
    settings->delay_min_ms = low;
    settings->delay_max_ms = high;
    return low <= high;
}

static bool read_probability(const char *value, double *probability)
{
    char *end;
    *probability = strtod(value, &end);
    return strspn(value, "0123456789.eE-") == strlen(value) && end != value && *end == '\0' &&
           *probability >= 0 && *probability <= 1;
}

static bool set_loss(struct fault_settings *settings, const char *value)
{
    return read_probability(value, &settings->loss);
}

static bool set_duplicate(struct fault_settings *settings, const char *value)
{
    return read_probability(value, &settings->duplicate);
}

/* The number of the group that names `node`, from 1; 0 if none does. */
static int partition_group(const char *partition, struct text node)
{
    int group = 1;
    const char *name = partition;

    for (const char *at = partition;; at++) {
        if (*at != ',' && *at != '|' && *at != '\0') {
            continue;
        }
        if (text_equal((struct text){name, (size_t)(at - name)}, node)) {
            return group;
        }
        if (*at == '\0') {
            return 0;
        }
        group += *at == '|';
        name = at + 1;
    }
}

static bool set_partition(struct fault_settings *settings, const char *value)
{
    const char *name = value;
    int group = 1;

    for (const char *at = value; *value != '\0'; at++) {
        if (*at == ',' || *at == '|' || *at == '\0') {
            struct text node = {name, (size_t)(at - name)};
            if (!config_is_node_id(node) ||
                partition_group(value, node) != group) { /* in an earlier one, too */
                return false;
            }
            group += *at == '|';
            if (*at == '\0') {
                break;
            }
            name = at + 1;
        }
    }
    size_t length = strlen(value);
    memset(settings->partition, 0, sizeof settings->partition);
    memcpy(settings->partition, value, length < sizeof settings->partition ? length : 0);
    return length < sizeof settings->partition;
}

static bool set_seed(struct fault_settings *settings, const char *value)
{
    char *end;
    errno = 0;
    settings->seed = strtoull(value, &end, 10);
    return *value >= '0' && *value <= '9' && *end == '\0' && errno == 0;
}

static const struct setting {
    const char *name;
    bool (*set)(struct fault_settings *, const char *value);
    const char *allowed;
} known_settings[] = {
    {"NET_DELAY_MS", set_delay, N_("milliseconds as 10 or 0-30, each at most 60000, are allowed")},
    {"NET_LOSS", set_loss, N_("a probability from 0 to 1 is allowed")},
    {"NET_DUPLICATE", set_duplicate, N_("a probability from 0 to 1 is allowed")},
    {"NET_PARTITION", set_partition,
     N_("groups of node names as node1,node2|node3 are allowed, each node in one")},
    {"NET_SEED", set_seed, N_("a whole number from 0 to 18446744073709551615 is allowed")},
};

#define SETTING_COUNT (sizeof known_settings / sizeof *known_settings)

const char *fault_setting_allows(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(known_settings[i].name, name) == 0) {
            return known_settings[i].allowed;
        }
    }
    return "";
}

int fault_settings_set(struct fault_settings *settings, const char *name, struct text value,
                       struct error *error)
{
    char string[FAULTS_PARTITION_MAX + 1];
    struct fault_settings changed = *settings;

    snprintf(string, sizeof string, "%.*s",
             (int)(value.length < sizeof string ? value.length : sizeof string), value.bytes);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(known_settings[i].name, name) == 0) {
            /* What does not fit, or holds a NUL, would be judged by its beginning. */
            bool whole = strlen(string) == value.length;
            if (!whole || !known_settings[i].set(&changed, string)) {
                error_set(error, ERROR_CONFIG, "%s is \"%.60s\"", name, string);
                error_because(error, known_settings[i].allowed);
                return ERROR_CONFIG;
            }
            *settings = changed;
            return 0;
        }
    }
    return error_set(error, ERROR_CONFIG,
                     "%.60s is not a setting of the network: NET_DELAY_MS, NET_LOSS, "
                     "NET_DUPLICATE, NET_PARTITION and NET_SEED are",
                     name);
}

int fault_settings_read(struct fault_settings *settings, struct error *error)
{
    *settings = (struct fault_settings){0};
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *value = config_text(known_settings[i].name, NULL);
        int code =
            value == NULL ? 0 : fault_settings_set(settings, known_settings[i].name, text_of(value), error);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

int fault_settings_read_json(struct fault_settings *settings, struct text json, struct error *error)
{
    struct fault_settings changed = *settings;
    struct json_object object = {0};
    int code = json_object_read(&object, json, error);

    for (size_t i = 0; code == 0 && i < object.count; i++) {
        const struct json_member *member = &object.members[i];
        char name[64];
        snprintf(name, sizeof name, "%.*s",
                 (int)(member->name.length < sizeof name ? member->name.length : sizeof name),
                 member->name.bytes);
        if (strlen(name) != member->name.length) {
            code = error_set(error, ERROR_CONFIG, "%s… is not a setting of the network", name);
        } else if (member->kind != JSON_STRING && member->kind != JSON_NUMBER) {
            code = error_set(error, ERROR_CONFIG, "%s is of type %s: a string or a number is allowed", name,
                             json_kind_name(member->kind));
        } else {
            code = fault_settings_set(&changed, name, member->text, error);
        }
    }
    json_object_free(&object);
    if (code == 0) {
        *settings = changed;
    }
    return code;
}

bool fault_settings_active(const struct fault_settings *settings)
{
    return settings->delay_max_ms > 0 || settings->loss > 0 || settings->duplicate > 0 ||
           settings->partition[0] != '\0';
}

bool fault_settings_equal(const struct fault_settings *a, const struct fault_settings *b)
{
    return a->delay_min_ms == b->delay_min_ms && a->delay_max_ms == b->delay_max_ms && a->loss == b->loss &&
           a->duplicate == b->duplicate && a->seed == b->seed && strcmp(a->partition, b->partition) == 0;
}

/* ---- decisions ---- */

void faults_init(struct faults *faults, const struct fault_settings *settings, struct text self)
{
    *faults = (struct faults){.settings = *settings, .self = self};
}

/* Two nodes are cut off from each other if the partition names both, in different groups. */
bool faults_cut(const struct faults *faults, struct text sender)
{
    const char *partition = faults->settings.partition;

    if (partition[0] == '\0') {
        return false;
    }
    int from = partition_group(partition, sender);
    int to = partition_group(partition, faults->self);
    return from != 0 && to != 0 && from != to;
}

/* The counter of a sender: the first FAULTS_STREAMS have one each, wherever their hashes fall. */
static uint64_t *counter_of(struct faults *faults, uint64_t sender)
{
    for (size_t i = 0; i < FAULTS_STREAMS; i++) {
        struct fault_stream *stream = &faults->streams[(sender + i) % FAULTS_STREAMS];
        if (stream->seen == 0) {
            stream->sender = sender;
        }
        if (stream->sender == sender) {
            return &stream->seen;
        }
    }
    return &faults->seen_from_others;
}

static uint32_t draw_delay(const struct fault_settings *settings, struct random *random)
{
    uint64_t span = (uint64_t)settings->delay_max_ms - settings->delay_min_ms + 1;
    return settings->delay_min_ms + (uint32_t)random_below(random, span);
}

struct fault_plan faults_plan(struct faults *faults, struct text sender)
{
    const struct fault_settings *settings = &faults->settings;
    uint64_t from = random_hash(sender);
    uint64_t number = (*counter_of(faults, from))++;
    uint64_t link = random_mix(random_mix(settings->seed, random_hash(faults->self)), from);
    struct random random = {random_mix(link, number)};
    struct fault_plan plan = {.copies = 1};

    /* Every draw is made, so that changing one probability leaves the other decisions as they were. */
    bool lost = random_unit(&random) < settings->loss;
    bool doubled = random_unit(&random) < settings->duplicate;
    plan.delay_ms[0] = draw_delay(settings, &random);
    plan.delay_ms[1] = draw_delay(settings, &random);
    plan.cut = faults_cut(faults, sender);
    plan.lost = !plan.cut && lost;
    if (plan.cut || plan.lost) {
        plan.copies = 0;
    } else if (doubled) {
        plan.copies = 2;
    }
    return plan;
}
