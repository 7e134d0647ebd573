/* A client that is a prompt and nothing else. */
#ifndef ORDEM_PAXOS_CLIENT_CONSOLE_H
#define ORDEM_PAXOS_CLIENT_CONSOLE_H

#include "paxos/client_options.h"

/* Returns the exit status: 0; 1 if commands that came from a pipe or a file were not carried out; 2 if it cannot run. */
int client_console_run(const struct client_options *options);

#endif
