#include "common/lab/clients.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/grpc_status.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMEOUTS_MAX                                                                                         \
    3 /* in a row, after which a client sees no sense in going on if nothing else is to happen */

static void send_due(struct client *client);

/* ---- one request ---- */

static void give_up(struct client *client, const char *reason)
{
    const struct clients *clients = client->clients;
    char name[40];

    if (!client->gave_up) {
        unsigned left = workload_share(clients->options.workload, client->number) - client->begun;
        client->gave_up = true;
        snprintf(name, sizeof name, "client%u", client->number + 1);
        client_log_give_up(&client->clients->log, name, left, reason);
    }
}

static void on_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    struct client_slot *slot = container_of(request, struct client_slot, request);
    struct client *client = slot->client;

    client_log_complete(&client->clients->log, &slot->invocation, status, reply, sent);
    slot->busy = false;
    client->ended++;
    client->timeouts = status == GRPC_DEADLINE_EXCEEDED ? client->timeouts + 1 : 0;
    send_due(client);
}

static void write_request(struct clients *clients, const struct invocation *invocation)
{
    struct buffer *out = &clients->message;

    buffer_clear(out);
    buffer_add_format(out, "{\"key\":\"%s\",\"message_uuid\":\"%s\"", invocation->command.key,
                      invocation->uuid.text);
    if (invocation->command.is_set) {
        buffer_add_format(out, ",\"value\":\"%s\"", invocation->command.value);
    }
    if (clients->options.wait) {
        buffer_add_string(out, ",\"wait\":true");
    }
    buffer_add_char(out, '}');
}

static void begin(struct client_slot *slot, const struct workload_command *command, unsigned node)
{
    struct client *client = slot->client;
    struct clients *clients = client->clients;
    struct invocation *invocation = &slot->invocation;

    invocation->command = *command;
    invocation->node = clients->options.nodes[node];
    invocation->uuid = uuid_new();
    slot->node = node;
    slot->busy = true;
    client->begun++;
    write_request(clients, invocation);
    client_log_invoke(&clients->log, invocation);
    invocation->started_ns = uv_hrtime();
    grpc_client_call(node == client->node ? &client->own : &client->first, &slot->request,
                     command->is_set ? "/kv.KvService/Set" : "/kv.KvService/Get",
                     buffer_text(&clients->message), clients->options.timeout_ms);
}

/* ---- one writer ---- */

static unsigned due(const struct client *client)
{
    const struct clients *clients = client->clients;
    unsigned share = workload_share(clients->options.workload, client->number);
    uint64_t number =
        clients->options.rate == 0 ? share : 1 + clients->elapsed_ms * clients->options.rate / 1000;

    return number < share ? (unsigned)number : share;
}

static struct client_slot *free_slot(const struct client *client)
{
    for (unsigned i = 0; i < client->clients->options.in_flight; i++) {
        if (!client->slots[i].busy) {
            return &client->slots[i];
        }
    }
    return NULL;
}

static void send_due(struct client *client)
{
    const struct clients *clients = client->clients;
    struct client_slot *slot;

    if (clients->closing) {
        return;
    }
    if (clients->settled && client->timeouts >= TIMEOUTS_MAX) {
        give_up(client, "nothing answers any more");
    }
    while (!client->gave_up && client->begun < due(client) && (slot = free_slot(client)) != NULL) {
        struct workload_command command =
            workload_command(clients->options.workload, client->number, client->begun + 1);
        unsigned node = command.is_set && clients->options.first_takes_sets ? 0 : client->node;
        if (clients->lost[node]) {
            give_up(client, "its node is down and will not return");
        } else {
            begin(slot, &command, node);
        }
    }
}

/* ---- all of them ---- */

static void on_one_closed(struct clients *clients)
{
    if (--clients->open == 0) {
        client_log_close(&clients->log);
        clients->on_closed(clients);
    }
}

static void on_own_closed(struct grpc_client *connection)
{
    on_one_closed(container_of(connection, struct client, own)->clients);
}

static void on_first_closed(struct grpc_client *connection)
{
    on_one_closed(container_of(connection, struct client, first)->clients);
}

static int connect_to(struct grpc_client *connection, uv_loop_t *loop, uint16_t port, struct error *error)
{
    char target[32];

    snprintf(target, sizeof target, "127.0.0.1:%u", port);
    return grpc_client_init(connection, loop, target, error);
}

static int open_client(struct client *client, uv_loop_t *loop, struct error *error)
{
    const struct clients_options *options = &client->clients->options;

    client->own.on_closed = on_own_closed;
    client->first.on_closed = on_first_closed;
    client->slots = memory_new_zeroed(options->in_flight, sizeof *client->slots);
    for (unsigned i = 0; i < options->in_flight; i++) {
        struct client_slot *slot = &client->slots[i];
        slot->client = client;
        slot->request.on_done = on_done;
        snprintf(slot->invocation.client, sizeof slot->invocation.client,
                 options->in_flight > 1 ? "client%u.%u" : "client%u", client->number + 1, i + 1);
    }
    if (connect_to(&client->own, loop, options->ports[client->node], error) != 0) {
        return error->code;
    }
    client->has_own = true;
    client->clients->open++;
    if (options->first_takes_sets && client->node != 0) {
        if (connect_to(&client->first, loop, options->ports[0], error) != 0) {
            return error->code;
        }
        client->has_first = true;
        client->clients->open++;
    }
    return 0;
}

int clients_open(struct clients *clients, uv_loop_t *loop, const struct clients_options *options,
                 struct error *error)
{
    unsigned writers = options->workload->writers;
    int code = client_log_open(&clients->log, options->log_path, error);

    if (code != 0) {
        return code;
    }
    clients->options = *options;
    clients->items = memory_new_zeroed(writers, sizeof *clients->items);
    clients->lost = memory_new_zeroed(options->node_count, sizeof *clients->lost);
    for (unsigned i = 0; code == 0 && i < writers; i++) {
        clients->items[i].clients = clients;
        clients->items[i].number = i;
        clients->items[i].node = i % options->node_count;
        code = open_client(&clients->items[i], loop, error);
    }
    return code;
}

void clients_turn(struct clients *clients, uint64_t elapsed_ms)
{
    clients->elapsed_ms = elapsed_ms;
    for (unsigned i = 0; i < clients->options.workload->writers; i++) {
        send_due(&clients->items[i]);
    }
    log_flush(&clients->log.log);
}

void clients_lose(struct clients *clients, unsigned node)
{
    clients->lost[node] = true;
}

unsigned clients_done(const struct clients *clients)
{
    unsigned done = 0;

    for (unsigned i = 0; i < clients->options.workload->writers; i++) {
        const struct client *client = &clients->items[i];
        done += client->ended;
        if (client->gave_up) {
            done += workload_share(clients->options.workload, i) - client->begun;
        }
    }
    return done;
}

void clients_close(struct clients *clients)
{
    clients->closing = true;
    if (clients->open == 0) {
        clients->on_closed(clients);
    }
    for (unsigned i = 0; clients->items != NULL && i < clients->options.workload->writers; i++) {
        if (clients->items[i].has_own) {
            grpc_client_close(&clients->items[i].own);
        }
        if (clients->items[i].has_first) {
            grpc_client_close(&clients->items[i].first);
        }
    }
}

void clients_free(struct clients *clients)
{
    for (unsigned i = 0; clients->items != NULL && i < clients->options.workload->writers; i++) {
        free(clients->items[i].slots);
    }
    free(clients->items);
    free(clients->lost);
    buffer_free(&clients->message);
}
