#include "common/net/kv_service.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#define SPARE_MAX   1024         /* calls kept for use again */
#define REPLY_SPARE (256 * 1024) /* bytes of the reply's memory that are kept */

struct kv_call {
    struct kv_service *service;
    struct grpc_call *call;
    struct kv_call *next; /* among the spare ones */
};

/* ---- requests ---- */

static struct kv_call *call_new(struct kv_service *service, struct grpc_call *grpc_call)
{
    struct kv_call *call = service->spare;

    if (call != NULL) {
        LL_DELETE(service->spare, call);
        service->spare_count--;
    } else {
        call = memory_new(sizeof *call);
    }
    call->service = service;
    call->call = grpc_call;
    return call;
}

static void call_free(struct kv_call *call)
{
    struct kv_service *service = call->service;

    if (service->spare_count < SPARE_MAX) {
        LL_PREPEND(service->spare, call);
        service->spare_count++;
    } else {
        free(call);
    }
}

/* One system call for many names. */
static struct uuid draw_uuid(struct kv_service *service)
{
    if (service->random_left == 0) {
        _Static_assert(sizeof service->random <= 1024, "what getrandom() gives at once, but for a signal");
        if (getrandom(service->random, sizeof service->random, 0) != (ssize_t)sizeof service->random) {
            return uuid_new();
        }
        service->random_left = KV_SERVICE_UUIDS;
    }
    return uuid_from_bytes(service->random[--service->random_left]);
}

static struct message *make_message(struct kv_service *service, enum command_type type)
{
    const struct kv_request *request = &service->request;
    struct uuid uuid = request->uuid.text[0] != '\0' ? request->uuid : draw_uuid(service);
    char timestamp[CLOCK_EPOCH_LENGTH + 1];

    clock_format_epoch(clock_wall_us(), timestamp);
    return message_new(
        &(struct message){.command_type = type,
                          .key = request->key,
                          .value = type == COMMAND_SET ? buffer_text(&request->value) : text_of("null"),
                          .sender_id = service->node,
                          .message_uuid = {uuid.text, UUID_LENGTH},
                          .timestamp = text_of(timestamp),
                          .seq = MESSAGE_NO_SEQ,
                          .epoch = MESSAGE_NO_EPOCH});
}

static bool find_method(struct text method, enum command_type *type)
{
    static const struct {
        const char *path;
        enum command_type type;
    } methods[] = {{"/kv.KvService/Set", COMMAND_SET},
                   {"/kv.KvService/Get", COMMAND_GET},
                   {"/kv.KvService/Print", COMMAND_PRINT}};

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (text_equal(method, text_of(methods[i].path))) {
            *type = methods[i].type;
            return true;
        }
    }
    return false;
}

static void on_call(struct grpc_server *server, struct grpc_call *call, struct text method, struct text text)
{
    struct kv_service *service = container_of(server, struct kv_service, server);
    enum command_type type;
    struct error error;

    if (!find_method(method, &type)) {
        error_set(
            &error, ERROR_COMMAND,
            "there is no method %.*s: /kv.KvService/Set, /kv.KvService/Get and /kv.KvService/Print are here",
            (int)(method.length < 80 ? method.length : 80), method.bytes);
        grpc_call_fail(call, GRPC_UNIMPLEMENTED, error.text);
        return;
    }
    int code = kv_request_read(&service->request, type, &service->object, text, &error);
    if (code != 0) {
        grpc_call_fail(call, code == ERROR_TOO_LONG ? GRPC_RESOURCE_EXHAUSTED : GRPC_INVALID_ARGUMENT,
                       error.text);
        return;
    }
    struct message *message = make_message(service, type);
    service->on_request(service, call_new(service, call), message, service->request.wait);
    message_unref(message);
}

/* ---- replies ---- */

void kv_call_reply(struct kv_call *call, const struct kv_reply *reply)
{
    struct kv_service *service = call->service;

    buffer_clear(&service->reply);
    kv_reply_write(&service->reply, service->node, reply);
    grpc_call_reply(call->call, buffer_text(&service->reply));
    if (service->reply.capacity > REPLY_SPARE) { /* a large snapshot */
        buffer_free(&service->reply);
    }
    call_free(call);
}

void kv_call_fail(struct kv_call *call, enum grpc_status status, const char *sentence)
{
    grpc_call_fail(call->call, status, sentence);
    call_free(call);
}

/* ---- opening and closing ---- */

int kv_service_open(struct kv_service *service, uv_loop_t *loop, struct log *log, struct text node,
                    uint16_t standard_port, struct error *error)
{
    const char *host = config_text("RPC_HOST", NULL);
    int64_t port;

    int code = config_int("RPC_PORT", 0, UINT16_MAX, standard_port, &port, error);
    if (code != 0) {
        return code;
    }
    service->node = node;
    service->object = (struct json_object){0};
    service->request = (struct kv_request){0};
    service->reply = (struct buffer){0};
    service->spare = NULL;
    service->spare_count = service->random_left = 0;
    service->server.on_call = on_call;
    code = grpc_server_open(&service->server, loop, log, host, (uint16_t)port, error);
    if (code != 0) {
        struct error reason = *error;
        error_set(error, reason.code, "%s", reason.code == ERROR_CONFIG ? "RPC_HOST" : "RPC_PORT");
        error_because_of(error, &reason);
    }
    return code;
}

void kv_service_close(struct kv_service *service)
{
    grpc_server_close(&service->server, KV_SERVICE_GRACE_MS);
}

void kv_service_free(struct kv_service *service)
{
    struct kv_call *call;

    json_object_free(&service->object);
    kv_request_free(&service->request);
    buffer_free(&service->reply);
    while ((call = service->spare) != NULL) {
        LL_DELETE(service->spare, call);
        free(call);
    }
}
