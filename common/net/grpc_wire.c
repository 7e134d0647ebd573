#include "common/net/grpc_wire.h"

#include "common/container_of.h"
#include "common/memory.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <utlist.h>

#define KEEPALIVE_S     60 /* then the kernel asks whether a silent peer is still there */
#define WRITES_A_TURN   16 /* of one wire; then the others have their turn */
#define FRAME_HEAD_SIZE 9

/* ---- the hub ---- */

static void flush(struct grpc_wire *wire);

static void on_turn(uv_idle_t *handle)
{
    struct grpc_hub *hub = container_of(handle, struct grpc_hub, turn);
    struct grpc_wire *wire;
    size_t count = 0;

    DL_COUNT(hub->dirty, wire, count);
    for (; count > 0 && hub->dirty != NULL; count--) { /* those that are touched meanwhile stand behind */
        wire = hub->dirty;
        DL_DELETE(hub->dirty, wire);
        wire->dirty = false;
        flush(wire);
    }
    if (hub->dirty == NULL) {
        uv_idle_stop(handle);
    }
}

void grpc_hub_open(struct grpc_hub *hub, uv_loop_t *loop)
{
    hub->loop = loop;
    hub->dirty = NULL;
    hub->input = memory_new(GRPC_INPUT_SIZE);
    hub->output = (struct buffer){0};
    uv_idle_init(loop, &hub->turn);
}

static void on_hub_closed(uv_handle_t *handle)
{
    struct grpc_hub *hub = container_of((uv_idle_t *)handle, struct grpc_hub, turn);

    free(hub->input);
    hub->input = NULL;
    buffer_free(&hub->output);
    hub->on_closed(hub);
}

void grpc_hub_close(struct grpc_hub *hub)
{
    uv_close((uv_handle_t *)&hub->turn, on_hub_closed);
}

/* ---- opening and closing ---- */

int grpc_wire_init(struct grpc_wire *wire, struct grpc_hub *hub)
{
    wire->hub = hub;
    wire->session = NULL;
    wire->misused = wire->dirty = wire->reading = wire->closing = wire->lingering = wire->writing = false;
    wire->unsent = (struct buffer){0};
    wire->handed = 0;
    wire->progress_ms = uv_now(hub->loop);
    return uv_tcp_init(hub->loop, &wire->tcp);
}

static void on_closed(uv_handle_t *handle)
{
    struct grpc_wire *wire = container_of((uv_tcp_t *)handle, struct grpc_wire, tcp);

    nghttp2_session_del(wire->session);
    wire->session = NULL;
    buffer_free(&wire->unsent);
    wire->on_closed(wire);
}

void grpc_wire_lose(struct grpc_wire *wire, const char *why)
{
    if (wire->closing) {
        return;
    }
    wire->closing = true;
    if (wire->dirty) {
        DL_DELETE(wire->hub->dirty, wire);
        wire->dirty = false;
    }
    uv_close((uv_handle_t *)&wire->tcp, on_closed);
    wire->on_lost(wire, why);
}

void grpc_wire_close(struct grpc_wire *wire)
{
    grpc_wire_lose(wire, NULL);
}

static void on_shut_down(uv_shutdown_t *request, int status)
{
    struct grpc_wire *wire = container_of(request, struct grpc_wire, request.shutdown);
    if (status != 0) {
        grpc_wire_lose(wire, uv_strerror(status));
    }
}

/* Both sides have said all. Closing a socket that holds unread bytes resets the connection, and the peer might lose the
 * last replies by that. */
static void finish(struct grpc_wire *wire)
{
    if (!wire->lingers) {
        grpc_wire_lose(wire, "the connection is done");
        return;
    }
    wire->lingering = true;
    wire->progress_ms = uv_now(wire->hub->loop);
    grpc_wire_pause(wire, false);
    if (uv_shutdown(&wire->request.shutdown, (uv_stream_t *)&wire->tcp, on_shut_down) != 0) {
        grpc_wire_lose(wire, NULL);
    }
}

/* ---- reading ---- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct grpc_wire *wire = container_of((uv_tcp_t *)handle, struct grpc_wire, tcp);
    (void)suggested;
    *room = uv_buf_init(wire->hub->input, GRPC_INPUT_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    struct grpc_wire *wire = container_of((uv_tcp_t *)stream, struct grpc_wire, tcp);

    if (length < 0) {
        grpc_wire_lose(wire, length == UV_EOF ? "the peer closed the connection" : uv_strerror((int)length));
        return;
    }
    if (length == 0 || wire->lingering) {
        return;
    }
    ssize_t used = nghttp2_session_mem_recv(wire->session, (const uint8_t *)bytes->base, (size_t)length);
    if (wire->closing) {
        return; /* somebody closed it in a callback */
    }
    if (used < 0) {
        wire->misused = true;
        grpc_wire_lose(wire, nghttp2_strerror((int)used));
    } else {
        grpc_wire_touch(wire);
    }
}

void grpc_wire_pause(struct grpc_wire *wire, bool pause)
{
    if (pause && wire->reading) {
        uv_read_stop((uv_stream_t *)&wire->tcp);
        wire->reading = false;
    } else if (!pause && !wire->reading && !wire->closing) {
        wire->reading = uv_read_start((uv_stream_t *)&wire->tcp, on_room, on_read) == 0;
    }
}

int grpc_wire_start(struct grpc_wire *wire, nghttp2_session *session, unsigned silence_ms)
{
    uv_os_fd_t socket_fd;

    wire->session = session;
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

void grpc_wire_touch(struct grpc_wire *wire)
{
    struct grpc_hub *hub = wire->hub;

    if (wire->dirty || wire->closing) {
        return;
    }
    wire->dirty = true;
    DL_APPEND(hub->dirty, wire);
    if (!uv_is_active((uv_handle_t *)&hub->turn)) {
        uv_idle_start(&hub->turn, on_turn);
    }
}

int grpc_wire_add_data(struct grpc_wire *wire, const uint8_t *head, const char *bytes, size_t length)
{
    struct buffer *output = &wire->hub->output;

    buffer_add(output, (const char *)head, FRAME_HEAD_SIZE);
    buffer_add(output, bytes, length);
    return output->length >= GRPC_OUTPUT_SIZE ? NGHTTP2_ERR_PAUSE : 0;
}

uint64_t grpc_wire_position(const struct grpc_wire *wire)
{
    return wire->handed + wire->hub->output.length;
}

static void on_written(uv_write_t *request, int status)
{
    struct grpc_wire *wire = container_of(request, struct grpc_wire, request.write);

    wire->writing = false;
    buffer_free(&wire->unsent);
    if (status != 0) {
        grpc_wire_lose(wire, uv_strerror(status));
        return;
    }
    wire->progress_ms = uv_now(wire->hub->loop);
    grpc_wire_touch(wire);
}

/* Writes what was collected; false if not all of it could be. */
static bool write_out(struct grpc_wire *wire)
{
    struct buffer *output = &wire->hub->output;
    uv_buf_t bytes = uv_buf_init(output->bytes, (unsigned)output->length);
    int written = uv_try_write((uv_stream_t *)&wire->tcp, &bytes, 1);

    if (written < 0 && written != UV_EAGAIN) {
        grpc_wire_lose(wire, uv_strerror(written));
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
        grpc_wire_lose(wire, uv_strerror(status));
    }
    return false;
}

/* Asks nghttp2 for frames until there is enough for one write; false if the connection broke. */
static bool collect(struct grpc_wire *wire)
{
    struct buffer *output = &wire->hub->output;
    const uint8_t *bytes;
    ssize_t length;

    buffer_clear(output);
    do {
        length = nghttp2_session_mem_send(wire->session, &bytes);
        if (wire->closing) {
            return false;
        }
        if (length < 0) {
            grpc_wire_lose(wire, nghttp2_strerror((int)length));
            return false;
        }
        buffer_add(output, (const char *)bytes, (size_t)length);
    } while (length > 0 && output->length < GRPC_OUTPUT_SIZE);
    return true;
}

static void flush(struct grpc_wire *wire)
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
            grpc_wire_touch(wire);
            break;
        }
        if (wire->closing || !collect(wire)) {
            return;
        }
        more = wire->hub->output.length >= GRPC_OUTPUT_SIZE;
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
    if (!wire->writing && !wire->closing && nghttp2_session_want_read(wire->session) == 0 &&
        nghttp2_session_want_write(wire->session) == 0) {
        finish(wire);
    }
}
