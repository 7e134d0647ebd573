/* What happens next: everything that could is offered, and a seed chooses. */
#ifndef ORDEM_BROKER_SCHEDULE_H
#define ORDEM_BROKER_SCHEDULE_H

#include "common/random.h"

#include <stdbool.h>
#include <stdint.h>

struct step {
    int kind;      /* of the simulation's own, or of the broker's */
    unsigned a, b; /* what it concerns */
};

struct schedule {
    struct random random;
    uint64_t now_ms; /* the one clock; it moves when a step says so */
    unsigned calm;   /* faults are possible once in so many steps: some seeds have many, some have few */
    uint64_t offered;
    struct step chosen;
};

void schedule_init(struct schedule *schedule, uint64_t seed);

/* The offers for the next step begin. */
void schedule_begin(struct schedule *schedule);

/* This could happen next; twice the weight is twice as likely. */
void schedule_offer(struct schedule *schedule, unsigned weight, int kind, unsigned a, unsigned b);

/* Was anything offered? Then it is in `chosen`. */
bool schedule_choose(const struct schedule *schedule);

/* Are faults possible in this step? */
bool schedule_has_trouble(struct schedule *schedule);

/* A throw of dice: true once in `times`. */
bool schedule_once_in(struct schedule *schedule, unsigned times);

unsigned schedule_below(struct schedule *schedule, unsigned bound);

#endif
