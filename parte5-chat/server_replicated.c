/* The replicated composition: every server has its own data, an election says who leads (bully.c), and a write is on the
 * disk of every backup that counts before its client hears OK. Servers talk to each other and to the reference server.
 *
 * The same functions, in the same order, make the other composition in server_shared.c. */
#include "parte5-chat/server.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- starting ---- */

static int read_settings(struct server *server, struct error *error)
{
    int64_t timeout_ms;
    int64_t patience_ms;
    int code = config_int("HEARTBEAT_TIMEOUT_MS", 100, 3600000, 3000, &timeout_ms, error);

    if (code == 0) {
        code = config_int("REPLICATION_TIMEOUT_MS", 50, 3600000, 1000, &patience_ms, error);
    }
    if (code != 0) {
        return code;
    }
    if (patience_ms >= timeout_ms) {
        return error_set(error, ERROR_CONFIG,
                         "REPLICATION_TIMEOUT_MS must be less than HEARTBEAT_TIMEOUT_MS");
    }
    server->timeout_ms = (uint64_t)timeout_ms;
    server->patience_ms = (uint64_t)patience_ms;
    server->heartbeat_ms = server->timeout_ms / 6;
    return 0;
}

static int open_store(struct server *server, struct error *error)
{
    char standard[STORE_PATH_MAX];

    snprintf(standard, sizeof standard, "data/%s", server->process.id);
    int code = store_open(&server->store, config_text("DATA_DIR", standard), store_names,
                          &server->process.log, &server->chat, error);
    if (code == 0 && log_begin(&server->process.log, LOG_INFO, "recover")) {
        log_int(&server->process.log, "seq", chat_last_seq(&server->chat));
        log_int(&server->process.log, "epoch", chat_last_epoch(&server->chat));
        log_int(&server->process.log, "promised", server->store.promised);
        log_end(&server->process.log);
    }
    return code;
}

static void start_rules(struct server *server)
{
    uint64_t all = SERVER_BIT(server->members.count + 1) - 2;
    uint64_t now_ms = clock_monotonic_ms();

    bully_init(&server->bully,
               &(struct bully_options){.self = server->self,
                                       .servers = all,
                                       .timeout_ms = server->timeout_ms,
                                       .answer_ms = server->patience_ms,
                                       .epoch = server->store.promised},
               now_ms);
    replication_init(&server->replication,
                     &(struct replication_options){.self = server->self,
                                                   .peers = all & ~SERVER_BIT(server->self),
                                                   .patience_ms = server->patience_ms,
                                                   .promised = server->store.promised},
                     &server->chat, now_ms);
}

/* Servers with data of their own have no folder in common, where the tokens' secret could be. */
static const char *common_folder(const struct server *server)
{
    return server->members.count == 1 ? server->store.folder : NULL;
}

/* What went over the network that may be a bad one. */
static void on_frames(struct bad_network *network, struct zmq_socket *socket, const struct text *frames,
                      size_t count)
{
    struct server *server = container_of(network, struct server, network);

    if (socket == &server->reference) {
        server_hear_reference(server, frames, count);
    } else {
        server_hear_peer(server, frames, count);
    }
}

static void on_peer(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct server *server = container_of(socket, struct server, listener);
    struct text sender;

    if (bad_network_is_bad(&server->network) && server_peer_name(server, frames, count, &sender)) {
        bad_network_receive(&server->network, sender, socket, frames, count);
    } else {
        server_hear_peer(server, frames, count);
    }
}

static void on_reference(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct server *server = container_of(socket, struct server, reference);

    if (bad_network_is_bad(&server->network)) {
        bad_network_receive(&server->network, text_of(NAME_OF_REFERENCE), socket, frames, count);
    } else {
        server_hear_reference(server, frames, count);
    }
}

static int open_peers(struct server *server, struct error *error)
{
    const struct zmq_options listener = {.type = ZMQ_ROUTER, .frame_max = CHAT_NOTE_MAX};
    const struct zmq_options peer = {.type = ZMQ_DEALER,
                                     .frame_max = CHAT_NOTE_MAX,
                                     .heartbeat_ms = PROCESS_HEARTBEAT_MS};
    const char *colon = strrchr(server->members.items[server->self - 1].address, ':');

    server->listener.on_message = server->listener.on_malformed = on_peer;
    int code = process_listen(&server->process, &server->listener, &listener, "SERVER_PORT",
                              (uint16_t)strtoul(colon + 1, NULL, 10), error);
    for (unsigned i = 1; i <= server->members.count && code == 0; i++) {
        if (i != server->self) {
            server->peers[i].on_message = server_ignore_message;
            code = process_connect_to(&server->process, &server->peers[i], &peer,
                                      server->members.items[i - 1].address, error);
        }
    }
    return code;
}

static int open_sockets(struct server *server, struct error *error)
{
    const struct zmq_options reference = {.type = ZMQ_DEALER, .heartbeat_ms = PROCESS_HEARTBEAT_MS};

    server->reference.on_message = on_reference;
    server->network.on_frames = on_frames;
    int code = bad_network_open(&server->network, &server->process.runtime.loop, &server->process.log,
                                text_of(server->process.id), error);
    if (code == 0) {
        code = open_peers(server, error);
    }
    if (code == 0) {
        code = process_connect(&server->process, &server->reference, &reference, "REFERENCE",
                               "127.0.0.1:5559", error);
    }
    return code == 0 ? process_connect(&server->process, &server->clients, &server_clients_options, "BROKER",
                                       SERVER_BROKER, error)
                     : code;
}

/* ---- the election ---- */

/* Who is mute is not among the living, and sees to it that its own rule knows. */
static void tick(struct server *server, uint64_t now_ms, struct coordinations *out)
{
    if (server->mute) {
        bully_hear(&server->bully, &(struct notice){.type = NOTICE_LIST}, now_ms, out);
    } else if (now_ms >= server->next_heartbeat_ms) {
        server->next_heartbeat_ms = now_ms + server->heartbeat_ms;
        server_ask_reference(server);
    }
    bully_tick(&server->bully, now_ms, out);
}

static void hear(struct server *server, const struct notice *notice, struct coordinations *out)
{
    bully_hear(&server->bully, notice, clock_monotonic_ms(), out);
}

static bool may_serve(const struct server *server)
{
    return bully_may_serve(&server->bully, clock_monotonic_ms());
}

static bool is_current(const struct server *server)
{
    return replication_is_current(&server->replication, clock_monotonic_ms());
}

static bool pass_on(struct server *server, const struct text *frames, size_t count)
{
    return server->bully.coordinator_quiet_ms < server->timeout_ms &&
           server_pass_to_peer(server, server->bully.coordinator, frames, count);
}

/* The disk is this server's own. */
static bool keeps(const struct server *server)
{
    (void)server;
    return true;
}

static void lead(struct server *server, int64_t epoch)
{
    struct replication_actions actions = {0};

    replication_lead(&server->replication, epoch, &actions);
    server_do_replication(server, &actions);
}

static void step_down(struct server *server)
{
    server_log_epoch(server, "step_down", "backup", server->replication.epoch);
    replication_step_down(&server->replication);
    server_forget_askers(server, true);
}

/* As if this server had died and returned, and could not speak: the others go on, and another one leads. They find out by
 * the time-outs that they have for that. */
static bool suspend(struct server *server)
{
    if (server->replication.role != ROLE_BACKUP) {
        server_log_epoch(server, "step_down", "mute", server->replication.epoch);
    }
    start_rules(server);
    server->mute = true;
    return true;
}

/* ---- leaving ---- */

static void leave(struct server *server, struct coordinations *out)
{
    bully_leave(&server->bully, clock_monotonic_ms(), out);
}

static void close_all(struct server *server)
{
    bad_network_close(&server->network);
    zmq_socket_close(&server->clients);
    zmq_socket_close(&server->reference);
    zmq_socket_close(&server->listener);
    for (unsigned i = 1; i <= server->members.count; i++) {
        if (i != server->self) {
            zmq_socket_close(&server->peers[i]);
        }
    }
}

const struct composition server_replicated = {
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
