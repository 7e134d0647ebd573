/* The learner's process: finds out what is decided, applies it, answers reads, and drives the stores where there are some. */
#include "common/clock.h"
#include "common/container_of.h"
#include "common/words.h"
#include "paxos/learner_process.h"
#include "paxos/message_json.h"
#include "paxos/roles.h"

#include <signal.h>

#define SAVE_EVERY_MS       1000
#define SAVE_EVERY_COMMANDS 5000 /* what is not saved the acceptors must keep */

static struct learner_process *self(struct process *process)
{
    return container_of(process, struct learner_process, process);
}

/* ---- what the learner wants done ---- */

static void send_message(struct learner_process *process, const struct paxos_action *action)
{
    struct buffer *body = &process->scratch;
    struct peers *to = action->to == TO_ACCEPTORS   ? &process->acceptors
                       : action->to == TO_PROPOSERS ? &process->proposers
                                                    : &process->learners;
    const char *path = action->message->type == PAXOS_FETCH ? "/fetch" : "/checkpoint";

    buffer_clear(body);
    message_json_write(body, action->message);
    if (action->number == 0) {
        peers_post_all(to, path, buffer_text(body), 0);
    } else {
        peers_post(to, action->number, path, buffer_text(body), 0);
    }
}

static void perform(struct learner_process *process, const struct paxos_action *action)
{
    if (action->type == PAXOS_SEND) {
        send_message(process, action);
    } else if (action->type == PAXOS_APPLY || action->type == PAXOS_REPEATED) {
        learner_apply(process, action);
    }
}

void learner_perform(struct learner_process *process)
{
    for (size_t i = 0; i < process->actions.count; i++) {
        perform(process, &process->actions.items[i]);
    }
    paxos_actions_clear(&process->actions);
    if (process->learner.decided_below <= process->learner.applied + 1 && process->learner.count == 0) {
        process->current_ms = clock_monotonic_ms();
    }
    learner_stores_go_on(process);
    learner_reads_go_on(process);
}

/* ---- checkpoints ---- */

static void save(struct learner_process *process, uint64_t now_ms)
{
    uint64_t behind = process->learner.sessions.noted - process->disk.noted;
    bool due = now_ms - process->saved_ms >= SAVE_EVERY_MS || behind >= SAVE_EVERY_COMMANDS;

    if (due && process->fetch.from == 0 && process->learner.applied > process->disk.instance &&
        learner_disk_save(&process->disk, process->learner.applied, &process->state,
                          &process->learner.sessions, false)) {
        process->saved_ms = now_ms;
    }
}

static void on_saved(struct learner_disk *disk)
{
    struct learner_process *process = container_of(disk, struct learner_process, disk);

    if (process->fetch.saving) {
        learner_fetch_saved(process);
    } else {
        learner_checkpointed(&process->learner, disk->instance, &process->actions);
    }
    if (!process->process.leaving) {
        learner_perform(process);
    }
}

/* It goes on without: the acceptors keep what is not in a checkpoint. */
static void on_failed(struct learner_disk *disk, const struct error *error)
{
    struct learner_process *process = container_of(disk, struct learner_process, disk);

    log_say(&process->process.log, LOG_ERROR, "recover", "%s", error->text);
    if (process->fetch.saving) {
        learner_fetch_drop(process);
    }
}

/* ---- time ---- */

static void on_beat(uv_timer_t *timer)
{
    struct learner_process *process = container_of(timer, struct learner_process, beat);
    uint64_t now_ms = clock_monotonic_ms();

    if (process->process.leaving) {
        return;
    }
    learner_fetch_go_on(process);
    learner_tick(&process->learner, &process->actions);
    learner_perform(process);
    learner_stores_tick(process, now_ms);
    save(process, now_ms);
}

static void on_leave(struct process *process)
{
    learner_reads_end(self(process));
}

static void on_closed(struct process *process)
{
    uv_close((uv_handle_t *)&self(process)->beat, NULL);
}

/* ---- telling ---- */

static void write_stores(const struct learner_process *process, struct buffer *out)
{
    for (uint32_t i = 1; process->process.cluster_store && i <= process->stores.count; i++) {
        bool live = (process->to_stores.coordinator.live & members_bit(i)) != 0;
        buffer_add_format(out, "%s{\"name\":\"store-%u\",\"live\":%s}", i > 1 ? "," : "", i,
                          live ? "true" : "false");
    }
}

static void write_status(struct process *shared, struct buffer *out)
{
    const struct learner_process *process = self(shared);

    buffer_add_format(out,
                      ",\"applied\":%llu,\"checkpoint\":%llu,\"decidedBelow\":%llu,\"commands\":%llu,"
                      "\"writes\":%llu,\"resources\":%zu,\"finished\":%llu,\"stores\":[",
                      (unsigned long long)process->learner.applied,
                      (unsigned long long)process->learner.checkpoint,
                      (unsigned long long)process->learner.decided_below,
                      (unsigned long long)process->state.commands, (unsigned long long)process->state.writes,
                      process->state.resources.count,
                      (unsigned long long)process->to_stores.coordinator.finished);
    write_stores(process, out);
    buffer_add_char(out, ']');
}

static void write_stats(struct process *shared, struct buffer *out)
{
    const struct learner_process *process = self(shared);

    buffer_add_format(out,
                      ",\"delivered\":%llu,\"repeated\":%llu,\"remembered\":%llu,\"readsWaiting\":%zu,"
                      "\"storeBatches\":%llu",
                      (unsigned long long)process->delivered, (unsigned long long)process->repeated,
                      (unsigned long long)(process->learner.sessions.noted -
                                           process->learner.sessions.forgotten),
                      process->read_count, (unsigned long long)process->to_stores.batches);
}

/* ---- the process ---- */

static const struct process_route routes[] = {
    {"POST", "/learn", learner_post_learn},           {"POST", "/leader-heartbeat", learner_post_heartbeat},
    {"POST", "/fetch", learner_post_fetch},           {"POST", "/read", learner_post_read},
    {"GET", "/snapshot", learner_get_snapshot},       {"POST", "/snapshot", learner_post_snapshot},
    {"GET", "/resource/{id}", learner_get_resource},  {"GET", "/instance/{id}", learner_get_instance},
    {"GET", "/instances", learner_get_instances},     {"POST", "/store/rejoin", learner_post_rejoin},
    {"POST", "/store/outcome", learner_post_outcome}, {"POST", "/writes", learner_post_writes},
};

static int open_peers(struct learner_process *process, struct error *error)
{
    struct process *shared = &process->process;
    int code = peers_open(&process->acceptors, shared, "acceptor", "ACCEPTORS", true, error);

    if (code == 0) {
        code = peers_open(&process->proposers, shared, "proposer", "PROPOSERS", false, error);
    }
    if (code == 0) {
        code = peers_open(&process->learners, shared, "learner", "LEARNERS", false, error);
    }
    if (code == 0) {
        code = peers_open(&process->stores, shared, "store", "STORES", shared->cluster_store, error);
    }
    return code == 0 ? peers_open(&process->clients, shared, "client", "CLIENTS", false, error) : code;
}

static void log_stop(struct process *shared)
{
    struct learner_process *process = self(shared);

    log_int(&shared->log, "ordem_local", (int64_t)process->delivered);
    log_int(&shared->log, "keys", (int64_t)process->state.resources.count);
}

static int open_all(struct learner_process *process, struct error *error)
{
    struct process *shared = &process->process;
    struct sessions sessions = {0};
    int code = process_open(shared, error);

    if (code == 0) {
        code = open_peers(process, error);
    }
    if (code == 0) {
        code = learner_disk_open(&process->disk, &shared->runtime.loop, shared->folder, &process->state,
                                 &sessions, error);
    }
    if (code == 0) {
        learner_init(&process->learner, shared->id, process->acceptors.count);
        learner_install(&process->learner, process->disk.instance, &sessions);
        coordinator_init(&process->to_stores.coordinator, process->stores.count, process->state.writes,
                         shared->timeout_ms);
        uv_timer_init(&shared->runtime.loop, &process->beat);
        uv_timer_start(&process->beat, on_beat, shared->heartbeat_ms, shared->heartbeat_ms);
    }
    sessions_free(&sessions);
    return code;
}

static void free_all(struct learner_process *process)
{
    peers_free(&process->acceptors);
    peers_free(&process->proposers);
    peers_free(&process->learners);
    peers_free(&process->stores);
    peers_free(&process->clients);
    learner_fetch_drop(process);
    learner_forget_decided(process);
    learner_disk_close(&process->disk);
    learner_free(&process->learner);
    learner_state_free(&process->state);
    paxos_actions_free(&process->actions);
    json_object_free(&process->body);
    json_object_free(&process->item);
    buffer_free(&process->scratch);
    buffer_free(&process->canonical);
    buffer_free(&process->to_stores.prepare);
    buffer_free(&process->to_stores.commit);
}

int learner_main(void)
{
    static struct learner_process process = {
        .process = {.role = "learner",
                    .routes = routes,
                    .route_count = sizeof routes / sizeof *routes,
                    .write_status = write_status,
                    .write_stats = write_stats,
                    .on_leave = on_leave,
                    .on_closed = on_closed,
                    .log_stop = log_stop},
        .acceptors = {.on_reply = learner_on_other_reply},
        .proposers = {.on_reply = learner_on_other_reply},
        .learners = {.on_reply = learner_on_learner_reply},
        .stores = {.on_reply = learner_on_store_reply},
        .clients = {.on_reply = learner_on_other_reply},
        .disk = {.on_saved = on_saved, .on_failed = on_failed},
    };
    struct error error;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as good as a full disk */
    if (open_all(&process, &error) != 0) {
        return process_refuse_start(&process.process, &error);
    }
    if (process.state.commands > 0) {
        learner_say_recovered(&process, "disk");
    }
    process_make_ready(&process.process);
    int status = process_run(&process.process);
    free_all(&process);
    return status;
}
