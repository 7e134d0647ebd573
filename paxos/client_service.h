/* A client that is a process of the cluster: it asks for what it is told to over HTTP, makes load, and shows the cluster on a
 * page; with a terminal or a pipe it has a prompt besides. */
#ifndef ORDEM_PAXOS_CLIENT_SERVICE_H
#define ORDEM_PAXOS_CLIENT_SERVICE_H

#include "paxos/client_options.h"

/* Returns the exit status. */
int client_service_run(const struct client_options *options);

#endif
