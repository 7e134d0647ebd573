#include "common/net/wire.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#define KEEPALIVE_S   60 /* then the kernel asks whether a silent peer is still there */
#define WRITES_A_TURN 16 /* of one wire; then the others have their turn */

/* ---- the hub ---- */

static void flush(struct wire *wire);

/* Nothing is to be sent for it in this turn any more; was there something? */
static bool untouch(struct wire *wire)
{
    bool was_dirty = wire->dirty;

    if (was_dirty) {
        DL_DELETE(wire->hub->dirty, wire);
        wire->dirty = false;
    }
    return was_dirty;
}

static void on_turn(uv_idle_t *handle)
{
    struct wire_hub *hub = container_of(handle, struct wire_hub, turn);
    struct wire *wire;
    size_t count = 0;

    DL_COUNT(hub->dirty, wire, count);
    for (; count > 0 && hub->dirty != NULL; count--) { /* those that are touched meanwhile stand behind */
        wire = hub->dirty;
        untouch(wire);
        flush(wire);
    }
    if (hub->dirty == NULL) {
        uv_idle_stop(handle);
    }
}

void wire_hub_open(struct wire_hub *hub, uv_loop_t *loop, const struct wire_protocol *protocol)
{
    hub->protocol = protocol;
    hub->loop = loop;
    hub->dirty = NULL;
    hub->input = memory_new(WIRE_INPUT_SIZE);
    hub->output = (struct buffer){0};
    uv_idle_init(loop, &hub->turn);
}

static void on_hub_closed(uv_handle_t *handle)
{
    struct wire_hub *hub = container_of((uv_idle_t *)handle, struct wire_hub, turn);

    free(hub->input);
    hub->input = NULL;
    buffer_free(&hub->output);
    hub->on_closed(hub);
}

void wire_hub_close(struct wire_hub *hub)
{
    uv_close((uv_handle_t *)&hub->turn, on_hub_closed);
}

/* ---- opening and closing ---- */

int wire_init(struct wire *wire, struct wire_hub *hub)
{
    wire->hub = hub;
    wire->misused = wire->dirty = wire->reading = wire->closing = wire->lingering = wire->writing = false;
    wire->unsent = (struct buffer){0};
    wire->handed = 0;
    wire->progress_ms = uv_now(hub->loop);
    return uv_tcp_init(hub->loop, &wire->tcp);
}

static void on_closed(uv_handle_t *handle)
{
    struct wire *wire = container_of((uv_tcp_t *)handle, struct wire, tcp);

    wire->hub->protocol->free(wire);
    buffer_free(&wire->unsent);
    wire->on_closed(wire);
}

void wire_lose(struct wire *wire, const char *why)
{
    if (wire->closing) {
        return;
    }
    wire->closing = true;
    untouch(wire);
    uv_close((uv_handle_t *)&wire->tcp, on_closed);
    wire->on_lost(wire, why);
}

void wire_close(struct wire *wire)
{
    wire_lose(wire, NULL);
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    struct wire *wire = container_of(request, struct wire, request.shutdown);
    if (status != 0) {
        wire_lose(wire, uv_strerror(status));
    }
}

/* Both sides have said all. Closing a socket that holds unread bytes resets the connection, and the peer might lose the
 * last replies by that. */
static void finish(struct wire *wire)
{
    if (!wire->lingers) {
        wire_lose(wire, "the connection is done");
        return;
    }
    wire->lingering = true;
    wire->progress_ms = uv_now(wire->hub->loop);
    wire_pause(wire, false);
    if (uv_shutdown(&wire->request.shutdown, (uv_stream_t *)&wire->tcp, on_shut_down) != 0) {
        wire_lose(wire, NULL);
    }
}

/* ---- reading ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct wire *wire = container_of((uv_tcp_t *)handle, struct wire, tcp);
    (void)suggested;
    *room = uv_buf_init(wire->hub->input, WIRE_INPUT_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct wire *wire = container_of((uv_tcp_t *)stream, struct wire, tcp);

    if (length < 0) {
        wire_lose(wire, length == UV_EOF ? "the peer closed the connection" : uv_strerror((int)length));
        return;
    }
    if (length == 0 || wire->lingering) {
        return;
    }
    const char *wrong = wire->hub->protocol->read(wire, bytes->base, (size_t)length);
    if (wire->closing) {
        return; /* somebody closed it in a callback */
    }
    if (wrong != NULL) {
        wire->misused = true;
        wire_lose(wire, wrong);
    } else {
        wire_touch(wire);
    }
}

void wire_pause(struct wire *wire, bool pause)
{
    if (pause && wire->reading) {
        uv_read_stop((uv_stream_t *)&wire->tcp);
        wire->reading = false;
    } else if (!pause && !wire->reading && !wire->closing) {
        wire->reading = uv_read_start((uv_stream_t *)&wire->tcp, on_room, on_read) == 0;
    }
}

int wire_start(struct wire *wire, unsigned silence_ms)
{
    uv_os_fd_t socket_fd;

    wire->progress_ms = uv_now(wire->hub->loop);
    /* What these cannot set works without, only less well. */
    (void)uv_tcp_nodelay(&wire->tcp, 1);
    (void)uv_tcp_keepalive(&wire->tcp, 1, KEEPALIVE_S);
    if (uv_fileno((uv_handle_t *)&wire->tcp, &socket_fd) == 0) {
        (void)setsockopt(socket_fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
    }
    int status = uv_read_start((uv_stream_t *)&wire->tcp, on_room, on_read);
    wire->reading = status == 0;
    return status;
}

/* ---- writing ---- */

void wire_touch(struct wire *wire)
{
    struct wire_hub *hub = wire->hub;

    if (wire->dirty || wire->closing) {
        return;
    }
    wire->dirty = true;
    DL_APPEND(hub->dirty, wire);
    if (!uv_is_active((uv_handle_t *)&hub->turn)) {
        uv_idle_start(&hub->turn, on_turn);
    }
}

uint64_t wire_position(const struct wire *wire)
{
    return wire->handed + wire->hub->output.length;
}

static void on_written(uv_write_t *request, int status)
{
    struct wire *wire = container_of(request, struct wire, request.write);

    wire->writing = false;
    buffer_free(&wire->unsent);
    if (status != 0) {
        wire_lose(wire, uv_strerror(status));
        return;
    }
    wire->progress_ms = uv_now(wire->hub->loop);
    wire_touch(wire);
}

/* Writes what was collected; false if not all of it could be. */
static bool write_out(struct wire *wire)
{
    struct buffer *output = &wire->hub->output;
    uv_buf_t bytes = uv_buf_init(output->bytes, (unsigned)output->length);
    int written = uv_try_write((uv_stream_t *)&wire->tcp, &bytes, 1);

    if (written < 0 && written != UV_EAGAIN) {
        wire_lose(wire, uv_strerror(written));
        return false;
    }
    size_t done = written > 0 ? (size_t)written : 0;
    wire->handed += output->length;
    if (done > 0) {
        wire->progress_ms = uv_now(wire->hub->loop);
    }
    if (done == output->length) {
        buffer_clear(output);
        return true;
    }
    buffer_add(&wire->unsent, output->bytes + done, output->length - done);
    buffer_clear(output);
    bytes = uv_buf_init(wire->unsent.bytes, (unsigned)wire->unsent.length);
    wire->writing = true;
    int status = uv_write(&wire->request.write, (uv_stream_t *)&wire->tcp, &bytes, 1, on_written);
    if (status != 0) {
        wire->writing = false;
        wire_lose(wire, uv_strerror(status));
    }
    return false;
}

/* Collects enough for one write; false if the connection broke. */
static bool collect(struct wire *wire)
{
    buffer_clear(&wire->hub->output);
    const char *why = wire->hub->protocol->collect(wire, &wire->hub->output);
    if (why != NULL && !wire->closing) {
        wire_lose(wire, why);
    }
    return !wire->closing;
}

static void flush(struct wire *wire)
{
    bool more = true;

    if (wire->writing || wire->lingering) {
        return;
    }
    if (wire->before_flush != NULL) {
        wire->before_flush(wire);
    }
    for (int writes = 0; more && !wire->writing; writes++) {
        if (writes == WRITES_A_TURN) {
            wire_touch(wire);
            break;
        }
        if (wire->closing || !collect(wire)) {
            return;
        }
        more = wire->hub->output.length >= WIRE_OUTPUT_SIZE;
        if (wire->hub->output.length > 0) {
            (void)write_out(wire);
        }
    }
    if (wire->closing) {
        return;
    }
    if (wire->on_flushed != NULL) {
        wire->on_flushed(wire);
    }
    if (!wire->writing && !wire->closing && wire->hub->protocol->is_done(wire)) {
        finish(wire);
    }
}

void wire_close_after_flush(struct wire *wire)
{
    if (untouch(wire)) {
        flush(wire);
    }
    wire_close(wire);
}
