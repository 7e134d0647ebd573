/* What a client of a good run has read is changed: that is noticed. */
#include "tests/sim/log_edit.h"
#include "tests/sim/made_run.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#define RUNS 200

static char **find_read(struct made_run *run, struct random *random, unsigned *command)
{
    struct sim_log *log = made_log(&run->made, "clients");
    char uuid[32];

    *command = (unsigned)random_below(random, RUN_COMMANDS);
    for (unsigned tries = 0; tries < RUN_COMMANDS && run->commands[*command].value != NULL; tries++) {
        *command = (*command + 1) % RUN_COMMANDS;
    }
    snprintf(uuid, sizeof uuid, "-8000-%012u", run->commands[*command].number);
    for (size_t i = 0; i < log->count; i++) {
        if (strstr(log->lines[i], uuid) != NULL && strstr(log->lines[i], "\"complete\"") != NULL) {
            return &log->lines[i];
        }
    }
    return NULL;
}

static bool is_another_value(char *const *line, const char *value)
{
    return strstr(*line, "\"GET\"") != NULL && strstr(*line, value) == NULL;
}

static void replace_value(char **line, const char *value)
{
    char old[200];
    snprintf(old, sizeof old, "%s", strstr(*line, "\"value\":"));
    char new[64];
    snprintf(new, sizeof new, "\"value\":%s}", value);
    log_replace_in_line(line, old, new);
}

static bool read_an_older_value(struct made_run *run, struct random *random)
{
    unsigned command;
    char **line = find_read(run, random, &command);

    for (unsigned i = 0; i < command; i++) { /* the first that the key ever had */
        const struct made_command *write = &run->commands[i];
        char value[16];
        snprintf(value, sizeof value, "\"%s\"", run->values[i]);
        if (write->value != NULL && strcmp(write->key, run->commands[command].key) == 0) {
            bool changed = is_another_value(line, value);
            if (changed) {
                replace_value(line, value);
            }
            return changed;
        }
    }
    return false;
}

static bool read_nothing(struct made_run *run, struct random *random)
{
    unsigned command;
    char **line = find_read(run, random, &command);
    bool changed = is_another_value(line, "\"value\":null");

    if (changed) {
        replace_value(line, "null");
    }
    return changed;
}

static bool read_what_was_never_written(struct made_run *run, struct random *random)
{
    unsigned command;
    char **line = find_read(run, random, &command);

    if (strstr(*line, "\"GET\"") != NULL) {
        replace_value(line, "\"never\"");
        return true;
    }
    return false;
}

static void a_stale_or_invented_read_breaks_linearizable_reads(void **state)
{
    (void)state;
    made_run_expect_often(read_nothing, GUARANTEE_LINEARIZABLE);
    made_run_expect_often(read_what_was_never_written, GUARANTEE_LINEARIZABLE);
}

static void an_older_value_breaks_linearizable_reads(void **state)
{
    struct random random = {5};
    unsigned changed = 0;

    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct made_run run;
        made_run_begin(&run, seed);
        if (read_an_older_value(&run, &random)) {
            changed++;
            made_expect_violated(&run.made, GUARANTEE_LINEARIZABLE, "and that is newer");
        }
        made_end(&run.made);
    }
    assert_true(changed > RUNS / 10);
}

UNIT_MAIN(cmocka_unit_test(a_stale_or_invented_read_breaks_linearizable_reads),
          cmocka_unit_test(an_older_value_breaks_linearizable_reads))
