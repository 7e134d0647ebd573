/* Which request goes where: a part of process.c, and nobody else's business. */
#ifndef ORDEM_PAXOS_PROCESS_ROUTES_H
#define ORDEM_PAXOS_PROCESS_ROUTES_H

#include "paxos/process.h"

/* What the server of a process is to call. */
void process_route_request(struct http_server *server, struct http_exchange *exchange,
                           const struct http_request *request);

#endif
