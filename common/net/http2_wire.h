/* HTTP/2 on a wire: an nghttp2 session, for the server as for the client. */
#ifndef ORDEM_HTTP2_WIRE_H
#define ORDEM_HTTP2_WIRE_H

#include "common/net/wire.h"

#include <nghttp2/nghttp2.h>
#include <stddef.h>
#include <stdint.h>

struct http2_wire {
    struct wire wire;
    nghttp2_session *session; /* made by the caller before wire_start, and freed with the wire; NULL before */
};

extern const struct wire_protocol http2_protocol;

/* For nghttp2's send_data_callback: the frame's head and its bytes. Returns what the callback is to return. */
int http2_wire_add_data(struct http2_wire *http2, const uint8_t *head, const char *bytes, size_t length);

#endif
