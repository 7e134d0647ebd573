/* Clients of Paxos: a command is given to one proposer after the other until one says that it is decided. That is safe as
 * every attempt carries the same message_uuid: however many proposers have it, it takes effect once.
 *
 *     200              it is decided
 *     307              somebody else leads: ask there
 *     503, no connection   this proposer has not taken it: ask the next one; after a round of them, a little later
 *     504, 500, the connection broke, no answer for long   it may have been taken: ask the next one, too, but if time
 *                      runs out before anybody answers, nobody knows what becomes of it
 *     any other        it was refused */
#include "common/lab/clients_parts.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "common/message.h"
#include "common/net/http_status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAUSE_MS 20 /* after everybody has refused */
#define ATTEMPTS 4  /* a proposer that does not answer has so manieth a part of the time */

static void send_attempt(struct client_slot *slot);

static uint64_t now_of(const struct client_slot *slot)
{
    return uv_now(slot->client->links[0].connection.loop);
}

/* ---- whom to ask ---- */

static unsigned next_proposer(const struct client *client, unsigned after)
{
    const struct clients *clients = client->clients;

    for (unsigned i = 1; i <= clients->options.node_count; i++) {
        unsigned node = (after + i) % clients->options.node_count;
        if (!clients->lost[node]) {
            return node;
        }
    }
    return CLIENTS_NOBODY;
}

/* The proposer that a redirection names, "http://127.0.0.1:9003/propose"; CLIENTS_NOBODY if it is none of them. */
static unsigned proposer_at(const struct clients *clients, struct text location)
{
    for (unsigned i = 0; i < clients->options.node_count; i++) {
        char address[40];
        size_t length =
            (size_t)snprintf(address, sizeof address, "http://127.0.0.1:%u/", clients->options.ports[i]);
        if (location.length >= length && memcmp(location.bytes, address, length) == 0) {
            return i;
        }
    }
    return CLIENTS_NOBODY;
}

static unsigned choose(const struct client *client, const struct workload_command *command)
{
    (void)command; /* any proposer takes any */
    return client->clients->lost[client->node] ? next_proposer(client, client->node) : client->node;
}

/* ---- one attempt after the other ---- */

static void end(struct client_slot *slot, const struct client_outcome *outcome)
{
    slot->client->node = slot->asked;
    clients_end_slot(slot, outcome, false);
}

/* Nobody has answered in time, or nobody is left who could. */
static void give_up(struct client_slot *slot)
{
    slot->why.status = slot->may_have_happened ? CLIENT_UNKNOWN : CLIENT_ERROR;
    clients_end_slot(slot, &slot->why, true);
}

/* Asks `node` now, or after a pause if that has been tried too often already. */
static void try_again(struct client_slot *slot, unsigned node)
{
    if (node == CLIENTS_NOBODY || now_of(slot) >= slot->deadline_ms) {
        give_up(slot);
        return;
    }
    slot->asked = node;
    if (++slot->refusals % slot->client->clients->options.node_count == 0) {
        slot->again_ms = now_of(slot) + PAUSE_MS;
    } else {
        send_attempt(slot);
    }
}

static bool is_refusal(int status)
{
    return status >= 400 && status < 500 && status != HTTP_REQUEST_TIMEOUT;
}

static void note_failure(struct client_slot *slot, const struct http_response *response)
{
    char prefix[64];

    snprintf(prefix, sizeof prefix, "%s, %d: ", slot->client->clients->options.nodes[slot->asked],
             response->status);
    client_reply_say(&slot->why, CLIENT_UNKNOWN, response->status > 0 ? prefix : "", response->body);
    slot->may_have_happened |= response->status != HTTP_UNAVAILABLE &&
                               response->status != HTTP_TEMPORARY_REDIRECT && !is_refusal(response->status) &&
                               http_call_seen(&slot->call);
}

static void on_done(struct http_call *call, const struct http_response *response)
{
    struct client_slot *slot = container_of(call, struct client_slot, call);
    struct client *client = slot->client;
    struct client_outcome outcome;

    if (response->status == HTTP_OK) {
        client_reply_decided(&client->clients->replies, &slot->invocation.command, response->body, &outcome);
        end(slot, &outcome);
        return;
    }
    note_failure(slot, response);
    if (response->status == HTTP_CANCELLED || is_refusal(response->status)) {
        slot->why.status = slot->may_have_happened ? CLIENT_UNKNOWN : CLIENT_ERROR;
        clients_end_slot(slot, &slot->why, false);
        return;
    }
    unsigned leader = response->status == HTTP_TEMPORARY_REDIRECT
                          ? proposer_at(client->clients, response->location)
                          : CLIENTS_NOBODY;
    try_again(slot, leader != CLIENTS_NOBODY ? leader : next_proposer(client, slot->asked));
}

static void send_attempt(struct client_slot *slot)
{
    struct client *client = slot->client;
    uint64_t now = now_of(slot);
    uint64_t left = slot->deadline_ms > now ? slot->deadline_ms - now : 1;
    uint64_t share = client->clients->options.timeout_ms / ATTEMPTS + 1;

    slot->again_ms = 0;
    http_client_call(&client->links[slot->asked].connection, &slot->call, "POST", "/propose?wait=decided",
                     buffer_text(&slot->body), left < share ? left : share);
}

/* ---- a command ---- */

/* As parts 1 to 4 carry it. */
static void write_command(struct client_slot *slot)
{
    const struct invocation *invocation = &slot->invocation;
    char value[sizeof invocation->command.value + 2];
    char timestamp[CLOCK_EPOCH_LENGTH + 1];

    snprintf(value, sizeof value, "\"%s\"", invocation->command.value);
    clock_format_epoch(clock_wall_us(), timestamp);
    const struct message message = {
        .command_type = invocation->command.is_set ? COMMAND_SET : COMMAND_GET,
        .key = text_of(invocation->command.key),
        .value = text_of(invocation->command.is_set ? value : "null"),
        .sender_id = text_of(invocation->sender),
        .message_uuid = text_of(invocation->uuid.text),
        .timestamp = text_of(timestamp),
        .seq = MESSAGE_NO_SEQ,
        .epoch = MESSAGE_NO_EPOCH,
    };
    buffer_clear(&slot->body);
    message_encode(&message, &slot->body);
}

static void send_slot(struct client_slot *slot)
{
    slot->call.on_done = on_done;
    slot->deadline_ms = now_of(slot) + slot->client->clients->options.timeout_ms;
    slot->refusals = 0;
    slot->may_have_happened = false;
    slot->why = (struct client_outcome){.status = CLIENT_UNKNOWN};
    write_command(slot);
    send_attempt(slot);
}

static void turn(struct client_slot *slot)
{
    if (slot->again_ms == 0 || now_of(slot) < slot->again_ms) {
        return;
    }
    if (now_of(slot) >= slot->deadline_ms || slot->client->clients->lost[slot->asked]) {
        try_again(slot, next_proposer(slot->client, slot->asked));
    } else {
        send_attempt(slot);
    }
}

/* ---- connections ---- */

static void on_closed(struct http_client *connection)
{
    clients_close_one(container_of(connection, struct client_link, connection)->client->clients);
}

static int open_client(struct client *client, uv_loop_t *loop, struct error *error)
{
    const struct clients_options *options = &client->clients->options;
    int code = 0;

    client->links = memory_new_zeroed(options->node_count, sizeof *client->links);
    for (unsigned i = 0; code == 0 && i < options->node_count; i++) {
        struct client_link *link = &client->links[i];
        char target[32];
        snprintf(target, sizeof target, "127.0.0.1:%u", options->ports[i]);
        link->client = client;
        link->connection.on_closed = on_closed;
        code = http_client_init(&link->connection, loop, target, options->in_flight, error);
        client->open_links += code == 0;
        client->clients->open += code == 0;
    }
    return code;
}

/* Those that wait for their next attempt are under way as well. */
static void close_client(struct client *client)
{
    for (unsigned i = 0; client->open_links > 0 && i < client->clients->options.in_flight; i++) {
        if (client->slots[i].busy && client->slots[i].again_ms != 0) {
            give_up(&client->slots[i]);
        }
    }
    for (unsigned i = 0; i < client->open_links; i++) {
        http_client_close(&client->links[i].connection);
    }
}

static void free_client(struct client *client)
{
    for (unsigned i = 0; client->slots != NULL && i < client->clients->options.in_flight; i++) {
        http_call_free(&client->slots[i].call);
        buffer_free(&client->slots[i].body);
    }
    free(client->links);
}

const struct clients_protocol clients_http = {.open = open_client,
                                              .choose = choose,
                                              .send = send_slot,
                                              .turn = turn,
                                              .close = close_client,
                                              .free = free_client,
                                              .own_name = true};
