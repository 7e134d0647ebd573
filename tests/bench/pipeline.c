#include "tests/bench/pipeline.h"

#include "common/container_of.h"
#include "common/net/target.h"
#include "tests/bench/bench.h"

#define SILENCE_MS 60000 /* a server that does not even acknowledge for so long is gone */

static llhttp_settings_t settings;

static void give_up(const struct pipeline *pipeline, const char *why)
{
    fprintf(stderr, "%s: %s\n", pipeline->target, why);
    exit(1);
}

/* ---- answers ---- */

static int on_body(llhttp_t *parser, const char *bytes, size_t length)
{
    buffer_add(&container_of(parser, struct pipeline, parser)->body, bytes, length);
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct pipeline *pipeline = container_of(parser, struct pipeline, parser);
    struct pipeline_ask *ask = pipeline->first;

    if (ask == NULL) {
        give_up(pipeline, "an answer that nobody asked for");
        return HPE_USER;
    }
    pipeline->first = ask->next;
    ask->on_answer(ask, parser->status_code, buffer_text(&pipeline->body));
    buffer_clear(&pipeline->body);
    return 0;
}

static const char *read_bytes(struct wire *wire, const char *bytes, size_t length)
{
    llhttp_t *parser = &container_of(wire, struct pipeline, wire)->parser;

    return llhttp_execute(parser, bytes, length) == HPE_OK ? NULL : "what it answers is not HTTP";
}

/* ---- requests ---- */

static const char *collect(struct wire *wire, struct buffer *output)
{
    struct pipeline *pipeline = container_of(wire, struct pipeline, wire);

    if (pipeline->connected) {
        buffer_add(output, pipeline->requests.bytes, pipeline->requests.length);
        buffer_clear(&pipeline->requests);
    }
    return NULL;
}

void pipeline_post(struct pipeline *pipeline, struct pipeline_ask *ask, const char *path, struct text body)
{
    struct buffer *out = &pipeline->requests;

    buffer_add_string(out, "POST ");
    buffer_add_string(out, path);
    buffer_add_string(out, " HTTP/1.1\r\nHost: ");
    buffer_add_string(out, pipeline->target);
    buffer_add_string(out, "\r\nContent-Type: application/json\r\nContent-Length: ");
    buffer_add_int(out, (int64_t)body.length);
    buffer_add_string(out, "\r\n\r\n");
    buffer_add(out, body.bytes, body.length);
    ask->next = NULL;
    if (pipeline->first == NULL) {
        pipeline->first = ask;
    } else {
        pipeline->last->next = ask;
    }
    pipeline->last = ask;
    wire_touch(&pipeline->wire);
}

/* ---- the connection ---- */

static bool is_done(const struct wire *wire)
{
    (void)wire;
    return false;
}

static void on_gone(struct wire *wire)
{
    (void)wire;
}

static void on_lost(struct wire *wire, const char *why)
{
    give_up(container_of(wire, struct pipeline, wire), why != NULL ? why : "closed");
}

static const struct wire_protocol protocol = {read_bytes, collect, is_done, on_gone};

void pipeline_hub_open(struct wire_hub *hub, uv_loop_t *loop)
{
    llhttp_settings_init(&settings);
    settings.on_body = on_body;
    settings.on_message_complete = on_message_complete;
    wire_hub_open(hub, loop, &protocol);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct pipeline *pipeline = container_of(request, struct pipeline, connect);

    if (status == 0) {
        status = wire_start(&pipeline->wire, SILENCE_MS);
    }
    if (status != 0) {
        give_up(pipeline, uv_strerror(status));
    }
    pipeline->connected = true;
    wire_touch(&pipeline->wire);
}

void pipeline_open(struct pipeline *pipeline, struct wire_hub *hub, const char *target)
{
    struct target where;
    struct sockaddr_in address;
    struct error error;

    pipeline->target = target;
    pipeline->wire.on_lost = on_lost;
    pipeline->wire.on_closed = on_gone;
    llhttp_init(&pipeline->parser, HTTP_RESPONSE, &settings);
    if (target_read(&where, target, &error) != 0) {
        give_up(pipeline, error.text);
    }
    int status = uv_ip4_addr(where.host, where.port, &address);
    if (status == 0) {
        status = wire_init(&pipeline->wire, hub);
    }
    if (status == 0) {
        status = uv_tcp_connect(&pipeline->connect, &pipeline->wire.tcp, (const struct sockaddr *)&address,
                                on_connected);
    }
    if (status != 0) {
        give_up(pipeline, uv_strerror(status));
    }
}
