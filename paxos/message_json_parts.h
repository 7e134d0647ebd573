/* What the files that read messages share; nobody else includes it. */
#ifndef ORDEM_PAXOS_MESSAGE_JSON_PARTS_H
#define ORDEM_PAXOS_MESSAGE_JSON_PARTS_H

#include "common/json_scan.h"
#include "paxos/message_json.h"

enum field {
    FIELD_PROPOSER,
    FIELD_ACCEPTOR,
    FIELD_LEARNER,
    FIELD_ROUND,
    FIELD_INSTANCE,
    FIELD_FORGOTTEN,
    FIELD_NUMBER,
    FIELD_COUNT
};

#define BIT(field) (1U << (field))

/* The numbers of an object, as far as they have come. */
struct numbers {
    uint64_t of[FIELD_COUNT];
    unsigned present;
};

/* Reads the member if it is one of these numbers, else NO_NUMBER. Of two with one name the last counts. What is no JSON
 * at all is not an error here, nor in what follows: the scan has it. */
#define NO_NUMBER 1
int message_json_number(struct json_scan *scan, struct text name, struct numbers *numbers,
                        struct error *error);

/* All of these (bits) must have come. */
int message_json_need(const struct numbers *numbers, unsigned needed, struct error *error);

/* What comes is of the wrong type. */
int message_json_refuse(struct json_scan *scan, const char *name, const char *wanted, struct error *error);

/* Reads the value that comes: NULL for null; the caller holds the reference. */
int message_json_scan_value(struct json_scan *scan, const char *name, struct value **value,
                            struct error *error);

#endif
