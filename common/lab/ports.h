/* Ports for servers that a run starts, kills and starts again. */
#ifndef ORDEM_PORTS_H
#define ORDEM_PORTS_H

#include "common/error.h"

#include <stdint.h>

/* The first of `count` TCP ports in a row that are free on 127.0.0.1 to 127.0.0.`hosts`, drawn at random from below the
 * kernel's range for outgoing connections: from that range another program's connection might take one while its server
 * is down, or a client that knocks at it meanwhile be connected to itself. ERROR_NETWORK. */
int ports_choose(unsigned count, unsigned hosts, uint16_t *first, struct error *error);

#endif
