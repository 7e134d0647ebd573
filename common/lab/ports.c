#include "common/lab/ports.h"

#include "common/random.h"
#include "common/uuid.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
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

/* 0, or the error number of the first address on which the port is not free. */
static int try_port(unsigned hosts, uint16_t port)
{
    int refused = 0;

    for (unsigned host = 1; refused == 0 && host <= hosts; host++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
        const int on = 1; /* as servers do: connections of an earlier one, still waiting, are no hindrance */
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (probe < 0) {
            return errno;
        }
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
        if (setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            bind(probe, (struct sockaddr *)&address, sizeof address) != 0) {
            refused = errno;
        }
        close(probe);
    }
    return refused;
}

int ports_choose(unsigned count, unsigned hosts, uint16_t *first, struct error *error)
{
    struct random random = {random_hash(text_of(uuid_new().text))};
    unsigned end = outgoing_from() - count;
    int refused = 0;

    for (unsigned attempt = 0; attempt < ATTEMPTS; attempt++) {
        *first = (uint16_t)(PORT_LOWEST + random_below(&random, end - PORT_LOWEST));
        refused = 0;
        for (unsigned i = 0; refused == 0 && i < count; i++) {
            refused = try_port(hosts, (uint16_t)(*first + i));
        }
        if (refused == 0) {
            return 0;
        }
    }
    error_set(error, ERROR_NETWORK, "no free ports were found on 127.0.0.1");
    error_because_errno(error, refused);
    return ERROR_NETWORK;
}
