#include "common/log_sink.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A crash may have cut the last line of an earlier run. */
static bool ends_inside_line(const char *path)
{
    struct stat status;
    char last = '\n';
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
        pread(descriptor, &last, 1, status.st_size - 1) != 1) {
        last = '\n'; /* not readable: leave it as it is */
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return last != '\n';
}

int log_sink_open(struct log_sink *sink, const char *path, struct error *error)
{
    *sink = (struct log_sink){.descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    if (sink->descriptor < 0) {
        error_set(error, ERROR_FILE, "LOG_FILE %s cannot be opened", path);
        error_because_errno(error, errno);
        return ERROR_FILE;
    }
    if (ends_inside_line(path)) {
        buffer_add_char(&sink->pending, '\n');
    }
    return 0;
}

void log_sink_add(struct log_sink *sink, const struct buffer *line, const char *end)
{
    if (sink->descriptor < 0) {
        return;
    }
    if (sink->failed) {
        sink->lost_lines++;
        return;
    }
    buffer_add(&sink->pending, line->bytes, line->length);
    buffer_add_string(&sink->pending, end);
}

/* Writes all that is pending; false, with errno, if the destination takes no more. What it did take is gone. */
static bool write_pending(struct log_sink *sink)
{
    size_t done = 0;

    while (done < sink->pending.length) {
        ssize_t written = write(sink->descriptor, sink->pending.bytes + done, sink->pending.length - done);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            break;
        }
        done += (size_t)written;
    }
    if (done > 0) {
        sink->torn = sink->pending.bytes[done - 1] != '\n';
    }
    bool complete = done == sink->pending.length;
    for (size_t i = done; i < sink->pending.length; i++) {
        sink->lost_lines += sink->pending.bytes[i] == '\n';
    }
    buffer_clear(&sink->pending);
    return complete;
}

static void retry(struct log_sink *sink, const char *node)
{
    char now[CLOCK_TEXT_LENGTH + 1];
    uint64_t lost = sink->lost_lines;

    clock_format(clock_wall_us(), now);
    buffer_add_string(&sink->pending, sink->torn ? "\n" : "");
    buffer_add_format(&sink->pending,
                      "{\"ts\":\"%s\",\"level\":\"error\",\"node\":\"%s\",\"event\":\"fault\","
                      "\"fault\":\"log_gap\",\"lines\":%" PRIu64 "}\n",
                      now, node, lost);
    if (write_pending(sink)) {
        sink->failed = false;
        sink->lost_lines = 0;
    } else {
        sink->lost_lines = lost; /* the line about the gap is not one of those that it tells of */
    }
}

bool log_sink_flush(struct log_sink *sink, const char *node)
{
    if (sink->failed) {
        if (sink->lost_lines > 0) {
            retry(sink, node);
        }
        return true;
    }
    sink->failed = !write_pending(sink);
    return !sink->failed;
}

void log_sink_free(struct log_sink *sink)
{
    buffer_free(&sink->pending);
}
