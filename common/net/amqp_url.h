/* AMQP_URL: where the brokers are, and who asks. amqp://user:password@host:port/vhost, several separated by commas.
 *
 * As in RabbitMQ's description of AMQP URIs, with percent escapes; but a bare "/" at the end means the virtual host
 * "/", as Python's pika reads it, since nobody names a virtual host "". */
#ifndef ORDEM_AMQP_URL_H
#define ORDEM_AMQP_URL_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amqp_url {
    char *user, *password, *host, *vhost; /* owned, without escapes */
    char broker[300];                     /* "host:port", for people */
    uint16_t port;
    bool tls;
};

struct amqp_url_list {
    struct amqp_url *urls; /* owned, at least one */
    size_t count;
};

/* Reads the whole list. ERROR_CONFIG, with a sentence that names AMQP_URL and holds no password; nothing is to be freed
 * then. */
int amqp_url_list_read(struct amqp_url_list *list, const char *text, struct error *error);

void amqp_url_list_free(struct amqp_url_list *list);

#endif
