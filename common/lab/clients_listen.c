/* What a client of the chat hears: every channel, and what is for it alone. A subscriber may hear twice what was published
 * while a primary died: the place tells, and what is not beyond the last one is told of as repeated, as who shows it to a
 * user would. */
#include "common/container_of.h"
#include "common/lab/clients_chat.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define CHANNELS "k" /* with which the names of all of them begin */

static bool is_ours(const struct chat_ear *ear, struct text topic)
{
    const struct client *client = ear->client;
    char name[32];

    snprintf(name, sizeof name, "client%u", client->number + 1);
    return (topic.length > 0 && topic.bytes[0] == CHANNELS[0]) || text_equal(topic, text_of(name));
}

static void tell(struct chat_ear *ear)
{
    const struct chat_message *heard = &ear->heard;
    bool is_private = heard->service == SERVICE_PRIVATE_MESSAGE;
    bool repeated = heard->seq <= ear->last_seq;
    struct client_hearing hearing = {.listener = ear->name,
                                     .type = is_private ? "message" : "publish",
                                     .uuid = heard->request_id,
                                     .sender = is_private ? heard->source : heard->user,
                                     .target = is_private ? heard->receiver : heard->channel,
                                     .said = heard->message,
                                     .seq = heard->seq,
                                     .epoch = heard->epoch};

    if (!repeated) {
        ear->last_seq = heard->seq;
        hearing.number = ++ear->heard_count;
    }
    client_log_hearing(&ear->client->clients->log, &hearing);
}

static void on_publication(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct chat_ear *ear = container_of(socket, struct chat_ear, socket);
    int64_t when;

    if (!is_ours(ear, frames[0]) ||
        chat_message_decode(&ear->heard, CHAT_REQUEST, frames[count - 1], CHAT_MESSAGE_MAX, NULL) != 0 ||
        !lamport_receive(&ear->clock, ear->heard.clock, &when)) {
        return;
    }
    client_log_heard(&ear->client->clients->log, ear->name, chat_service_name(ear->heard.service),
                     frames[count - 1], when);
    if (ear->heard.service == SERVICE_PUBLICATION || ear->heard.service == SERVICE_PRIVATE_MESSAGE) {
        tell(ear);
    }
}

static void on_closed(struct zmq_socket *socket)
{
    clients_close_one(container_of(socket, struct chat_ear, socket)->client->clients);
}

int chat_ear_open(struct client *client, struct error *error)
{
    struct clients *clients = client->clients;
    const struct zmq_options options = {.type = ZMQ_SUB};
    struct chat_ear *ear = memory_new_zeroed(1, sizeof *ear);
    char endpoint[ZMQ_ENDPOINT_LENGTH];

    ear->client = client;
    ear->socket.on_message = on_publication;
    ear->socket.on_closed = on_closed;
    snprintf(ear->name, sizeof ear->name, "listener%u", client->number + 1);
    int code = zmq_socket_open(&ear->socket, &clients->hub, &options, error);
    if (code != 0) {
        free(ear);
        return code;
    }
    client->ear = ear;
    clients->open++;
    client_log_listen(&clients->log, ear->name, clients->options.part);
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", clients->options.heard_port);
    code = zmq_socket_subscribe(&ear->socket, text_of(CHANNELS), error);
    code = code == 0 ? zmq_socket_subscribe(&ear->socket, text_of(client->slots[0].invocation.client), error)
                     : code;
    return code == 0 ? zmq_socket_connect(&ear->socket, endpoint, error) : code;
}

void chat_ear_close(struct client *client)
{
    if (client->ear != NULL) {
        zmq_socket_close(&client->ear->socket);
    }
}

void chat_ear_free(struct client *client)
{
    if (client->ear != NULL) {
        chat_message_free(&client->ear->heard);
        free(client->ear);
    }
}
