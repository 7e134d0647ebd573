/* A good run, made by hand: three nodes, numbered commands, a client that asks in turn, a crash and a new epoch. Every
 * guarantee is kept; whoever changes a line has broken one. */
#ifndef ORDEM_MADE_RUN_H
#define ORDEM_MADE_RUN_H

#include "common/random.h"
#include "tests/sim/made_logs.h"

#define RUN_COMMANDS 30
#define RUN_CRASH    12 /* after so many commands node3 is killed; the next epoch begins */
#define RUN_RETURN   18 /* before that one it is back, with a state */
#define RUN_KEYS     4

/* Everything a mutation needs to know. */
struct made_run {
    struct made_logs made;
    struct made_command commands[RUN_COMMANDS]; /* number 1 first */
    char keys[RUN_COMMANDS][8], values[RUN_COMMANDS][8];
    const char *last[RUN_KEYS]; /* by key: its value, NULL for none */
};

void made_run_begin(struct made_run *run, uint64_t seed);

/* Makes many good runs and changes each, which breaks that guarantee; `mutate` says whether there was anything to
 * change. */
void made_run_expect_often(bool (*mutate)(struct made_run *, struct random *), enum guarantee guarantee);

#endif
