#include "tests/sim/made_run.h"

#include "tests/unit/unit.h"

#include <stdio.h>

#define RUNS 200

static void draw_command(struct made_run *run, struct random *random, unsigned i)
{
    unsigned key = (unsigned)random_below(random, RUN_KEYS);
    bool is_set = random_below(random, 3) > 0;

    snprintf(run->keys[i], sizeof run->keys[i], "k%u", key);
    snprintf(run->values[i], sizeof run->values[i], "v%u", i);
    run->commands[i] = (struct made_command){.number = i + 1,
                                             .sender = random_below(random, 2) == 0 ? "node1" : "node2",
                                             .key = run->keys[i],
                                             .value = is_set ? run->values[i] : NULL,
                                             .seq = (int64_t)i + 1};
    if (is_set) {
        run->last[key] = run->values[i];
    }
}

/* One client asks, in turn; every reply tells the seq. */
static void ask(struct made_run *run, unsigned i)
{
    struct made_logs *made = &run->made;
    const struct made_command *command = &run->commands[i];
    const char *value = run->last[command->key[1] - '0'];
    char read[16] = "null";

    if (value != NULL) {
        snprintf(read, sizeof read, "\"%s\"", value);
    }
    made_invoke(made, "client1", command);
    made_send(made, command->sender, command);
    made_deliver(made, "node1", command);
    made_deliver(made, "node2", command);
    if (i < RUN_CRASH || i >= RUN_RETURN) {
        made_deliver(made, "node3", command);
    }
    made_complete(made, "client1", command, "ok", command->value == NULL ? read : NULL);
}

void made_run_begin(struct made_run *run, uint64_t seed)
{
    struct random random = {seed};
    struct made_logs *made = &run->made;

    *run = (struct made_run){0};
    made_begin(made);
    made->epoch = 1;
    made_start(made, "node1", "parte4", "leader");
    made_start(made, "node2", "parte4", "follower");
    made_start(made, "node3", "parte4", "follower");
    for (unsigned i = 0; i < RUN_COMMANDS; i++) {
        if (i == RUN_CRASH) {
            made_lab(made, "kill", "node3");
            made->epoch = 2;
        } else if (i == RUN_RETURN) {
            made_lab(made, "restart", "node3");
            made_start(made, "node3", "parte4", "follower");
            made_install(made, "node3", RUN_RETURN, "node1");
        }
        draw_command(run, &random, i);
        ask(run, i);
    }
    made_wait_ms(made, 1000);
    made_stop(made, "node1");
    made_stop(made, "node2");
    made_stop(made, "node3");
}

void made_run_expect_often(bool (*mutate)(struct made_run *, struct random *), enum guarantee guarantee)
{
    struct random random = {(uint64_t)guarantee + 1};
    unsigned mutated = 0;

    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct made_run run;
        made_run_begin(&run, seed);
        made_expect(&run.made, guarantee, OUTCOME_HOLDS);
        assert_int_equal(judgement_outcome(&run.made.judgement), OUTCOME_HOLDS);
        assert_false(run.made.judgement.verdicts[guarantee].not_applicable);
        if (mutate(&run, &random)) {
            made_expect(&run.made, guarantee, OUTCOME_VIOLATED);
            mutated++;
        }
        made_end(&run.made);
    }
    assert_true(mutated > RUNS / 2);
}
