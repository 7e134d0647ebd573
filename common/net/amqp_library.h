/* rabbitmq-c, whose headers moved in its version 0.12. */
#ifndef ORDEM_AMQP_LIBRARY_H
#define ORDEM_AMQP_LIBRARY_H

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include "common/text.h"

/* rabbitmq-c's way to hold bytes, which it only reads. */
static inline amqp_bytes_t amqp_bytes_of(struct text text)
{
    union {
        const char *read_only;
        char *bytes;
    } pointer = {text.bytes};
    return (amqp_bytes_t){text.length, pointer.bytes};
}

static inline struct text amqp_text_of(amqp_bytes_t bytes)
{
    return (struct text){bytes.bytes, bytes.len};
}

#endif
