#include "paxos/proposer_process.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "paxos/roles.h"

#include <inttypes.h>
#include <sys/random.h>

#define TICKS_PER_HEARTBEAT 4
#define CHECKPOINT_MS       10000

struct proposer_process *proposer_of(struct process *process)
{
    return container_of(process, struct proposer_process, process);
}

/* Would anybody read an event of each command? */
bool proposer_logs_commands(const struct proposer_process *proposer)
{
    return proposer->process.debug || log_wants(&proposer->process.log, LOG_INFO);
}

uint64_t proposer_draw(struct proposer_process *proposer)
{
    if (proposer->draws_left == 0) {
        size_t size = sizeof proposer->draws;
        if (getrandom(proposer->draws, size, 0) != (ssize_t)size) {
            proposer->draws[PROPOSER_DRAWS - 1] ^= uv_hrtime(); /* only how long a time-out is hangs on it */
        }
        proposer->draws_left = PROPOSER_DRAWS;
    }
    return proposer->draws[--proposer->draws_left];
}

/* ---- time ---- */

static void on_clock(uv_timer_t *timer)
{
    struct proposer_process *proposer = container_of(timer, struct proposer_process, clock);

    proposer_tick(&proposer->proposer, clock_monotonic_ms(), proposer_draw(proposer), &proposer->actions);
    proposer_perform(proposer);
    if (proposer->proposer.phase == PROPOSER_LEADS) {
        reading_see(proposer, uv_now(timer->loop));
    }
}

void proposer_set_clock(struct proposer_process *proposer)
{
    unsigned ms = proposer->process.heartbeat_ms / TICKS_PER_HEARTBEAT;

    uv_timer_start(&proposer->clock, on_clock, 0, ms > 0 ? ms : 1);
}

/* All that came in this turn was submitted: it goes out together. */
static void on_turn(uv_check_t *check)
{
    struct proposer_process *proposer = container_of(check, struct proposer_process, turn);

    if (gather_is_over(proposer)) {
        proposer_propose(&proposer->proposer, &proposer->actions);
    }
    if (proposer->actions.count > 0) {
        if (proposer_logs_commands(proposer)) {
            messages_log_sent(proposer);
        }
        proposer_perform(proposer);
    }
}

static void on_checkpoint(struct proposer_state *state, const struct error *error)
{
    struct proposer_process *proposer = container_of(state, struct proposer_process, state);

    if (error != NULL) {
        log_say(&proposer->process.log, LOG_WARNING, "discard", "no checkpoint: %s", error->text);
    }
}

static void on_tick(struct process *process, uint64_t now_ms)
{
    struct proposer_process *proposer = proposer_of(process);

    clients_tick(proposer, uv_now(&process->runtime.loop));
    reading_tick(proposer, uv_now(&process->runtime.loop));
    event_discard_summary(&process->log, &proposer->discards, now_ms, false);
    if (now_ms >= proposer->checkpoint_at_ms) {
        proposer->checkpoint_at_ms = now_ms + CHECKPOINT_MS;
        proposer_state_checkpoint(&proposer->state, &process->runtime.loop, proposer->proposer.first);
    }
}

/* ---- beginning and ending ---- */

static void on_leave(struct process *process)
{
    struct proposer_process *proposer = proposer_of(process);

    clients_leave(proposer);
    reading_leave(proposer);
    uv_timer_stop(&proposer->clock);
    proposer_state_checkpoint(&proposer->state, &process->runtime.loop, proposer->proposer.first);
}

static void on_closed(struct process *process)
{
    struct proposer_process *proposer = proposer_of(process);

    uv_close((uv_handle_t *)&proposer->clock, NULL);
    uv_close((uv_handle_t *)&proposer->turn, NULL);
    gather_close(proposer);
}

/* Nobody answers a heartbeat. */
static void on_heard(struct peers *peers, struct peer *peer, const struct peer_reply *reply)
{
    (void)peers, (void)peer, (void)reply;
}

static int open_peers(struct proposer_process *proposer, struct error *error)
{
    struct process *process = &proposer->process;

    proposer->acceptors.on_reply = messages_answered;
    proposer->proposers.on_reply = on_heard;
    proposer->learners.on_reply = batches_answered;
    int code = peers_open(&proposer->acceptors, process, "acceptor", "ACCEPTORS", true, error);
    if (code == 0) {
        code = peers_open(&proposer->proposers, process, "proposer", "PROPOSERS", true, error);
    }
    if (code == 0) {
        code = peers_open(&proposer->learners, process, "learner", "LEARNERS", false, error);
    }
    if (code == 0 && process->id > proposer->proposers.count) {
        code = error_set(error, ERROR_CONFIG,
                         "NODE_ID is %" PRIu32 ", and PROPOSERS holds %" PRIu32
                         " addresses: its own must be there",
                         process->id, proposer->proposers.count);
    }
    return code;
}

static int open_role(struct proposer_process *proposer, struct error *error)
{
    struct process *process = &proposer->process;
    const struct proposer_options options = {.id = process->id,
                                             .acceptors = proposer->acceptors.count,
                                             .window = PROPOSER_WINDOW,
                                             .batch = PAXOS_BATCH,
                                             .heartbeat_ms = process->heartbeat_ms,
                                             .timeout_ms = process->timeout_ms};

    proposer->state.on_checkpoint = on_checkpoint;
    int code = proposer_state_open(&proposer->state, process->folder, process->id, error);
    if (code != 0) {
        return code;
    }
    const struct paxos_record round = {.type = RECORD_ROUND, .ballot = {proposer->state.round, process->id}};
    proposer_init(&proposer->proposer, &options);
    proposer_restore(&proposer->proposer, &round);
    proposer_resume(&proposer->proposer, proposer->state.first);
    proposer->disk_is_well = true;
    uv_timer_init(&process->runtime.loop, &proposer->clock);
    uv_check_init(&process->runtime.loop, &proposer->turn);
    uv_check_start(&proposer->turn, on_turn);
    gather_open(proposer);
    proposer_set_clock(proposer);
    return 0;
}

static const struct process_route routes[] = {{"POST", "/propose", post_propose},
                                              {"POST", "/leader-heartbeat", post_heartbeat},
                                              {"POST", "/fetch", post_fetch},
                                              {"GET", "/leader-status", get_leader_status},
                                              {"POST", "/debug/config", post_debug_config}};

static void free_proposer(struct proposer_process *proposer)
{
    peers_free(&proposer->acceptors);
    peers_free(&proposer->proposers);
    peers_free(&proposer->learners);
    proposer_free(&proposer->proposer);
    paxos_actions_free(&proposer->actions);
    json_object_free(&proposer->object);
    buffer_free(&proposer->bytes);
    buffer_free(&proposer->text);
}

int proposer_main(void)
{
    static struct proposer_process proposer = {.process = {.role = "proposer",
                                                           .routes = routes,
                                                           .route_count = sizeof routes / sizeof *routes,
                                                           .write_status = proposer_write_status,
                                                           .write_stats = proposer_write_stats,
                                                           .on_tick = on_tick,
                                                           .on_leave = on_leave,
                                                           .on_closed = on_closed}};
    struct error error;

    if (process_open(&proposer.process, &error) != 0 || open_peers(&proposer, &error) != 0 ||
        open_role(&proposer, &error) != 0) {
        return process_refuse_start(&proposer.process, &error);
    }
    process_make_ready(&proposer.process);
    int status = process_run(&proposer.process);
    free_proposer(&proposer);
    return status;
}
