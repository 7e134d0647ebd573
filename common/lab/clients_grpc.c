/* Clients of parts 2 to 4: each at its node, by gRPC. */
#include "common/lab/clients_parts.h"

#include "common/container_of.h"
#include "common/net/grpc_status.h"

#include <stdio.h>

static void on_done(struct grpc_request *request, int status, struct text reply, bool sent)
{
    struct client_slot *slot = container_of(request, struct client_slot, request);
    struct client_outcome outcome;

    client_reply_grpc(&slot->client->clients->replies, &slot->invocation.command, status, reply, sent,
                      &outcome);
    clients_end_slot(slot, &outcome, status == GRPC_DEADLINE_EXCEEDED);
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

static unsigned choose(const struct client *client, const struct workload_command *command)
{
    const struct clients *clients = client->clients;
    unsigned node = command->is_set && clients->options.first_takes_sets ? 0 : client->node;

    return clients->lost[node] ? CLIENTS_NOBODY : node;
}

static void send_slot(struct client_slot *slot)
{
    struct client *client = slot->client;
    struct clients *clients = client->clients;

    write_request(clients, &slot->invocation);
    slot->request.on_done = on_done;
    grpc_client_call(slot->asked == client->node ? &client->own : &client->first, &slot->request,
                     slot->invocation.command.is_set ? "/kv.KvService/Set" : "/kv.KvService/Get",
                     buffer_text(&clients->message), clients->options.timeout_ms);
}

/* The time of a command is its own: the first one's is not spent on a connection. */
static bool greet(struct clients *clients)
{
    bool done = true;

    for (unsigned i = 0; i < clients->options.workload->writers; i++) {
        struct client *client = &clients->items[i];
        done &= grpc_client_connect(&client->own);
        done &= !client->has_first || grpc_client_connect(&client->first);
    }
    return done;
}

/* grpc_client.h keeps the time. */
static void turn(struct client_slot *slot)
{
    (void)slot;
}

/* ---- connections ---- */

static void on_own_closed(struct grpc_client *connection)
{
    clients_close_one(container_of(connection, struct client, own)->clients);
}

static void on_first_closed(struct grpc_client *connection)
{
    clients_close_one(container_of(connection, struct client, first)->clients);
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

static void close_client(struct client *client)
{
    if (client->has_own) {
        grpc_client_close(&client->own);
    }
    if (client->has_first) {
        grpc_client_close(&client->first);
    }
}

static void free_client(struct client *client)
{
    (void)client; /* nothing of it is on the heap */
}

const struct clients_protocol clients_grpc = {.open = open_client,
                                              .choose = choose,
                                              .send = send_slot,
                                              .turn = turn,
                                              .greet = greet,
                                              .close = close_client,
                                              .free = free_client};
