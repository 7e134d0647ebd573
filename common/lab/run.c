#include "common/lab/run.h"

#include "common/buffer.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/lab/folder.h"
#include "common/lab/group.h"
#include "common/lab/workload.h"
#include "common/memory.h"
#include "common/random.h"
#include "common/term/progress.h"
#include "common/uuid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_SPEED_BURST 50    /* lines that each writer types in a turn */
#define TURN_MS          5     /* how often the run looks at what it is to do next */
#define READY_MS         10000 /* a node that is not ready by then never will be */
#define QUIET_MS         500 /* a group whose logs do not grow for so long, and the longest delay, is quiet */
#define QUIET_LIMIT_MS   30000 /* one that never is quiet is stopped all the same */
#define STOP_MS          5000  /* a node that has not left by then is killed */

enum phase { PHASE_STARTING, PHASE_TYPING, PHASE_QUIETING, PHASE_STOPPING };

struct run {
    const struct run_options *options;
    struct workload workload;
    struct group group;
    struct progress progress;
    uv_loop_t loop;
    uv_timer_t turn;
    uv_signal_t interrupt, terminate;
    enum phase phase;
    uint64_t phase_since_ms, grew_ms; /* the loop's time */
    unsigned *typed;                  /* by writer */
    struct buffer lines;
    bool interrupted, killed;
    struct error error; /* the first thing that went wrong */
};

struct run_options run_options_standard(const char *part)
{
    return (struct run_options){.part = part,
                                .nodes = 3,
                                .writers = 3,
                                .operations = 300,
                                .keys = 5,
                                .rate = 200,
                                .network = {.seed = 42}};
}

/* ---- phases ---- */

static void enter(struct run *run, enum phase phase)
{
    run->phase = phase;
    run->phase_since_ms = run->grew_ms = uv_now(&run->loop);
}

static uint64_t in_phase_ms(const struct run *run)
{
    return uv_now(&run->loop) - run->phase_since_ms;
}

static void fail(struct run *run, const struct error *error)
{
    if (run->error.code == ERROR_NONE) {
        run->error = *error;
    }
}

static void close_all(struct run *run)
{
    if (!uv_is_closing((uv_handle_t *)&run->turn)) {
        uv_close((uv_handle_t *)&run->turn, NULL);
        uv_close((uv_handle_t *)&run->interrupt, NULL);
        uv_close((uv_handle_t *)&run->terminate, NULL);
    }
}

static void stop(struct run *run, bool politely)
{
    enter(run, PHASE_STOPPING);
    for (size_t i = 0; politely && i < run->group.count; i++) {
        group_type(&run->group, i, "EXIT\n", strlen("EXIT\n"));
    }
    if (!politely) {
        group_signal(&run->group, SIGTERM);
    }
    if (run->group.running == 0) {
        close_all(run);
    }
}

static void wait_until_ready(struct run *run)
{
    size_t ready;

    group_look(&run->group);
    ready = group_ready_count(&run->group);
    progress_draw(&run->progress, "starting the nodes", (unsigned)ready, run->options->nodes);
    if (ready == run->group.count) {
        enter(run, PHASE_TYPING);
    } else if (in_phase_ms(run) > READY_MS) {
        struct error error;
        error_set(&error, ERROR_PROCESS, "%zu of %zu nodes were not ready within %d s: see %s",
                  run->group.count - ready, run->group.count, READY_MS / 1000,
                  run->group.members[0].screen_path);
        fail(run, &error);
        stop(run, false);
    }
}

/* How many lines a writer should have typed by now. */
static unsigned due_lines(const struct run *run, unsigned writer)
{
    unsigned share = workload_share(&run->workload, writer);
    /* At full speed all writers type a burst in every turn, so that they race, and none is done before the next starts. */
    uint64_t due = run->options->rate == 0 ? run->typed[writer] + FULL_SPEED_BURST
                                           : 1 + in_phase_ms(run) * run->options->rate / 1000;
    return due < share ? (unsigned)due : share;
}

static void type_lines(struct run *run)
{
    unsigned done = 0;

    for (unsigned writer = 0; writer < run->options->writers; writer++) {
        buffer_clear(&run->lines);
        for (unsigned due = due_lines(run, writer); run->typed[writer] < due;) {
            workload_line(&run->workload, writer, ++run->typed[writer], &run->lines);
        }
        group_type(&run->group, writer, run->lines.bytes, run->lines.length);
        done += run->typed[writer];
    }
    progress_draw(&run->progress, "typing commands", done, run->options->operations);
    if (done == run->options->operations) {
        enter(run, PHASE_QUIETING);
    }
}

static void wait_until_quiet(struct run *run)
{
    uint64_t quiet_ms = QUIET_MS + 2 * (uint64_t)run->options->network.delay_max_ms;
    uint64_t now = uv_now(&run->loop);

    if (group_look(&run->group)) {
        run->grew_ms = now;
    }
    progress_draw(&run->progress, "waiting until it is quiet", (unsigned)(now - run->grew_ms),
                  (unsigned)quiet_ms);
    if (now - run->grew_ms > quiet_ms || in_phase_ms(run) > QUIET_LIMIT_MS + quiet_ms) {
        stop(run, true);
    }
}

static void wait_until_stopped(struct run *run)
{
    if (in_phase_ms(run) > STOP_MS && !run->killed) {
        run->killed = true;
        group_signal(&run->group, SIGKILL);
        if (!run->interrupted) {
            struct error error;
            error_set(&error, ERROR_PROCESS, "%zu nodes did not leave within %d s and were killed",
                      run->group.running, STOP_MS / 1000);
            fail(run, &error);
        }
    }
}

static void on_turn(uv_timer_t *timer)
{
    struct run *run = container_of(timer, struct run, turn);

    switch (run->phase) {
    case PHASE_STARTING:
        wait_until_ready(run);
        break;
    case PHASE_TYPING:
        type_lines(run);
        break;
    case PHASE_QUIETING:
        wait_until_quiet(run);
        break;
    case PHASE_STOPPING:
        wait_until_stopped(run);
        break;
    }
}

static void on_exit_of(struct group *group, struct member *member)
{
    struct run *run = container_of(group, struct run, group);

    if (run->phase != PHASE_STOPPING) {
        struct error error;
        error_set(&error, ERROR_PROCESS, "%s ended before it was asked to (%s %" PRId64 "): see %s",
                  member->name, member->exit_signal != 0 ? "signal" : "status",
                  member->exit_signal != 0 ? member->exit_signal : member->exit_status, member->screen_path);
        fail(run, &error);
        stop(run, false);
    } else if (group->running == 0) {
        close_all(run);
    }
}

/* The first Ctrl-C lets the nodes leave; the second does not wait for them. */
static void on_interrupt(uv_signal_t *handle, int number)
{
    struct run *run = handle->data;

    (void)number;
    if (run->interrupted) {
        group_signal(&run->group, SIGKILL);
    } else {
        run->interrupted = true;
        stop(run, false);
    }
}

/* ---- starting ---- */

/* A group address and a port that nobody else on this machine uses, so that runs do not hear each other. */
static void choose_group(char group[48], char port[48])
{
    struct random random = {random_hash(text_of(uuid_new().text))};
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    unsigned number;
    bool taken;

    do { /* bound without SO_REUSEADDR: fails if anybody has the port */
        number = 20000 + (unsigned)random_below(&random, 40000);
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
        taken = probe >= 0 && bind(probe, (struct sockaddr *)&address, sizeof address) != 0 &&
                errno == EADDRINUSE;
    } while (taken);
    if (probe >= 0) {
        close(probe);
    }
    snprintf(group, 48, "MULTICAST_GROUP=239.255.%u.%u", (unsigned)random_below(&random, 256),
             1 + (unsigned)random_below(&random, 254));
    snprintf(port, 48, "MULTICAST_PORT=%u", number);
}

static int start_nodes(struct run *run, const char *program, struct error *error)
{
    const struct fault_settings *network = &run->options->network;
    char group[48];
    char port[48];
    char delay[48];
    char loss[48];
    char duplicate[48];
    char seed[48];
    const char *settings[10] = {delay, loss, duplicate, seed};
    size_t count = 4;
    int code = 0;

    snprintf(delay, sizeof delay, "NET_DELAY_MS=%u-%u", network->delay_min_ms, network->delay_max_ms);
    snprintf(loss, sizeof loss, "NET_LOSS=%.17g", network->loss);
    snprintf(duplicate, sizeof duplicate, "NET_DUPLICATE=%.17g", network->duplicate);
    snprintf(seed, sizeof seed, "NET_SEED=%" PRIu64, network->seed);
    choose_group(group, port);
    /* What the user chose stays; else the group is ours alone, and its datagrams never leave this machine. */
    if (config_text("MULTICAST_GROUP", NULL) == NULL && config_text("MULTICAST_PORT", NULL) == NULL) {
        settings[count++] = group;
        settings[count++] = port;
    }
    if (config_text("MULTICAST_INTERFACE", NULL) == NULL) {
        settings[count++] = "MULTICAST_INTERFACE=lo";
    }
    for (size_t i = 0; code == 0 && i < run->group.count; i++) {
        code = group_start(&run->group, i, program, settings, error);
    }
    return code;
}

int run_program_folder(char *out, size_t size, struct error *error)
{
    ssize_t length = readlink("/proc/self/exe", out, size - 1);

    if (length <= 0) {
        return error_set(error, ERROR_FILE, "/proc/self/exe: %s", strerror(errno));
    }
    out[length] = '\0';
    *strrchr(out, '/') = '\0';
    return 0;
}

/* Logs of an earlier and larger run must not be judged with this one's. */
static void remove_old_logs(const struct run_options *options)
{
    char path[4096];

    for (unsigned number = options->nodes + 1;; number++) {
        snprintf(path, sizeof path, "%s/node%u.jsonl", options->directory, number);
        if (unlink(path) != 0) {
            return;
        }
        snprintf(path, sizeof path, "%s/node%u.screen.txt", options->directory, number);
        unlink(path);
    }
}

static void start_handles(struct run *run)
{
    uv_loop_init(&run->loop);
    uv_timer_init(&run->loop, &run->turn);
    uv_timer_start(&run->turn, on_turn, TURN_MS, TURN_MS);
    uv_signal_init(&run->loop, &run->interrupt);
    uv_signal_start(&run->interrupt, on_interrupt, SIGINT);
    uv_signal_init(&run->loop, &run->terminate);
    uv_signal_start(&run->terminate, on_interrupt, SIGTERM);
    run->interrupt.data = run->terminate.data = run;
}

int run_part(const struct run_options *options, bool *interrupted, struct error *error)
{
    struct run run = {.options = options, .group.on_exit = on_exit_of};
    char program[4200];
    char folder[4000];
    int code = folder_make(options->directory, error);

    if (code == 0) {
        code = run_program_folder(folder, sizeof folder, error);
    }
    if (code != 0) {
        return code;
    }
    snprintf(program, sizeof program, "%s/%s", folder, options->part);
    remove_old_logs(options);
    workload_init(&run.workload, options->writers, options->operations, options->keys, options->network.seed);
    run.typed = memory_new_zeroed(options->writers, sizeof *run.typed);
    progress_init(&run.progress);
    start_handles(&run);
    group_init(&run.group, &run.loop, options->nodes, options->directory);
    enter(&run, PHASE_STARTING);
    if (start_nodes(&run, program, &run.error) != 0) {
        stop(&run, false);
    }
    uv_run(&run.loop, UV_RUN_DEFAULT);
    progress_clear(&run.progress);
    uv_loop_close(&run.loop);
    group_free(&run.group);
    free(run.typed);
    buffer_free(&run.lines);
    *interrupted = run.interrupted;
    return run.error.code == ERROR_NONE ? 0 : error_set(error, run.error.code, "%s", run.error.text);
}
