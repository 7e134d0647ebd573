#include "common/net/fault_link.h"

#include "common/config.h"
#include "common/container_of.h"
#include "common/event.h"
#include "common/memory.h"
#include "common/net/fault_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#define FILE_MAX 65536 /* bytes of NET_FAULTS_FILE */

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
    if (!link->active && link->streams == NULL) {
        link->on_message(link, message, receipt);
    } else if (link->transport == FAULT_STREAMS) {
        fault_stream_receive(link, sender, message, receipt);
    } else {
        receive_datagram(link, sender, message);
    }
}

/* ---- settings that change while the node runs ---- */

static void apply(struct fault_link *link, const struct fault_settings *settings)
{
    struct text self = link->faults.self;

    if (fault_settings_equal(settings, &link->faults.settings)) {
        return;
    }
    faults_init(&link->faults, settings, self);
    link->active = fault_settings_active(settings);
    if (log_begin(link->log, LOG_INFO, "fault")) {
        char delay[32];
        snprintf(delay, sizeof delay, "%u-%u", settings->delay_min_ms, settings->delay_max_ms);
        log_text(link->log, "fault", text_of("settings"));
        log_text(link->log, "delay_ms", text_of(delay));
        log_double(link->log, "loss", settings->loss);
        log_double(link->log, "duplicate", settings->duplicate);
        log_text(link->log, "partition", text_of(settings->partition));
        log_end(link->log);
    }
    if (link->transport == FAULT_STREAMS) {
        fault_stream_release(link); /* a partition may have healed */
    }
}

/* The whole file, of at most FILE_MAX bytes; false, with errno, if it cannot be read. */
static bool read_small_file(const char *path, struct buffer *content)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return false;
    }
    ssize_t length = read(descriptor, buffer_reserve(content, FILE_MAX + 1), FILE_MAX + 1);
    int reason = length > FILE_MAX ? EFBIG : errno;
    close(descriptor);
    errno = reason;
    content->length = length > 0 ? (size_t)length : 0;
    return length >= 0 && length <= FILE_MAX;
}

/* Reads the file anew. One that is not there means the environment's settings; a bad one changes nothing. */
static void reload(struct fault_link *link)
{
    struct fault_settings settings = link->from_environment;
    struct buffer content = {0};
    struct error error;
    int code = 0;

    if (read_small_file(link->file, &content)) {
        code = fault_settings_read_json(&settings, buffer_text(&content), &error);
    } else if (errno != ENOENT) {
        code = error_set(&error, ERROR_FILE, "%s", strerrordesc_np(errno));
    }
    buffer_free(&content);
    if (code != 0) {
        log_say(link->log, LOG_WARNING, "fault", "NET_FAULTS_FILE %s is ignored: %s", link->file, error.text);
        return;
    }
    apply(link, &settings);
}

static void on_file_changed(struct file_watch *watch)
{
    reload(container_of(watch, struct fault_link, file_watch));
}

/* ---- opening and closing ---- */

int fault_link_open(struct fault_link *link, enum fault_transport transport, uv_loop_t *loop, struct log *log,
                    struct text self, struct error *error)
{
    struct fault_settings settings;
    int code = fault_settings_read(&settings, error);

    if (code != 0) {
        return code;
    }
    link->transport = transport;
    link->loop = loop;
    link->log = log;
    link->delayed = NULL;
    link->delayed_count = 0;
    link->streams = NULL;
    uv_timer_init(loop, &link->release);
    link->from_environment = settings;
    faults_init(&link->faults, &(struct fault_settings){0}, self);
    link->active = false;
    link->file = config_text("NET_FAULTS_FILE", NULL);
    apply(link, &settings);
    if (link->file != NULL) {
        link->file_watch.on_change = on_file_changed;
        file_watch_open(&link->file_watch, loop, link->file);
        reload(link);
    }
    return 0;
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
    if (link->file != NULL) {
        file_watch_close(&link->file_watch);
    }
}
