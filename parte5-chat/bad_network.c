#include "parte5-chat/bad_network.h"

#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/fault_link.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A message that waits until its sender's stream goes on. */
struct stalled {
    struct stalled *prev, *next;
    struct text sender;
    struct zmq_socket *socket;
    uint64_t due_ms; /* the loop's time; never less than that of the one before it from the same sender */
    size_t count;
    struct text frames[ZMQ_FRAMES_MAX]; /* these, and the sender, in the bytes behind it */
};

/* ---- going on ---- */

static void on_release(uv_timer_t *timer);

static void forget(struct bad_network *network, struct stalled *stalled)
{
    DL_DELETE(network->stalled, stalled);
    network->stalled_count--;
    free(stalled);
}

/* Wakes up for the first that is or will be due; what is cut off waits until the partition changes. */
static void set_timer(struct bad_network *network)
{
    uint64_t now_ms = uv_now(network->release.loop);
    uint64_t next_ms = UINT64_MAX;

    for (const struct stalled *stalled = network->stalled; stalled != NULL; stalled = stalled->next) {
        if (stalled->due_ms < next_ms && !faults_cut(&network->faults, stalled->sender)) {
            next_ms = stalled->due_ms;
        }
    }
    if (next_ms == UINT64_MAX) {
        uv_timer_stop(&network->release);
    } else {
        uv_timer_start(&network->release, on_release, next_ms > now_ms ? next_ms - now_ms : 0, 0);
    }
}

/* One sender's messages are due in their order, and cut off all at once: so the order of the list is theirs. */
static void release(struct bad_network *network)
{
    uint64_t now_ms = uv_now(network->release.loop);
    struct stalled *next;

    for (struct stalled *stalled = network->stalled; stalled != NULL; stalled = next) {
        next = stalled->next;
        if (stalled->due_ms <= now_ms && !faults_cut(&network->faults, stalled->sender)) {
            network->on_frames(network, stalled->socket, stalled->frames, stalled->count);
            forget(network, stalled);
        }
    }
    set_timer(network);
}

static void on_release(uv_timer_t *timer)
{
    release(container_of(timer, struct bad_network, release));
}

/* ---- arriving ---- */

/* When the last message of that sender that still waits is due; 0 if none does. */
static uint64_t last_due(const struct bad_network *network, struct text sender)
{
    uint64_t due_ms = 0;

    for (const struct stalled *stalled = network->stalled; stalled != NULL; stalled = stalled->next) {
        if (text_equal(stalled->sender, sender)) {
            due_ms = stalled->due_ms;
        }
    }
    return due_ms;
}

static struct text copy(char **room, struct text text)
{
    struct text copied = {*room, text.length};

    if (text.length > 0) {
        memcpy(*room, text.bytes, text.length);
    }
    *room += text.length;
    return copied;
}

static void stall(struct bad_network *network, struct text sender, struct zmq_socket *socket,
                  const struct text *frames, size_t count, uint64_t due_ms)
{
    size_t length = sender.length;

    for (size_t i = 0; i < count; i++) {
        length += frames[i].length;
    }
    struct stalled *stalled = memory_new(sizeof *stalled + length);
    char *room = (char *)(stalled + 1);
    stalled->socket = socket;
    stalled->due_ms = due_ms;
    stalled->sender = copy(&room, sender);
    stalled->count = count;
    for (size_t i = 0; i < count; i++) {
        stalled->frames[i] = copy(&room, frames[i]);
    }
    DL_APPEND(network->stalled, stalled);
    network->stalled_count++;
    set_timer(network);
}

static void say(const struct bad_network *network, const char *fault, struct text sender, int64_t delay_ms)
{
    if (log_begin(network->log, LOG_INFO, "fault")) {
        log_text(network->log, "fault", text_of(fault));
        log_text(network->log, "peer", sender);
        if (delay_ms > 0) {
            log_int(network->log, "delay_ms", delay_ms);
        }
        log_end(network->log);
    }
}

bool bad_network_is_bad(const struct bad_network *network)
{
    return network->watch.active || network->stalled != NULL;
}

void bad_network_receive(struct bad_network *network, struct text sender, struct zmq_socket *socket,
                         const struct text *frames, size_t count)
{
    struct fault_plan plan = faults_plan(&network->faults, sender);
    uint32_t delay_ms = plan.delay_ms[0] + (plan.lost ? FAULT_LINK_RETRANSMIT_MS : 0);
    uint64_t before_ms = last_due(network, sender);

    if (network->stalled_count >= BAD_NETWORK_STALLED_MAX) {
        say(network, "loss", sender, 0);
        return;
    }
    if (plan.cut) {
        say(network, "partition", sender, 0);
    } else if (delay_ms > 0) {
        say(network, plan.lost ? "loss" : "delay", sender, delay_ms);
    } else if (before_ms == 0) {
        network->on_frames(network, socket, frames, count);
        return;
    }
    /* libuv counts from the start of this turn of the loop, which may have been a while ago. */
    uv_update_time(network->release.loop);
    uint64_t due_ms = uv_now(network->release.loop) + delay_ms;
    stall(network, sender, socket, frames, count, due_ms > before_ms ? due_ms : before_ms);
}

/* ---- opening and closing ---- */

static void on_settings(struct fault_watch *watch)
{
    struct bad_network *network = container_of(watch, struct bad_network, watch);

    faults_init(&network->faults, &watch->settings, network->faults.self);
    release(network); /* a partition may have healed */
}

int bad_network_open(struct bad_network *network, uv_loop_t *loop, struct log *log, struct text self,
                     struct error *error)
{
    network->log = log;
    uv_timer_init(loop, &network->release);
    faults_init(&network->faults, &(struct fault_settings){0}, self);
    network->watch.on_change = on_settings;
    return fault_watch_open(&network->watch, loop, log, error);
}

void bad_network_close(struct bad_network *network)
{
    while (network->stalled != NULL) {
        forget(network, network->stalled);
    }
    uv_close((uv_handle_t *)&network->release, NULL);
    fault_watch_close(&network->watch);
}
