#include "parte5-chat/session.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"
#include "parte5-chat/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_FOR_PRIMARY_MS 200
#define QUESTION_ROOM       4096 /* bytes: one that holds a password is never moved, and leaves no copy behind */

/* ---- asking ---- */

/* The same bytes in every try: it is one message, sent again. */
static void send_question(struct session *session, uint64_t now_ms)
{
    struct text frames[] = {text_of(""), buffer_text(&session->question)};

    session->retry_at_ms = now_ms + session->timeout_ms;
    (void)zmq_socket_send(&session->questions, frames, 2, NULL); /* what is lost is asked again */
}

/* It may hold a password. */
static void forget_question(struct session *session)
{
    if (session->question.length > 0) {
        explicit_bzero(session->question.bytes, session->question.length);
    }
    buffer_clear(&session->question);
}

static bool enters(enum chat_service service)
{
    return service == SERVICE_LOGIN || service == SERVICE_REGISTER;
}

int session_ask(struct session *session, struct chat_message *question, struct error *error)
{
    session->request_id = uuid_new();
    session->service = question->service;
    question->request_id = text_of(session->request_id.text);
    question->token = text_of(enters(question->service) ? "" : session->token.text);
    process_stamp(session->process, question);
    forget_question(session);
    buffer_reserve(&session->question, QUESTION_ROOM);
    int code = chat_message_encode(question, CHAT_REQUEST, session->encoding, CHAT_MESSAGE_MAX,
                                   &session->question, error);
    if (code == 0) {
        trace_said(&session->process->log, question, buffer_text(&session->question));
        uint64_t now_ms = clock_monotonic_ms();
        session->asking = true;
        session->asked_us = clock_monotonic_us();
        session->give_up_at_ms = now_ms + SESSION_TRIES * session->timeout_ms;
        send_question(session, now_ms);
    }
    return code;
}

void session_tick(struct session *session, uint64_t now_ms)
{
    if (!session->asking || now_ms < session->retry_at_ms) {
        return;
    }
    if (now_ms < session->give_up_at_ms) {
        send_question(session, now_ms);
        return;
    }
    session->asking = false;
    forget_question(session);
    session->on_answer(session, NULL);
}

static struct text reason_of(const struct chat_message *answer)
{
    return answer->message.length > 0 ? answer->message : answer->description;
}

/* The one of a login; none, once it is refused. */
static void keep_token(struct session *session)
{
    const struct chat_message *heard = &session->heard;
    bool refused = heard->status == STATUS_ERROR;

    if (heard->service == SERVICE_LOGIN && !refused) {
        snprintf(session->token.text, sizeof session->token.text, "%.*s", (int)heard->token.length,
                 heard->token.length > 0 ? heard->token.bytes : "");
    } else if (refused && text_equal(reason_of(heard), text_of(CHAT_LOGIN_AGAIN))) {
        session->token.text[0] = '\0';
    }
}

/* Between two primaries there is none: the servers say so, and to ask a little later is all there is to do. */
static bool is_too_early(const struct chat_message *answer)
{
    return answer->status == STATUS_ERROR && text_equal(reason_of(answer), text_of(CHAT_NO_PRIMARY));
}

static void on_answer(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct session *session = container_of(socket, struct session, questions);
    struct chat_message *heard = &session->heard;
    struct error error;
    int code = chat_message_decode(heard, CHAT_ANSWER, frames[count - 1], CHAT_MESSAGE_MAX, &error);

    if (code != 0) {
        process_discard(session->process, &error, "a server");
        return;
    }
    process_follow(session->process, heard, frames[count - 1]);
    /* Servers of other authors may not repeat the id: then the service has to do. */
    bool is_ours = heard->request_id.length > 0
                       ? text_equal(heard->request_id, text_of(session->request_id.text))
                       : heard->service == session->service;
    if (!session->asking || !is_ours) {
        return; /* to an earlier try */
    }
    uint64_t now_ms = clock_monotonic_ms();
    if (is_too_early(heard) && now_ms < session->give_up_at_ms) {
        session->retry_at_ms = now_ms + WAIT_FOR_PRIMARY_MS;
        return;
    }
    session->asking = false;
    forget_question(session);
    keep_token(session);
    session->on_answer(session, heard);
}

/* ---- what is published ---- */

static size_t find_topic(const struct session *session, struct text topic)
{
    size_t i = 0;

    while (i < session->topic_count && !text_equal(text_of(session->topics[i]), topic)) {
        i++;
    }
    return i;
}

int session_subscribe(struct session *session, struct text topic, struct error *error)
{
    int code = name_check(topic, "topic", error);

    if (code != 0 || find_topic(session, topic) < session->topic_count) {
        return code;
    }
    code = zmq_socket_subscribe(&session->publications, topic, error);
    if (code == 0) {
        session->topics = memory_grow(session->topics, &session->topic_capacity, session->topic_count + 1,
                                      sizeof *session->topics);
        char *name = session->topics[session->topic_count++];
        memcpy(name, topic.bytes, topic.length);
        name[topic.length] = '\0';
    }
    return code;
}

void session_unsubscribe(struct session *session, struct text topic)
{
    size_t place = find_topic(session, topic);

    if (place < session->topic_count) {
        (void)zmq_socket_unsubscribe(&session->publications, topic, NULL);
        session->topic_count--;
        memmove(session->topics[place], session->topics[session->topic_count], sizeof *session->topics);
    }
}

static void on_publication(struct zmq_socket *socket, const struct text *frames, size_t count)
{
    struct session *session = container_of(socket, struct session, publications);
    struct chat_message *heard = &session->heard;
    struct error error;

    if (find_topic(session, frames[0]) == session->topic_count) {
        return; /* it only begins as one of ours does */
    }
    int code = chat_message_decode(heard, CHAT_REQUEST, frames[count - 1], CHAT_MESSAGE_MAX, &error);
    if (code != 0) {
        process_discard(session->process, &error, "a server");
        return;
    }
    process_follow(session->process, heard, frames[count - 1]);
    if (heard->service == SERVICE_PUBLICATION || heard->service == SERVICE_PRIVATE_MESSAGE) {
        session->on_publication(session, heard);
    }
}

/* ---- opening and closing ---- */

int session_open(struct session *session, struct process *process, struct error *error)
{
    static const char *const encodings[] = {[CHAT_MESSAGEPACK] = "messagepack", [CHAT_JSON] = "json", NULL};
    const struct zmq_options questions = {.type = ZMQ_DEALER};
    const struct zmq_options publications = {.type = ZMQ_SUB};
    int encoding;
    int64_t timeout_ms;
    int code = config_choice("ENCODING", encodings, CHAT_MESSAGEPACK, &encoding, error);

    if (code == 0) {
        code = config_int("REQUEST_TIMEOUT_MS", 10, 3600000, 1000, &timeout_ms, error);
    }
    if (code != 0) {
        return code;
    }
    session->process = process;
    session->encoding = (enum chat_encoding)encoding;
    session->timeout_ms = (uint64_t)timeout_ms;
    session->questions.on_message = on_answer;
    session->publications.on_message = on_publication;
    code = process_connect(process, &session->questions, &questions, "BROKER", "127.0.0.1:5555", error);
    return code == 0 ? process_connect(process, &session->publications, &publications, "PROXY",
                                       "127.0.0.1:5558", error)
                     : code;
}

void session_close(struct session *session)
{
    zmq_socket_close(&session->questions);
    zmq_socket_close(&session->publications);
}

void session_free(struct session *session)
{
    free(session->topics);
    explicit_bzero(&session->token, sizeof session->token);
    buffer_free(&session->question);
    chat_message_free(&session->heard);
}
