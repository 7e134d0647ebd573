/* Who waits for a write: an answer is due when it has taken effect, perhaps much later than it was asked for. */
#include "parte5-chat/server.h"

#include "common/clock.h"
#include "common/memory.h"
#include "common/uuid.h"
#include "parte5-chat/names.h"
#include "parte5-chat/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define ASKERS_MAX     20000
#define ASKERS_WAIT_MS 30000 /* who has waited for so long has asked again, or is gone */

/* Who waits for a write, and the way back. */
struct asker {
    char request_id[UUID_LENGTH + 1];
    enum chat_service service;
    enum chat_encoding encoding;
    bool named_it;                     /* the request id was the client's own: the answer bears it */
    char entered[NAME_MAX_LENGTH + 1]; /* who has just logged in, and is given a token; "" where nobody has */
    uint64_t since_ms;
    size_t count;
    struct text frames[ZMQ_FRAMES_MAX]; /* in the bytes behind it */
    UT_hash_handle hh;
};

static void forget(struct server *server, struct asker *asker)
{
    HASH_DEL(server->askers, asker);
    free(asker);
}

void server_forget_askers(struct server *server, bool all)
{
    uint64_t now_ms = clock_monotonic_ms();
    struct asker *asker = server->askers;

    while (asker != NULL && (all || now_ms - asker->since_ms >= ASKERS_WAIT_MS)) { /* the oldest is first */
        struct asker *next = asker->hh.next;
        forget(server, asker);
        asker = next;
    }
}

void server_refuse_askers(struct server *server, const char *why)
{
    struct asker *asker = server->askers;

    while (asker != NULL) {
        struct asker *next = asker->hh.next;
        struct text request_id = {asker->request_id, UUID_LENGTH};
        if (chat_find_request(&server->chat, request_id) == NULL) {
            const struct chat_message question = {.service = asker->service,
                                                  .request_id =
                                                      asker->named_it ? request_id : (struct text){0}};
            chat_message_refuse(&server->said, &question, text_of(why));
            server_say(server, &server->clients, asker->frames, asker->count, CHAT_ANSWER, asker->encoding);
        }
        forget(server, asker);
        asker = next;
    }
}

static struct asker *find_asker(const struct server *server, struct text request_id)
{
    struct asker *asker;

    HASH_FIND(hh, server->askers, request_id.bytes, request_id.length, asker);
    return asker;
}

void server_forget_asker(struct server *server, struct text request_id)
{
    struct asker *asker = find_asker(server, request_id);

    if (asker != NULL) {
        forget(server, asker);
    }
}

bool server_remember_asker(struct server *server, struct text request_id, bool named_it,
                           const struct text *frames, size_t count)
{
    struct asker *asker;
    size_t length = 0;

    server_forget_asker(server, request_id); /* it asks again, perhaps from elsewhere */
    if (HASH_COUNT(server->askers) >= ASKERS_MAX) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        length += frames[i].length;
    }
    asker = memory_new_zeroed(1, sizeof *asker + length);
    char *room = (char *)(asker + 1);
    memcpy(asker->request_id, request_id.bytes, UUID_LENGTH);
    asker->service = server->heard.service;
    asker->encoding = server->heard.encoding;
    asker->named_it = named_it;
    if (asker->service == SERVICE_LOGIN) {
        snprintf(asker->entered, sizeof asker->entered, "%.*s", (int)server->heard.user.length,
                 server->heard.user.bytes);
    }
    asker->since_ms = clock_monotonic_ms();
    asker->count = count;
    for (size_t i = 0; i < count; i++) {
        asker->frames[i] = (struct text){room, frames[i].length};
        if (frames[i].length > 0) {
            memcpy(room, frames[i].bytes, frames[i].length);
            room += frames[i].length;
        }
    }
    HASH_ADD(hh, server->askers, request_id, UUID_LENGTH, asker);
    return true;
}

void server_answer_write(struct server *server, struct change *change)
{
    struct asker *asker = find_asker(server, change->request_id);

    if (asker == NULL) {
        return;
    }
    chat_message_clear(&server->said);
    server->said.service = asker->service;
    server->said.status = STATUS_OK;
    server->said.request_id = asker->named_it ? change->request_id : (struct text){0};
    if (change->seq <= server->store.flushed) {
        trace_answered(&server->process.log, change, server->replication.epoch);
    } else {
        change_list_add(&server->answered, change);
    }
    if (asker->entered[0] != '\0') { /* of the change's user nobody has seen a password */
        server->said.token = server_new_token(server, text_of(asker->entered));
    }
    server_say(server, &server->clients, asker->frames, asker->count, CHAT_ANSWER, asker->encoding);
    server_rests_on(server, change->seq);
    forget(server, asker);
}
