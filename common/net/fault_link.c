#include "common/net/fault_link.h"

#include "common/container_of.h"
#include "common/event.h"
#include "common/memory.h"
#include "common/net/fault_stream.h"

#include <stdlib.h>
#include <utlist.h>

/* A message on its way. */
struct delayed {
    uv_timer_t timer;
    struct fault_link *link;
    struct message *message; /* a reference of its own */
    struct delayed *prev, *next;
};

/* ---- carrying a plan out ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    free(container_of((uv_timer_t *)handle, struct delayed, timer));
}

static void delayed_end(struct delayed *delayed)
{
    DL_DELETE(delayed->link->delayed, delayed);
    delayed->link->delayed_count--;
    message_unref(delayed->message);
    uv_close((uv_handle_t *)&delayed->timer, on_timer_closed);
}

static void on_due(uv_timer_t *timer)
{
    struct delayed *delayed = container_of(timer, struct delayed, timer);

    delayed->link->on_message(delayed->link, delayed->message, (struct receipt){0});
    delayed_end(delayed);
}

static void deliver_later(struct fault_link *link, struct message *message, uint32_t delay_ms)
{
    if (link->delayed_count >= FAULT_LINK_DELAYED_MAX) {
        event_fault(link->log, message, "loss", -1);
        return;
    }
    struct delayed *delayed = memory_new(sizeof *delayed);
    delayed->link = link;
    delayed->message = message_ref(message);
    DL_APPEND(link->delayed, delayed);
    link->delayed_count++;
    uv_timer_init(link->loop, &delayed->timer);
    /* libuv counts from the start of this turn of the loop, which may have been a while ago. */
    uv_update_time(link->loop);
    uv_timer_start(&delayed->timer, on_due, delay_ms, 0);
}

static void receive_datagram(struct fault_link *link, struct text sender, struct message *message)
{
    struct fault_plan plan = faults_plan(&link->faults, sender);
    if (plan.cut || plan.lost) {
        event_fault(link->log, message, plan.cut ? "partition" : "loss", -1);
    }
    for (unsigned copy = 0; copy < plan.copies; copy++) {
        uint32_t delay_ms = plan.delay_ms[copy];
        if (copy > 0) {
            event_fault(link->log, message, "duplicate", delay_ms);
        } else if (delay_ms > 0) {
            event_fault(link->log, message, "delay", delay_ms);
        }
        if (delay_ms > 0) {
            deliver_later(link, message, delay_ms);
        } else {
            link->on_message(link, message, (struct receipt){0});
        }
    }
}

void fault_link_receive(struct fault_link *link, struct text sender, struct message *message,
                        struct receipt receipt)
{
    if (!link->watch.active && link->streams == NULL) {
        link->on_message(link, message, receipt);
    } else if (link->transport == FAULT_STREAMS) {
        fault_stream_receive(link, sender, message, receipt);
    } else {
        receive_datagram(link, sender, message);
    }
}

/* ---- opening and closing ---- */

static void on_settings(struct fault_watch *watch)
{
    struct fault_link *link = container_of(watch, struct fault_link, watch);

    faults_init(&link->faults, &watch->settings, link->faults.self);
    if (link->transport == FAULT_STREAMS) {
        fault_stream_release(link); /* a partition may have healed */
    }
}

int fault_link_open(struct fault_link *link, enum fault_transport transport, uv_loop_t *loop, struct log *log,
                    struct text self, struct error *error)
{
    link->transport = transport;
    link->loop = loop;
    link->log = log;
    link->delayed = NULL;
    link->delayed_count = 0;
    link->streams = NULL;
    uv_timer_init(loop, &link->release);
    faults_init(&link->faults, &(struct fault_settings){0}, self);
    link->watch.on_change = on_settings;
    return fault_watch_open(&link->watch, loop, log, error);
}

void fault_link_drop(struct fault_link *link)
{
    while (link->delayed != NULL) {
        delayed_end(link->delayed);
    }
    fault_stream_drop_all(link);
}

void fault_link_close(struct fault_link *link)
{
    fault_link_drop(link);
    uv_close((uv_handle_t *)&link->release, NULL);
    fault_watch_close(&link->watch);
}
