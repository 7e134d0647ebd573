/* A server that answers every request with what it was asked, for the tests of common/net/http_server:
 *
 *     http_echo          prints its port, and serves until its standard input ends
 *
 * GET /later answers after 50 ms, GET /late after 2.5 s, GET /never not at all, GET /big with 8 MiB, POST /echo with the
 * body; anything else with {"method":…,"path":…,"query":…,"body":…} and the header X-Path. */
#include "common/buffer.h"
#include "common/container_of.h"
#include "common/json.h"
#include "common/memory.h"
#include "common/net/http_server.h"

#include <stdio.h>
#include <stdlib.h>

#define LATER_MS 50
#define LATE_MS  2500 /* which is less than the grace */
#define GRACE_MS 3000
#define BIG      (8 * 1024 * 1024)

struct later {
    uv_timer_t timer;
    struct http_exchange *exchange;
};

static struct http_server server;
static struct http_exchange *never[16];
static size_t never_count;
static uv_pipe_t input;

static void on_later_closed(uv_handle_t *handle)
{
    free(container_of((uv_timer_t *)handle, struct later, timer));
}

static void on_later(uv_timer_t *timer)
{
    struct later *later = container_of(timer, struct later, timer);

    http_reply(later->exchange, HTTP_OK, "text/plain", text_of("later\n"));
    uv_close((uv_handle_t *)timer, on_later_closed);
}

static void answer_later(struct http_exchange *exchange, uint64_t delay_ms)
{
    struct later *later = memory_new_zeroed(1, sizeof *later);

    later->exchange = exchange;
    uv_timer_init(server.hub.loop, &later->timer);
    uv_timer_start(&later->timer, on_later, delay_ms, 0);
}

static void answer_big(struct http_exchange *exchange)
{
    char *bytes = memory_new(BIG);

    for (size_t i = 0; i < BIG; i++) {
        bytes[i] = (char)('a' + i % 26);
    }
    http_reply(exchange, HTTP_OK, "application/octet-stream", (struct text){bytes, BIG});
    free(bytes);
}

static void describe(struct http_exchange *exchange, const struct http_request *request)
{
    struct buffer out = {0};
    struct buffer path = {0};

    if (!http_decode(request->path, false, &path)) {
        http_fail(exchange, HTTP_BAD_REQUEST, "the path is not rightly encoded");
        buffer_free(&path);
        return;
    }
    buffer_add_string(&out, "{\"method\":");
    json_write_string(&out, request->method);
    buffer_add_string(&out, ",\"path\":");
    json_write_string(&out, buffer_text(&path));
    buffer_add_string(&out, ",\"query\":");
    json_write_string(&out, request->query);
    buffer_add_format(&out, ",\"body\":%zu}", request->body.length);
    http_add_header(exchange, "X-Path", buffer_text(&path));
    http_reply(exchange, HTTP_OK, "application/json", buffer_text(&out));
    buffer_free(&out);
    buffer_free(&path);
}

static void on_request(struct http_server *same, struct http_exchange *exchange,
                       const struct http_request *request)
{
    (void)same;
    if (text_equal(request->path, text_of("/later"))) {
        answer_later(exchange, LATER_MS);
    } else if (text_equal(request->path, text_of("/late"))) {
        answer_later(exchange, LATE_MS);
    } else if (text_equal(request->path, text_of("/never")) && never_count < 16) {
        never[never_count++] = exchange;
    } else if (text_equal(request->path, text_of("/big"))) {
        answer_big(exchange);
    } else if (text_equal(request->path, text_of("/echo"))) {
        http_reply(exchange, HTTP_OK, "application/octet-stream", request->body);
    } else {
        describe(exchange, request);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    static char bytes[64];
    (void)handle, (void)suggested;
    *room = uv_buf_init(bytes, sizeof bytes);
}

static void on_input(uv_stream_t *stream, ssize_t length, const uv_buf_t *bytes)
{
    (void)bytes;
    if (length < 0) {
        uv_close((uv_handle_t *)stream, NULL);
        http_server_close(&server, GRACE_MS);
    }
}

int main(void)
{
    uv_loop_t *loop = uv_default_loop();
    struct log_options options;
    struct log log = {0};
    struct error error;

    server.on_request = on_request;
    if (log_options_read(&options, "echo", &error) != 0 || log_open(&log, &options, &error) != 0) {
        fprintf(stderr, "http_echo: %s\n", error.text);
        return EXIT_FAILURE;
    }
    if (http_server_open(&server, loop, &log, "127.0.0.1", 0, &error) != 0) {
        fprintf(stderr, "http_echo: %s\n", error.text);
        return EXIT_FAILURE;
    }
    printf("%u\n", (unsigned)server.port);
    fflush(stdout);
    uv_pipe_init(loop, &input, 0);
    if (uv_pipe_open(&input, 0) != 0 || uv_read_start((uv_stream_t *)&input, on_room, on_input) != 0) {
        return EXIT_FAILURE;
    }
    uv_run(loop, UV_RUN_DEFAULT);
    while (never_count > 0) { /* its owner may answer after the server is gone */
        http_fail(never[--never_count], HTTP_UNAVAILABLE, "too late");
    }
    uv_loop_close(loop);
    log_close(&log);
    return 0;
}
