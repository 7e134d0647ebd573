/* The bad network that was asked for, between this process and a peer. As in common/net/fault_stream.c: what is delayed
 * stalls all that follows in its direction, a loss until the sender would have sent again, a partition until it heals. */
#include "paxos/peer_parts.h"

#include "common/container_of.h"
#include "common/net/fault_link.h"

#include <utlist.h>

static struct peer_faults *faults_of(const struct peer *peer)
{
    return &peer->peers->process->faults;
}

static bool is_cut(const struct peer *peer)
{
    return faults_cut(&faults_of(peer)->coming, text_of(peer->name));
}

static void say(const struct peer_call *call, const char *fault, const char *direction, int64_t delay_ms)
{
    struct log *log = &call->peer->peers->process->log;

    if (log_begin(log, LOG_INFO, "fault")) {
        log_text(log, "fault", text_of(fault));
        log_text(log, "peer", text_of(call->peer->name));
        log_text(log, "direction", text_of(direction));
        log_text(log, "path", text_of(call->path));
        if (delay_ms >= 0) {
            log_int(log, "delay_ms", delay_ms);
        }
        log_end(log);
    }
}

/* ---- going on ---- */

/* The answer of one that stalls, as it came. */
static void end_stalled(struct peer_call *call)
{
    struct http_response response = {.status = call->status,
                                     .body = buffer_text(&call->body),
                                     .retry_after_s = call->retry_after_s};
    if (call->has_location) {
        response.location = buffer_text(&call->location);
    }
    peer_call_end(call, &response);
}

static void end_failed(struct peer_call *call, enum http_failure failure, const char *why)
{
    struct http_response response = {.status = (int)failure, .body = text_of(why), .retry_after_s = -1};
    peer_call_end(call, &response);
}

/* Those that have waited too long. A list that stalls is short, or its network is very bad. */
static void expire(struct peer_call **list, uint64_t now_ms)
{
    struct peer_call *next;

    for (struct peer_call *call = *list; call != NULL; call = next) {
        next = call->next;
        if (now_ms >= call->deadline_ms) {
            DL_DELETE(*list, call);
            end_failed(call, HTTP_TIMED_OUT, "stalled by the network that was asked for");
        }
    }
}

static void go_on(struct peer *peer, uint64_t now_ms)
{
    struct peer_call *call;

    while ((call = peer->going) != NULL && call->due_ms <= now_ms && !is_cut(peer)) {
        DL_DELETE(peer->going, call);
        peer_call_send(call, call->has_body ? buffer_text(&call->body) : (struct text){0});
    }
    while ((call = peer->coming) != NULL && call->due_ms <= now_ms && !is_cut(peer)) {
        DL_DELETE(peer->coming, call);
        end_stalled(call);
    }
    expire(&peer->going, now_ms);
    expire(&peer->coming, now_ms);
}

/* When the first of a list may go on, or has waited for too long. */
static uint64_t next_of(const struct peer *peer, const struct peer_call *list)
{
    uint64_t next_ms = list != NULL && !is_cut(peer) ? list->due_ms : UINT64_MAX;

    for (; list != NULL; list = list->next) {
        next_ms = list->deadline_ms < next_ms ? list->deadline_ms : next_ms;
    }
    return next_ms;
}

static void on_release(uv_timer_t *timer)
{
    peers_release(container_of(timer, struct peers, release));
}

static void set_timer(struct peers *peers)
{
    uint64_t now_ms = uv_now(&peers->process->runtime.loop);
    uint64_t next_ms = UINT64_MAX;

    for (uint32_t i = 0; i < peers->count; i++) {
        const struct peer *peer = &peers->items[i];
        uint64_t going_ms = next_of(peer, peer->going);
        uint64_t coming_ms = next_of(peer, peer->coming);
        next_ms = going_ms < next_ms ? going_ms : next_ms;
        next_ms = coming_ms < next_ms ? coming_ms : next_ms;
    }
    if (next_ms != UINT64_MAX && !peers->closing) {
        uv_timer_start(&peers->release, on_release, next_ms > now_ms ? next_ms - now_ms : 0, 0);
    }
}

void peers_release(struct peers *peers)
{
    uint64_t now_ms = uv_now(&peers->process->runtime.loop);

    for (uint32_t i = 0; i < peers->count; i++) {
        go_on(&peers->items[i], now_ms);
    }
    set_timer(peers);
}

/* ---- stalling ---- */

/* Does it have to wait behind others, or by itself? `faults` are those of its direction. */
static bool stalls(struct peer_call *call, struct faults *faults, const struct peer_call *list,
                   const char *direction)
{
    struct peer_faults *all = faults_of(call->peer);

    if (!all->watch.active) {
        call->due_ms = 0;
        return list != NULL;
    }
    struct fault_plan plan = faults_plan(faults, text_of(call->peer->name));
    uint32_t delay_ms = plan.delay_ms[0] + (plan.lost ? FAULT_LINK_RETRANSMIT_MS : 0);
    if (plan.cut) {
        say(call, "partition", direction, -1);
    } else if (delay_ms > 0) {
        say(call, plan.lost ? "loss" : "delay", direction, delay_ms);
    }
    /* libuv counts from the start of this turn of the loop, which may have been a while ago. */
    uv_update_time(call->peer->client.loop);
    call->due_ms = uv_now(call->peer->client.loop) + delay_ms;
    return plan.cut || delay_ms > 0 || list != NULL;
}

bool peer_stall_going(struct peer_call *call, struct text body)
{
    struct peer *peer = call->peer;

    if (!stalls(call, &faults_of(peer)->going, peer->going, "going")) {
        return false;
    }
    buffer_clear(&call->body);
    buffer_add(&call->body, body.bytes, body.length);
    call->has_body = body.bytes != NULL;
    DL_APPEND(peer->going, call);
    set_timer(peer->peers);
    return true;
}

bool peer_stall_coming(struct peer_call *call, const struct http_response *response)
{
    struct peer *peer = call->peer;

    if (response->status < 0 || !stalls(call, &faults_of(peer)->coming, peer->coming, "coming")) {
        return false;
    }
    buffer_clear(&call->body);
    buffer_add(&call->body, response->body.bytes, response->body.length);
    buffer_clear(&call->location);
    buffer_add(&call->location, response->location.bytes, response->location.length);
    call->has_location = response->location.bytes != NULL;
    call->status = response->status;
    call->retry_after_s = response->retry_after_s;
    DL_APPEND(peer->coming, call);
    set_timer(peer->peers);
    return true;
}

static void drop(struct peer_call **list)
{
    struct peer_call *call;

    while ((call = *list) != NULL) {
        DL_DELETE(*list, call);
        end_failed(call, HTTP_CANCELLED, "this process is leaving");
    }
}

void peer_stall_drop(struct peer *peer)
{
    drop(&peer->going);
    drop(&peer->coming);
}
