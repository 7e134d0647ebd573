#include "common/lab/run.h"

#include "common/directory.h"
#include "common/lab/run_state.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run_options run_options_standard(const char *part)
{
    return (struct run_options){
        .part = part,
        .members = {[MEMBER_NODE] = 3, [MEMBER_PROPOSER] = 3, [MEMBER_ACCEPTOR] = 3, [MEMBER_LEARNER] = 3},
        .writers = 3,
        .operations = 300,
        .keys = 5,
        .rate = 200,
        .reads = WORKLOAD_READS,
        .network = {.seed = 42},
        .quiet_ms = 500,
        .brokers = 1,
        .timeout_ms = CLIENTS_TIMEOUT_MS};
}

int run_program_folder(char *out, size_t size, struct error *error)
{
    ssize_t length = readlink("/proc/self/exe", out, size - 1);

    if (length <= 0) {
        error_set(error, ERROR_FILE, "/proc/self/exe");
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    out[length] = '\0';
    *strrchr(out, '/') = '\0';
    return 0;
}

static int prepare(struct run *run, struct error *error)
{
    const struct run_options *options = run->options;
    char program[4200];
    char folder[4000];
    int code = directory_make(options->directory, "--out", error);

    if (code == 0) {
        code = run_program_folder(folder, sizeof folder, error);
    }
    if (code == 0) {
        run_remove_old_logs(options);
        code = run_heal_network(run, error);
    }
    if (code == 0) {
        code = run_open_events(run, error);
    }
    if (code != 0) {
        return code;
    }
    snprintf(program, sizeof program, "%s/%s", folder,
             run->plan->program != NULL ? run->plan->program : run->plan->name);
    workload_init(&run->workload, options->writers, options->operations, options->keys,
                  options->network.seed);
    run->workload.reads = options->reads;
    run->group.reads_on = run->plan->tells_leads;
    run->typed = memory_new_zeroed(options->writers, sizeof *run->typed);
    group_init(&run->group, &run->host->loop, part_plan_member_count(run->plan, options->members), program);
    return 0;
}

static void release(struct run *run)
{
    run_close_events(run);
    clients_free(&run->clients);
    leader_finder_free(&run->finder);
    group_free(&run->group);
    free(run->typed);
    ports_release(&run->held_ports);
    free(run->ports);
    free(run->asked);
    free(run->asked_ports);
    free(run->inner_ports);
    buffer_free(&run->lines);
}

int run_part_on(const struct run_options *options, struct run_host *host, struct error *error)
{
    struct run run = {.options = options,
                      .plan = part_plan_find(options->part),
                      .host = host,
                      .group.on_exit = run_lose_member};
    int code = prepare(&run, error);

    if (code != 0) {
        return code;
    }
    host->run = &run;
    host->on_interrupt = run_interrupt;
    host->on_broker_failed = run_lose_broker;
    run_begin(&run);
    run_host_turn_until(host, &run.finished);
    host->run = NULL;
    host->on_interrupt = NULL;
    host->on_broker_failed = NULL;
    progress_clear(&host->progress);
    if (run.error.code != ERROR_NONE) {
        run_print_environment(&run, stderr);
        *error = run.error;
    }
    if (run.plan->has_broker && !host->has_broker) {
        run_tidy_broker(&run, run.error.code == ERROR_NONE ? stderr : NULL);
    }
    release(&run);
    return run.error.code != ERROR_NONE || host->interrupts > 0 ? (int)run.error.code
                                                                : run_write_description(options, error);
}

int run_part(const struct run_options *options, bool *interrupted, struct error *error)
{
    struct run_host host;
    unsigned brokers = part_plan_find(options->part)->has_broker ? options->brokers : 0;
    int code = run_host_open(&host, options->directory, brokers, error);

    *interrupted = host.interrupts > 0;
    if (code != 0) {
        return code;
    }
    if (!*interrupted) {
        code = run_part_on(options, &host, error);
    }
    *interrupted = host.interrupts > 0;
    run_host_close(&host);
    return code;
}
