#include "common/lab/clients_chat.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ATTEMPT_MS     500 /* without an answer it asks again */
#define TOO_EARLY_MS   100 /* so long after it was told that nobody takes writes, too */
#define GREETING_MS    30000
#define PRIVATE_EACH   5 /* every fifth thing that is said is for one alone */
#define NO_SERVER_WORD "no server takes questions now"

static uint64_t now_of(const struct chat_talk *talk)
{
    return uv_now(talk->slot->client->clients->hub.loop);
}

/* ---- what is asked ---- */

/* The fields of a command, as each service names them; the texts stay the invocation's. */
static struct chat_message question_of(const struct invocation *invocation)
{
    struct text user = text_of(invocation->client);
    struct text key = text_of(invocation->command.key);
    struct chat_message question = {.user = user, .request_id = text_of(invocation->uuid.text)};

    if (strcmp(invocation->type, "publish") == 0) {
        question.service = SERVICE_PUBLISH;
        question.channel = key;
        question.message = text_of(invocation->command.value);
    } else if (strcmp(invocation->type, "message") == 0) {
        question.service = SERVICE_MESSAGE;
        question.source = user;
        question.receiver = key;
        question.message = text_of(invocation->command.value);
    } else if (strcmp(invocation->type, "login") == 0) {
        question.service = SERVICE_LOGIN;
    } else {
        question.service = strcmp(invocation->type, "channel") == 0 ? SERVICE_CHANNEL : SERVICE_HISTORY;
        question.channel = key;
    }
    return question;
}

static void send_question(struct chat_talk *talk)
{
    struct text frames[] = {text_of(""), buffer_text(&talk->question)};

    talk->tries++;
    talk->again_ms = now_of(talk) + ATTEMPT_MS;
    (void)zmq_socket_send(&talk->socket, frames, 2, NULL); /* what is lost is asked again */
}

static void ask(struct chat_talk *talk, struct invocation *invocation, uint64_t timeout_ms)
{
    struct chat_message question = question_of(invocation);

    question.timestamp_ms = clock_wall_us() / 1000;
    question.clock = lamport_send(&talk->clock);
    buffer_clear(&talk->question);
    if (chat_message_encode(&question, CHAT_REQUEST, CHAT_MESSAGEPACK, CHAT_MESSAGE_MAX, &talk->question,
                            NULL) != 0) {
        abort(); /* names and texts of our own are never so long */
    }
    client_log_said(&talk->slot->client->clients->log, invocation->client, invocation->type,
                    buffer_text(&talk->question), question.clock);
    talk->asking = invocation;
    talk->deadline_ms = now_of(talk) + timeout_ms;
    talk->tries = 0;
    send_question(talk);
}

/* ---- what comes before the commands ---- */

/* How many greetings there are: a login; and of the first user of all, every channel. */
static unsigned greetings(const struct chat_talk *talk)
{
    const struct client *client = talk->slot->client;
    bool first = client->number == 0 && talk->slot == client->slots;

    return 1 + (first ? client->clients->options.workload->keys : 0);
}

static void greet_next(struct chat_talk *talk)
{
    struct invocation *greeting = &talk->greeting;

    if (talk->asking != NULL || talk->greeted >= greetings(talk)) {
        return;
    }
    *greeting = (struct invocation){.type = talk->greeted == 0 ? "login" : "channel", .uuid = uuid_new()};
    memcpy(greeting->client, talk->slot->invocation.client, sizeof greeting->client);
    greeting->sender = talk->slot->invocation.client;
    if (talk->greeted > 0) {
        snprintf(greeting->command.key, sizeof greeting->command.key, "k%u", talk->greeted);
    }
    client_log_invoke(&talk->slot->client->clients->log, greeting);
    greeting->started_ns = uv_hrtime();
    ask(talk, greeting, GREETING_MS);
}

/* ---- how it ends ---- */

static void end(struct chat_talk *talk, const struct client_outcome *outcome)
{
    struct invocation *invocation = talk->asking;

    talk->asking = NULL;
    if (invocation == &talk->greeting) {
        client_log_complete(&talk->slot->client->clients->log, invocation, outcome);
        talk->greeted += outcome->status == CLIENT_OK; /* else once more */
    } else {
        clients_end_slot(talk->slot, outcome, outcome->status == CLIENT_UNKNOWN);
    }
}

static void end_with(struct chat_talk *talk, enum client_status status, const char *prefix, struct text why)
{
    struct client_outcome outcome = {0};

    client_reply_say(&outcome, status, prefix, why);
    end(talk, &outcome);
}

static struct text reason_of(const struct chat_message *answer)
{
    return answer->message.length > 0 ? answer->message : answer->description;
}

static bool is_too_early(const struct chat_message *answer)
{
    struct text why = reason_of(answer);

    return answer->status == STATUS_ERROR &&
           (text_equal(why, text_of(CHAT_NO_PRIMARY)) || text_equal(why, text_of(NO_SERVER_WORD)));
}

static void take_answer(struct chat_talk *talk, const struct chat_message *answer)
{
    if (is_too_early(answer)) {
        talk->again_ms = now_of(talk) + TOO_EARLY_MS;
    } else if (answer->status == STATUS_ERROR) { /* an earlier attempt may still be under way */
        end_with(talk, talk->tries > 1 ? CLIENT_UNKNOWN : CLIENT_ERROR, "", reason_of(answer));
    } else {
        end(talk, &(struct client_outcome){.status = CLIENT_OK});
    }
}

static void on_answer(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct chat_talk *talk = container_of(socket, struct chat_talk, socket);
    struct clients *clients = talk->slot->client->clients;
    int64_t when;

    if (chat_message_decode(&talk->heard, CHAT_ANSWER, frames[count - 1], CHAT_MESSAGE_MAX, NULL) != 0 ||
        !lamport_receive(&talk->clock, talk->heard.clock, &when)) {
        return; /* no server of ours says that, and an answer that does not come is asked for again */
    }
    client_log_heard(&clients->log, talk->slot->invocation.client, chat_service_name(talk->heard.service),
                     frames[count - 1], when);
    if (talk->asking != NULL &&
        text_equal(talk->heard.request_id, text_of(talk->asking->uuid.text))) { /* else to an earlier try */
        take_answer(talk, &talk->heard);
    }
}

/* ---- a slot ---- */

static unsigned choose(const struct client *client, const struct workload_command *command)
{
    (void)command; /* there is one broker for all */
    return client->clients->lost[0] ? CLIENTS_NOBODY : 0;
}

static void prepare(struct client_slot *slot)
{
    struct invocation *invocation = &slot->invocation;
    const struct client *client = slot->client;
    unsigned writers = client->clients->options.workload->writers;

    if (!invocation->command.is_set) {
        invocation->type = "history";
    } else if (client->begun % PRIVATE_EACH == 0 && client->clients->options.in_flight == 1) {
        invocation->type = "message";
        snprintf(invocation->command.key, sizeof invocation->command.key, "client%u",
                 (client->number + 1) % writers + 1);
    } else {
        invocation->type = "publish";
    }
}

static void send_slot(struct client_slot *slot)
{
    ask(slot->talk, &slot->invocation, slot->client->clients->options.timeout_ms);
}

static void turn_talk(struct chat_talk *talk)
{
    if (talk->asking == NULL || now_of(talk) < talk->again_ms) {
        return;
    }
    if (now_of(talk) >= talk->deadline_ms) {
        end_with(talk, CLIENT_UNKNOWN, "no answer", (struct text){0});
    } else {
        send_question(talk);
    }
}

static void turn(struct client_slot *slot)
{
    turn_talk(slot->talk);
}

static bool greet(struct clients *clients)
{
    bool done = true;

    for (unsigned i = 0; i < clients->options.workload->writers; i++) {
        for (unsigned s = 0; s < clients->options.in_flight; s++) {
            struct chat_talk *talk = clients->items[i].slots[s].talk;
            turn_talk(talk);
            greet_next(talk);
            done &= talk->greeted == greetings(talk);
        }
    }
    return done;
}

/* ---- opening and closing ---- */

static void on_closed(struct zmq_socket *socket)
{
    clients_close_one(container_of(socket, struct chat_talk, socket)->slot->client->clients);
}

static int open_talk(struct client_slot *slot, struct error *error)
{
    struct clients *clients = slot->client->clients;
    const struct zmq_options options = {.type = ZMQ_DEALER};
    struct chat_talk *talk = memory_new_zeroed(1, sizeof *talk);
    char endpoint[ZMQ_ENDPOINT_LENGTH];

    talk->slot = slot;
    talk->socket.on_message = on_answer;
    talk->socket.on_closed = on_closed;
    int code = zmq_socket_open(&talk->socket, &clients->hub, &options, error);
    if (code != 0) {
        free(talk);
        return code;
    }
    slot->talk = talk;
    clients->open++;
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%u", clients->options.ports[0]);
    return zmq_socket_connect(&talk->socket, endpoint, error);
}

static int open_client(struct client *client, uv_loop_t *loop, struct error *error)
{
    struct clients *clients = client->clients;
    int code = clients->hub.context == NULL ? zmq_hub_open(&clients->hub, loop, error) : 0;

    for (unsigned i = 0; code == 0 && i < clients->options.in_flight; i++) {
        code = open_talk(&client->slots[i], error);
    }
    return code == 0 ? chat_ear_open(client, error) : code;
}

static void close_client(struct client *client)
{
    for (unsigned i = 0; client->slots != NULL && i < client->clients->options.in_flight; i++) {
        struct chat_talk *talk = client->slots[i].talk;
        if (talk != NULL && talk->asking != NULL) {
            end_with(talk, CLIENT_UNKNOWN, "the run was ended", (struct text){0});
        }
        if (talk != NULL) {
            zmq_socket_close(&talk->socket);
        }
    }
    chat_ear_close(client);
}

static void free_client(struct client *client)
{
    for (unsigned i = 0; client->slots != NULL && i < client->clients->options.in_flight; i++) {
        struct chat_talk *talk = client->slots[i].talk;
        if (talk != NULL) {
            buffer_free(&talk->question);
            chat_message_free(&talk->heard);
            free(talk);
        }
    }
    chat_ear_free(client);
}

const struct clients_protocol clients_chat = {.open = open_client,
                                              .choose = choose,
                                              .prepare = prepare,
                                              .send = send_slot,
                                              .turn = turn,
                                              .greet = greet,
                                              .close = close_client,
                                              .free = free_client,
                                              .own_name = true};
