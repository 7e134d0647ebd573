#include "common/net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define BACKLOG 1024 /* connections that the kernel may hold for us */

void listener_raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* then there is room for fewer */
    }
}

static int bind_address(uv_tcp_t *listener, const char *host, uint16_t port, struct error *error)
{
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;

    if (host != NULL && uv_ip4_addr(host, port, &ip4) == 0) {
        return uv_tcp_bind(listener, (const struct sockaddr *)&ip4, 0);
    }
    if (host != NULL && uv_ip6_addr(host, port, &ip6) == 0) {
        return uv_tcp_bind(listener, (const struct sockaddr *)&ip6, 0);
    }
    if (host != NULL) {
        return error_set(error, ERROR_CONFIG,
                         "the host is \"%.60s\": an IPv4 or IPv6 address of this machine is allowed", host);
    }
    /* One socket for both; where there is no IPv6, one for IPv4. */
    uv_ip6_addr("::", port, &ip6);
    int status = uv_tcp_bind(listener, (const struct sockaddr *)&ip6, 0);
    if (status == UV_EAFNOSUPPORT || status == UV_EADDRNOTAVAIL || status == UV_EINVAL) {
        uv_ip4_addr("0.0.0.0", port, &ip4);
        status = uv_tcp_bind(listener, (const struct sockaddr *)&ip4, 0);
    }
    return status;
}

static uint16_t bound_port(const uv_tcp_t *listener)
{
    struct sockaddr_in6 address = {0}; /* the port stands at the same place in both kinds */
    int length = sizeof address;

    (void)uv_tcp_getsockname(listener, (struct sockaddr *)&address, &length);
    return ntohs(address.sin6_port);
}

int listener_open(uv_tcp_t *listener, uv_loop_t *loop, const char *host, uint16_t port,
                  uv_connection_cb on_connection, uint16_t *bound, struct error *error)
{
    listener_raise_file_limit();
    uv_tcp_init(loop, listener);
    int status = bind_address(listener, host, port, error);
    if (status == ERROR_CONFIG) {
        uv_close((uv_handle_t *)listener, NULL);
        return status;
    }
    if (status == 0) {
        status = uv_listen((uv_stream_t *)listener, BACKLOG, on_connection);
    }
    if (status != 0) {
        uv_close((uv_handle_t *)listener, NULL);
        if (status == UV_EADDRINUSE) {
            return error_set(error, ERROR_NETWORK,
                             "port %u cannot be listened on: address already in use (stop what listens "
                             "there, which ss -ltnp shows, or choose another port)",
                             (unsigned)port);
        }
        error_set(error, ERROR_NETWORK, "port %u cannot be listened on", (unsigned)port);
        error_because(error, uv_strerror(status));
        return ERROR_NETWORK;
    }
    *bound = bound_port(listener);
    return 0;
}

void listener_peer_name(const uv_tcp_t *tcp, char out[LISTENER_PEER_LENGTH])
{
    struct sockaddr_storage address;
    int length = sizeof address;
    char text[INET6_ADDRSTRLEN] = "?";
    const char *shown = text;
    unsigned port = 0;

    if (uv_tcp_getpeername(tcp, (struct sockaddr *)&address, &length) == 0) {
        if (address.ss_family == AF_INET6) {
            const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)(const void *)&address;
            uv_ip6_name(ip6, text, sizeof text);
            port = ntohs(ip6->sin6_port);
        } else {
            const struct sockaddr_in *ip4 = (const struct sockaddr_in *)(const void *)&address;
            uv_ip4_name(ip4, text, sizeof text);
            port = ntohs(ip4->sin_port);
        }
    }
    if (strncmp(text, "::ffff:", 7) == 0) { /* an IPv4 peer of the socket for both */
        shown += 7;
    }
    bool brackets = strchr(shown, ':') != NULL;
    snprintf(out, LISTENER_PEER_LENGTH, brackets ? "[%s]:%u" : "%s:%u", shown, port);
}
