/* Clients of the simulated chat: each logs in, wants the channel, and says its messages, one after the other; after a
 * time-out it asks again, somebody else, for the same. And a subscriber, who hears what is published. */
#include "tests/sim/chat_world.h"

#include "tests/sim/broker_seeds.h"

#include <stdio.h>

struct change *chat_request_change(const struct chat_world *world, const struct chat_request *request)
{
    bool forgets = world->options->variant == CHAT_FORGETS_REQUESTS;
    char id[40];
    char user[16];
    char body[24];

    snprintf(id, sizeof id, "%08x-%04x-4000-8000-%012x", request->client,
             forgets ? request->attempt & 0xFFFF : 0, request->number);
    snprintf(user, sizeof user, "client%u", request->client);
    snprintf(body, sizeof body, "%u %u", request->client, request->number);
    return change_new(&(struct change){.type = request->number == 0   ? CHANGE_LOGIN
                                               : request->number == 1 ? CHANGE_CHANNEL
                                                                      : CHANGE_PUBLISH,
                                       .request_id = text_of(id),
                                       .user = text_of(user),
                                       .target = text_of(request->number == 0 ? "" : "geral"),
                                       .body = text_of(body)});
}

bool chat_request_of(const struct change *change, unsigned *client, unsigned *number)
{
    char body[24] = "";

    if (change->type == CHANGE_REIGN || change->body.length >= sizeof body) {
        return false;
    }
    memcpy(body, change->body.bytes, change->body.length);
    return sscanf(body, "%u %u", client, number) == 2;
}

static void send_request(struct chat_world *world, const struct chat_request *request, unsigned server)
{
    chat_send(world,
              (struct chat_event){.kind = EVENT_REQUEST,
                                  .from = CHAT_CLIENT + request->client,
                                  .to = server,
                                  .life = world->servers[server].life,
                                  .request = *request},
              chat_delay(world));
}

void chat_client_ask(struct chat_world *world, unsigned number)
{
    struct chat_client *client = &world->clients[number];

    if (client->number >= CHAT_REQUESTS) {
        return;
    }
    struct chat_request request = {.client = number, .number = client->number, .attempt = client->attempt++};
    client->server = client->server % world->options->servers + 1;
    send_request(world, &request, client->server);
    if (world->chaos && !world->options->calm && schedule_once_in(&world->schedule, 10)) {
        send_request(world, &request, client->server % world->options->servers + 1); /* it comes twice */
    }
    chat_later(world, (struct chat_event){.kind = EVENT_CLIENT, .to = number, .request = request},
               CHAT_RETRY_MS);
}

static void go_on(struct chat_world *world, unsigned number)
{
    world->clients[number].number++;
    world->clients[number].attempt = 0;
    chat_client_ask(world, number);
}

void chat_client_handle(struct chat_world *world, const struct chat_event *event)
{
    const struct chat_request *request = &event->request;
    const struct chat_client *client = &world->clients[request->client];

    if (request->number != client->number) {
        return; /* answered already */
    }
    if (event->kind == EVENT_ANSWER) {
        go_on(world, request->client);
    } else if (request->attempt + 1 == client->attempt) {
        chat_client_ask(world, request->client);
    }
}

/* As clients should: what is not beyond the last place that was heard comes again, or late. */
void chat_subscriber_handle(struct chat_world *world, const struct chat_event *event)
{
    unsigned client;
    unsigned number;

    if (event->change->seq <= world->heard_seq || !chat_request_of(event->change, &client, &number) ||
        world->refused[client][number]) {
        return;
    }
    world->heard_seq = event->change->seq;
    if (number + 1 <= world->heard[client]) {
        finding_add(&world->finding, "FIFO: the subscriber heard request %u of client%u after request %u",
                    number, client, world->heard[client] - 1);
    }
    world->heard[client] = number + 1;
}
