#include "paxos/peers.h"

#include "common/config.h"
#include "common/container_of.h"
#include "common/json.h"
#include "common/memory.h"
#include "paxos/peer_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define SPARE_MAX   1024  /* calls kept for use again */
#define SPARE_BYTES 65536 /* of a buffer kept with one */

/* ---- calls ---- */

static void trim(struct buffer *buffer)
{
    if (buffer->capacity > SPARE_BYTES) {
        buffer_free(buffer);
    }
}

static void call_free(struct peer_call *call)
{
    http_call_free(&call->call);
    buffer_free(&call->body);
    buffer_free(&call->location);
    free(call);
}

static struct peer_call *call_new(struct peer *peer)
{
    struct peers *peers = peer->peers;
    struct peer_call *call = peers->spare;

    if (call != NULL) {
        LL_DELETE(peers->spare, call);
        peers->spare_count--;
    } else {
        call = memory_new_zeroed(1, sizeof *call);
    }
    call->peer = peer;
    return call;
}

static void call_forget(struct peer_call *call)
{
    struct peers *peers = call->peer->peers;

    if (peers->closing || peers->spare_count == SPARE_MAX) {
        call_free(call);
        return;
    }
    trim(&call->call.request);
    trim(&call->call.body);
    trim(&call->body);
    LL_PREPEND(peers->spare, call);
    peers->spare_count++;
}

void peer_call_end(struct peer_call *call, const struct http_response *response)
{
    struct peer *peer = call->peer;
    struct peer_reply reply = {call->path,     call->tag,          response->status,
                               response->body, response->location, response->retry_after_s};

    peer->call_count--;
    peer->call_bytes -= call->length;
    peer->answered += response->status >= 0;
    peer->failed += response->status < 0;
    peer_circuit_note(peer, response->status, response->body);
    peer->peers->on_reply(peer->peers, peer, &reply);
    call_forget(call);
}

static void on_done(struct http_call *http_call, const struct http_response *response)
{
    struct peer_call *call = container_of(http_call, struct peer_call, call);

    if (!peer_stall_coming(call, response)) {
        peer_call_end(call, response);
    }
}

void peer_call_send(struct peer_call *call, struct text body)
{
    uint64_t now_ms = uv_now(call->peer->client.loop);
    uint64_t left_ms = call->deadline_ms > now_ms ? call->deadline_ms - now_ms : 1;

    call->call.on_done = on_done;
    http_client_call(&call->peer->client, &call->call, call->method, call->path, body, left_ms);
}

bool peers_call(struct peers *peers, uint32_t number, const char *method, const char *path, struct text body,
                uint64_t tag, uint64_t timeout_ms)
{
    if (number == 0 || number > peers->count || peers->closing) {
        return false;
    }
    struct peer *peer = &peers->items[number - 1];
    bool full = peer->call_count >= PEER_CALLS_MAX ||
                (peer->call_count > 0 && peer->call_bytes + body.length > PEER_BYTES_MAX);
    if (full || !peer_circuit_admit(peer)) {
        peer->dropped++;
        return false;
    }
    struct peer_call *call = call_new(peer);
    call->method = method;
    call->path = path;
    call->tag = tag;
    call->length = body.length;
    call->deadline_ms = uv_now(peer->client.loop) + timeout_ms;
    peer->sent++;
    peer->call_count++;
    peer->call_bytes += body.length;
    if (!peer_stall_going(call, body)) {
        peer_call_send(call, body);
    }
    return true;
}

bool peers_post(struct peers *peers, uint32_t number, const char *path, struct text body, uint64_t tag)
{
    return peers_call(peers, number, "POST", path, body, tag,
                      (uint64_t)PEER_TIMEOUTS * peers->process->timeout_ms);
}

bool peer_is_self(const struct peer *peer)
{
    const struct process *process = peer->peers->process;
    return peer->number == process->id && strcmp(peer->peers->role, process->role) == 0;
}

unsigned peers_post_all(struct peers *peers, const char *path, struct text body, uint64_t tag)
{
    unsigned taken = 0;

    for (uint32_t i = 1; i <= peers->count; i++) {
        taken += !peer_is_self(&peers->items[i - 1]) && peers_post(peers, i, path, body, tag);
    }
    return taken;
}

/* ---- telling ---- */

void peers_write_status(const struct peers *peers, struct buffer *out)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        const struct peer *peer = &peers->items[i];
        if (peer_is_self(peer)) {
            continue;
        }
        buffer_add_string(out, out->bytes[out->length - 1] == '[' ? "" : ",");
        buffer_add_format(out, "{\"name\":\"%s\",\"address\":", peer->name);
        json_write_string(out, text_of(peer->client.target.authority));
        buffer_add_format(out, ",\"circuit\":\"%s\",\"failures\":%u,\"lastError\":",
                          peer_circuit_name(peer->circuit), peer->failures);
        if (peer->last_error[0] != '\0') {
            json_write_string(out, text_of(peer->last_error));
        } else {
            buffer_add_string(out, "null");
        }
        buffer_add_format(out,
                          ",\"sent\":%" PRIu64 ",\"answered\":%" PRIu64 ",\"failed\":%" PRIu64
                          ",\"dropped\":%" PRIu64 "}",
                          peer->sent, peer->answered, peer->failed, peer->dropped);
    }
}

/* ---- opening and closing ---- */

static int open_peer(struct peers *peers, const char *variable, const char *address, struct error *error)
{
    struct peer *peer = &peers->items[peers->count];
    struct error cause;

    peer->peers = peers;
    peer->number = peers->count + 1;
    snprintf(peer->name, sizeof peer->name, "%s-%" PRIu32, peers->role, peer->number);
    if (http_client_init(&peer->client, &peers->process->runtime.loop, address, PEER_CONNECTIONS, &cause) !=
        0) {
        error_set(error, ERROR_CONFIG, "%s does not hold addresses as host:port,host:port", variable);
        error_because_of(error, &cause);
        return ERROR_CONFIG;
    }
    peers->count++;
    return 0;
}

static int open_all(struct peers *peers, const char *variable, const char *list, struct error *error)
{
    char address[TARGET_HOST_MAX + 16];
    int code = 0;

    for (const char *at = list; code == 0 && at != NULL;) {
        const char *comma = strchr(at, ',');
        size_t length = comma != NULL ? (size_t)(comma - at) : strlen(at);
        struct text item = text_trim((struct text){at, length});
        if (peers->count == PAXOS_MEMBERS_MAX) {
            return error_set(error, ERROR_CONFIG, "%s holds more than %d addresses", variable,
                             PAXOS_MEMBERS_MAX);
        }
        snprintf(address, sizeof address, "%.*s", (int)(item.length < 300 ? item.length : 300), item.bytes);
        code = open_peer(peers, variable, address, error);
        at = comma != NULL ? comma + 1 : NULL;
    }
    return code;
}

int peers_open(struct peers *peers, struct process *process, const char *role, const char *variable,
               bool required, struct error *error)
{
    const char *list = config_text(variable, NULL);

    *peers = (struct peers){.process = process, .role = role, .on_reply = peers->on_reply};
    if (list == NULL && required) {
        return error_set(error, ERROR_CONFIG, "%s is not set: host:port,host:port,… of all of them is needed",
                         variable);
    }
    peers->items = memory_new_zeroed(PAXOS_MEMBERS_MAX, sizeof *peers->items);
    uv_timer_init(&process->runtime.loop, &peers->release);
    peers->opened = true;
    LL_APPEND(process->peers, peers);
    return list != NULL ? open_all(peers, variable, list, error) : 0;
}

void peers_close(struct peers *peers)
{
    if (!peers->opened || peers->closing) {
        return;
    }
    peers->closing = true;
    for (uint32_t i = 0; i < peers->count; i++) {
        peer_stall_drop(&peers->items[i]);
        http_client_close(&peers->items[i].client);
    }
    uv_close((uv_handle_t *)&peers->release, NULL);
}

void peers_free(struct peers *peers)
{
    struct peer_call *call;

    while ((call = peers->spare) != NULL) {
        LL_DELETE(peers->spare, call);
        call_free(call);
    }
    free(peers->items);
    *peers = (struct peers){0};
}
