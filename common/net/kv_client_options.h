/* The arguments of the client role. Nobody but kv_client.c includes this. */
#ifndef ORDEM_KV_CLIENT_OPTIONS_H
#define ORDEM_KV_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct kv_client_options {
    const char *program; /* what usage texts call it; set already */
    const char *target;  /* --target or TARGET; not owned */
    uint64_t timeout_ms; /* --timeout: for one command, with all that is sent again */
    bool wait;           /* --wait */
};

/* Reads them; argv[1] may be "client". Returns -1 if the client is to run, else the exit status: what was to be said is
 * said then. */
int kv_client_options_read(struct kv_client_options *options, int argc, char **argv);

/* Says on standard error why the client does not run; returns the exit status. */
int kv_client_refuse(const char *program, const char *what);

#endif
