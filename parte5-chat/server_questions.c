/* What clients ask. Writes are answered by the primary, once every backup that counts has them. Reads are answered at once,
 * from what this server has, unless it may lack something that was acknowledged: then the primary answers them, too. A
 * server that knows of no primary answers from what it has, which may be old: so reads go on when no disk takes a write. */
#include "parte5-chat/server.h"

#include "common/memory.h"
#include "common/uuid.h"
#include "parte5-chat/chat_message_change.h"

#define HISTORY_DEFAULT 50

/* ---- answers ---- */

void server_refuse(struct server *server, const struct text *frames, size_t count, const char *why)
{
    chat_message_refuse(&server->said, &server->heard, text_of(why));
    server_say(server, &server->clients, frames, count, CHAT_ANSWER, server->heard.encoding);
}

static void add_name(struct chat_names *names, struct text name)
{
    names->items = memory_grow(names->items, &names->capacity, names->count + 1, sizeof *names->items);
    names->items[names->count++] = name;
}

static void list_users(struct server *server)
{
    const struct chat_user *cursor = NULL;
    struct text name;

    while (chat_next_user(&server->chat, &cursor, &name)) {
        add_name(&server->said.users, name);
    }
}

static void list_channels(struct server *server)
{
    const struct chat_channel *cursor = NULL;
    struct text name;

    while (chat_next_channel(&server->chat, &cursor, &name)) {
        add_name(&server->said.channels, name);
    }
}

static void tell_history(struct server *server)
{
    const struct chat_message *heard = &server->heard;
    size_t limit = heard->limit > 0 ? (size_t)heard->limit : HISTORY_DEFAULT;
    size_t count;
    struct change *const *changes =
        heard->channel.length > 0
            ? chat_channel_history(&server->chat, heard->channel, limit, heard->before, &count)
            : chat_user_history(&server->chat, heard->user, limit, heard->before, &count);
    size_t fits = history_that_fits(changes, count, heard->encoding, CHAT_MESSAGE_MAX);

    for (size_t i = count - fits; i < count; i++) {
        change_list_add(&server->said.messages, changes[i]);
    }
}

/* What does not change anything. False: it is no such question. */
static bool answer_read(struct server *server, const struct text *frames, size_t count)
{
    const struct chat_message *heard = &server->heard;

    chat_message_clear(&server->said);
    server->said.service = heard->service;
    server->said.request_id = heard->request_id;
    switch (heard->service) {
    case SERVICE_USERS:
        list_users(server);
        break;
    case SERVICE_CHANNELS:
        list_channels(server);
        break;
    case SERVICE_HISTORY:
        tell_history(server);
        break;
    case SERVICE_TIME:
        server->said.time = server_now_ms(server);
        break;
    default:
        return false;
    }
    server_say(server, &server->clients, frames, count, CHAT_ANSWER, heard->encoding);
    return true;
}

/* ---- writes ---- */

void server_take_write(struct server *server, const struct change *asked, const struct text *frames,
                       size_t count)
{
    struct replication_actions actions = {0};
    struct uuid fresh;
    struct error error;
    struct change fields = *asked;
    bool named_it = asked->request_id.length > 0;

    if (server->disk != DISK_TAKES) {
        server_refuse(server, frames, count, server_why_not(server));
        return;
    }
    if (!named_it) {
        fresh = uuid_new();
        fields.request_id = text_of(fresh.text);
    }
    if (!server_remember_asker(server, fields.request_id, named_it, frames, count)) {
        server_refuse(server, frames, count, "too many wait already");
        return;
    }
    fields.timestamp_ms = server_now_ms(server);
    fields.clock = lamport_send(&server->process.clock);
    struct change *change = change_new(&fields);
    if (replication_submit(&server->replication, change, &actions, &error) != 0) {
        server_forget_asker(server, change->request_id);
        server_refuse(server, frames, count, error.text);
    }
    server_do_replication(server, &actions);
    change_unref(change);
}

bool server_leads(const struct server *server)
{
    return server->composition->may_serve(server) && replication_leads(&server->replication);
}

/* Has it all that was acknowledged? */
static bool is_current(const struct server *server)
{
    return server_leads(server) || server->composition->is_current(server);
}

void server_pass_or_refuse(struct server *server, const struct text *frames, size_t count, bool passed)
{
    if (passed || !server->composition->pass_on(server, frames, count)) {
        server_refuse(server, frames, count - 1, server_why_not(server));
    }
}

static void hear_write(struct server *server, const struct change *fields, const struct text *frames,
                       size_t count, bool passed)
{
    if (fields->type == CHANGE_REGISTER) {
        server_refuse(server, frames, count - 1, "this chat has no passwords: login is all");
    } else if (server_leads(server)) {
        server_take_write(server, fields, frames, count - 1);
    } else {
        server_pass_or_refuse(server, frames, count, passed);
    }
}

static void answer_question(struct server *server, const struct text *frames, size_t count, bool passed)
{
    struct change fields;

    if (server_leads(server)) {
        server_count_message(server);
    }
    if (change_from_request(&server->heard, &fields)) {
        hear_write(server, &fields, frames, count, passed);
    } else if (!passed && !is_current(server) && server->composition->pass_on(server, frames, count)) {
        return;
    } else if (!answer_read(server, frames, count - 1)) {
        server_refuse(server, frames, count - 1, "service: not one for clients");
    }
}

void server_hear_question(struct server *server, const struct text *frames, size_t count, bool passed)
{
    struct error error;
    int code = chat_message_decode(&server->heard, CHAT_REQUEST, frames[count - 1], CHAT_MESSAGE_MAX, &error);

    if (code == 0) {
        code = process_witness(&server->process, &server->heard, frames[count - 1], &error);
    }
    if (code != 0) {
        process_discard(&server->process, &error, "a client");
        server_refuse(server, frames, count - 1, error.text);
    } else if (server->composition->leader_only && !server_leads(server)) {
        server_refuse(server, frames, count - 1, CHAT_NO_PRIMARY);
    } else if (!server_hold_question(server, frames, count, passed)) {
        answer_question(server, frames, count, passed);
    }
}
