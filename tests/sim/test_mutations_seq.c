/* Good runs with numbered commands, clients, a crash and a new epoch; then one thing is changed, and the guarantee that
 * it breaks must be named. */
#include "common/memory.h"
#include "common/random.h"
#include "tests/sim/log_edit.h"
#include "tests/sim/made_logs.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RUNS     200
#define COMMANDS 30
#define CRASH    12 /* after so many commands node3 is killed; the next epoch begins */
#define RETURN   18 /* before that one it is back, with a state */

/* Everything a mutation needs to know. */
struct run {
    struct made_logs made;
    struct made_command commands[COMMANDS];
    char keys[COMMANDS][8], values[COMMANDS][8];
    const char *last[4]; /* by key: its value, NULL for none */
};

static void draw_command(struct run *run, struct random *random, unsigned i)
{
    unsigned key = (unsigned)random_below(random, 4);
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
static void ask(struct run *run, unsigned i)
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
    if (i < CRASH || i >= RETURN) {
        made_deliver(made, "node3", command);
    }
    made_complete(made, "client1", command, "ok", command->value == NULL ? read : NULL);
}

static void good_run(struct run *run, uint64_t seed)
{
    struct random random = {seed};
    struct made_logs *made = &run->made;

    *run = (struct run){0};
    made_begin(made);
    made->epoch = 1;
    made_start(made, "node1", "parte4", "leader");
    made_start(made, "node2", "parte4", "follower");
    made_start(made, "node3", "parte4", "follower");
    for (unsigned i = 0; i < COMMANDS; i++) {
        if (i == CRASH) {
            made_lab(made, "kill", "node3");
            made->epoch = 2;
        } else if (i == RETURN) {
            made_lab(made, "restart", "node3");
            made_start(made, "node3", "parte4", "follower");
            made_install(made, "node3", RETURN, "node1");
        }
        draw_command(run, &random, i);
        ask(run, i);
    }
    made_wait_ms(made, 1000);
    made_stop(made, "node1");
    made_stop(made, "node2");
    made_stop(made, "node3");
}

static void expect_often(bool (*mutate)(struct run *, struct random *), enum guarantee guarantee)
{
    struct random random = {(uint64_t)guarantee + 1};
    unsigned mutated = 0;

    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct run run;
        good_run(&run, seed);
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

/* ---- lines of a command ---- */

static char **find_delivery(struct run *run, const char *node, unsigned command)
{
    struct sim_log *log = made_log(&run->made, node);
    char uuid[32];

    snprintf(uuid, sizeof uuid, "-8000-%012u", run->commands[command].number);
    for (size_t i = 0; i < log->count; i++) {
        if (strstr(log->lines[i], uuid) != NULL && strstr(log->lines[i], "\"deliver\"") != NULL) {
            return &log->lines[i];
        }
    }
    return NULL;
}

static void change_number(char **line, const char *name, int64_t from, int64_t to)
{
    char old[48];
    char new[48];

    snprintf(old, sizeof old, "\"%s\":%" PRId64 ",", name, from);
    snprintf(new, sizeof new, "\"%s\":%" PRId64 ",", name, to);
    log_replace_in_line(line, old, new);
}

/* Wherever a line tells the command's number, another one. */
static void renumber_everywhere(struct run *run, unsigned command, int64_t to)
{
    char uuid[32];
    char old[48];
    char new[48];

    snprintf(uuid, sizeof uuid, "-8000-%012u", run->commands[command].number);
    snprintf(old, sizeof old, "\"seq\":%" PRId64, run->commands[command].seq);
    snprintf(new, sizeof new, "\"seq\":%" PRId64, to);
    for (size_t i = 0; i < run->made.count; i++) {
        struct sim_log *log = &run->made.logs[i];
        for (size_t l = 0; l < log->count; l++) {
            if (strstr(log->lines[l], uuid) != NULL && strstr(log->lines[l], old) != NULL) {
                log_replace_in_line(&log->lines[l], old, new);
            }
        }
    }
}

static void drop_delivery(struct run *run, const char *node, unsigned command)
{
    char **line = find_delivery(run, node, command);
    struct sim_log *log = made_log(&run->made, node);

    if (line != NULL) {
        log_drop_line(log, (size_t)(line - log->lines));
    }
}

/* ---- numbers ---- */

static bool swap_two_seqs(struct run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, COMMANDS - 1);

    change_number(find_delivery(run, "node2", a), "seq", a + 1, a + 2);
    change_number(find_delivery(run, "node2", a + 1), "seq", a + 2, a + 1);
    return true;
}

static bool swap_two_seqs_everywhere(struct run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, COMMANDS - 1);

    renumber_everywhere(run, a, 1000);
    renumber_everywhere(run, a + 1, a + 1);
    run->commands[a].seq = 1000;
    renumber_everywhere(run, a, a + 2);
    return a + 1 != RETURN; /* before and behind node3's state both stand where they stood */
}

static bool use_a_seq_twice(struct run *run, struct random *random)
{
    unsigned a = 1 + (unsigned)random_below(random, COMMANDS - 1);

    renumber_everywhere(run, a, (int64_t)random_below(random, a) + 1);
    return true;
}

static bool skip_a_seq(struct run *run, struct random *random)
{
    unsigned from = 1 + (unsigned)random_below(random, COMMANDS - 1);

    for (unsigned i = COMMANDS; i > from; i--) {
        renumber_everywhere(run, i - 1, i + 1);
    }
    return true;
}

static bool leave_one_out_at_one_node(struct run *run, struct random *random)
{
    drop_delivery(run, "node2", (unsigned)random_below(random, COMMANDS - 1));
    log_renumber(made_log(&run->made, "node2"));
    return true;
}

static bool lower_an_epoch(struct run *run, struct random *random)
{
    unsigned a = CRASH + 1 + (unsigned)random_below(random, COMMANDS - CRASH - 1);

    change_number(find_delivery(run, "node2", a), "epoch", 2, 1);
    return true;
}

static bool raise_an_epoch(struct run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, COMMANDS - 1);

    change_number(find_delivery(run, "node1", a), "epoch", a < CRASH ? 1 : 2, 3);
    return true;
}

static bool claim_another_state(struct run *run, struct random *random)
{
    struct sim_log *log = made_log(&run->made, "node3");
    char new[32];
    int64_t to = (int64_t)random_below(random, COMMANDS - 1);

    snprintf(new, sizeof new, "\"installed_seq\":%" PRId64 ",", to < RETURN ? to : to + 1);
    log_replace_in_line(&log->lines[log_find_line(log, "recover", 0)], "\"installed_seq\":18,", new);
    return true;
}

static void changed_numbers_break_gap_free_seq(void **state)
{
    (void)state;
    expect_often(swap_two_seqs, GUARANTEE_GAP_FREE);
    expect_often(swap_two_seqs_everywhere, GUARANTEE_GAP_FREE);
    expect_often(use_a_seq_twice, GUARANTEE_GAP_FREE);
    expect_often(skip_a_seq, GUARANTEE_GAP_FREE);
    expect_often(leave_one_out_at_one_node, GUARANTEE_GAP_FREE);
    expect_often(claim_another_state, GUARANTEE_GAP_FREE);
}

static void an_epoch_that_goes_down_breaks_gap_free_seq(void **state)
{
    (void)state;
    expect_often(lower_an_epoch, GUARANTEE_GAP_FREE);
    expect_often(raise_an_epoch, GUARANTEE_GAP_FREE);
}

/* ---- deliveries ---- */

/* Before node3 crashes, where nothing covers it later. */
static bool lose_it_everywhere_after_ok(struct run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, COMMANDS);
    bool is_set = run->commands[a].value != NULL;

    for (int node = 1; node <= 2; node++) {
        char name[8];
        snprintf(name, sizeof name, "node%d", node);
        drop_delivery(run, name, a);
        log_renumber(made_log(&run->made, name));
    }
    return is_set;
}

static bool lose_it_at_one_node(struct run *run, struct random *random)
{
    return leave_one_out_at_one_node(run, random);
}

static void a_lost_delivery_after_ok_breaks_delivery(void **state)
{
    (void)state;
    expect_often(lose_it_everywhere_after_ok, GUARANTEE_DELIVERY);
    expect_often(lose_it_at_one_node, GUARANTEE_DELIVERY);
}

/* Alone among all lines: its key is written by nothing later. */
static bool lose_the_last_write_of_a_key(struct run *run, struct random *random)
{
    (void)random;
    for (unsigned i = COMMANDS; i > 0; i--) {
        if (run->commands[i - 1].value != NULL) {
            drop_delivery(run, "node2", i - 1);
            log_renumber(made_log(&run->made, "node2"));
            return true;
        }
    }
    return false;
}

static void a_lost_last_write_breaks_convergence(void **state)
{
    (void)state;
    expect_often(lose_the_last_write_of_a_key, GUARANTEE_CONVERGENCE);
}

/* ---- reads ---- */

static char **find_read(struct run *run, struct random *random, unsigned *command)
{
    struct sim_log *log = made_log(&run->made, "clients");
    char uuid[32];

    *command = (unsigned)random_below(random, COMMANDS);
    for (unsigned tries = 0; tries < COMMANDS && run->commands[*command].value != NULL; tries++) {
        *command = (*command + 1) % COMMANDS;
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

static bool read_an_older_value(struct run *run, struct random *random)
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

static bool read_nothing(struct run *run, struct random *random)
{
    unsigned command;
    char **line = find_read(run, random, &command);
    bool changed = is_another_value(line, "\"value\":null");

    if (changed) {
        replace_value(line, "null");
    }
    return changed;
}

static bool read_what_was_never_written(struct run *run, struct random *random)
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
    expect_often(read_nothing, GUARANTEE_LINEARIZABLE);
    expect_often(read_what_was_never_written, GUARANTEE_LINEARIZABLE);
}

static void an_older_value_breaks_linearizable_reads(void **state)
{
    struct random random = {5};
    unsigned changed = 0;

    (void)state;
    for (uint64_t seed = 0; seed < RUNS; seed++) {
        struct run run;
        good_run(&run, seed);
        if (read_an_older_value(&run, &random)) {
            changed++;
            made_expect_violated(&run.made, GUARANTEE_LINEARIZABLE, "and that is newer");
        }
        made_end(&run.made);
    }
    assert_true(changed > RUNS / 10);
}

UNIT_MAIN(cmocka_unit_test(changed_numbers_break_gap_free_seq),
          cmocka_unit_test(an_epoch_that_goes_down_breaks_gap_free_seq),
          cmocka_unit_test(a_lost_delivery_after_ok_breaks_delivery),
          cmocka_unit_test(a_lost_last_write_breaks_convergence),
          cmocka_unit_test(a_stale_or_invented_read_breaks_linearizable_reads),
          cmocka_unit_test(an_older_value_breaks_linearizable_reads))
