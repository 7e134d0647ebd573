#include "paxos/process.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/directory.h"
#include "paxos/peers.h"
#include "paxos/process_routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEARTBEAT_MS 100
#define TIMEOUT_MS   500
#define TIME_MAX_MS  60000
#define PORT         8080

/* ---- settings ---- */

static int read_times(struct process *process, struct error *error)
{
    int64_t heartbeat_ms = 0;
    int64_t timeout_ms = 0;
    int code = config_int("HEARTBEAT_MS", 1, TIME_MAX_MS, HEARTBEAT_MS, &heartbeat_ms, error);

    if (code == 0) {
        code = config_int("TIMEOUT_MS", 1, TIME_MAX_MS, TIMEOUT_MS, &timeout_ms, error);
    }
    if (code == 0 && timeout_ms < 2 * heartbeat_ms) {
        code = error_set(error, ERROR_CONFIG,
                         "TIMEOUT_MS is %" PRId64 " and HEARTBEAT_MS %" PRId64
                         ": a time-out of at least two heartbeats is allowed",
                         timeout_ms, heartbeat_ms);
    }
    process->heartbeat_ms = (unsigned)heartbeat_ms;
    process->timeout_ms = (unsigned)timeout_ms;
    return code;
}

static int read_flag(const char *name, bool *flag, struct error *error)
{
    static const char *const choices[] = {"false", "true", NULL};
    int choice = 0;
    int code = config_choice(name, choices, 0, &choice, error);

    *flag = choice == 1;
    return code;
}

static int read_settings(struct process *process, struct error *error)
{
    int64_t id = 0;
    int64_t port = 0;
    int code = config_int("NODE_ID", 1, PAXOS_MEMBERS_MAX, 1, &id, error);

    if (code == 0) {
        code = config_int("PORT", 0, UINT16_MAX, PORT, &port, error);
    }
    if (code == 0) {
        code = read_flag("DEBUG", &process->debug, error);
    }
    if (code == 0) {
        code = read_flag("USE_CLUSTER_STORE", &process->cluster_store, error);
    }
    if (code == 0) {
        code = read_times(process, error);
    }
    process->id = (uint32_t)id;
    process->port = (uint16_t)port;
    snprintf(process->name, sizeof process->name, "%s-%" PRIu32, process->role, process->id);
    const char *folder = config_text("DATA_DIR", NULL);
    int length = folder != NULL ? snprintf(process->folder, sizeof process->folder, "%s", folder)
                                : snprintf(process->folder, sizeof process->folder, "data/%s", process->name);
    if (code == 0 && (size_t)length >= sizeof process->folder - 64) { /* the names of files follow */
        code = error_set(error, ERROR_CONFIG, "DATA_DIR is \"%.60s…\": it is too long", process->folder);
    }
    return code;
}

/* ---- the logs ---- */

/* What happens once per command is for the log that has everything. */
static bool is_important(enum log_level level, const char *event)
{
    static const char *const common[] = {"submit", "send",    "receive", "hold",
                                         "reply",  "deliver", "discard", "fault"};

    for (size_t i = 0; level < LOG_WARNING && i < sizeof common / sizeof *common; i++) {
        if (strcmp(event, common[i]) == 0) {
            return false;
        }
    }
    return level >= LOG_INFO;
}

static bool on_wants(struct log_watcher *watcher, enum log_level level, const char *event)
{
    return container_of(watcher, struct process, watcher)->debug || is_important(level, event);
}

static void on_take(struct log_watcher *watcher, enum log_level level, const char *event, struct text line)
{
    struct process *process = container_of(watcher, struct process, watcher);

    log_book_add(&process->all, line);
    if (is_important(level, event)) {
        log_book_add(&process->important, line);
    }
}

static void on_flush(struct log_watcher *watcher)
{
    struct process *process = container_of(watcher, struct process, watcher);

    log_book_flush(&process->all, process->name);
    log_book_flush(&process->important, process->name);
}

static int open_book(struct process *process, struct log_book *book, const char *ending, struct error *error)
{
    char path[PROCESS_PATH_MAX + 64];

    snprintf(path, sizeof path, "%s/logs/%s_%s.log", process->folder, process->name, ending);
    return log_book_open(book, path, error);
}

static int open_logs(struct process *process, struct error *error)
{
    struct log_options options;
    char folder[PROCESS_PATH_MAX + 8];
    int code = log_options_read(&options, process->name, error);

    if (code == 0) {
        code = log_open(&process->log, &options, error);
    }
    if (code == 0) {
        snprintf(folder, sizeof folder, "%s/logs", process->folder);
        code = directory_make(folder, "DATA_DIR", error);
    }
    if (code == 0 && process->debug) {
        code = open_book(process, &process->all, "all", error);
    }
    if (code == 0) {
        code = open_book(process, &process->important, "important", error);
    }
    process->watcher = (struct log_watcher){on_wants, on_take, on_flush};
    process->log.watcher = &process->watcher;
    return code;
}

/* ---- leaving ---- */

/* Calls to others, and their answers: what its part of the order has cost the network. */
static uint64_t count_messages(const struct process *process)
{
    uint64_t count = 0;

    for (const struct peers *peers = process->peers; peers != NULL; peers = peers->next) {
        for (uint32_t i = 0; peers->items != NULL && i < peers->count; i++) {
            count += peers->items[i].sent + peers->items[i].answered;
        }
    }
    return count;
}

/* All is answered, and what was to be kept is on disk. */
static void say_stop(struct process *process)
{
    if (log_begin(&process->log, LOG_INFO, "stop")) {
        log_int(&process->log, "messages", (int64_t)count_messages(process));
        if (process->log_stop != NULL) {
            process->log_stop(process);
        }
        log_end(&process->log);
    }
}

static void on_server_closed(struct http_server *server)
{
    struct process *process = container_of(server, struct process, server);

    for (struct peers *peers = process->peers; peers != NULL; peers = peers->next) {
        peers_close(peers);
    }
    if (process->on_closed != NULL) {
        process->on_closed(process);
    }
    fault_watch_close(&process->faults.watch);
    say_stop(process);
    runtime_close(&process->runtime);
}

void process_leave(struct process *process, int exit_status)
{
    if (process->leaving) {
        return;
    }
    process->leaving = true;
    process->exit_status = exit_status;
    if (process->on_leave != NULL) {
        process->on_leave(process);
    }
    http_server_close(&process->server, PROCESS_GRACE_MS);
}

static void on_signal(struct runtime *runtime, const char *name)
{
    struct process *process = container_of(runtime, struct process, runtime);

    if (!process->leaving) {
        log_say(&process->log, LOG_INFO, "disconnect", "%s: leaving", name);
        process_leave(process, 0);
    }
}

void process_die(struct process *process, const struct error *error)
{
    log_say(&process->log, LOG_ERROR, "stop", "%s", error->text);
    log_close(&process->log);
    _exit(1); /* a thread may be at work */
}

/* ---- starting ---- */

/* The two directions meet faults of their own: what is drawn for one says nothing of the other. */
static void on_faults(struct fault_watch *watch)
{
    struct process *process = container_of(watch, struct process, faults.watch);
    struct fault_settings going = watch->settings;

    going.seed = ~going.seed;
    faults_init(&process->faults.going, &going, text_of(process->name));
    faults_init(&process->faults.coming, &watch->settings, text_of(process->name));
    for (struct peers *peers = process->peers; peers != NULL; peers = peers->next) {
        peers_release(peers);
    }
}

static void on_tick(struct runtime *runtime, uint64_t now_ms)
{
    struct process *process = container_of(runtime, struct process, runtime);

    if (process->on_tick != NULL) {
        process->on_tick(process, now_ms);
    }
}

static void say_start(struct process *process)
{
    if (log_begin(&process->log, LOG_INFO, "start")) {
        log_text(&process->log, "part", text_of("paxos"));
        log_text(&process->log, "role", text_of(process->role));
        log_int(&process->log, "pid", getpid());
        log_end(&process->log);
    }
}

int process_open(struct process *process, struct error *error)
{
    int code = read_settings(process, error);

    if (code == 0) {
        code = open_logs(process, error);
    }
    if (code != 0) {
        return code;
    }
    say_start(process);
    process->started_ms = clock_monotonic_ms();
    process->runtime.on_signal = on_signal;
    process->runtime.on_tick = on_tick;
    process->server.on_request = process_route_request;
    process->server.on_closed = on_server_closed;
    code = runtime_open(&process->runtime, &process->log, error);
    if (code == 0) {
        process->faults.watch.on_change = on_faults;
        code = fault_watch_open(&process->faults.watch, &process->runtime.loop, &process->log, error);
    }
    return code == 0 ? http_server_open(&process->server, &process->runtime.loop, &process->log,
                                        config_text("HOST", "0.0.0.0"), process->port, error)
                     : code;
}

int process_refuse_start(struct process *process, const struct error *error)
{
    fprintf(stderr, "paxos %s: %s\n", process->role, error->words);
    log_close(&process->log);
    return 1;
}

void process_make_ready(struct process *process)
{
    if (log_begin(&process->log, LOG_INFO, "ready")) {
        log_int(&process->log, "port", process->server.port);
        log_end(&process->log);
    }
}

int process_run(struct process *process)
{
    runtime_run(&process->runtime);
    log_close(&process->log);
    log_book_close(&process->all);
    log_book_close(&process->important);
    json_object_free(&process->body);
    buffer_free(&process->scratch);
    buffer_free(&process->id_text);
    return process->exit_status;
}
