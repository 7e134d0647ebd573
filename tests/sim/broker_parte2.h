/* Parte 2 on the modelled broker: its rule, and around it what main.c does, with faults; then everything heals. */
#ifndef ORDEM_BROKER_PARTE2_H
#define ORDEM_BROKER_PARTE2_H

#include "tests/sim/broker_log.h"
#include "tests/sim/broker_store.h"

#include <stdbool.h>
#include <stdint.h>

#define PARTE2_NODES 3

enum parte2_variant {
    PARTE2_AS_IT_IS,
    PARTE2_APPLIES_REPEATS,    /* nobody asks whether a command was applied already */
    PARTE2_DROPS_EVERY_SECOND, /* "to break it" in order.c */
};

struct parte2_options {
    uint64_t seed;
    unsigned commands;
    bool disturbed; /* are links lost, and nodes paused? */
    bool crashes;   /* do nodes lose their memory? */
    enum parte2_variant variant;
    struct made_logs *log; /* for the judge; NULL for none */
};

struct parte2_result {
    struct finding finding;
    bool same_order; /* on all nodes */
};

struct parte2_result parte2_run(const struct parte2_options *options);

#endif
