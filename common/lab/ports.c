#include "common/lab/ports.h"

#include "common/memory.h"
#include "common/random.h"
#include "common/uuid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_LOWEST   10000
#define PORT_STANDARD 32768 /* where outgoing connections begin if the kernel does not tell */
#define ATTEMPTS      1000

/* The first port that the kernel gives to outgoing connections. */
static unsigned outgoing_from(void)
{
    unsigned first = PORT_STANDARD;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

    if (file != NULL) {
        if (fscanf(file, "%u", &first) != 1) {
            first = PORT_STANDARD;
        }
        fclose(file);
    }
    /* Somebody who gave nearly all ports to outgoing connections leaves no better ones. */
    return first > PORT_LOWEST + 5000 && first < 65536 ? first : PORT_STANDARD;
}

/* A socket that holds the port, or -1 with errno. */
static int hold(unsigned host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host)};
    const int on = 1;
    int holder = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    /* The bind fails beside any other socket; from then on whoever wants to share the port may. */
    if (holder >= 0 && (bind(holder, (struct sockaddr *)&address, sizeof address) != 0 ||
                        setsockopt(holder, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0)) {
        int reason = errno;
        close(holder);
        errno = reason;
        return -1;
    }
    return holder;
}

/* 0, or the error number of the first port that is not free. */
static int hold_all(struct ports *ports, unsigned count, unsigned hosts)
{
    for (unsigned i = 0; i < count * hosts; i++) {
        int holder = hold(1 + i % hosts, (uint16_t)(ports->first + i / hosts));
        if (holder < 0) {
            return errno;
        }
        ports->holders[ports->held++] = holder;
    }
    return 0;
}

int ports_hold(struct ports *ports, unsigned count, unsigned hosts, struct error *error)
{
    struct random random = {random_hash(text_of(uuid_new().text))};
    unsigned end = outgoing_from() - count;
    int refused = 0;

    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        ports->first = (uint16_t)(PORT_LOWEST + random_below(&random, end - PORT_LOWEST));
        ports->holders = memory_new_zeroed((size_t)count * hosts, sizeof *ports->holders);
        refused = hold_all(ports, count, hosts);
        if (refused == 0) {
            return 0;
        }
        ports_release(ports);
    }
    error_set(error, ERROR_NETWORK, "no free ports were found on 127.0.0.1");
    error_because_errno(error, refused);
    return ERROR_NETWORK;
}

void ports_release(struct ports *ports)
{
    while (ports->held > 0) {
        close(ports->holders[--ports->held]);
    }
    free(ports->holders);
    ports->holders = NULL;
}
