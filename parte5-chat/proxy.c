/* The proxy: who publishes need not know who listens.
 *
 *     server (PUB) ---> XSUB [topic][publication] ---> XPUB ---> every client (SUB) that subscribed to the topic
 *                            [1] <---                              <--- [1 topic] or [0 topic]
 *
 * Subscriptions travel the other way, as messages. A proxy could pass them on, so that a server does not send what nobody
 * wants to hear; but they are strangers', and would fill the servers' memory. This one itself subscribes to everything.
 *
 * A subscriber that does not read fast enough loses publications, once ZMQ_HIGH_WATER of them wait for it; nobody else
 * does, and nothing is kept. It sees by the places (`seq`) that something is missing, and asks for the history. What it
 * subscribes to is kept by libzmq while it is there, and nobody can be thrown out for asking for too much. */
#include "parte5-chat/proxy.h"

#include "common/container_of.h"
#include "parte5-chat/names.h"
#include "parte5-chat/process.h"

#include <stdlib.h>

#define SUBSCRIPTION_MAX                                                                                     \
    (NAME_MAX_LENGTH + 64) /* bytes of a frame from a client: a topic, or what ZeroMQ itself has to say */

struct proxy {
    struct process process;
    struct zmq_socket servers, clients;
    uint64_t told; /* of the counter `overflowed`, so much is in the log */
};

static void on_publication(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct proxy *proxy = container_of(socket, struct proxy, servers);

    (void)zmq_socket_send(&proxy->clients, frames, count, NULL); /* the counters say what was lost */
}

static void on_subscription(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    (void)socket; /* libzmq has taken notice of it already */
    (void)frames;
    (void)count;
}

static int subscribe_to_everything(struct proxy *proxy, struct error *error)
{
    return zmq_socket_send(&proxy->servers, &(struct text){"\1", 1}, 1, error);
}

static void on_tick(struct process *process, uint64_t now_ms)
{
    struct proxy *proxy = container_of(process, struct proxy, process);
    uint64_t overflowed = proxy->clients.counters.overflowed;

    (void)now_ms;
    if (overflowed > proxy->told && log_begin(&process->log, LOG_WARNING, "discard")) {
        log_text(&process->log, "reason", text_of("a subscriber does not read as fast as others publish"));
        log_int(&process->log, "times", (int64_t)(overflowed - proxy->told));
        log_end(&process->log);
    }
    proxy->told = overflowed;
}

static void on_leave(struct process *process)
{
    struct proxy *proxy = container_of(process, struct proxy, process);

    zmq_socket_close(&proxy->servers);
    zmq_socket_close(&proxy->clients);
}

int proxy_main(void)
{
    static struct proxy proxy = {.process = {.role = "proxy", .on_tick = on_tick, .on_leave = on_leave},
                                 .servers = {.on_message = on_publication},
                                 .clients = {.on_message = on_subscription}};
    const struct zmq_options servers = {.type = ZMQ_XSUB, .heartbeat_ms = PROCESS_HEARTBEAT_MS};
    const struct zmq_options clients = {.type = ZMQ_XPUB,
                                        .linger_ms = PROCESS_LINGER_MS,
                                        .frame_max = SUBSCRIPTION_MAX};
    struct process *process = &proxy.process;
    struct error error;

    if (process_open(process, &error) != 0 ||
        process_listen(process, &proxy.servers, &servers, "SERVERS_PORT", PORT_PROXY_SERVERS, &error) != 0 ||
        subscribe_to_everything(&proxy, &error) != 0 ||
        process_listen(process, &proxy.clients, &clients, "CLIENTS_PORT", PORT_PROXY_CLIENTS, &error) != 0) {
        return process_refuse_start(process, &error);
    }
    process_run(process);
    return EXIT_SUCCESS;
}
