/* How the client comes to a connection: it looks the name up, tries one address after the other, and pauses longer from
 * one failure to the next. */
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/grpc_client_connection.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#define WINDOW_SIZE (4 * 1024 * 1024) /* bytes that the server may be ahead of us */
#define SILENCE_MS  15000             /* a server that does not even acknowledge for so long is gone */

static void pause_attempts(struct grpc_client *client);
static int open_connection(struct grpc_client *client, const struct sockaddr *address);

static void set_trouble(struct grpc_client *client, const char *why)
{
    error_set(&client->trouble, ERROR_NETWORK, "%s", client->target.authority);
    error_because(&client->trouble, why);
}

static void on_attempt_over(uv_timer_t *timer)
{
    struct grpc_client *client = container_of(timer, struct grpc_client, attempt);
    wire_lose(&client->connection->http2.wire, "it does not answer");
}

/* The next address that can be tried at all; if there is none, a pause. */
static void try_next(struct grpc_client *client)
{
    client->state = CLIENT_CONNECTING;
    while (client->next_address != NULL) {
        const struct addrinfo *address = client->next_address;
        client->next_address = address->ai_next;
        int status = open_connection(client, address->ai_addr);
        if (status == 0) {
            uv_timer_start(&client->attempt, on_attempt_over, GRPC_ATTEMPT_MS, 0);
            return;
        }
        set_trouble(client, uv_strerror(status));
    }
    pause_attempts(client);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct grpc_client *client = container_of(request, struct grpc_client, resolver);

    client->state = CLIENT_IDLE;
    if (client->closing) {
        uv_freeaddrinfo(addresses);
        grpc_client_settle(client);
        return;
    }
    if (status != 0) {
        set_trouble(client, uv_strerror(status));
        pause_attempts(client);
        return;
    }
    client->addresses = client->next_address = addresses;
    try_next(client);
}

static void resolve(struct grpc_client *client)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char port[8];

    snprintf(port, sizeof port, "%u", (unsigned)client->target.port);
    int status =
        uv_getaddrinfo(client->loop, &client->resolver, on_resolved, client->target.host, port, &hints);
    if (status != 0) {
        set_trouble(client, uv_strerror(status));
        pause_attempts(client);
        return;
    }
    client->state = CLIENT_RESOLVING;
}

static void on_pause_over(uv_timer_t *timer)
{
    struct grpc_client *client = container_of(timer, struct grpc_client, attempt);

    client->state = CLIENT_IDLE;
    if (client->waiting != NULL) {
        resolve(client);
    }
}

static void pause_attempts(struct grpc_client *client)
{
    if (client->addresses != NULL) {
        uv_freeaddrinfo(client->addresses);
        client->addresses = client->next_address = NULL;
    }
    client->state = CLIENT_PAUSING;
    uv_timer_start(&client->attempt, on_pause_over, client->backoff_ms, 0);
    client->backoff_ms =
        client->backoff_ms * 2 < GRPC_BACKOFF_MAX_MS ? client->backoff_ms * 2 : GRPC_BACKOFF_MAX_MS;
}

void grpc_client_wake(struct grpc_client *client)
{
    if (client->closing) {
        return;
    }
    if (client->state == CLIENT_READY) {
        wire_touch(&client->connection->http2.wire);
    } else if (client->state == CLIENT_IDLE) {
        resolve(client);
    }
}

bool grpc_client_connect(struct grpc_client *client)
{
    if (client->state == CLIENT_IDLE) {
        grpc_client_wake(client);
    }
    return client->state == CLIENT_READY;
}

void grpc_client_is_ready(struct grpc_client_connection *connection)
{
    struct grpc_client *client = connection->client;

    if (connection->ready) {
        return; /* a server may change its settings */
    }
    connection->ready = true;
    uv_timer_stop(&client->attempt);
    uv_freeaddrinfo(client->addresses);
    client->addresses = client->next_address = NULL;
    client->state = CLIENT_READY;
    client->backoff_ms = GRPC_BACKOFF_MIN_MS;
    client->trouble.code = ERROR_NONE;
}

/* The connection is not the current one any more. */
static void leave(struct grpc_client_connection *connection, const char *why)
{
    struct grpc_client *client = connection->client;

    client->connection = NULL;
    if (client->closing) {
        return;
    }
    set_trouble(client, why != NULL ? why : "the connection was closed");
    if (connection->ready) {
        pause_attempts(client);
    } else {
        try_next(client);
    }
}

void grpc_client_connection_retire(struct grpc_client_connection *connection)
{
    if (!connection->retired) {
        connection->retired = true;
        leave(connection, "the server is leaving");
    }
}

/* ---- one connection ---- */

static void before_flush(struct wire *wire)
{
    grpc_client_connection_submit(container_of(wire, struct grpc_client_connection, http2.wire));
}

static void on_lost(struct wire *wire, const char *why)
{
    struct grpc_client_connection *connection = container_of(wire, struct grpc_client_connection, http2.wire);
    struct grpc_client *client = connection->client;
    struct grpc_request *request;
    struct error error;

    error_set(&error, ERROR_NETWORK, "the connection to %s was lost", client->target.authority);
    error_because(&error, why != NULL ? why : "closed");
    connection->heard = NULL;
    if (!connection->retired) {
        connection->retired = true;
        leave(connection, why);
    }
    while ((request = connection->requests) != NULL) {
        bool sent = grpc_request_was_sent(request);
        if (sent && !client->closing) {
            grpc_request_abandon(request, GRPC_UNAVAILABLE, &error, true);
        } else {
            grpc_request_requeue(request);
            request->sent = sent;
        }
    }
    grpc_client_wake(client);
}

static void on_closed(struct wire *wire)
{
    struct grpc_client_connection *connection = container_of(wire, struct grpc_client_connection, http2.wire);
    struct grpc_client *client = connection->client;

    DL_DELETE(client->connections, connection);
    free(connection);
    grpc_client_settle(client);
}

static void on_connected(uv_connect_t *request, int status)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_SIZE},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GRPC_REPLY_HEADERS_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    struct grpc_client_connection *connection = container_of(request, struct grpc_client_connection, connect);
    struct grpc_client *client = connection->client;
    struct wire *wire = &connection->http2.wire;
    nghttp2_session **session = &connection->http2.session;

    if (wire->closing) {
        return;
    }
    if (status != 0) {
        wire_lose(wire, uv_strerror(status));
        return;
    }
    if (nghttp2_session_client_new2(session, client->callbacks, connection, client->option) != 0) {
        wire_lose(wire, "no memory for a session");
        return;
    }
    status = wire_start(wire, SILENCE_MS);
    if (status != 0 ||
        nghttp2_submit_settings(*session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) !=
            0 ||
        nghttp2_session_set_local_window_size(*session, NGHTTP2_FLAG_NONE, 0, WINDOW_SIZE) != 0) {
        wire_lose(wire, "no session to be had");
        return;
    }
    wire_touch(wire);
}

static int open_connection(struct grpc_client *client, const struct sockaddr *address)
{
    struct grpc_client_connection *connection = memory_new_zeroed(1, sizeof *connection);

    connection->client = client;
    connection->http2.wire.before_flush = before_flush;
    connection->http2.wire.on_lost = on_lost;
    connection->http2.wire.on_closed = on_closed;
    int status = wire_init(&connection->http2.wire, &client->hub);
    if (status != 0) {
        free(connection);
        return status;
    }
    DL_APPEND(client->connections, connection);
    client->connection = connection;
    status = uv_tcp_connect(&connection->connect, &connection->http2.wire.tcp, address, on_connected);
    if (status != 0) {
        client->connection = NULL;
        connection->retired = true; /* nobody need hear of it */
        wire_close(&connection->http2.wire);
    }
    return status;
}
