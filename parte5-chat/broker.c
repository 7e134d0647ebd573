/* The broker: who asks need not know who answers.
 *
 *     client (REQ) ---> ROUTER [client][][question] ---> DEALER ---> one of the servers, each in turn
 *                              [client][][answer]   <---        <---
 *
 * The frame that the ROUTER puts before a question, its client's address on this broker, comes back before the answer,
 * from whatever server that comes: so a server may pass a question on to another one.
 *
 * It keeps nothing and knows nothing; only what is no question in an envelope (envelope.h) it answers itself. A server
 * whose connection is gone, or that is silent to heartbeats, gets no question any more; those that it had are lost with
 * it, and their clients ask again, with the same request id. While there is no server, as many questions wait as may
 * (ZMQ_WAITING_MAX); beyond that the broker answers itself: erro. */
#include "parte5-chat/broker.h"

#include "common/container_of.h"
#include "parte5-chat/envelope.h"
#include "parte5-chat/process.h"

#include <stdlib.h>

struct broker {
    struct process process;
    struct zmq_socket clients, servers;
    struct log_limit refusals;
    struct chat_message question, answer;
    struct buffer encoded;
};

/* The broker's own answer to a question: no, and why. */
static void refuse(struct broker *broker, const struct text *frames, size_t count, const char *why)
{
    size_t envelope = envelope_length(frames, count);
    struct text answer[ZMQ_FRAMES_MAX];

    (void)chat_message_decode(&broker->question, CHAT_REQUEST, frames[count - 1], CHAT_MESSAGE_MAX, NULL);
    chat_message_refuse(&broker->answer, &broker->question, text_of(why));
    process_stamp(&broker->process, &broker->answer);
    buffer_clear(&broker->encoded);
    (void)chat_message_encode(&broker->answer, CHAT_ANSWER, broker->question.encoding, CHAT_MESSAGE_MAX,
                              &broker->encoded, NULL);
    for (size_t i = 0; i < envelope; i++) {
        answer[i] = frames[i];
    }
    answer[envelope] = buffer_text(&broker->encoded);
    (void)zmq_socket_send(&broker->clients, answer, envelope + 1, NULL); /* who is gone needs none */
}

/* What waits for servers, and takes up memory meanwhile, is nothing that they would only refuse. */
static int check(const struct text *frames, size_t count, struct error *error)
{
    int code = envelope_check(frames, count, error);

    if (code == 0 && frames[count - 1].length > CHAT_QUESTION_MAX) {
        code = error_set(error, ERROR_TOO_LONG, "%zu bytes long, at most %zu are allowed",
                         frames[count - 1].length, (size_t)CHAT_QUESTION_MAX);
    }
    return code;
}

static void on_question(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct broker *broker = container_of(socket, struct broker, clients);
    struct error error;

    if (check(frames, count, &error) != 0) {
        process_discard(&broker->process, &error, "a client");
        refuse(broker, frames, count, error.text);
    } else if (zmq_socket_send(&broker->servers, frames, count, &error) != 0) {
        if (log_limit_admit(&broker->refusals, uv_now(&broker->process.runtime.loop))) {
            log_say(&broker->process.log, LOG_WARNING, "discard", "a question is refused: %s", error.text);
        }
        refuse(broker, frames, count, "no server takes questions now");
    }
}

static void on_answer(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct broker *broker = container_of(socket, struct broker, servers);

    (void)zmq_socket_send(&broker->clients, frames, count, NULL); /* who is gone needs none */
}

static void on_tick(struct process *process, uint64_t now_ms)
{
    struct broker *broker = container_of(process, struct broker, process);
    uint64_t more = log_limit_take_suppressed(&broker->refusals, now_ms, false);

    if (more > 0) {
        log_say(&process->log, LOG_WARNING, "discard", "%llu more questions were refused",
                (unsigned long long)more);
    }
}

static void on_leave(struct process *process)
{
    struct broker *broker = container_of(process, struct broker, process);

    zmq_socket_close(&broker->clients);
    zmq_socket_close(&broker->servers);
}

int broker_main(void)
{
    static struct broker broker = {.process = {.role = "broker", .on_tick = on_tick, .on_leave = on_leave},
                                   .clients = {.on_message = on_question, .on_malformed = on_question},
                                   .servers = {.on_message = on_answer}};
    const struct zmq_options clients = {.type = ZMQ_ROUTER, .linger_ms = PROCESS_LINGER_MS};
    const struct zmq_options servers = {.type = ZMQ_DEALER,
                                        .linger_ms = PROCESS_LINGER_MS,
                                        .heartbeat_ms = PROCESS_HEARTBEAT_MS};
    struct process *process = &broker.process;
    struct error error;

    if (process_open(process, &error) != 0) {
        return process_refuse_start(process, &error);
    }
    zmq_hub_copy_received(&process->hub);
    if (process_listen(process, &broker.clients, &clients, "CLIENTS_PORT", PORT_BROKER_CLIENTS, &error) !=
            0 ||
        process_listen(process, &broker.servers, &servers, "SERVERS_PORT", PORT_BROKER_SERVERS, &error) !=
            0) {
        return process_refuse_start(process, &error);
    }
    process_run(process);
    chat_message_free(&broker.question);
    chat_message_free(&broker.answer);
    buffer_free(&broker.encoded);
    return EXIT_SUCCESS;
}
