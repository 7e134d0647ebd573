/* Ports for servers that a run starts, kills and starts again. */
#ifndef ORDEM_PORTS_H
#define ORDEM_PORTS_H

#include "common/error.h"

#include <stdint.h>

/* TCP ports in a row, held. Zeroed to start with. */
struct ports {
    int *holders; /* sockets, owned; as many as `held` */
    unsigned held;
    uint16_t first;
};

/* Holds `count` ports that are free on 127.0.0.1 to 127.0.0.`hosts`, drawn at random from below the kernel's range for
 * outgoing connections: from that range another program's connection might take one while its server is down, or a client
 * that knocks at it meanwhile be connected to itself. A held port is not given to a second who asks here; a server that
 * sets SO_REUSEADDR, as all of ours and RabbitMQ do, can listen on it. ERROR_NETWORK; nothing is held then. */
int ports_hold(struct ports *ports, unsigned count, unsigned hosts, struct error *error);

void ports_release(struct ports *ports);

#endif
