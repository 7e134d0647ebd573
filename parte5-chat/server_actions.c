#include "parte5-chat/server.h"

#include "common/clock.h"
#include "common/memory.h"
#include "parte5-chat/chat_message_change.h"
#include "parte5-chat/trace.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A message that waits for the disk. */
struct outgoing {
    struct outgoing *prev, *next;
    struct zmq_socket *to;
    int64_t rests_on; /* the last change that it tells of; INT64_MAX: all that there is, and a promise */
    size_t count;
    struct text frames[ZMQ_FRAMES_MAX]; /* in the bytes behind it */
};

/* ---- nothing leaves before what it rests on is on the disk ---- */

void server_send(struct server *server, struct zmq_socket *to, const struct text *frames, size_t count)
{
    size_t length = 0;

    for (size_t i = 0; i < count; i++) {
        length += frames[i].length;
    }
    struct outgoing *outgoing = memory_new(sizeof *outgoing + length);
    char *room = (char *)(outgoing + 1);
    outgoing->to = to;
    outgoing->rests_on = store_has_promised(&server->store) ? chat_last_seq(&server->chat) : INT64_MAX;
    outgoing->count = count;
    for (size_t i = 0; i < count; i++) {
        outgoing->frames[i] = (struct text){room, frames[i].length};
        if (frames[i].length > 0) {
            memcpy(room, frames[i].bytes, frames[i].length);
            room += frames[i].length;
        }
    }
    DL_APPEND(server->outgoing, outgoing);
}

void server_rests_on(struct server *server, int64_t seq)
{
    server->outgoing->prev->rests_on = seq; /* the list's last */
}

void server_say(struct server *server, struct zmq_socket *to, const struct text *frames, size_t count,
                enum chat_direction direction, enum chat_encoding encoding)
{
    struct text all[ZMQ_FRAMES_MAX];
    size_t limit = to == &server->clients ? CHAT_MESSAGE_MAX : CHAT_NOTE_MAX;
    struct error error;

    process_stamp(&server->process, &server->said);
    server->said.timestamp_ms = server_now_ms(server);
    buffer_clear(&server->encoded);
    if (chat_message_encode(&server->said, direction, encoding, limit, &server->encoded, &error) != 0) {
        server->said.status = STATUS_ERROR; /* a list that is too long */
        server->said.description = text_of(error.text);
        server->said.users.count = server->said.channels.count = 0;
        (void)chat_message_encode(&server->said, direction, encoding, limit, &server->encoded, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        all[i] = frames[i];
    }
    all[count] = buffer_text(&server->encoded);
    trace_said(&server->process.log, &server->said, all[count]);
    server_send(server, to, all, count + 1);
}

static void forget_outgoing(struct server *server, struct outgoing *outgoing)
{
    DL_DELETE(server->outgoing, outgoing);
    free(outgoing);
}

void server_drop_outgoing(struct server *server)
{
    while (server->outgoing != NULL) {
        forget_outgoing(server, server->outgoing);
    }
    change_list_free(&server->answered);
}

/* Another leads: what was just written is in a place where nobody reads it. */
static void depose(struct server *server)
{
    if (log_begin(&server->process.log, LOG_WARNING, "discard")) {
        log_text(&server->process.log, "reason", text_of("fence"));
        log_text(&server->process.log, "message",
                 text_of("this reign is over: its last writes do not count, and are not answered"));
        log_int(&server->process.log, "epoch", server->replication.epoch);
        log_end(&server->process.log);
    }
    server_drop_outgoing(server);
    server_hear_notice(server, &(struct notice){.type = NOTICE_DEPOSED, .epoch = server->replication.epoch});
}

static void write_all(struct server *server)
{
    struct error error;
    int code = 0;

    if (server->composition->keeps(server)) {
        code = store_commit(&server->store, &error);
    }
    if (!server->composition->keeps(server)) { /* it may have been stopped in between, for however long */
        depose(server);
    } else if (code != 0) {
        server_suspend(server, code, &error);
    }
}

/* All that rests on no change after `seq`. */
static void send_outgoing(struct server *server, int64_t seq)
{
    struct outgoing *outgoing = server->outgoing;

    while (outgoing != NULL) {
        struct outgoing *next = outgoing->next;
        if (outgoing->rests_on <= seq) {
            /* What cannot be sent is counted, by the socket. */
            (void)zmq_socket_send(outgoing->to, outgoing->frames, outgoing->count, NULL);
            forget_outgoing(server, outgoing);
        }
        outgoing = next;
    }
}

void server_commit(struct server *server)
{
    server_end_turn_of_notes(server);
    if (store_is_dirty(&server->store)) {
        log_flush(&server->process.log); /* a crash takes no line from it that tells of what is on a disk */
        send_outgoing(server, server->store.flushed); /* who need not wait for the disk does not */
        write_all(server);
    }
    for (size_t i = 0; i < server->answered.count; i++) {
        trace_answered(&server->process.log, server->answered.items[i], server->replication.epoch);
    }
    change_list_free(&server->answered);
    send_outgoing(server, INT64_MAX);
}

/* ---- the coordination ---- */

void server_hear_notice(struct server *server, const struct notice *notice)
{
    struct coordinations list = {0};

    server->composition->hear(server, notice, &list);
    server_do_coordination(server, &list);
}

void server_log_epoch(struct server *server, const char *event, const char *state, int64_t epoch)
{
    if (log_begin(&server->process.log, LOG_INFO, event)) {
        log_text(&server->process.log, "state", text_of(state));
        log_int(&server->process.log, "epoch", epoch);
        log_end(&server->process.log);
    }
}

void server_do_coordination(struct server *server, struct coordinations *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct coordination *action = &list->items[i];
        switch (action->type) {
        case COORDINATION_SEND:
            server_send_notice(server, action->to, &action->notice);
            break;
        case COORDINATION_LEAD:
            server_log_epoch(server, "elect", "takes over", action->epoch);
            server->composition->lead(server, action->epoch);
            break;
        case COORDINATION_STEP_DOWN:
            server->composition->step_down(server);
            break;
        case COORDINATION_READ_LOCK:
        case COORDINATION_SWAP_LOCK:
            server_ask_lock(server, action);
            break;
        }
    }
    coordination_free(list);
}

/* ---- the replication ---- */

static void publish(struct server *server, const struct change *change)
{
    struct text topic;

    chat_message_clear(&server->said);
    if (publication_from_change(change, &server->said, &topic)) {
        server_say(server, &server->publisher, &topic, 1, CHAT_REQUEST, CHAT_MESSAGEPACK);
        server_rests_on(server, change->seq);
    }
}

static void log_member(struct server *server, unsigned number, enum log_level level, const char *event,
                       const char *reason)
{
    if (number >= 1 && number <= server->members.count && log_begin(&server->process.log, level, event)) {
        log_text(&server->process.log, "server", text_of(server->members.items[number - 1].name));
        log_text(&server->process.log, "reason", text_of(reason));
        log_end(&server->process.log);
    }
}

/* In the log before it is on the disk: after a crash the log knows all that the disk has. */
static void record(struct server *server, struct change *change)
{
    if (replication_leads(&server->replication) && change->epoch == server->replication.epoch) {
        trace_taken(&server->process.log, change);
    }
    server->recorded += change->request_id.length > 0;
    trace_recorded(&server->process.log, change, server->recorded);
    store_record(&server->store, change);
}

/* What is on the disk goes, and with it what the log has told of so far. */
static void forget(struct server *server)
{
    if (log_begin(&server->process.log, LOG_WARNING, "recover")) {
        log_text(&server->process.log, "reason", text_of("forget"));
        log_text(&server->process.log, "message",
                 text_of("what is here is not a beginning of what the primary has: all of it comes anew"));
        log_end(&server->process.log);
    }
    store_forget(&server->store);
}

static void do_action(struct server *server, const struct replication_action *action)
{
    switch (action->type) {
    case REPLICATION_SEND:
        server_send_note(server, action->to, &action->note);
        break;
    case REPLICATION_FORGET:
        forget(server);
        break;
    case REPLICATION_RECORD:
        record(server, action->change);
        break;
    case REPLICATION_PROMISE:
        store_promise(&server->store, action->note.epoch);
        break;
    case REPLICATION_ANSWER:
        server_answer_write(server, action->change);
        break;
    case REPLICATION_PUBLISH:
        publish(server, action->change);
        break;
    case REPLICATION_LEADING:
        server_log_epoch(server, "elect", "leads", server->replication.epoch);
        server_begin_clock_rounds(server);
        server_announce(server);
        break;
    case REPLICATION_DEPOSED:
        server_hear_notice(server, &(struct notice){.type = NOTICE_DEPOSED, .epoch = action->note.epoch});
        break;
    case REPLICATION_DROPPED:
        log_member(server, action->to, LOG_WARNING, "disconnect", "does not answer: writes go on without it");
        break;
    case REPLICATION_RETURNED:
        log_member(server, action->to, LOG_INFO, "connect", "has all that it missed, and counts again");
        break;
    }
}

void server_do_replication(struct server *server, struct replication_actions *list)
{
    for (size_t i = 0; i < list->count; i++) {
        do_action(server, &list->items[i]);
    }
    replication_actions_free(list);
}
