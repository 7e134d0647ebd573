#include "common/net/amqp_connect.h"

#include "common/clock.h"
#include "common/net/amqp_reason.h"
#include "common/words.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FRAME_MAX 131072 /* bytes; also what RabbitMQ proposes */

static const struct timeval patience = {.tv_sec = AMQP_CONNECT_MS / 1000};

/* ---- TCP ---- */

/* Waits for a connect() that is under way; 0 or an errno. */
static int wait_for_connect(struct amqp_thread *thread, int socket_fd, uint64_t deadline_ms)
{
    int reason = ETIMEDOUT;
    socklen_t length = sizeof reason;

    for (;;) {
        uint64_t now_ms = clock_monotonic_ms();
        amqp_thread_take(thread);
        if (now_ms >= deadline_ms || amqp_thread_is_over(thread, now_ms)) {
            return ETIMEDOUT;
        }
        if (amqp_thread_wait(thread, socket_fd, POLLOUT, deadline_ms - now_ms) != 0) {
            return getsockopt(socket_fd, SOL_SOCKET, SO_ERROR, &reason, &length) == 0 ? reason : errno;
        }
    }
}

/* A connected socket, or -1 with errno. */
static int connect_to(struct amqp_thread *thread, const struct addrinfo *address, uint64_t deadline_ms)
{
    int one = 1;
    int reason = 0;
    int socket_fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (socket_fd < 0) {
        return -1;
    }
    (void)setsockopt(socket_fd, IPPROTO_TCP, TCP_NODELAY, &one,
                     sizeof one); /* without it all is slower, and right */
    if (connect(socket_fd, address->ai_addr, address->ai_addrlen) != 0) {
        reason = errno == EINPROGRESS ? wait_for_connect(thread, socket_fd, deadline_ms) : errno;
    }
    if (reason != 0) {
        close(socket_fd);
        errno = reason;
        return -1;
    }
    return socket_fd;
}

static int open_socket(struct amqp_thread *thread, const struct amqp_url *url, struct error *error)
{
    const struct addrinfo wanted = {.ai_family = AF_UNSPEC,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICSERV};
    uint64_t deadline_ms;
    struct addrinfo *addresses;
    char port[8];
    int socket_fd = -1;

    snprintf(port, sizeof port, "%u", (unsigned)url->port);
    int status = getaddrinfo(url->host, port, &wanted, &addresses);
    if (status != 0) {
        error_set(error, ERROR_NETWORK, "no address is known for %s", url->host);
        error_because(error,
                      status == EAI_AGAIN ? N_("the name service does not answer") : N_("no such name"));
        return ERROR_NETWORK;
    }
    deadline_ms = clock_monotonic_ms() + AMQP_CONNECT_MS;
    for (struct addrinfo *address = addresses; address != NULL && socket_fd < 0; address = address->ai_next) {
        socket_fd = connect_to(thread, address, deadline_ms);
    }
    freeaddrinfo(addresses);
    if (socket_fd < 0) {
        error_set(error, ERROR_NETWORK, "no connection");
        error_because_errno(error, errno);
        return ERROR_NETWORK;
    }
    return socket_fd;
}

static int open_plain(struct amqp_thread *thread, amqp_connection_state_t connection,
                      const struct amqp_url *url, struct error *error)
{
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);
    int socket_fd = socket != NULL ? open_socket(thread, url, error) : -1;

    if (socket == NULL) {
        return error_set(error, ERROR_BROKER, "rabbitmq-c has no memory");
    }
    if (socket_fd < 0) {
        return socket_fd;
    }
    amqp_tcp_socket_set_sockfd(socket, socket_fd);
    return 0;
}

/* ---- TLS ---- */

/* rabbitmq-c opened no TLS connection. What went wrong below TLS it does not tell apart: that is tried again. */
static int refuse_tls(struct amqp_thread *thread, const struct amqp_url *url, int status, struct error *error)
{
    int socket_fd;

    switch (status) {
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
        return error_set(error, ERROR_BROKER,
                         "TLS refused: no authority that is trusted has signed the broker's certificate "
                         "(AMQP_CA_FILE names authorities)");
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
        return error_set(error, ERROR_BROKER, "TLS refused: the broker's certificate is not for the name %s",
                         url->host);
    case AMQP_STATUS_SSL_CONNECTION_FAILED:
        return error_set(error, ERROR_BROKER,
                         "TLS refused: the handshake failed (a port without TLS is reached by amqp://)");
    case AMQP_STATUS_TIMEOUT:
    case AMQP_STATUS_SOCKET_ERROR:
    case AMQP_STATUS_HOSTNAME_RESOLUTION_FAILED:
        socket_fd = open_socket(thread, url, error);
        if (socket_fd < 0) {
            return socket_fd;
        }
        close(socket_fd);
        return error_set(error, ERROR_BROKER, "TLS refused: the broker does not answer the handshake");
    default:
        return amqp_reason_status(error, "TLS refused", status);
    }
}

static int open_tls(struct amqp_thread *thread, amqp_connection_state_t connection,
                    const struct amqp_url *url, struct error *error)
{
    /* This thread may be in a handshake yet when the program ends: OpenSSL is not to be taken from under it then. */
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
    amqp_socket_t *socket = amqp_ssl_socket_new(connection);

    if (socket == NULL) {
        return error_set(error, ERROR_BROKER, "OpenSSL could not be set up");
    }
    if (thread->ca_file == NULL) {
        (void)SSL_CTX_set_default_verify_paths(
            amqp_ssl_socket_get_context(socket)); /* none: none is trusted */
    } else if (amqp_ssl_socket_set_cacert(socket, thread->ca_file) != AMQP_STATUS_OK) {
        return error_set(error, ERROR_BROKER,
                         "TLS refused: AMQP_CA_FILE %.100s holds no authorities in PEM form",
                         thread->ca_file);
    }
    int status = amqp_socket_open_noblock(socket, url->host, url->port, &patience);
    return status == AMQP_STATUS_OK ? 0 : refuse_tls(thread, url, status, error);
}

/* ---- AMQP ---- */

static amqp_table_entry_t entry_of(const char *key, const char *value)
{
    amqp_table_entry_t entry = {.key = amqp_bytes_of(text_of(key)), .value.kind = AMQP_FIELD_KIND_UTF8};
    entry.value.value.bytes = amqp_bytes_of(text_of(value));
    return entry;
}

static amqp_table_entry_t capability(const char *key)
{
    amqp_table_entry_t entry = {.key = amqp_bytes_of(text_of(key)), .value.kind = AMQP_FIELD_KIND_BOOLEAN};
    entry.value.value.boolean = 1;
    return entry;
}

static int refuse_login(const struct amqp_url *url, amqp_rpc_reply_t reply, struct error *error)
{
    char what[96];

    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION) {
        snprintf(what, sizeof what, "the broker refuses user \"%.60s\"", url->user);
        return amqp_reason_reply(error, what, reply);
    }
    switch (reply.library_error) {
    case AMQP_STATUS_CONNECTION_CLOSED:
    case AMQP_STATUS_SOCKET_ERROR:
        return error_set(
            error, ERROR_BROKER,
            "the broker hung up during the login (a wrong user or password, a port that wants amqps://, or "
            "it is not an AMQP 0-9-1 broker)");
    case AMQP_STATUS_BAD_AMQP_DATA:
    case AMQP_STATUS_WRONG_METHOD:
    case AMQP_STATUS_UNKNOWN_METHOD:
    case AMQP_STATUS_UNKNOWN_CLASS:
    case AMQP_STATUS_INCOMPATIBLE_AMQP_VERSION:
        return error_set(error, ERROR_BROKER,
                         "what answers there does not speak AMQP 0-9-1 (a port that wants amqps://?)");
    default:
        return amqp_reason_status(error, "login", reply.library_error);
    }
}

static int log_in(struct amqp_thread *thread, amqp_connection_state_t connection, const struct amqp_url *url,
                  struct error *error)
{
    amqp_table_entry_t capabilities[] = {capability("consumer_cancel_notify"),
                                         capability("connection.blocked"), capability("publisher_confirms"),
                                         capability("basic.nack")};
    amqp_table_entry_t entries[] = {
        entry_of("connection_name", thread->connection_name),
        {.key = amqp_bytes_of(text_of("capabilities")), .value.kind = AMQP_FIELD_KIND_TABLE},
    };
    amqp_table_t properties = {sizeof entries / sizeof *entries, entries};

    entries[1].value.value.table = (amqp_table_t){sizeof capabilities / sizeof *capabilities, capabilities};
    amqp_set_handshake_timeout(connection, &patience);
    amqp_set_rpc_timeout(connection, &patience);
    amqp_rpc_reply_t reply =
        amqp_login_with_properties(connection, url->vhost, 0, FRAME_MAX, (int)thread->options.heartbeat,
                                   &properties, AMQP_SASL_METHOD_PLAIN, url->user, url->password);
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) {
        return refuse_login(url, reply, error);
    }
    amqp_limit_writes(connection, true);
    return 0;
}

void amqp_limit_writes(amqp_connection_state_t connection, bool limited)
{
    unsigned silence_ms = limited ? 2000 * (unsigned)amqp_get_heartbeat(connection) : 0;

    (void)setsockopt(amqp_get_sockfd(connection), IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms,
                     sizeof silence_ms);
}

amqp_connection_state_t amqp_connect(struct amqp_thread *thread, const struct amqp_url *url,
                                     struct error *error)
{
    amqp_connection_state_t connection = amqp_new_connection();
    int code;

    if (connection == NULL) {
        error_set(error, ERROR_BROKER, "rabbitmq-c has no memory");
        return NULL;
    }
    code = url->tls ? open_tls(thread, connection, url, error) : open_plain(thread, connection, url, error);
    if (code == 0) {
        amqp_mailbox_set_socket(&thread->mailbox, amqp_get_sockfd(connection));
        code = log_in(thread, connection, url, error);
    }
    if (code != 0) {
        amqp_disconnect(thread, connection);
        return NULL;
    }
    return connection;
}

void amqp_disconnect(struct amqp_thread *thread, amqp_connection_state_t connection)
{
    amqp_mailbox_set_socket(&thread->mailbox, -1);
    (void)amqp_destroy_connection(connection);
}
