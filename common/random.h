/* Random numbers that a seed repeats: for faults, workloads and simulations, never for names or secrets.
 * SplitMix64 (Steele, Lea and Flood 2014). */
#ifndef ORDEM_RANDOM_H
#define ORDEM_RANDOM_H

#include "common/text.h"

#include <stdint.h>

struct random {
    uint64_t state; /* any value is a seed */
};

uint64_t random_next(struct random *random);

/* Uniform in [0, 1). */
double random_unit(struct random *random);

/* Uniform in [0, bound); 0 for a bound of 0. */
uint64_t random_below(struct random *random, uint64_t bound);

/* One number out of two: a seed for each of many independent streams. */
uint64_t random_mix(uint64_t a, uint64_t b);

/* A number for a name (FNV-1a). */
uint64_t random_hash(struct text name);

#endif
