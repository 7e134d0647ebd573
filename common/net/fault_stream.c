#include "common/net/fault_stream.h"

#include "common/container_of.h"
#include "common/event.h"
#include "common/memory.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* A message that waits for its stream to go on. */
struct stalled {
    struct message *message; /* a reference of its own */
    struct receipt receipt;
    uint64_t due_ms; /* the loop's time; never less than that of the one before it */
    struct stalled *next;
};

struct stalled_stream {
    char sender[FAULT_STREAM_NAME_MAX];
    size_t sender_length;
    struct stalled *first, *last;
    struct stalled_stream *prev, *next;
};

static void on_release(uv_timer_t *timer);

/* ---- what waits ---- */

static struct text sender_of(const struct stalled_stream *stream)
{
    return (struct text){stream->sender, stream->sender_length};
}

static struct stalled_stream *find_stream(struct fault_link *link, struct text name)
{
    struct stalled_stream *stream = link->streams;

    while (stream != NULL && !text_equal(name, sender_of(stream))) {
        stream = stream->next;
    }
    return stream;
}

static struct stalled_stream *add_stream(struct fault_link *link, struct text name)
{
    struct stalled_stream *stream = memory_new_zeroed(1, sizeof *stream);

    memcpy(stream->sender, name.bytes, name.length);
    stream->sender_length = name.length;
    DL_APPEND(link->streams, stream);
    return stream;
}

static void append(struct stalled_stream *stream, struct message *message, struct receipt receipt,
                   uint64_t due_ms)
{
    struct stalled *stalled = memory_new(sizeof *stalled);

    *stalled = (struct stalled){message_ref(message), receipt, due_ms, NULL};
    if (stream->last == NULL) {
        stream->first = stalled;
    } else {
        stalled->due_ms = due_ms > stream->last->due_ms ? due_ms : stream->last->due_ms;
        stream->last->next = stalled;
    }
    stream->last = stalled;
}

static struct stalled *take_first(struct stalled_stream *stream)
{
    struct stalled *stalled = stream->first;

    stream->first = stalled->next;
    stream->last = stream->first == NULL ? NULL : stream->last;
    return stalled;
}

static void free_stalled(struct stalled *stalled)
{
    message_unref(stalled->message);
    free(stalled);
}

/* ---- going on ---- */

static bool is_due(const struct fault_link *link, const struct stalled_stream *stream, uint64_t now_ms)
{
    return stream->first != NULL && stream->first->due_ms <= now_ms &&
           !faults_cut(&link->faults, sender_of(stream));
}

/* Wakes up for the first message that is or will be due; what is cut off waits until the partition changes. */
static void set_timer(struct fault_link *link)
{
    uint64_t now_ms = uv_now(link->loop);
    uint64_t next_ms = UINT64_MAX;

    for (const struct stalled_stream *stream = link->streams; stream != NULL; stream = stream->next) {
        uint64_t due_ms = stream->first->due_ms > now_ms ? stream->first->due_ms : now_ms;
        if (due_ms < next_ms && !faults_cut(&link->faults, sender_of(stream))) {
            next_ms = due_ms;
        }
    }
    if (next_ms == UINT64_MAX) {
        uv_timer_stop(&link->release);
    } else {
        uv_timer_start(&link->release, on_release, next_ms - now_ms, 0);
    }
}

void fault_stream_release(struct fault_link *link)
{
    struct stalled_stream *next;
    uint64_t now_ms = uv_now(link->loop);

    for (struct stalled_stream *stream = link->streams; stream != NULL; stream = next) {
        next = stream->next;
        while (is_due(link, stream, now_ms)) {
            struct stalled *stalled = take_first(stream);
            link->on_message(link, stalled->message, stalled->receipt);
            free_stalled(stalled);
        }
        if (stream->first == NULL) { /* only streams that stall are kept */
            DL_DELETE(link->streams, stream);
            free(stream);
        }
    }
    set_timer(link);
}

static void on_release(uv_timer_t *timer)
{
    fault_stream_release(container_of(timer, struct fault_link, release));
}

/* ---- arriving ---- */

void fault_stream_receive(struct fault_link *link, struct text sender, struct message *message,
                          struct receipt receipt)
{
    struct fault_plan plan = faults_plan(&link->faults, sender);
    struct text name = {sender.bytes,
                        sender.length < FAULT_STREAM_NAME_MAX ? sender.length : FAULT_STREAM_NAME_MAX};
    struct stalled_stream *stream = find_stream(link, name);
    uint32_t delay_ms = plan.delay_ms[0] + (plan.lost ? FAULT_LINK_RETRANSMIT_MS : 0);

    if (plan.cut) {
        event_fault(link->log, message, "partition", -1);
    } else if (delay_ms > 0) {
        event_fault(link->log, message, plan.lost ? "loss" : "delay", delay_ms);
    } else if (stream == NULL) {
        link->on_message(link, message, receipt);
        return;
    }
    if (stream == NULL) {
        stream = add_stream(link, name);
    }
    /* libuv counts from the start of this turn of the loop, which may have been a while ago. */
    uv_update_time(link->loop);
    append(stream, message, receipt, uv_now(link->loop) + delay_ms);
    set_timer(link);
}

void fault_stream_drop_all(struct fault_link *link)
{
    while (link->streams != NULL) {
        struct stalled_stream *stream = link->streams;
        while (stream->first != NULL) {
            free_stalled(take_first(stream));
        }
        DL_DELETE(link->streams, stream);
        free(stream);
    }
}
