#include "parte5-chat/server.h"

#include "common/config.h"
#include "common/container_of.h"

#include <signal.h>
#include <stdlib.h>

const struct zmq_options server_clients_options = {.type = ZMQ_DEALER,
                                                   .linger_ms = PROCESS_LINGER_MS,
                                                   .heartbeat_ms = PROCESS_HEARTBEAT_MS};

/* ---- what comes in ---- */

static void on_question(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    server_hear_question(container_of(socket, struct server, clients), frames, count, false);
}

void server_ignore_message(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    (void)socket; /* nobody answers on this one */
    (void)frames;
    (void)count;
}

/* ---- time ---- */

static void on_tick(struct process *process, uint64_t now_ms)
{
    struct server *server = container_of(process, struct server, process);
    struct coordinations list = {0};
    struct replication_actions actions = {0};

    server_forget_askers(server, false);
    server_tick_disk(server, now_ms);
    server->composition->tick(server, now_ms, &list);
    server_do_coordination(server, &list);
    if (!server->mute) {
        replication_tick(&server->replication, now_ms, &actions);
        server_do_replication(server, &actions);
    }
    server_tick_clocks(server);
}

static void on_before_wait(uv_prepare_t *handle)
{
    server_commit(container_of(handle, struct server, commit));
}

static void on_leave(struct process *process)
{
    struct server *server = container_of(process, struct server, process);
    struct coordinations list = {0};

    server_commit(server);
    server->composition->leave(server, &list);
    server_do_coordination(server, &list);
    server_commit(server);
    server_accounts_close(server);
    server_log_clock(server);
    uv_close((uv_handle_t *)&server->commit, NULL);
    zmq_socket_close(&server->publisher);
    server->composition->close(server);
}

/* ---- starting ---- */

static int read_settings(struct server *server, struct error *error)
{
    static const char *const coordinations[] = {"bully", "lease", NULL};
    static const struct composition *const compositions[] = {&server_replicated, &server_shared};
    int coordination;
    int code = members_read(&server->members, "server1=127.0.0.1:5560", error);

    if (code == 0) {
        code = server_read_clock_settings(server, error);
    }
    if (code != 0) {
        return code;
    }
    code = config_choice("COORDINATION", coordinations, 0, &coordination, error);
    if (code != 0) {
        return code;
    }
    server->composition = compositions[coordination];
    server->self =
        members_find(&server->members, text_of(config_text("NODE_ID", server->process.standard_id)));
    return server->self != NO_SERVER
               ? server->composition->read_settings(server, error)
               : error_set(error, ERROR_CONFIG, "NODE_ID is \"%.64s\", which is no server of SERVERS",
                           config_text("NODE_ID", server->process.standard_id));
}

/* What this server stored bears times; its clock must not go back behind them. */
void server_restore_clock(struct server *server)
{
    const struct change_list *changes = &server->chat.changes;

    for (size_t i = 0; i < changes->count; i++) {
        lamport_follow(&server->process.clock, changes->items[i]->clock, NULL);
    }
}

static int open_sockets(struct server *server, struct error *error)
{
    const struct zmq_options publisher = {.type = ZMQ_PUB, .linger_ms = PROCESS_LINGER_MS};
    int code =
        process_connect(&server->process, &server->publisher, &publisher, "PROXY", "127.0.0.1:5557", error);

    return code == 0 ? server->composition->open_sockets(server, error) : code;
}

int server_main(void)
{
    static struct server server = {
        .process = {.role = "server", .standard_id = "server1", .on_tick = on_tick, .on_leave = on_leave},
        .clients = {.on_message = on_question},
        .publisher = {.on_message = server_ignore_message}};
    struct error error;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is as good as a full disk */
    if (read_settings(&server, &error) != 0 || process_open(&server.process, &error) != 0 ||
        server.composition->open_store(&server, &error) != 0 ||
        server_accounts_open(&server, server.composition->common_folder(&server), &error) != 0) {
        return process_refuse_start(&server.process, &error);
    }
    server_restore_clock(&server);
    server.composition->start_rules(&server);
    if (open_sockets(&server, &error) != 0) {
        return process_refuse_start(&server.process, &error);
    }
    uv_prepare_init(&server.process.runtime.loop, &server.commit);
    uv_prepare_start(&server.commit, on_before_wait);
    process_run(&server.process);
    server_drop_notes(&server);
    server_drop_outgoing(&server);
    server_forget_askers(&server, true);
    store_close(&server.store);
    chat_free(&server.chat);
    chat_message_free(&server.heard);
    chat_message_free(&server.said);
    buffer_free(&server.encoded);
    return EXIT_SUCCESS;
}
