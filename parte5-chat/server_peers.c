/* What goes between servers: one connection each way, and one frame before the message that says what it is.
 *
 *     [][question]  or [][note]      a note is one of the replication's: it needs no answer
 *     [answer][answer]               to a question
 *     [pass][name][client][][question]   of a client, for the primary, which answers through the broker; `name` passed
 *                                    it on
 *
 * Who speaks is said in the message (`from`). A REQ socket of somebody else's program fits in: it is answered directly. */
#include "parte5-chat/server.h"

#include "common/clock.h"
#include "parte5-chat/chat_message_change.h"
#include "parte5-chat/envelope.h"

#include <stdlib.h>

static const char answer_frame[] = "answer";
static const char pass_frame[] = "pass";

/* ---- saying ---- */

void server_say_to_peer(struct server *server, unsigned to, enum chat_direction direction)
{
    struct text frame = text_of(direction == CHAT_ANSWER ? answer_frame : "");

    bool is_peer = to != NO_SERVER && to <= SERVERS_MAX && to <= server->members.count;

    if (is_peer && to != server->self) {
        server_say(server, &server->peers[to], &frame, 1, direction, CHAT_MESSAGEPACK);
    }
}

void server_send_notice(struct server *server, unsigned to, const struct notice *notice)
{
    struct text self = text_of(server->process.id);

    server_flush_notes(server, to);
    server_say_to_peer(server, to, message_from_notice(notice, self, &server->said));
}

/* To whoever listens to the topic of the servers. */
void server_announce(struct server *server)
{
    struct notice notice = {.type = NOTICE_COORDINATOR,
                            .from = server->self,
                            .epoch = server->replication.epoch};
    struct text topic = text_of(NAME_OF_SERVERS);

    (void)message_from_notice(&notice, text_of(server->process.id), &server->said);
    server_say(server, &server->publisher, &topic, 1, CHAT_REQUEST, CHAT_MESSAGEPACK);
}

static void ask_reference(struct server *server, enum chat_service service)
{
    struct text empty = text_of("");

    chat_message_clear(&server->said);
    server->said.service = service;
    server->said.user = text_of(server->process.id);
    server_say(server, &server->reference, &empty, 1, CHAT_REQUEST, CHAT_MESSAGEPACK);
}

void server_ask_reference(struct server *server)
{
    ask_reference(server, server->ranked ? SERVICE_HEARTBEAT : SERVICE_RANK);
    ask_reference(server, SERVICE_LIST);
}

bool server_pass_to_peer(struct server *server, unsigned to, const struct text *frames, size_t count)
{
    struct text all[ZMQ_FRAMES_MAX] = {text_of(pass_frame), text_of(server->process.id)};

    if (to == NO_SERVER || to > server->members.count || to == server->self || count + 2 > ZMQ_FRAMES_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        all[i + 2] = frames[i];
    }
    server_send(server, &server->peers[to], all, count + 2);
    server_rests_on(server, CHANGE_NO_SEQ);
    return true;
}

/* ---- hearing ---- */

static void hear_note(struct server *server, const struct replication_note *note)
{
    struct replication_actions actions = {0};

    if (!server->mute) {
        if (note->type == NOTE_FETCH) {
            server->told_seq[note->from] = CHANGE_NO_SEQ; /* it waits for us, not we for it */
        }
        replication_hear(&server->replication, note, &actions);
        server_do_replication(server, &actions);
    }
    if (note->type == NOTE_PING && note->epoch >= server->replication.epoch) {
        server_hear_notice(server, &(struct notice){.type = NOTICE_COORDINATOR,
                                                    .from = note->from,
                                                    .epoch = note->epoch});
    }
}

/* A program that is not ours asks, and does not say which server it is. */
static void answer_stranger(struct server *server, const struct text *frames, size_t count)
{
    const struct chat_message *heard = &server->heard;

    chat_message_clear(&server->said);
    server->said.service = heard->service;
    server->said.request_id = heard->request_id;
    server->said.status = STATUS_OK;
    if (heard->service == SERVICE_ELECTION) {
        server->said.election = text_of("OK");
    } else if (heard->service == SERVICE_CLOCK) {
        server->said.time = server_now_ms(server);
    } else {
        chat_message_refuse(&server->said, heard, text_of("service: not one that servers answer here"));
    }
    server_say(server, &server->listener, frames, count, CHAT_ANSWER, heard->encoding);
}

static void hear_message(struct server *server, const struct text *frames, size_t count,
                         enum chat_direction direction)
{
    struct replication_note note;
    struct notice notice;

    if (note_from_message(&server->heard, &note)) {
        hear_note(server, &note);
        replication_note_free(&note);
    } else if (notice_from_message(&server->heard, direction, &notice)) {
        if (!server->mute) { /* whoever asks for stronger ones asks in vain */
            server_hear_notice(server, &notice);
        }
    } else if (!server_hear_clock(server, direction) && direction == CHAT_REQUEST) {
        answer_stranger(server, frames, count - 1);
    }
}

static bool is_passed_on(const struct text *frames, size_t count)
{
    return count > 3 && text_equal(frames[1], text_of(pass_frame)) &&
           envelope_check(frames + 3, count - 3, NULL) == 0;
}

static enum chat_direction direction_of(const struct text *frames, size_t count)
{
    return count > 2 && text_equal(frames[1], text_of(answer_frame)) ? CHAT_ANSWER : CHAT_REQUEST;
}

bool server_peer_name(struct server *server, const struct text *frames, size_t count, struct text *name)
{
    if (is_passed_on(frames, count)) {
        *name = frames[2];
        return true;
    }
    int64_t from = chat_message_decode(&server->heard, direction_of(frames, count), frames[count - 1],
                                       CHAT_NOTE_MAX, NULL) == 0
                       ? server->heard.from
                       : NO_SERVER;
    if (from <= NO_SERVER || from > server->members.count) {
        return false;
    }
    *name = text_of(server->members.items[from - 1].name);
    return true;
}

void server_hear_peer(struct server *server, const struct text *frames, size_t count)
{
    struct error error;

    if (is_passed_on(frames, count)) {
        server_hear_question(server, frames + 3, count - 3, true);
        return;
    }
    enum chat_direction direction = direction_of(frames, count);
    int code = chat_message_decode(&server->heard, direction, frames[count - 1], CHAT_NOTE_MAX, &error);
    if (code == 0 && direction == CHAT_REQUEST) {
        code = envelope_check(frames, count, &error);
    }
    if (code == 0) {
        process_follow(&server->process, &server->heard, frames[count - 1]);
        hear_message(server, frames, count, direction);
        return;
    }
    process_discard(&server->process, &error, "a server");
    if (direction == CHAT_REQUEST) {
        chat_message_refuse(&server->said, &server->heard, text_of(error.text));
        server_say(server, &server->listener, frames, envelope_length(frames, count), CHAT_ANSWER,
                   server->heard.encoding);
    }
}

/* The numbers of the rules are places in SERVERS: the reference server has to have the same. */
static void hear_rank(struct server *server, int64_t rank)
{
    server->ranked = rank == server->self;
    if (!server->ranked) {
        struct error error;
        error_set(&error, ERROR_CONFIG, "the reference server says rank %d, SERVERS says %u", (int)rank,
                  server->self);
        process_discard(&server->process, &error, "the reference server");
    }
}

void server_hear_reference(struct server *server, const struct text *frames, size_t count)
{
    struct chat_message *heard = &server->heard;
    struct notice notice;
    struct error error;
    int code = chat_message_decode(heard, CHAT_ANSWER, frames[count - 1], CHAT_MESSAGE_MAX, &error);

    if (code != 0) {
        process_discard(&server->process, &error, "the reference server");
        return;
    }
    process_follow(&server->process, heard, frames[count - 1]);
    if (heard->service == SERVICE_RANK && heard->status != STATUS_ERROR) {
        hear_rank(server, heard->rank);
    } else if (heard->service == SERVICE_HEARTBEAT && heard->status == STATUS_ERROR) {
        server->ranked = false; /* it has lost its record: ask anew */
    } else if (server->ranked && !server->mute && notice_from_message(heard, CHAT_ANSWER, &notice)) {
        server_hear_notice(server, &notice);
    }
}
