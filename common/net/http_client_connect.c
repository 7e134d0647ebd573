/* How the client comes to connections: it looks the name up, and tries one address after the other. */
#include "common/container_of.h"
#include "common/memory.h"
#include "common/net/http_client_connection.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#define SILENCE_MS 15000 /* a server that does not even acknowledge for so long is gone */

static int open_connection(struct http_client *client);

void http_client_refuse(struct http_client *client)
{
    struct error error = client->trouble;
    struct http_call *call;
    size_t count = client->waiting_count; /* who asks anew from within is not among them */

    client->trouble.code = ERROR_NONE;
    for (; count > 0 && (call = client->waiting) != NULL && !client->closing; count--) {
        http_call_fail(call, http_call_seen(call) ? HTTP_LOST : HTTP_UNREACHABLE, error.text);
    }
}

/* There is no connection to be had: whoever waits for one hears it, but not before http_client_call has returned. */
static void give_up(struct http_client *client, const char *why)
{
    if (client->addresses != NULL) {
        uv_freeaddrinfo(client->addresses);
        client->addresses = client->address = NULL;
    }
    error_set(&client->trouble, ERROR_NETWORK, "%s cannot be reached", client->target.authority);
    error_because(&client->trouble, why);
    if (client->calling) {
        http_client_hurry(client);
    } else {
        http_client_refuse(client);
    }
}

/* ---- addresses ---- */

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *addresses)
{
    struct http_client *client = container_of(request, struct http_client, resolver);

    client->resolving = false;
    if (client->closing) {
        uv_freeaddrinfo(addresses);
        http_client_settle(client);
    } else if (status != 0) {
        give_up(client, uv_strerror(status));
    } else {
        client->addresses = client->address = addresses;
        http_client_serve(client);
    }
}

static void resolve(struct http_client *client)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char port[8];

    snprintf(port, sizeof port, "%u", (unsigned)client->target.port);
    int status =
        uv_getaddrinfo(client->loop, &client->resolver, on_resolved, client->target.host, port, &hints);
    client->resolving = status == 0;
    if (status != 0) {
        give_up(client, uv_strerror(status));
    }
}

/* The address that is used does not serve: the next one is tried, unless another connection showed that it does. */
static void on_refused(struct http_client *client, const char *why)
{
    if (client->connection_count > client->connecting_count) {
        return;
    }
    if (client->address != NULL && client->address->ai_next != NULL) {
        client->address = client->address->ai_next;
        http_client_serve(client);
    } else if (client->connecting_count == 0) {
        give_up(client, why);
    }
}

/* ---- calls and connections ---- */

static struct http_client_connection *find_idle(const struct http_client *client)
{
    for (struct http_client_connection *connection = client->connections; connection != NULL;
         connection = connection->next) {
        if (connection->call == NULL && !connection->connecting && !connection->done &&
            !connection->wire.closing) {
            return connection;
        }
    }
    return NULL;
}

void http_client_serve(struct http_client *client)
{
    struct http_client_connection *connection;

    while (client->waiting != NULL && (connection = find_idle(client)) != NULL) {
        struct http_call *call = client->waiting;
        DL_DELETE(client->waiting, call);
        client->waiting_count--;
        http_client_connection_carry(connection, call);
    }
    while (client->waiting_count > client->connecting_count && !client->resolving && !client->closing &&
           client->connection_count < client->connections_max) {
        if (client->address == NULL) {
            resolve(client);
            return;
        }
        int status = open_connection(client);
        if (status != 0) {
            on_refused(client, uv_strerror(status));
            return;
        }
    }
}

static void on_lost(struct wire *wire, const char *why)
{
    struct http_client_connection *connection = container_of(wire, struct http_client_connection, wire);
    struct http_client *client = connection->client;
    struct http_call *call = connection->call;
    struct error error;

    client->connection_count--;
    if (connection->connecting) {
        connection->connecting = false;
        client->connecting_count--;
        if (!client->closing) {
            on_refused(client, why != NULL ? why : "closed");
        }
        return;
    }
    connection->call = NULL;
    if (call != NULL && connection->used && !connection->heard && !call->once && !call->repeated &&
        !client->closing) {
        call->repeated = true; /* it was closed while it was idle */
        call->connection = NULL;
        DL_PREPEND(client->waiting, call);
        client->waiting_count++;
    } else if (call != NULL) {
        error_set(&error, ERROR_NETWORK, "the connection to %s was lost", client->target.authority);
        error_because(&error, why != NULL ? why : "closed");
        http_call_fail(call, client->closing ? HTTP_CANCELLED : HTTP_LOST, error.text);
    }
    if (!client->closing) {
        http_client_serve(client);
    }
}

static void on_closed(struct wire *wire)
{
    struct http_client_connection *connection = container_of(wire, struct http_client_connection, wire);
    struct http_client *client = connection->client;

    DL_DELETE(client->connections, connection);
    free(connection);
    http_client_settle(client);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct http_client_connection *connection = container_of(request, struct http_client_connection, connect);
    struct http_client *client = connection->client;

    if (connection->wire.closing) {
        return;
    }
    if (status == 0) {
        status = wire_start(&connection->wire, SILENCE_MS);
    }
    if (status != 0) {
        wire_lose(&connection->wire, uv_strerror(status));
        return;
    }
    connection->connecting = false;
    client->connecting_count--;
    connection->since_ms = uv_now(client->loop);
    http_client_serve(client);
}

static int open_connection(struct http_client *client)
{
    struct http_client_connection *connection = memory_new_zeroed(1, sizeof *connection);

    connection->client = client;
    connection->connecting = true;
    connection->since_ms = uv_now(client->loop);
    connection->wire.on_lost = on_lost;
    connection->wire.on_closed = on_closed;
    llhttp_init(&connection->parser, HTTP_RESPONSE, &client->settings);
    int status = wire_init(&connection->wire, &client->hub);
    if (status != 0) {
        free(connection);
        return status;
    }
    DL_APPEND(client->connections, connection);
    client->connection_count++;
    client->connecting_count++;
    status =
        uv_tcp_connect(&connection->connect, &connection->wire.tcp, client->address->ai_addr, on_connected);
    if (status != 0) {
        connection->connecting = false;
        connection->done = true;
        client->connecting_count--;
        wire_close(&connection->wire); /* on_lost has nobody to tell */
    }
    return status;
}

void http_client_tidy(struct http_client *client)
{
    uint64_t now_ms = uv_now(client->loop);

    for (struct http_client_connection *connection = client->connections; connection != NULL;
         connection = connection->next) {
        uint64_t stood_ms = now_ms - connection->since_ms;
        if (connection->wire.closing) {
            continue; /* it stays in the list until its close callback */
        }
        if (connection->connecting && stood_ms >= HTTP_CONNECT_MS) {
            wire_lose(&connection->wire, "it does not answer");
        } else if (!connection->connecting && connection->call == NULL && stood_ms >= HTTP_CLIENT_IDLE_MS) {
            wire_close(&connection->wire);
        }
    }
}
