#include "common/container_of.h"
#include "common/lab/run_state.h"
#include "common/words.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define TURN_MS        5     /* how often the run looks at what it is to do next */
#define TURN_MAX_MS    100   /* what one turn counts for, however long ago the one before it was */
#define READY_MS       60000 /* a member that is not ready by then never will be */
#define QUIET_LIMIT_MS 30000 /* one that never is quiet is stopped all the same, */
#define PATIENCE_MS    10000 /* and one that only lacks something when it was silent for so much longer */
#define STOP_MS        10000 /* a member that has not left by then is killed */
#define FULL_IN_FLIGHT 32    /* requests of each writer at once, at full speed */

static void enter(struct run *run, enum run_phase phase)
{
    run->phase = phase;
    run->phase_since_ms = run->grew_ms = run->time_ms;
}

static uint64_t in_phase_ms(const struct run *run)
{
    return run->time_ms - run->phase_since_ms;
}

static void fail(struct run *run, const struct error *error)
{
    if (run->error.code == ERROR_NONE) {
        run->error = *error;
    }
}

static void on_turn_closed(uv_handle_t *handle)
{
    container_of((uv_timer_t *)handle, struct run, turn)->finished = true;
}

static void close_when_all_left(struct run *run)
{
    if (run->phase == PHASE_STOPPING && run->group.running == 0 && !run->clients_open && !run->finder_open &&
        !uv_is_closing((uv_handle_t *)&run->turn)) {
        uv_close((uv_handle_t *)&run->turn, on_turn_closed);
    }
}

static void on_clients_closed(struct clients *clients)
{
    struct run *run = container_of(clients, struct run, clients);

    run->clients_open = false;
    close_when_all_left(run);
}

static void on_finder_closed(struct leader_finder *finder)
{
    struct run *run = container_of(finder, struct run, finder);

    run->finder_open = false;
    close_when_all_left(run);
}

/* Ends the run: users leave their prompts, or else every member is asked by a signal. */
static void stop(struct run *run, bool politely)
{
    enter(run, PHASE_STOPPING);
    if (run->clients_open) {
        clients_close(&run->clients);
    }
    if (run->finder_open) {
        leader_finder_close(&run->finder);
    }
    group_signal(&run->group, SIGCONT); /* who is paused could not leave */
    if (politely && run->plan->users == USERS_TYPE) {
        for (size_t i = 0; i < run->group.count; i++) {
            group_type(&run->group, i, "EXIT\n", strlen("EXIT\n"));
        }
    } else {
        group_signal(&run->group, SIGTERM);
    }
    close_when_all_left(run);
}

static void stop_for(struct run *run, const struct member *member, const struct error *error)
{
    if (run->error.code == ERROR_NONE) {
        run->blamed = member;
    }
    fail(run, error);
    if (run->phase != PHASE_STOPPING) {
        stop(run, false);
    }
}

/* Somebody who is to be ready is not. */
static void give_up_waiting(struct run *run)
{
    const struct member *late = NULL;
    struct error error;

    for (size_t i = 0; late == NULL && i < run->group.count; i++) {
        const struct member *member = &run->group.members[i];
        late = member->ready || member->killed ? NULL : member;
    }
    if (late == NULL && run->phase == PHASE_STARTING) {
        error_set(&error, ERROR_PROCESS, "nobody led within %d s: see %.200s", READY_MS / 1000,
                  run->options->directory);
    } else if (late != NULL) {
        error_set(&error, ERROR_PROCESS, "%s was not ready within %d s: see %.200s", late->name,
                  READY_MS / 1000, late->screen_path);
    } else {
        error_set(&error, ERROR_PROCESS, "the broker was not ready within %d s: see %.200s", READY_MS / 1000,
                  run->options->directory);
    }
    stop_for(run, late, &error);
}

static void open_clients(struct run *run)
{
    const struct run_options *options = run->options;
    char path[4200];
    struct error error;

    snprintf(path, sizeof path, "%s/clients.jsonl", options->directory);
    const struct clients_options clients = {
        .workload = &run->workload,
        .users = run->plan->users,
        .nodes = run->asked,
        .ports = run->asked_ports,
        .node_count = run->asked_count,
        .rate = options->rate,
        .in_flight = options->in_flight > 0 ? options->in_flight
                     : options->rate > 0    ? 1
                                            : FULL_IN_FLIGHT,
        .timeout_ms = options->timeout_ms,
        .wait = options->wait,
        .first_takes_sets = run->plan->first_takes_sets,
        .log_path = path,
        .part = run->plan->name,
        .heard_port = run->heard_port,
    };

    run->clients.on_closed = on_clients_closed;
    run->clients_open = true;
    if (clients_open(&run->clients, &run->host->loop, &clients, &error) != 0) {
        stop_for(run, NULL, &error);
    }
}

static void wait_until_ready(struct run *run)
{
    size_t ready;

    group_look(&run->group);
    ready = group_ready_count(&run->group);
    progress_draw(&run->host->progress, _("starting the nodes"), (unsigned)ready, (unsigned)run->group.count);
    if (ready == run->group.count && run_is_led(run)) {
        enter(run, PHASE_GREETING);
        if (run->plan->users != USERS_TYPE) {
            open_clients(run);
        }
    } else if (in_phase_ms(run) > READY_MS) {
        give_up_waiting(run);
    }
}

/* What clients do before their first command. */
static void greet(struct run *run)
{
    if (run->plan->users == USERS_TYPE || clients_greet(&run->clients)) {
        enter(run, PHASE_DRIVING);
    } else if (in_phase_ms(run) > READY_MS) {
        struct error error;
        error_set(&error, ERROR_PROCESS, "the clients were not answered within %d s: see %.200s",
                  READY_MS / 1000, run->options->directory);
        stop_for(run, NULL, &error);
    }
}

/* Who is not back by now never will be. */
static bool is_too_late(const struct run *run, uint64_t elapsed_ms)
{
    return run->events_done == run->options->schedule.count && elapsed_ms > run->event_ms + READY_MS;
}

static void drive(struct run *run)
{
    uint64_t elapsed_ms = in_phase_ms(run);
    unsigned done;
    struct error error;

    if (run_turn_events(run, elapsed_ms, &error) != 0) {
        stop_for(run, NULL, &error);
        return;
    }
    if (run->plan->users != USERS_TYPE) {
        if (run_events_are_over(run) || is_too_late(run, elapsed_ms)) {
            clients_settle(&run->clients);
        }
        clients_turn(&run->clients, elapsed_ms);
        done = clients_done(&run->clients);
    } else {
        done = run_type_lines(run, elapsed_ms);
    }
    group_look(&run->group);
    progress_draw(&run->host->progress,
                  run->plan->users != USERS_TYPE ? _("clients' requests") : _("typing commands"), done,
                  run->options->operations);
    if (done < run->options->operations) {
        return;
    }
    if (run_events_are_over(run)) {
        enter(run, PHASE_QUIETING);
    } else if (is_too_late(run, elapsed_ms)) {
        give_up_waiting(run);
    }
}

static void wait_until_quiet(struct run *run)
{
    uint64_t quiet_ms = run->options->quiet_ms + 2 * (uint64_t)run->options->network.delay_max_ms +
                        (run->events_done > 0 ? run->plan->hush_ms : 0);
    /* Without a broker its nodes' attempts to reach it never end. */
    bool may_grow = !run_broker_is_lost(run);

    if (group_is_busy(&run->group) && may_grow) {
        run->grew_ms = run->time_ms;
    }
    uint64_t silent_ms = run->time_ms - run->grew_ms;
    progress_draw(&run->host->progress, _("waiting until it is quiet"),
                  (unsigned)(silent_ms < quiet_ms ? silent_ms : quiet_ms), (unsigned)quiet_ms);
    bool is_quiet = silent_ms > quiet_ms && (run_is_idle(run) || silent_ms > PATIENCE_MS + quiet_ms);
    if (is_quiet || in_phase_ms(run) > QUIET_LIMIT_MS + quiet_ms) {
        stop(run, true);
    }
}

static void wait_until_stopped(struct run *run)
{
    if (in_phase_ms(run) > STOP_MS && !run->killed) {
        run->killed = true;
        group_signal(&run->group, SIGKILL);
        if (run->host->interrupts == 0) {
            struct error error;
            error_set(&error, ERROR_PROCESS, "%zu members did not leave within %d s and were killed",
                      run->group.running, STOP_MS / 1000);
            fail(run, &error);
        }
    }
}

/* The run's time stands still while the lab does. When a whole machine stood still, nobody was silent or late. */
static void pass_time(struct run *run)
{
    uint64_t now_ms = uv_now(&run->host->loop);
    uint64_t passed_ms = now_ms - run->turned_ms;

    run->time_ms += passed_ms < TURN_MAX_MS ? passed_ms : TURN_MAX_MS;
    run->turned_ms = now_ms;
}

static void on_turn(uv_timer_t *timer)
{
    struct run *run = container_of(timer, struct run, turn);

    pass_time(run);
    switch (run->phase) {
    case PHASE_STARTING:
        wait_until_ready(run);
        break;
    case PHASE_GREETING:
        greet(run);
        break;
    case PHASE_DRIVING:
        drive(run);
        break;
    case PHASE_QUIETING:
        wait_until_quiet(run);
        break;
    case PHASE_STOPPING:
        wait_until_stopped(run);
        break;
    }
}

void run_lose_member(struct group *group, struct member *member)
{
    struct run *run = container_of(group, struct run, group);

    if (run->phase != PHASE_STOPPING && !member->killed) {
        struct error error;
        if (member->exit_signal != 0) {
            error_set(&error, ERROR_PROCESS, "%s ended before it was asked to (signal %d): see %.200s",
                      member->name, member->exit_signal, member->screen_path);
        } else {
            error_set(&error, ERROR_PROCESS,
                      "%s ended before it was asked to (status %" PRId64 "): see %.200s", member->name,
                      member->exit_status, member->screen_path);
        }
        stop_for(run, member, &error);
    }
    close_when_all_left(run);
}

void run_interrupt(struct run_host *host)
{
    struct run *run = host->run;

    if (run->phase == PHASE_STOPPING || host->interrupts > 1) {
        group_signal(&run->group, SIGKILL);
    } else {
        stop(run, false);
    }
}

void run_lose_broker(struct run_host *host, const struct error *error)
{
    stop_for(host->run, NULL, error);
}

void run_begin(struct run *run)
{
    uv_timer_init(&run->host->loop, &run->turn);
    uv_timer_start(&run->turn, on_turn, TURN_MS, TURN_MS);
    run->turned_ms = uv_now(&run->host->loop);
    enter(run, PHASE_STARTING);
    int code = run_start_members(run, &run->error);
    if (code == 0) {
        run->finder.on_closed = on_finder_closed;
        code = run_open_leader(run, &run->error);
    }
    if (code != 0) {
        stop(run, false);
    }
}
