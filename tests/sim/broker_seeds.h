/* Runs under many seeds: a good rule must survive all of them, of a bad one some must tell.
 *
 * SIM_SEED=123 runs that one alone, and SIM_SHOW=1 shows its steps. */
#ifndef ORDEM_BROKER_SEEDS_H
#define ORDEM_BROKER_SEEDS_H

#include "tests/sim/broker_store.h"

#include <stdbool.h>
#include <stdint.h>

struct seeds {
    uint64_t seed;
    unsigned count, done, failed;
    bool until_found;
    bool one_alone;
    uint64_t first_seed; /* that failed, and what was found */
    struct finding first;
};

/* for (struct seeds seeds = seeds_of(1000); seeds_next(&seeds); seeds_note(&seeds, &finding)) */
struct seeds seeds_of(unsigned count);

/* The same for a bad rule, until the first of at most `most` tells. */
struct seeds seeds_of_bad(unsigned most);

bool seeds_next(struct seeds *seeds);
void seeds_note(struct seeds *seeds, const struct finding *finding);

/* Fails the test if any seed failed, with the seed and the command that runs it again. */
void seeds_expect_none(const struct seeds *seeds);

/* Fails the test if no seed found anything; says which did, and what. */
void seeds_expect_some(const struct seeds *seeds, const char *variant);

/* A step, on standard error, if steps are to be shown. */
void seeds_show(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
