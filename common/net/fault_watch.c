#include "common/net/fault_watch.h"

#include "common/buffer.h"
#include "common/config.h"
#include "common/container_of.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 65536 /* bytes of NET_FAULTS_FILE */

static void apply(struct fault_watch *watch, const struct fault_settings *settings)
{
    if (fault_settings_equal(settings, &watch->settings)) {
        return;
    }
    watch->settings = *settings;
    watch->active = fault_settings_active(settings);
    if (log_begin(watch->log, LOG_INFO, "fault")) {
        char delay[32];
        snprintf(delay, sizeof delay, "%u-%u", settings->delay_min_ms, settings->delay_max_ms);
        log_text(watch->log, "fault", text_of("settings"));
        log_text(watch->log, "delay_ms", text_of(delay));
        log_double(watch->log, "loss", settings->loss);
        log_double(watch->log, "duplicate", settings->duplicate);
        log_text(watch->log, "partition", text_of(settings->partition));
        log_end(watch->log);
    }
    watch->on_change(watch);
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
static void reload(struct fault_watch *watch)
{
    struct fault_settings settings = watch->from_environment;
    struct buffer content = {0};
    struct error error;
    int code = 0;

    if (read_small_file(watch->file, &content)) {
        code = fault_settings_read_json(&settings, buffer_text(&content), &error);
    } else if (errno != ENOENT) {
        code = error_set(&error, ERROR_FILE, "%s", strerrordesc_np(errno));
    }
    buffer_free(&content);
    if (code != 0) {
        log_say(watch->log, LOG_WARNING, "fault", "NET_FAULTS_FILE %s is ignored: %s", watch->file,
                error.text);
        return;
    }
    apply(watch, &settings);
}

static void on_file_changed(struct file_watch *file_watch)
{
    reload(container_of(file_watch, struct fault_watch, file_watch));
}

int fault_watch_open(struct fault_watch *watch, uv_loop_t *loop, struct log *log, struct error *error)
{
    struct fault_settings settings;
    int code = fault_settings_read(&settings, error);

    if (code != 0) {
        return code;
    }
    watch->settings = (struct fault_settings){0};
    watch->active = false;
    watch->from_environment = settings;
    watch->log = log;
    watch->file = config_text("NET_FAULTS_FILE", NULL);
    apply(watch, &settings);
    if (watch->file != NULL) {
        watch->file_watch.on_change = on_file_changed;
        file_watch_open(&watch->file_watch, loop, watch->file);
        reload(watch);
    }
    return 0;
}

void fault_watch_close(struct fault_watch *watch)
{
    if (watch->file != NULL) {
        file_watch_close(&watch->file_watch);
    }
}
