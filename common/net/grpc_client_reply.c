/* What a server answers: headers, a message, trailers, and what becomes of the call by that. */
#include "common/net/grpc_client_connection.h"

static inline bool is_text(struct text text, const char *wanted)
{
    return text_equal(text, text_of(wanted));
}

/* A small whole number; -1 if it is none. */
static int read_number(struct text digits)
{
    int number = 0;

    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9' || i == 4) {
            return -1;
        }
        number = number * 10 + (digits.bytes[i] - '0');
    }
    return digits.length > 0 ? number : -1;
}

static void refuse_reply(struct grpc_request *request, int status, const struct error *why)
{
    grpc_client_connection_cancel(request);
    grpc_request_abandon(request, status, why, true);
}

void grpc_request_header(struct grpc_request *request, struct text name, struct text value)
{
    request->header_bytes += name.length + value.length;
    if (request->header_bytes > GRPC_REPLY_HEADERS_MAX) {
        struct error error;
        error_set(&error, ERROR_TOO_LONG, "the reply's headers are too long");
        refuse_reply(request, GRPC_INTERNAL, &error);
    } else if (is_text(name, "grpc-status")) {
        request->grpc_status = read_number(value);
    } else if (is_text(name, ":status")) {
        request->http_status = read_number(value);
    } else if (is_text(name, "content-type")) {
        request->is_grpc = grpc_content_type_is_grpc(value);
    } else if (is_text(name, "grpc-message")) {
        buffer_clear(&request->sentence);
        grpc_sentence_decode(&request->sentence, value);
    }
}

void grpc_request_data(struct grpc_request *request, const uint8_t *bytes, size_t length)
{
    struct error error;

    if (!request->is_grpc) {
        return; /* another kind of page is of no use, and may be long */
    }
    enum grpc_status status = grpc_reader_feed(&request->reader, bytes, length, &error);
    if (status != GRPC_OK) {
        refuse_reply(request, (int)status, &error);
    }
}

/* What a proxy means that answers with a status of HTTP (grpc/doc/http-grpc-status-mapping.md). */
static int status_of_http(int http_status)
{
    switch (http_status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

void grpc_request_conclude(struct grpc_request *request)
{
    struct text sentence = buffer_text(&request->sentence);
    struct error error;

    if (request->taken <
        request->frame_length) { /* answered before it was asked: the rest need not be sent */
        grpc_client_connection_cancel(request);
    }
    if (request->grpc_status > GRPC_OK) {
        if (sentence.length == 0) {
            sentence = text_of(grpc_status_name(request->grpc_status));
        }
        grpc_request_finish(request, request->grpc_status, sentence, true);
    } else if (request->http_status != 200) {
        error_set(&error, ERROR_NETWORK, "the server answered with status %d of HTTP", request->http_status);
        grpc_request_abandon(request, status_of_http(request->http_status), &error, true);
    } else if (!request->is_grpc || request->grpc_status != GRPC_OK) {
        error_set(&error, ERROR_NETWORK, "the server's answer is not one of gRPC");
        grpc_request_abandon(request, GRPC_UNKNOWN, &error, true);
    } else {
        int status = (int)grpc_reader_end(&request->reader, &error);
        if (status == GRPC_OK) {
            grpc_request_finish(request, status, buffer_text(&request->reader.message), true);
        } else {
            grpc_request_abandon(request, status, &error, true);
        }
    }
}

void grpc_request_fail(struct grpc_request *request, uint32_t code)
{
    struct error error;
    int status = GRPC_INTERNAL;

    if (code == NGHTTP2_REFUSED_STREAM && (request->connection->retired || !request->repeated)) {
        request->repeated = !request->connection->retired;
        grpc_request_requeue(request); /* the server promises that it did nothing */
        return;
    }
    if (code == NGHTTP2_REFUSED_STREAM) {
        status = GRPC_UNAVAILABLE;
    } else if (code == NGHTTP2_CANCEL) {
        status = GRPC_CANCELLED;
    } else if (code == NGHTTP2_ENHANCE_YOUR_CALM) {
        status = GRPC_RESOURCE_EXHAUSTED;
    }
    error_set(&error, ERROR_NETWORK, "the server ended the call");
    error_because(&error, nghttp2_http2_strerror(code));
    grpc_request_abandon(request, status, &error, code != NGHTTP2_REFUSED_STREAM);
}
