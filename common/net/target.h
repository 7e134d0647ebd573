/* Whom a client calls: "host:port". */
#ifndef ORDEM_TARGET_H
#define ORDEM_TARGET_H

#include "common/error.h"

#include <stdint.h>

#define TARGET_HOST_MAX 256

struct target {
    char host[TARGET_HOST_MAX]; /* a name or an address, this one without brackets */
    uint16_t port;
    char authority[TARGET_HOST_MAX + 10]; /* "host:port", as the peer and people are told */
};

/* An IPv6 address stands in brackets. ERROR_CONFIG. */
int target_read(struct target *target, const char *text, struct error *error);

#endif
