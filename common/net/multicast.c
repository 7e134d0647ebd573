#include "common/net/multicast.h"

#include "common/config.h"
#include "common/container_of.h"
#include "common/memory.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DATAGRAM_MAX   65536 /* no UDP datagram is longer */
#define ROW_SHIFT      320
#define BATCHES_A_TURN 8 /* then timers and the prompt have their turn */

struct multicast_batch {
    struct mmsghdr headers[MULTICAST_BATCH];
    struct iovec pieces[MULTICAST_BATCH];
    struct sockaddr_in from[MULTICAST_BATCH];
    /* The kernel maps a page when something is written to it. Rows a power of two apart would share cache lines' sets. */
    char bytes[MULTICAST_BATCH][DATAGRAM_MAX + ROW_SHIFT];
};

/* ---- settings ---- */

int multicast_options_read(struct multicast_options *options, struct error *error)
{
    int64_t port;
    int64_t ttl;
    int64_t receive_buffer;
    int code = config_multicast_group("MULTICAST_GROUP", "239.0.0.1", &options->group, error);

    if (code == 0) {
        code = config_int("MULTICAST_PORT", 1, 65535, 5007, &port, error);
    }
    if (code == 0) {
        code = config_int("MULTICAST_TTL", 0, 255, 1, &ttl, error);
    }
    if (code == 0) {
        code = config_int("MULTICAST_RECEIVE_BUFFER", 4096, 1 << 30, 16 << 20, &receive_buffer, error);
    }
    if (code == 0) {
        options->port = (uint16_t)port;
        options->ttl = (int)ttl;
        options->receive_buffer = (int)receive_buffer;
        options->interface = config_text("MULTICAST_INTERFACE", NULL);
    }
    return code;
}

/* The kernel's way to name an interface: by index or by address; all zero leaves the choice to the route. */
static int find_interface(const char *interface, struct ip_mreqn *request, struct error *error)
{
    if (interface == NULL || inet_pton(AF_INET, interface, &request->imr_address) == 1) {
        return 0;
    }
    request->imr_ifindex = (int)if_nametoindex(interface);
    if (request->imr_ifindex == 0) {
        return error_set(
            error, ERROR_CONFIG,
            "MULTICAST_INTERFACE is \"%.60s\": the name or the IPv4 address of one of this machine's "
            "interfaces is allowed (ip address shows them; lo stays on this machine)",
            interface);
    }
    return 0;
}

/* ---- opening ---- */

static int refuse_option(const char *option, struct error *error)
{
    error_set(error, ERROR_NETWORK, "the kernel refuses %s", option);
    error_because_errno(error, errno);
    return ERROR_NETWORK;
}

static int refuse_route(const struct multicast_options *options, struct error *error)
{
    error_set(error, ERROR_NETWORK,
              "cannot join the group %s or send to it (set MULTICAST_INTERFACE=lo to stay on this machine, "
              "name another interface there, or add a route: ip route add 224.0.0.0/4 dev <interface>)",
              options->group);
    error_because_errno(error, errno);
    return ERROR_NETWORK;
}

static int open_socket(struct error *error)
{
    int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket_fd < 0) {
        error_set(error, ERROR_NETWORK, "no UDP socket to be had");
        error_because_errno(error, errno);
        return ERROR_NETWORK;
    }
    return socket_fd;
}

/* A large buffer: a burst waits there while the node is busy. What the kernel grants is read back. */
static int ask_for_buffer(int receiver, int wanted)
{
    int granted = 0;
    socklen_t length = sizeof granted;

    if (setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) != 0) {
        (void)setsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &wanted,
                         sizeof wanted); /* up to net.core.rmem_max */
    }
    if (getsockopt(receiver, SOL_SOCKET, SO_RCVBUF, &granted, &length) != 0) {
        return 0;
    }
    return granted / 2; /* the kernel doubles it for its own bookkeeping */
}

static int set_option(int socket_fd, int level, int option, int value)
{
    return setsockopt(socket_fd, level, option, &value, sizeof value);
}

static int open_receiver(struct multicast *multicast, const struct multicast_options *options,
                         const struct ip_mreqn *membership, struct error *error)
{
    int receiver = open_socket(error);
    if (receiver < 0) {
        return receiver;
    }
    multicast->receiver = receiver;
    /* Several nodes of one machine share the port; each receives every datagram. */
    if (set_option(receiver, SOL_SOCKET, SO_REUSEADDR, 1) != 0) {
        return refuse_option("SO_REUSEADDR", error);
    }
    /* Bound to the group, not to every address: what is sent to the port alone is not for us. */
    if (bind(receiver, (const struct sockaddr *)&multicast->group, sizeof multicast->group) != 0) {
        error_set(error, ERROR_NETWORK, "port %u of %s cannot be bound", (unsigned)options->port,
                  options->group);
        error_because_errno(error, errno);
        return ERROR_NETWORK;
    }
    (void)set_option(receiver, IPPROTO_IP, IP_MULTICAST_ALL, 0); /* nor what other programs joined */
    if (setsockopt(receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP, membership, sizeof *membership) != 0) {
        return refuse_route(options, error);
    }
    multicast->granted_buffer = ask_for_buffer(receiver, options->receive_buffer);
    return 0;
}

static int open_sender(struct multicast *multicast, const struct multicast_options *options,
                       const struct ip_mreqn *membership, struct error *error)
{
    int sender = open_socket(error);
    if (sender < 0) {
        return sender;
    }
    multicast->sender = sender;
    if (set_option(sender, IPPROTO_IP, IP_MULTICAST_TTL, options->ttl) != 0) {
        return refuse_option("IP_MULTICAST_TTL", error);
    }
    if (set_option(sender, IPPROTO_IP, IP_MULTICAST_LOOP, 1) !=
        0) { /* to this machine, and so to ourselves */
        return refuse_option("IP_MULTICAST_LOOP", error);
    }
    if (options->interface != NULL &&
        setsockopt(sender, IPPROTO_IP, IP_MULTICAST_IF, membership, sizeof *membership) != 0) {
        return refuse_route(options, error);
    }
    return 0;
}

static void on_readable(uv_poll_t *handle, int status, int events);

static int start_reading(struct multicast *multicast, uv_loop_t *loop, struct error *error)
{
    int status = uv_poll_init_socket(loop, &multicast->readable, multicast->receiver);
    if (status == 0) {
        status = uv_poll_start(&multicast->readable, UV_READABLE, on_readable);
    }
    if (status != 0) {
        error_set(error, ERROR_NETWORK, "the event loop refuses the socket");
        error_because(error, uv_strerror(status));
        return ERROR_NETWORK;
    }
    multicast->batch = memory_new(sizeof *multicast->batch);
    for (int i = 0; i < MULTICAST_BATCH; i++) {
        struct multicast_batch *batch = multicast->batch;
        batch->pieces[i] = (struct iovec){batch->bytes[i], DATAGRAM_MAX};
        batch->headers[i].msg_hdr =
            (struct msghdr){.msg_name = &batch->from[i], .msg_iov = &batch->pieces[i], .msg_iovlen = 1};
    }
    return 0;
}

static void close_sockets(struct multicast *multicast)
{
    if (multicast->receiver >= 0) {
        close(multicast->receiver);
    }
    if (multicast->sender >= 0) {
        close(multicast->sender);
    }
    multicast->receiver = multicast->sender = -1;
}

int multicast_open(struct multicast *multicast, uv_loop_t *loop, const struct multicast_options *options,
                   struct error *error)
{
    struct ip_mreqn membership = {0};

    multicast->receiver = multicast->sender = -1;
    multicast->batch = NULL;
    multicast->known_drops = 0;
    multicast->group = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(options->port)};
    inet_pton(AF_INET, options->group, &multicast->group.sin_addr);
    membership.imr_multiaddr = multicast->group.sin_addr;

    int code = find_interface(options->interface, &membership, error);
    if (code == 0) {
        code = open_receiver(multicast, options, &membership, error);
    }
    if (code == 0) {
        code = open_sender(multicast, options, &membership, error);
    }
    if (code == 0) {
        code = start_reading(multicast, loop, error);
    }
    if (code != 0) {
        close_sockets(multicast);
    }
    return code;
}

/* ---- receiving and sending ---- */

/* Takes one batch from the kernel; how many datagrams it held. */
static int receive_batch(struct multicast *multicast)
{
    struct multicast_batch *batch = multicast->batch;

    for (int i = 0; i < MULTICAST_BATCH; i++) {
        batch->headers[i].msg_hdr.msg_namelen =
            sizeof batch->from[i]; /* the kernel overwrites it each time */
    }
    int count = recvmmsg(multicast->receiver, batch->headers, MULTICAST_BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) {
        multicast->on_datagram(multicast, (struct text){batch->bytes[i], batch->headers[i].msg_len},
                               &batch->from[i]);
    }
    return count;
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    struct multicast *multicast = container_of(handle, struct multicast, readable);

    (void)status; /* an error of the socket is taken off it by recvmmsg, and the next datagram is read */
    (void)events;
    for (int turn = 0; turn < BATCHES_A_TURN && !uv_is_closing((uv_handle_t *)handle); turn++) {
        if (receive_batch(multicast) < MULTICAST_BATCH) {
            return;
        }
    }
}

int multicast_send(struct multicast *multicast, struct text bytes, struct error *error)
{
    ssize_t sent;

    do {
        sent = sendto(multicast->sender, bytes.bytes, bytes.length, 0, (struct sockaddr *)&multicast->group,
                      sizeof multicast->group);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0) {
        error_set(error, ERROR_NETWORK, "the datagram was not sent");
        error_because_errno(error, errno);
        return ERROR_NETWORK;
    }
    return 0;
}

uint32_t multicast_take_drops(struct multicast *multicast)
{
    uint32_t memory_info[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof memory_info;

    if (multicast->receiver < 0 ||
        getsockopt(multicast->receiver, SOL_SOCKET, SO_MEMINFO, memory_info, &length) != 0) {
        return 0; /* kernels before 4.12 do not tell */
    }
    uint32_t drops = memory_info[SK_MEMINFO_DROPS] - multicast->known_drops;
    multicast->known_drops = memory_info[SK_MEMINFO_DROPS];
    return drops;
}

static void on_closed(uv_handle_t *handle)
{
    struct multicast *multicast = container_of((uv_poll_t *)handle, struct multicast, readable);
    free(multicast->batch);
    multicast->batch = NULL;
}

void multicast_close(struct multicast *multicast)
{
    uv_poll_stop(&multicast->readable);
    uv_close((uv_handle_t *)&multicast->readable, on_closed);
    close_sockets(multicast);
}

void multicast_format_address(const struct sockaddr_in *address, char out[32])
{
    char text[INET_ADDRSTRLEN] = "?";
    inet_ntop(AF_INET, &address->sin_addr, text, sizeof text);
    snprintf(out, 32, "%s:%u", text, (unsigned)ntohs(address->sin_port));
}
