/* The arguments of the client role. */
#ifndef ORDEM_PAXOS_CLIENT_OPTIONS_H
#define ORDEM_PAXOS_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct client_options {
    const char *targets;  /* --target or PROPOSERS; not owned; NULL where neither was given */
    const char *variable; /* which of them, for errors */
    bool service;         /* it serves a page, since nobody was named by --target and NODE_ID is set */
    uint64_t timeout_ms;  /* --timeout: for one command, with all that is tried again */
};

/* Reads them; argv[1] may be "client". Returns -1 if the client is to run, else the exit status: what was to be said is
 * said then. */
int client_options_read(struct client_options *options, int argc, char **argv);

/* Says on standard error why the client does not run; returns the exit status. */
int client_refuse(const char *what);

#endif
