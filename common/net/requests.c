#include "common/net/requests.h"

#include "common/clock.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <stdlib.h>
#include <utlist.h>

static void on_publish_done(struct amqp_publish *publish, int code)
{
    struct request *request = container_of(publish, struct request, publish);

    request->confirmed = code == 0;
    request->requests->on_confirmed(request, code);
}

struct request *requests_add(struct requests *requests, struct kv_call *call, struct message *message,
                             bool wait, struct error *error)
{
    if (requests->count >= REQUESTS_MAX || requests->bytes >= REQUESTS_BYTES_MAX) {
        error_set(error, ERROR_FULL, "%zu commands wait for the broker already: try again later",
                  requests->count);
        return NULL;
    }
    struct request *request = memory_new_zeroed(1, sizeof *request);
    request->publish.on_done = on_publish_done;
    request->requests = requests;
    request->message = message_ref(message);
    request->call = call;
    request->seq = message->seq;
    request->wait = wait;
    request->answer_by_ms = clock_monotonic_ms() + REQUESTS_ANSWER_MS;
    DL_APPEND(requests->oldest, request);
    HASH_ADD_KEYPTR(hh, requests->by_uuid, request->message->message_uuid.bytes,
                    (unsigned)request->message->message_uuid.length, request);
    requests->count++;
    requests->bytes += message->value.length;
    return request;
}

struct request *requests_find(const struct requests *requests, const struct message *message)
{
    struct request *request;
    HASH_FIND(hh, requests->by_uuid, message->message_uuid.bytes, message->message_uuid.length, request);
    return request;
}

void request_take_over(struct request *request, struct kv_call *call, bool wait)
{
    if (request->call != NULL) {
        kv_call_fail(request->call, GRPC_CANCELLED, "the command was sent again");
    }
    request->call = call;
    request->wait = wait;
    request->answer_by_ms = clock_monotonic_ms() + REQUESTS_ANSWER_MS;
    DL_DELETE(request->requests->oldest, request);
    DL_APPEND(request->requests->oldest, request);
}

static void end(struct request *request)
{
    struct requests *requests = request->requests;

    HASH_DEL(requests->by_uuid, request);
    DL_DELETE(requests->oldest, request);
    requests->count--;
    requests->bytes -= request->message->value.length;
    message_unref(request->message);
    free(request);
}

void request_settle(struct request *request)
{
    if (request->confirmed && request->call == NULL) {
        end(request);
    }
}

void request_reply(struct request *request, const struct kv_reply *reply)
{
    if (request->call != NULL) {
        kv_call_reply(request->call, reply);
        request->call = NULL;
    }
    request_settle(request);
}

/* Answers with a status of the transport. */
static void fail_call(struct request *request, enum grpc_status status, const char *sentence)
{
    if (request->call != NULL) {
        kv_call_fail(request->call, status, sentence);
        request->call = NULL;
    }
}

void request_fail(struct request *request, const char *sentence)
{
    fail_call(request, GRPC_UNAVAILABLE, sentence);
    end(request);
}

void requests_expire(struct requests *requests, uint64_t now_ms)
{
    struct request *next;

    for (struct request *request = requests->oldest; request != NULL && request->answer_by_ms <= now_ms;
         request = next) {
        next = request->next;
        fail_call(request, GRPC_DEADLINE_EXCEEDED, "not done in time: it may or may not be done later");
        request_settle(request);
    }
}

void requests_abandon(struct requests *requests)
{
    struct request *next;

    for (struct request *request = requests->oldest; request != NULL; request = next) {
        next = request->next;
        fail_call(request, GRPC_UNAVAILABLE, "the node leaves: the command may or may not be done");
        request_settle(request);
    }
}
