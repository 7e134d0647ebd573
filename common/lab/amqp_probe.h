/* Asks a port again and again whether an AMQP 0-9-1 broker answers there, until one does. */
#ifndef ORDEM_AMQP_PROBE_H
#define ORDEM_AMQP_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct amqp_probe {
    uv_loop_t *loop;
    uint16_t port; /* on 127.0.0.1 */
    uv_timer_t again;
    uv_tcp_t socket;
    uv_connect_t connect;
    uv_write_t write;
    unsigned char answer[64];
    size_t answer_length;
    bool wanted, asking, answered, closing;

    void (*on_answer)(struct amqp_probe *); /* a broker has said Connection.Start */
    void (*on_closed)(struct amqp_probe *); /* after amqp_probe_close */
};

/* Once, before all else; the callbacks are set already. */
void amqp_probe_init(struct amqp_probe *probe, uv_loop_t *loop, uint16_t port);

/* Starts asking. */
void amqp_probe_start(struct amqp_probe *probe);

/* Stops asking; on_answer will not come. It may be started again. */
void amqp_probe_stop(struct amqp_probe *probe);

/* Closes everything; on_closed comes later. */
void amqp_probe_close(struct amqp_probe *probe);

#endif
