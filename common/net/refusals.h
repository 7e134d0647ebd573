/* What a server's log says of peers that it does not serve: the first few in full, the rest summed up. */
#ifndef ORDEM_REFUSALS_H
#define ORDEM_REFUSALS_H

#include "common/log.h"
#include "common/log_limit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed to start with, but for the log. */
struct refusals {
    struct log *log;
    struct log_limit refused, broken;
};

/* A connection could not be taken; `status` is libuv's, `open` of at most `most` are. */
void refusals_add_refused(struct refusals *refusals, uint64_t now_ms, int status, size_t open, size_t most);

/* A connection from `peer` was misused. */
void refusals_add_broken(struct refusals *refusals, uint64_t now_ms, const char *peer, const char *why);

/* Says how many were not told in full, where that is due or `at_once`. */
void refusals_sum_up(struct refusals *refusals, uint64_t now_ms, bool at_once);

#endif
