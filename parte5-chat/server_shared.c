/* The highly available composition: all data are on a volume that all servers share, a lease says who leads (lease.c,
 * lock_file.c), and only the leader is connected to the broker; the others wait. Servers do not talk to each other.
 *
 * The same functions, in the same order, make the other composition in server_replicated.c. */
#include "parte5-chat/server.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "parte5-chat/reign.h"

#include <stdlib.h>

#define DRIFT_PPM 1000 /* clocks that are off by a minute and a half in a day */

/* ---- starting ---- */

static int read_settings(struct server *server, struct error *error)
{
    int64_t lease_ms;
    int code = config_int("LEASE_MS", 300, 3600000, 3000, &lease_ms, error);

    server->lease.options =
        (struct lease_options){.self = server->self, .lease_ms = (uint64_t)lease_ms, .drift_ppm = DRIFT_PPM};
    return code;
}

static int open_store(struct server *server, struct error *error)
{
    server->taking_over.volume = server->lock.folder;
    server->taking_over.log_options = server->process.log.options;
    store_init(&server->store);
    return lock_file_open(&server->lock, config_text("DATA_DIR", "data/shared"), &server->members,
                          server->self, error);
}

/* Nobody's but the volume's: what the leader has written is all that there is. */
static void start_replication(struct server *server)
{
    replication_init(&server->replication,
                     &(struct replication_options){.self = server->self, .promised = server->store.promised},
                     &server->chat, clock_monotonic_ms());
}

static void start_rules(struct server *server)
{
    struct lease_options options = server->lease.options;

    lease_init(&server->lease, &options, clock_boottime_ms());
    start_replication(server);
}

static const char *common_folder(const struct server *server)
{
    return server->lock.folder;
}

static int open_sockets(struct server *server, struct error *error)
{
    return process_open_unconnected(&server->process, &server->clients, &server_clients_options, "BROKER",
                                    SERVER_BROKER, server->broker, error);
}

/* ---- the lease ---- */

/* The volume cannot be read: nobody is believed to lead, or not to. */
static void complain(struct server *server, const struct error *error)
{
    if (log_limit_admit(&server->lock_failures, clock_monotonic_ms()) &&
        log_begin(&server->process.log, LOG_ERROR, "elect")) {
        log_text(&server->process.log, "state", text_of(server->lease.leading ? "leads" : "waits"));
        log_text(&server->process.log, "reason", text_of(error->text));
        log_end(&server->process.log);
    }
}

static void sum_up_complaints(struct server *server)
{
    uint64_t more = log_limit_take_suppressed(&server->lock_failures, clock_monotonic_ms(), false);

    if (more > 0 && log_begin(&server->process.log, LOG_ERROR, "elect")) {
        log_text(&server->process.log, "state", text_of(server->lease.leading ? "leads" : "waits"));
        log_text(&server->process.log, "reason", text_of("the volume could not be used, again and again"));
        log_int(&server->process.log, "count", (int64_t)more);
        log_end(&server->process.log);
    }
}

/* Of a renewal it is not known whether it is there, or whether somebody has damaged it since: it is written once more. Of
 * anything else, what came of it is read. */
static void owe(struct server *server, const struct coordination *action)
{
    bool is_renewal = action->type == COORDINATION_SWAP_LOCK && action->wanted.owner == server->self &&
                      action->wanted.fence == action->found.fence;

    server->lock_owes = true;
    server->lock_owed = is_renewal ? *action : (struct coordination){.type = COORDINATION_READ_LOCK};
}

void server_ask_lock(struct server *server, const struct coordination *action)
{
    struct notice notice = {.type = NOTICE_LOCK};
    struct error error;
    int code = action->type == COORDINATION_READ_LOCK
                   ? lock_file_read(&server->lock, &notice.lock, &error)
                   : lock_file_swap(&server->lock, &action->found, &action->wanted, &notice.lock, &error);

    server->lock_owes = false;
    if (code != 0) {
        owe(server, action);
        complain(server, &error);
    } else {
        server_hear_notice(server, &notice);
    }
}

static bool keeps(const struct server *server);

static void show_reign(struct server *server)
{
    struct error error;

    if (reign_show(server->lock.folder, server->lock.fence, &error) != 0) {
        complain(server, &error);
    }
}

static void tell_whom_we_follow(struct server *server)
{
    const struct lock *lock = &server->lease.lock;

    if (!server->lease.leading && lock->owner != NO_SERVER && lock->fence != server->followed) {
        server->followed = lock->fence;
        server_log_epoch(server, "elect", "follows", lock->fence);
    }
}

static void tick(struct server *server, uint64_t now_ms, struct coordinations *out)
{
    sum_up_complaints(server);
    if (server->lock_owes) {
        struct coordination owed = server->lock_owed;
        server_ask_lock(server, &owed);
    }
    if (now_ms >= server->next_heartbeat_ms && replication_leads(&server->replication) && keeps(server)) {
        server->next_heartbeat_ms = now_ms + server->lease.options.lease_ms;
        show_reign(server);
    }
    tell_whom_we_follow(server);
    lease_tick(&server->lease, clock_boottime_ms(), out);
}

static void hear(struct server *server, const struct notice *notice, struct coordinations *out)
{
    lease_hear(&server->lease, notice, clock_boottime_ms(), out);
}

static bool may_serve(const struct server *server)
{
    return lease_may_serve(&server->lease, clock_boottime_ms());
}

static bool is_current(const struct server *server)
{
    (void)server;
    return false;
}

/* Who asks is heard by the broker, which hands it to the leader. */
static bool pass_on(struct server *server, const struct text *frames, size_t count)
{
    (void)server;
    (void)frames;
    (void)count;
    return false;
}

/* This is the fence: lease_admits() of the volume, whose highest number is that of its last reign. */
static bool keeps(const struct server *server)
{
    int64_t highest;

    return may_serve(server) && lock_file_last(&server->lock, &highest, NULL) == 0 &&
           highest == server->lock.fence;
}

/* ---- leading ---- */

static void take_over(uv_work_t *work)
{
    struct taking_over *mine = container_of(work, struct taking_over, work);

    mine->code = reign_open(&mine->store, mine->volume, mine->fence, &mine->log, &mine->chat, &mine->error);
    log_flush(&mine->log);
}

static void fail_to_lead(struct server *server, const struct error *why)
{
    if (log_begin(&server->process.log, LOG_ERROR, "elect")) {
        log_text(&server->process.log, "state", text_of("cannot lead"));
        log_text(&server->process.log, "reason", text_of(why->text));
        log_end(&server->process.log);
    }
    server_hear_notice(server, &(struct notice){.type = NOTICE_DEPOSED});
}

/* All that earlier leaders acknowledged is here. */
static void begin_to_lead(struct server *server)
{
    struct taking_over *taken = &server->taking_over;
    struct replication_actions actions = {0};
    struct error error;

    server->store = taken->store;
    server->store.log = &server->process.log;
    server->chat = taken->chat;
    if (log_begin(&server->process.log, LOG_INFO, "recover")) {
        log_int(&server->process.log, "seq", chat_last_seq(&server->chat));
        log_int(&server->process.log, "epoch", chat_last_epoch(&server->chat));
        log_text(&server->process.log, "from", text_of("volume"));
        log_end(&server->process.log);
    }
    server_restore_clock(server);
    show_reign(server);
    start_replication(server);
    replication_lead(&server->replication, taken->fence, &actions);
    server_do_replication(server, &actions);
    if (replication_leads(&server->replication) &&
        zmq_socket_connect(&server->clients, server->broker, &error) != 0) {
        fail_to_lead(server, &error);
    }
}

static void on_taken_over(uv_work_t *work, int status)
{
    struct taking_over *taken = container_of(work, struct taking_over, work);
    struct server *server = container_of(taken, struct server, taking_over);
    bool wanted = !server->process.leaving && may_serve(server);

    (void)status; /* it is never cancelled */
    taken->busy = false;
    if (wanted && taken->fence == server->lock.fence && taken->code == 0) {
        begin_to_lead(server);
    } else if (taken->code == 0) { /* it took longer than the lease */
        store_close(&taken->store);
        chat_free(&taken->chat);
    }
    if (wanted && taken->fence != server->lock.fence) {
        server->composition->lead(server, server->lock.fence);
    } else if (wanted && taken->code != 0) {
        fail_to_lead(server, &taken->error);
    }
}

static void lead(struct server *server, int64_t epoch)
{
    struct taking_over *taking_over = &server->taking_over;

    if (!taking_over->busy) { /* else it is looked at when that is done */
        taking_over->busy = true;
        taking_over->fence = epoch;
        chat_init(&taking_over->chat);
        uv_queue_work(&server->process.runtime.loop, &taking_over->work, take_over, on_taken_over);
    }
}

/* What is in memory is no more than a copy of what the next leader reads. */
static void step_down(struct server *server)
{
    bool led = replication_leads(&server->replication);

    server_log_epoch(server, "step_down", "follows", server->lock.fence);
    server_forget_askers(server, true);
    server_drop_outgoing(server);
    if (led) {
        (void)zmq_socket_disconnect(&server->clients, server->broker, NULL);
    }
    store_close(&server->store);
    store_init(&server->store);
    chat_free(&server->chat);
    start_replication(server);
    server->disk = DISK_TAKES; /* the next reign has files of its own */
}

/* Where there is no room it goes on leading: nobody else would have more. Where nobody knows what the files hold, the next
 * leader reads what can be read, and writes all of it anew. */
static bool suspend(struct server *server)
{
    bool begun = chat_last_epoch(&server->chat) == server->replication.epoch;

    if (server->disk == DISK_FULL && begun) {
        replication_rewind(&server->replication);
    } else {
        server_hear_notice(server, &(struct notice){.type = NOTICE_DEPOSED});
    }
    return true;
}

/* ---- leaving ---- */

static void leave(struct server *server, struct coordinations *out)
{
    lease_leave(&server->lease, clock_boottime_ms(), out);
}

static void close_all(struct server *server)
{
    zmq_socket_close(&server->clients);
    lock_file_close(&server->lock);
}

const struct composition server_shared = {
    .leader_only = true,
    .read_settings = read_settings,
    .open_store = open_store,
    .start_rules = start_rules,
    .common_folder = common_folder,
    .open_sockets = open_sockets,
    .tick = tick,
    .hear = hear,
    .may_serve = may_serve,
    .is_current = is_current,
    .pass_on = pass_on,
    .keeps = keeps,
    .lead = lead,
    .step_down = step_down,
    .suspend = suspend,
    .leave = leave,
    .close = close_all,
};
