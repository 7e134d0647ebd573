/* A number, an epoch or a delivery of a good run is changed: the guarantee that it breaks must be named. */
#include "tests/sim/log_edit.h"
#include "tests/sim/made_run.h"
#include "tests/unit/unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- lines of a command ---- */

static char **find_delivery(struct made_run *run, const char *node, unsigned command)
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
static void renumber_everywhere(struct made_run *run, unsigned command, int64_t to)
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

static void drop_delivery(struct made_run *run, const char *node, unsigned command)
{
    char **line = find_delivery(run, node, command);
    struct sim_log *log = made_log(&run->made, node);

    if (line != NULL) {
        log_drop_line(log, (size_t)(line - log->lines));
    }
}

/* ---- numbers ---- */

static bool swap_two_seqs(struct made_run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, RUN_COMMANDS - 1);

    change_number(find_delivery(run, "node2", a), "seq", a + 1, a + 2);
    change_number(find_delivery(run, "node2", a + 1), "seq", a + 2, a + 1);
    return true;
}

static bool swap_two_seqs_everywhere(struct made_run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, RUN_COMMANDS - 1);

    renumber_everywhere(run, a, 1000);
    renumber_everywhere(run, a + 1, a + 1);
    run->commands[a].seq = 1000;
    renumber_everywhere(run, a, a + 2);
    return a + 1 != RUN_RETURN; /* before and behind node3's state both stand where they stood */
}

static bool use_a_seq_twice(struct made_run *run, struct random *random)
{
    unsigned a = 1 + (unsigned)random_below(random, RUN_COMMANDS - 1);

    renumber_everywhere(run, a, (int64_t)random_below(random, a) + 1);
    return true;
}

static bool skip_a_seq(struct made_run *run, struct random *random)
{
    unsigned from = 1 + (unsigned)random_below(random, RUN_COMMANDS - 1);

    for (unsigned i = RUN_COMMANDS; i > from; i--) {
        renumber_everywhere(run, i - 1, i + 1);
    }
    return true;
}

static bool leave_one_out_at_one_node(struct made_run *run, struct random *random)
{
    drop_delivery(run, "node2", (unsigned)random_below(random, RUN_COMMANDS - 1));
    log_renumber(made_log(&run->made, "node2"));
    return true;
}

static bool lower_an_epoch(struct made_run *run, struct random *random)
{
    unsigned a = RUN_CRASH + 1 + (unsigned)random_below(random, RUN_COMMANDS - RUN_CRASH - 1);

    change_number(find_delivery(run, "node2", a), "epoch", 2, 1);
    return true;
}

static bool raise_an_epoch(struct made_run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, RUN_COMMANDS - 1);

    change_number(find_delivery(run, "node1", a), "epoch", a < RUN_CRASH ? 1 : 2, 3);
    return true;
}

static bool claim_another_state(struct made_run *run, struct random *random)
{
    struct sim_log *log = made_log(&run->made, "node3");
    char new[32];
    int64_t to = (int64_t)random_below(random, RUN_COMMANDS - 1);

    snprintf(new, sizeof new, "\"installed_seq\":%" PRId64 ",", to < RUN_RETURN ? to : to + 1);
    log_replace_in_line(&log->lines[log_find_line(log, "recover", 0)], "\"installed_seq\":18,", new);
    return true;
}

static void changed_numbers_break_gap_free_seq(void **state)
{
    (void)state;
    made_run_expect_often(swap_two_seqs, GUARANTEE_GAP_FREE);
    made_run_expect_often(swap_two_seqs_everywhere, GUARANTEE_GAP_FREE);
    made_run_expect_often(use_a_seq_twice, GUARANTEE_GAP_FREE);
    made_run_expect_often(skip_a_seq, GUARANTEE_GAP_FREE);
    made_run_expect_often(leave_one_out_at_one_node, GUARANTEE_GAP_FREE);
    made_run_expect_often(claim_another_state, GUARANTEE_GAP_FREE);
}

static void an_epoch_that_goes_down_breaks_gap_free_seq(void **state)
{
    (void)state;
    made_run_expect_often(lower_an_epoch, GUARANTEE_GAP_FREE);
    made_run_expect_often(raise_an_epoch, GUARANTEE_GAP_FREE);
}

/* ---- deliveries ---- */

/* Before node3 crashes, where nothing covers it later. */
static bool lose_it_everywhere_after_ok(struct made_run *run, struct random *random)
{
    unsigned a = (unsigned)random_below(random, RUN_COMMANDS);
    bool is_set = run->commands[a].value != NULL;

    for (int node = 1; node <= 2; node++) {
        char name[8];
        snprintf(name, sizeof name, "node%d", node);
        drop_delivery(run, name, a);
        log_renumber(made_log(&run->made, name));
    }
    return is_set;
}

static bool lose_it_at_one_node(struct made_run *run, struct random *random)
{
    return leave_one_out_at_one_node(run, random);
}

static void a_lost_delivery_after_ok_breaks_delivery(void **state)
{
    (void)state;
    made_run_expect_often(lose_it_everywhere_after_ok, GUARANTEE_DELIVERY);
    made_run_expect_often(lose_it_at_one_node, GUARANTEE_DELIVERY);
}

/* Alone among all lines: its key is written by nothing later. */
static bool lose_the_last_write_of_a_key(struct made_run *run, struct random *random)
{
    (void)random;
    for (unsigned i = RUN_COMMANDS; i > 0; i--) {
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
    made_run_expect_often(lose_the_last_write_of_a_key, GUARANTEE_CONVERGENCE);
}

UNIT_MAIN(cmocka_unit_test(changed_numbers_break_gap_free_seq),
          cmocka_unit_test(an_epoch_that_goes_down_breaks_gap_free_seq),
          cmocka_unit_test(a_lost_delivery_after_ok_breaks_delivery),
          cmocka_unit_test(a_lost_last_write_breaks_convergence))
