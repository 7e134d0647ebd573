/* The numbers that stand in messages: what they are called, and from where to where they go. */
#include "paxos/limits.h"
#include "paxos/message_json_parts.h"

#include <inttypes.h>

#define SHOWN_MAX 40 /* bytes of a value in a sentence about it */

static const struct {
    const char *name;
    uint64_t low, high;
} fields[FIELD_COUNT] = {
    [FIELD_PROPOSER] = {"proposerId", 1, PAXOS_MEMBERS_MAX},
    [FIELD_ACCEPTOR] = {"acceptorId", 1, PAXOS_MEMBERS_MAX},
    [FIELD_LEARNER] = {"learnerId", 1, PAXOS_MEMBERS_MAX},
    [FIELD_ROUND] = {"proposalNumber", 1, BALLOT_ROUND_MAX},
    [FIELD_INSTANCE] = {"instanceId", 0, PAXOS_INSTANCE_MAX},
    [FIELD_FORGOTTEN] = {"forgotten", 0, PAXOS_INSTANCE_MAX},
    [FIELD_NUMBER] = {"number", 0, BALLOT_ROUND_MAX},
};

static int refuse_number(enum field field, struct text shown, struct error *error)
{
    return error_set(error, ERROR_FIELD_VALUE,
                     "%s is %.*s: a whole number from %" PRIu64 " to %" PRIu64 " is allowed",
                     fields[field].name, (int)(shown.length < SHOWN_MAX ? shown.length : SHOWN_MAX),
                     shown.bytes, fields[field].low, fields[field].high);
}

int message_json_need(const struct numbers *numbers, unsigned needed, struct error *error)
{
    for (unsigned field = 0; field < FIELD_COUNT; field++) {
        if ((needed & ~numbers->present & BIT(field)) != 0) {
            return error_set(error, ERROR_FIELD_MISSING,
                             "%s is missing: a whole number from %" PRIu64 " to %" PRIu64 " is needed",
                             fields[field].name, fields[field].low, fields[field].high);
        }
    }
    return 0;
}

int message_json_refuse(struct json_scan *scan, const char *name, const char *wanted, struct error *error)
{
    struct text value = {0};

    if (!json_scan_skip(scan, &value)) {
        return 0; /* it is no JSON at all, which is told at the end */
    }
    return error_set(error, ERROR_FIELD_TYPE, "%s is %.*s: %s is wanted", name,
                     (int)(value.length < SHOWN_MAX ? value.length : SHOWN_MAX), value.bytes, wanted);
}

int message_json_number(struct json_scan *scan, struct text name, struct numbers *numbers,
                        struct error *error)
{
    uint64_t number;
    struct text shown;
    unsigned field = 0;

    while (field < FIELD_COUNT && !text_equal(name, text_of(fields[field].name))) {
        field++;
    }
    if (field == FIELD_COUNT) {
        return NO_NUMBER;
    }
    struct json_scan before = *scan;
    if (!json_scan_number(scan, &number)) {
        return json_scan_skip(scan, &shown) ? refuse_number((enum field)field, shown, error) : 0;
    }
    if (number < fields[field].low || number > fields[field].high) {
        json_scan_skip(&before, &shown);
        return refuse_number((enum field)field, shown, error);
    }
    numbers->of[field] = number;
    numbers->present |= BIT(field);
    return 0;
}
