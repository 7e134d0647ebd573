#include "common/net/http2_wire.h"

#include "common/container_of.h"

#define FRAME_HEAD_SIZE 9

static nghttp2_session *session_of(const struct wire *wire)
{
    return container_of(wire, struct http2_wire, wire)->session;
}

static const char *read_bytes(struct wire *wire, const char *bytes, size_t length)
{
    ssize_t used = nghttp2_session_mem_recv(session_of(wire), (const uint8_t *)bytes, length);
    return used < 0 ? nghttp2_strerror((int)used) : NULL;
}

/* Asks nghttp2 for frames until there is enough for one write. */
static const char *collect(struct wire *wire, struct buffer *output)
{
    nghttp2_session *session = session_of(wire);
    const uint8_t *bytes;
    ssize_t length;

    do {
        length = nghttp2_session_mem_send(session, &bytes);
        if (length < 0) {
            return nghttp2_strerror((int)length);
        }
        buffer_add(output, (const char *)bytes, (size_t)length);
    } while (length > 0 && !wire->closing && output->length < WIRE_OUTPUT_SIZE);
    return NULL;
}

static bool is_done(const struct wire *wire)
{
    nghttp2_session *session = session_of(wire);
    return nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0;
}

static void free_session(struct wire *wire)
{
    struct http2_wire *http2 = container_of(wire, struct http2_wire, wire);

    nghttp2_session_del(http2->session);
    http2->session = NULL;
}

const struct wire_protocol http2_protocol = {read_bytes, collect, is_done, free_session};

int http2_wire_add_data(struct http2_wire *http2, const uint8_t *head, const char *bytes, size_t length)
{
    struct buffer *output = &http2->wire.hub->output;

    buffer_add(output, (const char *)head, FRAME_HEAD_SIZE);
    buffer_add(output, bytes, length);
    return output->length >= WIRE_OUTPUT_SIZE ? NGHTTP2_ERR_PAUSE : 0;
}
