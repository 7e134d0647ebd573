#include "common/lab/clients.h"

#include "common/lab/clients_parts.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMEOUTS_MAX 3 /* one after the other: then a client sees no sense in going on */

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

/* What waited before the last of the planned events had happened says nothing about the time since; nor do requests that
 * waited at the same time say more than one of them. */
static void count_timeout(struct client *client, const struct invocation *invocation)
{
    uint64_t settled_ns = client->clients->settled_ns;

    if (settled_ns != 0 && invocation->started_ns >= settled_ns &&
        invocation->started_ns >= client->timed_out_ns) {
        client->timeouts++;
        client->timed_out_ns = uv_hrtime();
    }
}

void clients_end_slot(struct client_slot *slot, const struct client_outcome *outcome, bool timed_out)
{
    struct client *client = slot->client;

    client_log_complete(&client->clients->log, &slot->invocation, outcome);
    slot->busy = false;
    client->ended++;
    client->clients->sets_done += slot->invocation.command.is_set && outcome->status == CLIENT_OK;
    if (timed_out) {
        count_timeout(client, &slot->invocation);
    } else {
        client->timeouts = 0;
    }
    send_due(client);
}

static void begin(struct client_slot *slot, const struct workload_command *command, unsigned node)
{
    struct client *client = slot->client;
    struct clients *clients = client->clients;
    struct invocation *invocation = &slot->invocation;

    invocation->command = *command;
    invocation->sender = clients->protocol->own_name ? invocation->client : clients->options.nodes[node];
    invocation->uuid = uuid_new();
    slot->asked = node;
    slot->busy = true;
    client->begun++;
    if (clients->protocol->prepare != NULL) {
        clients->protocol->prepare(slot);
    }
    client_log_invoke(&clients->log, invocation);
    invocation->started_ns = uv_hrtime();
    clients->protocol->send(slot);
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
    if (client->timeouts >= TIMEOUTS_MAX) {
        give_up(client, "nothing answers any more");
    }
    while (!client->gave_up && client->begun < due(client) && (slot = free_slot(client)) != NULL) {
        struct workload_command command =
            workload_command(clients->options.workload, client->number, client->begun + 1);
        unsigned node = clients->protocol->choose(client, &command);
        if (node == CLIENTS_NOBODY) {
            give_up(client, "its node is down and will not return");
        } else {
            begin(slot, &command, node);
        }
    }
}

/* ---- all of them ---- */

void clients_close_one(struct clients *clients)
{
    if (--clients->open == 0) {
        client_log_close(&clients->log);
        clients->on_closed(clients);
    }
}

static void prepare(struct client *client)
{
    const struct clients_options *options = &client->clients->options;

    client->node = client->number % options->node_count;
    client->slots = memory_new_zeroed(options->in_flight, sizeof *client->slots);
    for (unsigned i = 0; i < options->in_flight; i++) {
        struct client_slot *slot = &client->slots[i];
        slot->client = client;
        snprintf(slot->invocation.client, sizeof slot->invocation.client,
                 options->in_flight > 1 ? "client%u.%u" : "client%u", client->number + 1, i + 1);
    }
}

int clients_open(struct clients *clients, uv_loop_t *loop, const struct clients_options *options,
                 struct error *error)
{
    static const struct clients_protocol *const protocols[] = {
        [USERS_GRPC] = &clients_grpc, [USERS_HTTP] = &clients_http, [USERS_ZMQ] = &clients_chat};
    unsigned writers = options->workload->writers;
    int code = client_log_open(&clients->log, options->log_path, error);

    if (code != 0) {
        return code;
    }
    clients->options = *options;
    clients->protocol = protocols[options->users];
    clients->items = memory_new_zeroed(writers, sizeof *clients->items);
    clients->lost = memory_new_zeroed(options->node_count, sizeof *clients->lost);
    for (unsigned i = 0; code == 0 && i < writers; i++) {
        clients->items[i].clients = clients;
        clients->items[i].number = i;
        prepare(&clients->items[i]);
        code = clients->protocol->open(&clients->items[i], loop, error);
    }
    return code;
}

bool clients_greet(struct clients *clients)
{
    bool done = clients->protocol->greet == NULL || clients->protocol->greet(clients);

    log_flush(&clients->log.log);
    return done;
}

void clients_turn(struct clients *clients, uint64_t elapsed_ms)
{
    clients->elapsed_ms = elapsed_ms;
    for (unsigned i = 0; i < clients->options.workload->writers; i++) {
        struct client *client = &clients->items[i];
        for (unsigned slot = 0; slot < clients->options.in_flight; slot++) {
            if (client->slots[slot].busy) {
                clients->protocol->turn(&client->slots[slot]);
            }
        }
        send_due(client);
    }
    log_flush(&clients->log.log);
}

void clients_settle(struct clients *clients)
{
    if (clients->settled_ns == 0) {
        clients->settled_ns = uv_hrtime();
    }
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
        clients->protocol->close(&clients->items[i]);
    }
}

void clients_free(struct clients *clients)
{
    for (unsigned i = 0; clients->items != NULL && i < clients->options.workload->writers; i++) {
        clients->protocol->free(&clients->items[i]);
        free(clients->items[i].slots);
    }
    if (clients->hub.context != NULL) {
        zmq_hub_close(&clients->hub);
    }
    free(clients->items);
    free(clients->lost);
    client_replies_free(&clients->replies);
    buffer_free(&clients->message);
}
