/* A replica's store, and what its clients are told of it. */
#include "common/net/replica.h"

void replica_read(struct replica *replica, const struct message *message, struct kv_reply *reply)
{
    if (message->command_type == COMMAND_GET) {
        reply->local_value = kv_store_get(&replica->store, message->key);
    } else if (message->command_type == COMMAND_PRINT) {
        buffer_clear(&replica->snapshot);
        kv_store_snapshot(&replica->store, &replica->snapshot);
        reply->snapshot = buffer_text(&replica->snapshot);
    }
}

void replica_deliver(struct replica *replica, const struct message *message)
{
    uint64_t ordem_local = kv_store_apply(&replica->store, message);
    struct request *request = requests_find(&replica->requests, message);
    struct kv_reply reply = {.ok = true,
                             .message = "applied here",
                             .seq = message->seq,
                             .epoch = message->epoch};

    recent_add(&replica->applied, message->message_uuid, message->seq);
    if (message->command_type == COMMAND_PRINT && log_wants(&replica->log, LOG_INFO)) {
        replica_read(replica, message, &reply);
    }
    event_deliver(&replica->log, message, ordem_local, reply.snapshot);
    if (request != NULL && request->wait && request->call != NULL) {
        replica_read(replica, message, &reply);
        request_reply(request, &reply);
    }
}

/* Nothing delivers it here any more. */
static void answer_installed(struct replica *replica, struct request *request)
{
    struct kv_reply reply = {.ok = true, .message = "applied here already", .seq = request->seq};

    recent_add(&replica->applied, request->message->message_uuid, request->seq);
    if (request->wait && request->call != NULL) {
        replica_read(replica, request->message, &reply);
        request_reply(request, &reply);
    }
}

void replica_note_place(struct replica *replica, const struct message *message, int64_t installed_seq)
{
    struct request *request = requests_find(&replica->requests, message);

    if (request != NULL) {
        request->seq = message->seq;
        if (request->seq <= installed_seq) {
            answer_installed(replica, request);
        }
    }
}

void replica_answer_installed(struct replica *replica, int64_t seq)
{
    struct request *next;

    for (struct request *request = replica->requests.oldest; request != NULL; request = next) {
        next = request->next; /* an answer may end the request */
        if (request->seq != MESSAGE_NO_SEQ && request->seq <= seq) {
            answer_installed(replica, request);
        }
    }
}

bool replica_answer_known(struct replica *replica, struct kv_call *call, const struct message *message)
{
    struct kv_reply reply = {.ok = true, .message = "applied here already"};

    if (!recent_find(&replica->applied, message->message_uuid, &reply.seq)) {
        return false;
    }
    replica_read(replica, message, &reply);
    kv_call_reply(call, &reply);
    return true;
}
