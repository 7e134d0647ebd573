#include "common/config.h"
#include "common/lab/run_state.h"
#include "common/net/amqp_library.h"
#include "common/net/amqp_reason.h"
#include "common/net/amqp_url.h"
#include "common/words.h"

#include <sys/time.h>

#define CHANNEL 1

static const struct timeval patience = {
    .tv_sec = 10}; /* for each step: a quorum queue whose members are not all alive takes some seconds */

static int open_socket(amqp_connection_state_t connection, const struct amqp_url *url, struct error *error)
{
    amqp_socket_t *socket = url->tls ? amqp_ssl_socket_new(connection) : amqp_tcp_socket_new(connection);
    const char *ca_file = config_text("AMQP_CA_FILE", "/etc/ssl/certs/ca-certificates.crt");

    if (socket == NULL) {
        return error_set(error, ERROR_BROKER, "rabbitmq-c has no memory");
    }
    int status = url->tls ? amqp_ssl_socket_set_cacert(socket, ca_file) : AMQP_STATUS_OK;
    if (status == AMQP_STATUS_OK) {
        status = amqp_socket_open_noblock(socket, url->host, url->port, &patience);
    }
    return status == AMQP_STATUS_OK ? 0 : amqp_reason_status(error, "no connection", status);
}

static int log_in(amqp_connection_state_t connection, const struct amqp_url *url, struct error *error)
{
    if (open_socket(connection, url, error) != 0) {
        return error->code;
    }
    amqp_set_handshake_timeout(connection, &patience);
    amqp_set_rpc_timeout(connection, &patience);
    amqp_rpc_reply_t reply = amqp_login(connection, url->vhost, 0, AMQP_DEFAULT_FRAME_SIZE, 0,
                                        AMQP_SASL_METHOD_PLAIN, url->user, url->password);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
        amqp_channel_open(connection, CHANNEL);
        reply = amqp_get_rpc_reply(connection);
    }
    return reply.reply_type == AMQP_RESPONSE_NORMAL ? 0 : amqp_reason_reply(error, "no login", reply);
}

/* What is not there is no error of the broker's. */
static int remove_one(amqp_connection_state_t connection, const char *name, bool is_exchange,
                      struct error *error)
{
    if (is_exchange) {
        amqp_exchange_delete(connection, CHANNEL, amqp_bytes_of(text_of(name)), 0);
    } else {
        amqp_queue_delete(connection, CHANNEL, amqp_bytes_of(text_of(name)), 0, 0);
    }
    amqp_rpc_reply_t reply = amqp_get_rpc_reply(connection);
    return reply.reply_type == AMQP_RESPONSE_NORMAL ? 0 : amqp_reason_reply(error, name, reply);
}

static int remove_all(const struct run *run, amqp_connection_state_t connection, struct error *error)
{
    const struct part_plan *plan = run->plan;
    char name[256];
    int code = 0;

    for (unsigned i = 0; code == 0 && i < run->options->members[MEMBER_NODE]; i++) {
        snprintf(name, sizeof name, "node%u%s%s", i + 1, plan->queue_ending, run->suffix);
        code = remove_one(connection, name, false, error);
    }
    for (size_t i = 0; code == 0 && i < sizeof plan->queues / sizeof *plan->queues; i++) {
        const struct part_queue *queue = &plan->queues[i];
        if (queue->standard != NULL) {
            snprintf(name, sizeof name, "%s%s", config_text(queue->variable, queue->standard), run->suffix);
            code = remove_one(connection, name, queue->is_exchange, error);
        }
    }
    return code;
}

void run_tidy_broker(const struct run *run, FILE *out)
{
    struct amqp_url_list list;
    struct error error = {0};
    bool done = false;

    if (amqp_url_list_read(&list, run->host->url, &error) != 0) {
        return; /* then no member has made anything there */
    }
    for (size_t i = 0; !done && i < list.count; i++) {
        amqp_connection_state_t connection = amqp_new_connection();
        if (connection != NULL) {
            done = log_in(connection, &list.urls[i], &error) == 0 && remove_all(run, connection, &error) == 0;
            amqp_destroy_connection(connection);
        }
    }
    if (!done && out != NULL) {
        fprintf(out, _("lab: what the run made on the broker, with names that end in %s, stays there: %s\n"),
                run->suffix, error.words);
    }
    amqp_url_list_free(&list);
}
