/* A bad network, decided: which messages are lost, doubled, delayed or cut off.
 *
 * Pure, and repeatable by its seed: what happens to the k-th message from a sender at a receiver depends on the
 * seed, the two names and k, and on nothing else: not on the time, nor on how messages of several senders mix.
 * common/net/fault_link.h carries the decisions out. */
#ifndef ORDEM_FAULTS_H
#define ORDEM_FAULTS_H

#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stdint.h>

#define FAULTS_DELAY_MAX_MS  60000
#define FAULTS_PARTITION_MAX 1024 /* bytes of its text */

struct fault_settings {
    uint32_t delay_min_ms, delay_max_ms;  /* NET_DELAY_MS: "0-30" or "10"; uniform, both ends included */
    double loss;                          /* NET_LOSS: probability, 0 to 1 */
    double duplicate;                     /* NET_DUPLICATE: probability, 0 to 1 */
    char partition[FAULTS_PARTITION_MAX]; /* NET_PARTITION: "node1,node2|node3"; "" for none */
    uint64_t seed;                        /* NET_SEED */
};

/* What one message meets. */
struct fault_plan {
    bool lost, cut;       /* by loss; by the partition */
    unsigned copies;      /* 0, 1 or 2 */
    uint32_t delay_ms[2]; /* of each copy */
};

#define FAULTS_STREAMS                                                                                       \
    256 /* senders told apart; further ones share a counter, which only costs independence */

struct fault_stream {
    uint64_t sender; /* the hash of its name */
    uint64_t seen;   /* messages so far; 0 where nobody has sent any */
};

struct faults {
    struct fault_settings settings;
    struct text self;
    struct fault_stream streams[FAULTS_STREAMS]; /* an open hash table, by sender */
    uint64_t seen_from_others;
};

/* What such a setting may hold, in English: a sentence for error_because. */
const char *fault_setting_allows(const char *name);

/* Reads one setting, named as in the environment (a delay may end in "ms"). ERROR_CONFIG. */
int fault_settings_set(struct fault_settings *settings, const char *name, struct text value,
                       struct error *error);

/* Reads all of them from the environment; unset ones are off. */
int fault_settings_read(struct fault_settings *settings, struct error *error);

/* Reads a JSON object with the same names and values as strings or numbers, on top of `settings`, which is unchanged
 * on failure. Errors: ERROR_NOT_JSON, ERROR_CONFIG (also for a name that is no setting). */
int fault_settings_read_json(struct fault_settings *settings, struct text json, struct error *error);

/* Can anything happen to a message at all? */
bool fault_settings_active(const struct fault_settings *settings);

bool fault_settings_equal(const struct fault_settings *a, const struct fault_settings *b);

/* `self` (not owned) is the receiver's name. */
void faults_init(struct faults *faults, const struct fault_settings *settings, struct text self);

/* Is this node cut off from `sender` now? */
bool faults_cut(const struct faults *faults, struct text sender);

/* Decides about the next message from `sender`. */
struct fault_plan faults_plan(struct faults *faults, struct text sender);

#endif
