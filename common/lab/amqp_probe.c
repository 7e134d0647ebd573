#include "common/lab/amqp_probe.h"

#include "common/container_of.h"

#include <string.h>

#define AGAIN_MS 20

static void ask(struct amqp_probe *probe);

static void on_again(uv_timer_t *timer)
{
    ask(container_of(timer, struct amqp_probe, again));
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct amqp_probe *probe = container_of((uv_timer_t *)handle, struct amqp_probe, again);

    probe->on_closed(probe);
}

static void on_socket_closed(uv_handle_t *handle)
{
    struct amqp_probe *probe = container_of((uv_tcp_t *)handle, struct amqp_probe, socket);

    probe->asking = false;
    if (probe->closing) {
        uv_close((uv_handle_t *)&probe->again, on_timer_closed);
    } else if (probe->wanted && probe->answered) {
        probe->wanted = false;
        probe->on_answer(probe);
    } else if (probe->wanted) {
        uv_timer_start(&probe->again, on_again, AGAIN_MS, 0);
    }
}

static void hang_up(struct amqp_probe *probe)
{
    if (!uv_is_closing((uv_handle_t *)&probe->socket)) {
        uv_close((uv_handle_t *)&probe->socket, on_socket_closed);
    }
}

/* A method frame (1) on channel 0 whose class and method are 10: Connection.Start. Between them stands its size. */
static bool is_connection_start(const unsigned char *bytes)
{
    static const unsigned char frame[] = {1, 0, 0};
    static const unsigned char method[] = {0, 10, 0, 10};

    return memcmp(bytes, frame, sizeof frame) == 0 && memcmp(bytes + 7, method, sizeof method) == 0;
}

static void make_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct amqp_probe *probe = container_of((uv_tcp_t *)handle, struct amqp_probe, socket);

    (void)suggested;
    *room = uv_buf_init((char *)probe->answer + probe->answer_length,
                        (unsigned)(sizeof probe->answer - probe->answer_length));
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *room)
{
    struct amqp_probe *probe = container_of((uv_tcp_t *)stream, struct amqp_probe, socket);

    (void)room;
    if (length > 0) {
        probe->answer_length += (size_t)length;
    }
    if (probe->answer_length >= 11) {
        probe->answered = is_connection_start(probe->answer);
        hang_up(probe);
    } else if (length < 0) {
        hang_up(probe);
    }
}

static void on_connected(uv_connect_t *request, int status)
{
    static char header[] = {'A', 'M', 'Q', 'P', 0, 0, 9, 1};
    struct amqp_probe *probe = container_of(request, struct amqp_probe, connect);
    const uv_buf_t piece = uv_buf_init(header, sizeof header);

    if (status == UV_ECANCELED) { /* hung up already */
        return;
    }
    if (status != 0 || uv_read_start((uv_stream_t *)&probe->socket, make_room, on_read) != 0 ||
        uv_write(&probe->write, (uv_stream_t *)&probe->socket, &piece, 1, NULL) != 0) {
        hang_up(probe);
    }
}

static void ask(struct amqp_probe *probe)
{
    struct sockaddr_in address;

    probe->asking = true;
    probe->answered = false;
    probe->answer_length = 0;
    uv_ip4_addr("127.0.0.1", probe->port, &address);
    uv_tcp_init(probe->loop, &probe->socket);
    if (uv_tcp_connect(&probe->connect, &probe->socket, (const struct sockaddr *)&address, on_connected) !=
        0) {
        hang_up(probe);
    }
}

void amqp_probe_init(struct amqp_probe *probe, uv_loop_t *loop, uint16_t port)
{
    probe->loop = loop;
    probe->port = port;
    probe->wanted = probe->asking = probe->closing = false;
    uv_timer_init(loop, &probe->again);
}

void amqp_probe_start(struct amqp_probe *probe)
{
    probe->wanted = true;
    if (!probe->asking) {
        ask(probe);
    }
}

void amqp_probe_stop(struct amqp_probe *probe)
{
    probe->wanted = probe->answered = false;
    uv_timer_stop(&probe->again);
    if (probe->asking) {
        hang_up(probe);
    }
}

void amqp_probe_close(struct amqp_probe *probe)
{
    amqp_probe_stop(probe);
    probe->closing = true;
    if (!probe->asking) {
        uv_close((uv_handle_t *)&probe->again, on_timer_closed);
    }
}
